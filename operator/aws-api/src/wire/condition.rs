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
        Condition::HostRegex(values) => {
            let config = HostHeaderConditionConfig::builder().set_regex_values(Some(values.clone()));
            wire.field("host-header").host_header_config(config.build())
        }
        Condition::PathRegex(values) => {
            let config = PathPatternConditionConfig::builder().set_regex_values(Some(values.clone()));
            wire.field("path-pattern").path_pattern_config(config.build())
        }
        Condition::PathPattern(values) => {
            let config = PathPatternConditionConfig::builder().set_values(Some(values.clone()));
            wire.field("path-pattern").path_pattern_config(config.build())
        }
        Condition::HttpHeader { name, values } => {
            let config = HttpHeaderConditionConfig::builder().http_header_name(name);
            wire.field("http-header").http_header_config(config.set_values(Some(values.clone())).build())
        }
        Condition::HttpHeaderRegex { name, values } => {
            let config = HttpHeaderConditionConfig::builder().http_header_name(name);
            let config = config.set_regex_values(Some(values.clone()));
            wire.field("http-header").http_header_config(config.build())
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
    let regexes = |config: Option<&[String]>| match config {
        Some(regexes) if !regexes.is_empty() => regexes.to_vec(),
        _ => condition.regex_values().to_vec(),
    };
    Ok(match condition.field().unwrap_or_default() {
        "host-header" => {
            let config = condition.host_header_config();
            let values = long(config.map(HostHeaderConditionConfig::values));
            match regexes(config.map(HostHeaderConditionConfig::regex_values)) {
                none if none.is_empty() => Condition::HostHeader(values),
                regexes => Condition::HostRegex(regexes),
            }
        }
        "path-pattern" => {
            let config = condition.path_pattern_config();
            let values = long(config.map(PathPatternConditionConfig::values));
            match regexes(config.map(PathPatternConditionConfig::regex_values)) {
                none if none.is_empty() => Condition::PathPattern(values),
                regexes => Condition::PathRegex(regexes),
            }
        }
        "http-header" => {
            let config = condition.http_header_config().ok_or("http-header without values")?;
            let name = config.http_header_name().unwrap_or_default().to_owned();
            match config.regex_values() {
                [] => Condition::HttpHeader { name, values: config.values().to_vec() },
                regexes => Condition::HttpHeaderRegex { name, values: regexes.to_vec() },
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_comes_back_as_it_was_written() {
        let texts = || vec!["a".to_owned(), "b*".to_owned()];
        let name = || "X-A".to_owned();
        let pair = |key: Option<&str>| QueryPair { key: key.map(str::to_owned), value: "1".to_owned() };
        let all = [
            Condition::HostHeader(texts()),
            Condition::HostRegex(texts()),
            Condition::PathPattern(texts()),
            Condition::PathRegex(texts()),
            Condition::HttpHeader { name: name(), values: texts() },
            Condition::HttpHeaderRegex { name: name(), values: texts() },
            Condition::HttpRequestMethod(texts()),
            Condition::QueryString(vec![pair(Some("v")), pair(None)]),
            Condition::SourceIp(texts()),
        ];
        for condition in all {
            assert_eq!(decode(&encode(&condition)), Ok(condition));
        }
        let short = RuleCondition::builder().field("path-pattern").regex_values("^a").build();
        assert_eq!(decode(&short), Ok(Condition::PathRegex(vec!["^a".to_owned()])), "the older spelling");
        let other = RuleCondition::builder().field("weather").build();
        assert_eq!(decode(&other), Err("weather".to_owned()));
    }
}
