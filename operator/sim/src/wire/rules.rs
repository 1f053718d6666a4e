//! Listeners, rules, conditions and actions.

use std::collections::BTreeMap;

use fairway_aws::model::{
    Action, Condition, FixedResponse, Forward, ListenerProtocol, QueryPair, Redirect, Ref, Rewrite,
    Transform, WeightedTarget,
};
use serde_json::{Value, json};

use super::{CallError, Called, guard, list, maybe, named, number, tags, text, texts, unknown};
use crate::world::{Aws, ListenerAsk, ListenerChange, ListenerRow, RuleAsk, RuleChange, RuleRow, refuse};

pub(super) fn call(aws: &mut Aws, name: &str, with: &Value) -> Called {
    let (listener, rule) = (text(with, "ListenerArn"), text(with, "RuleArn"));
    match name {
        "CreateListener" => {
            let row = aws.create_listener(listener_ask(with)?)?;
            Ok(json!({"Listeners": [shown(&row)]}))
        }
        "ModifyListener" => {
            let change = ListenerChange {
                port: number(with, "Port"),
                protocol: named(with, "Protocol"),
                default_actions: with
                    .get("DefaultActions")
                    .map(|_| actions(with, "DefaultActions"))
                    .transpose()?,
                ssl_policy: maybe(with, "SslPolicy"),
                certificate: default_certificate(with),
                alpn_policy: None,
                client_certificates: None,
            };
            Ok(json!({"Listeners": [shown(&aws.modify_listener(&listener, change)?)]}))
        }
        "DeleteListener" => Ok(json!({ "done": aws.delete_listener(&listener)? })),
        "DescribeListeners" => {
            let found: Result<Value, _> =
                texts(with, "ListenerArns").iter().map(|arn| aws.listener(arn).map(shown)).collect();
            Ok(json!({ "Listeners": found? }))
        }
        "AddListenerCertificates" => {
            Ok(json!({ "done": aws.add_certificates(&listener, &certificates(with))? }))
        }
        "RemoveListenerCertificates" => {
            Ok(json!({ "done": aws.remove_certificates(&listener, &certificates(with))? }))
        }
        "DescribeListenerCertificates" => {
            let all = aws.listener(&listener)?.certificates.iter().enumerate();
            let all: Value =
                all.map(|(n, arn)| json!({"CertificateArn": arn, "IsDefault": n == 0})).collect();
            Ok(json!({ "Certificates": all }))
        }
        "CreateRule" => {
            let row = aws.create_rule(rule_ask(with)?)?;
            Ok(json!({"Rules": [shown_rule(&row)]}))
        }
        "ModifyRule" => {
            changeable(&rule)?;
            let conditions = with.get("Conditions").map(|_| conditions(with)).transpose()?;
            let actions = with.get("Actions").map(|_| actions(with, "Actions")).transpose()?;
            let reset = with.get("ResetTransforms").and_then(Value::as_bool).unwrap_or(false);
            let transforms = match with.get("Transforms") {
                _ if reset => Some(Vec::new()),
                given => given.map(|_| transforms(with)).transpose()?,
            };
            let change = RuleChange { conditions, transforms, actions };
            Ok(json!({"Rules": [shown_rule(&aws.modify_rule(&rule, change)?)]}))
        }
        "DeleteRule" => {
            changeable(&rule)?;
            Ok(json!({ "done": aws.delete_rule(&rule)? }))
        }
        "SetRulePriorities" => {
            let moves = list(with, "RulePriorities");
            let moves: BTreeMap<String, i32> = moves
                .map(|one| (text(one, "RuleArn"), number(one, "Priority").unwrap_or_default()))
                .collect();
            Ok(json!({ "done": aws.set_rule_priorities(&moves)? }))
        }
        "DescribeRules" => {
            let default = aws.listener(&listener)?;
            let mut all: Vec<Value> = aws.rules_of(&listener).map(shown_rule).collect();
            all.push(json!({
                "RuleArn": format!("{}/default", default.arn),
                "Priority": "default",
                "IsDefault": true,
                "Actions": shown_actions(&default.default_actions),
            }));
            Ok(json!({ "Rules": all }))
        }
        _ => unknown(name),
    }
}

/// The default rule has no row: it is the listener's default actions.
fn changeable(rule: &str) -> Result<(), CallError> {
    if rule.ends_with("/default") {
        refuse::<()>("OperationNotPermitted", "the default rule cannot be modified or deleted")?;
    }
    Ok(())
}

fn certificates(with: &Value) -> Vec<String> {
    list(with, "Certificates").map(|one| text(one, "CertificateArn")).collect()
}

fn default_certificate(with: &Value) -> Option<String> {
    certificates(with).into_iter().next()
}

fn listener_ask(with: &Value) -> Result<ListenerAsk, CallError> {
    Ok(ListenerAsk {
        load_balancer: text(with, "LoadBalancerArn"),
        port: number(with, "Port").unwrap_or_default(),
        protocol: named(with, "Protocol").unwrap_or(ListenerProtocol::Http),
        default_actions: actions(with, "DefaultActions")?,
        ssl_policy: maybe(with, "SslPolicy"),
        certificate: default_certificate(with),
        alpn_policy: None,
        client_certificates: None,
        tags: tags(with, "Tags")?,
    })
}

fn rule_ask(with: &Value) -> Result<RuleAsk, CallError> {
    Ok(RuleAsk {
        listener: text(with, "ListenerArn"),
        priority: number(with, "Priority").unwrap_or_default(),
        conditions: conditions(with)?,
        transforms: transforms(with)?,
        actions: actions(with, "Actions")?,
        tags: tags(with, "Tags")?,
    })
}

fn conditions(with: &Value) -> Result<Vec<Condition>, CallError> {
    list(with, "Conditions").map(condition).collect()
}

fn condition(condition: &Value) -> Result<Condition, CallError> {
    let config = |name: &str| condition.get(name).unwrap_or(condition).clone();
    let values = |name: &str| texts(&config(name), "Values");
    match text(condition, "Field").as_str() {
        "host-header" => either(&config("HostHeaderConfig"), Condition::HostHeader, Condition::HostRegex),
        "path-pattern" => either(&config("PathPatternConfig"), Condition::PathPattern, Condition::PathRegex),
        "http-header" => {
            let config = config("HttpHeaderConfig");
            let name = text(&config, "HttpHeaderName");
            either(
                &config,
                |values| Condition::HttpHeader { name: name.clone(), values },
                |values| Condition::HttpHeaderRegex { name: name.clone(), values },
            )
        }
        "http-request-method" => Ok(Condition::HttpRequestMethod(values("HttpRequestMethodConfig"))),
        "source-ip" => Ok(Condition::SourceIp(values("SourceIpConfig"))),
        "query-string" => {
            let pair = |one: &Value| QueryPair { key: maybe(one, "Key"), value: text(one, "Value") };
            Ok(Condition::QueryString(list(&config("QueryStringConfig"), "Values").map(pair).collect()))
        }
        other => unknown(&format!("conditions on {other}")),
    }
}

/// Values, or regular expressions.
fn either(
    config: &Value,
    plain: impl Fn(Vec<String>) -> Condition,
    regex: impl Fn(Vec<String>) -> Condition,
) -> Result<Condition, CallError> {
    let (values, regexes) = (texts(config, "Values"), texts(config, "RegexValues"));
    if !values.is_empty() && !regexes.is_empty() {
        refuse::<()>("ValidationError", "a condition has either Values or RegexValues")?;
    }
    Ok(if regexes.is_empty() { plain(values) } else { regex(regexes) })
}

fn transforms(with: &Value) -> Result<Vec<Transform>, CallError> {
    let rewrites = |transform: &Value, config: &str| {
        let config = transform.get(config).cloned().unwrap_or_default();
        let one = |one: &Value| Rewrite { regex: text(one, "Regex"), replace: text(one, "Replace") };
        list(&config, "Rewrites").map(one).collect()
    };
    let transform = |one: &Value| match text(one, "Type").as_str() {
        "host-header-rewrite" => Ok(Transform::HostHeaderRewrite(rewrites(one, "HostHeaderRewriteConfig"))),
        "url-rewrite" => Ok(Transform::UrlRewrite(rewrites(one, "UrlRewriteConfig"))),
        other => unknown(&format!("transforms of type {other}")),
    };
    list(with, "Transforms").map(transform).collect()
}

fn actions(with: &Value, key: &str) -> Result<Vec<Action>, CallError> {
    list(with, key).map(action).collect()
}

fn action(action: &Value) -> Result<Action, CallError> {
    let config = |key: &str| action.get(key).cloned().unwrap_or_default();
    match text(action, "Type").as_str() {
        "forward" => {
            let config = config("ForwardConfig");
            let target = |one: &Value| WeightedTarget {
                target_group: Ref::new(text(one, "TargetGroupArn")),
                weight: number(one, "Weight").unwrap_or(1),
            };
            let mut targets: Vec<_> = list(&config, "TargetGroups").map(target).collect();
            if targets.is_empty() {
                targets.push(target(action));
            }
            let sticky = config.get("TargetGroupStickinessConfig").cloned().unwrap_or_default();
            let enabled = sticky.get("Enabled").and_then(Value::as_bool).unwrap_or(false);
            let stickiness = number(&sticky, "DurationSeconds").filter(|_| enabled);
            Ok(Action::Forward(Forward { targets, stickiness }))
        }
        "redirect" => {
            let config = config("RedirectConfig");
            let or = |key: &str, default: &str| maybe(&config, key).unwrap_or_else(|| default.to_owned());
            Ok(Action::Redirect(Redirect {
                host: or("Host", "#{host}"),
                path: or("Path", "/#{path}"),
                port: or("Port", "#{port}"),
                protocol: or("Protocol", "#{protocol}"),
                query: or("Query", "#{query}"),
                status_code: text(&config, "StatusCode"),
            }))
        }
        "fixed-response" => {
            let config = config("FixedResponseConfig");
            Ok(Action::FixedResponse(FixedResponse {
                content_type: maybe(&config, "ContentType"),
                body: maybe(&config, "MessageBody"),
                status_code: text(&config, "StatusCode"),
            }))
        }
        "authenticate-cognito" | "authenticate-oidc" | "jwt-validation" => Ok(guard::read(action)),
        other => unknown(&format!("actions of type {other}")),
    }
}

fn shown(row: &ListenerRow) -> Value {
    json!({
        "ListenerArn": row.arn,
        "LoadBalancerArn": row.load_balancer,
        "Port": row.port,
        "Protocol": row.protocol,
        "SslPolicy": row.ssl_policy,
        "Certificates": row.certificates.first().map(|arn| json!([{"CertificateArn": arn}])),
        "DefaultActions": shown_actions(&row.default_actions),
    })
}

fn shown_rule(row: &RuleRow) -> Value {
    json!({
        "RuleArn": row.arn,
        "Priority": row.priority.to_string(),
        "IsDefault": false,
        "Conditions": row.conditions.iter().map(shown_condition).collect::<Value>(),
        "Transforms": row.transforms.iter().map(shown_transform).collect::<Value>(),
        "Actions": shown_actions(&row.actions),
    })
}

fn shown_condition(condition: &Condition) -> Value {
    match condition {
        Condition::HostHeader(values) => {
            json!({"Field": "host-header", "HostHeaderConfig": {"Values": values}})
        }
        Condition::HostRegex(values) => {
            json!({"Field": "host-header", "HostHeaderConfig": {"RegexValues": values}})
        }
        Condition::PathPattern(values) => {
            json!({"Field": "path-pattern", "PathPatternConfig": {"Values": values}})
        }
        Condition::PathRegex(values) => {
            json!({"Field": "path-pattern", "PathPatternConfig": {"RegexValues": values}})
        }
        other => json!({ "Field": format!("{other:?}") }),
    }
}

fn shown_transform(transform: &Transform) -> Value {
    let shown = |all: &[Rewrite]| -> Value {
        all.iter().map(|one| json!({"Regex": one.regex, "Replace": one.replace})).collect()
    };
    match transform {
        Transform::HostHeaderRewrite(all) => {
            json!({"Type": "host-header-rewrite", "HostHeaderRewriteConfig": {"Rewrites": shown(all)}})
        }
        Transform::UrlRewrite(all) => {
            json!({"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": shown(all)}})
        }
    }
}

fn shown_actions(actions: &[Action]) -> Value {
    actions.iter().map(shown_action).collect()
}

fn shown_action(action: &Action) -> Value {
    match action {
        Action::Forward(forward) => {
            let target = |one: &WeightedTarget| json!({"TargetGroupArn": one.target_group.name(), "Weight": one.weight});
            let mut stickiness = json!({"Enabled": forward.stickiness.is_some()});
            if let (Some(seconds), Some(fields)) = (forward.stickiness, stickiness.as_object_mut()) {
                fields.insert("DurationSeconds".to_owned(), json!(seconds));
            }
            let groups: Value = forward.targets.iter().map(target).collect();
            let first = forward.targets.first().map(|target| target.target_group.name());
            json!({
                "Type": "forward",
                "TargetGroupArn": first.filter(|_| forward.targets.len() == 1),
                "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness},
            })
        }
        Action::Redirect(to) => json!({"Type": "redirect", "RedirectConfig": {
            "Host": to.host, "Path": to.path, "Port": to.port, "Protocol": to.protocol, "Query": to.query,
            "StatusCode": to.status_code,
        }}),
        Action::FixedResponse(response) => json!({"Type": "fixed-response", "FixedResponseConfig": {
            "StatusCode": response.status_code, "MessageBody": response.body, "ContentType": response.content_type,
        }}),
        Action::Cognito(_) | Action::Oidc(_) | Action::Jwt(_) => guard::shown(action),
    }
}
