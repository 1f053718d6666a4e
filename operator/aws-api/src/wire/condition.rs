//! Conditions of rules. Host names and paths come in two spellings; both are read, the longer is written.

use aws_sdk_elasticloadbalancingv2::types::{
    HostHeaderConditionConfig, HttpHeaderConditionConfig, HttpRequestMethodConditionConfig,
    PathPatternConditionConfig, QueryStringConditionConfig, QueryStringKeyValuePair, RuleCondition,
    SourceIpConditionConfig,
};
use fairway_aws::model::{Condition, QueryPair};

pub(crate) fn encode(condition: &Condition) -> RuleCondition {
    let wire = RuleCondition::builder();
    match condition {
        Condition::HostHeader(values) => {
            let config = HostHeaderConditionConfig::builder().set_values(Some(values.clone()));
            wire.field("host-header").host_header_config(config.build())
        }
        Condition::PathPattern(values) => {
            let config = PathPatternConditionConfig::builder().set_values(Some(values.clone()));
            wire.field("path-pattern").path_pattern_config(config.build())
        }
        Condition::HttpHeader { name, values } => {
            let config = HttpHeaderConditionConfig::builder().http_header_name(name);
            wire.field("http-header").http_header_config(config.set_values(Some(values.clone())).build())
        }
        Condition::HttpRequestMethod(values) => {
            let config = HttpRequestMethodConditionConfig::builder().set_values(Some(values.clone()));
            wire.field("http-request-method").http_request_method_config(config.build())
        }
        Condition::QueryString(pairs) => {
            let pair = |pair: &QueryPair| {
                QueryStringKeyValuePair::builder().set_key(pair.key.clone()).value(&pair.value).build()
            };
            let config =
                QueryStringConditionConfig::builder().set_values(Some(pairs.iter().map(pair).collect()));
            wire.field("query-string").query_string_config(config.build())
        }
        Condition::SourceIp(values) => {
            let config = SourceIpConditionConfig::builder().set_values(Some(values.clone()));
            wire.field("source-ip").source_ip_config(config.build())
        }
    }
    .build()
}

/// # Errors
/// The condition in AWS's words, when the model has none for it.
pub(crate) fn decode(condition: &RuleCondition) -> Result<Condition, String> {
    let short = condition.values();
    let long = |config: Option<&[String]>| match config {
        Some(values) if !values.is_empty() => values.to_vec(),
        _ => short.to_vec(),
    };
    let field = condition.field().unwrap_or_default();
    let has_regex = !condition.regex_values().is_empty()
        || condition.host_header_config().is_some_and(|config| !config.regex_values().is_empty())
        || condition.path_pattern_config().is_some_and(|config| !config.regex_values().is_empty())
        || condition.http_header_config().is_some_and(|config| !config.regex_values().is_empty());
    if has_regex {
        return Err(format!("{field} with regular expressions"));
    }
    Ok(match field {
        "host-header" => {
            Condition::HostHeader(long(condition.host_header_config().map(HostHeaderConditionConfig::values)))
        }
        "path-pattern" => Condition::PathPattern(long(
            condition.path_pattern_config().map(PathPatternConditionConfig::values),
        )),
        "http-header" => {
            let config = condition.http_header_config().ok_or("http-header without values")?;
            let name = config.http_header_name().unwrap_or_default().to_owned();
            Condition::HttpHeader { name, values: config.values().to_vec() }
        }
        "http-request-method" => Condition::HttpRequestMethod(long(
            condition.http_request_method_config().map(HttpRequestMethodConditionConfig::values),
        )),
        "query-string" => {
            let config = condition.query_string_config().ok_or("query-string without values")?;
            Condition::QueryString(config.values().iter().map(decode_pair).collect())
        }
        "source-ip" => {
            Condition::SourceIp(long(condition.source_ip_config().map(SourceIpConditionConfig::values)))
        }
        other => return Err(other.to_owned()),
    })
}

fn decode_pair(pair: &QueryStringKeyValuePair) -> QueryPair {
    let key = pair.key().filter(|key| !key.is_empty()).map(str::to_owned);
    QueryPair { key, value: pair.value().unwrap_or_default().to_owned() }
}
