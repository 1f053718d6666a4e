//! Listeners, rules, conditions and actions.

use std::collections::BTreeMap;

use fairway_aws::model::{
    Action, Condition, FixedResponse, Forward, ListenerProtocol, QueryPair, Redirect, Ref, WeightedTarget,
};
use serde_json::{Value, json};

use super::{CallError, Called, list, maybe, named, number, tags, text, texts, unknown};
use crate::world::{Aws, ListenerAsk, ListenerChange, ListenerRow, RuleAsk, RuleRow, refuse};

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
            Ok(json!({"Rules": [shown_rule(&aws.modify_rule(&rule, conditions, actions)?)]}))
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
        tags: tags(with, "Tags")?,
    })
}

fn rule_ask(with: &Value) -> Result<RuleAsk, CallError> {
    Ok(RuleAsk {
        listener: text(with, "ListenerArn"),
        priority: number(with, "Priority").unwrap_or_default(),
        conditions: conditions(with)?,
        actions: actions(with, "Actions")?,
        tags: tags(with, "Tags")?,
    })
}

fn conditions(with: &Value) -> Result<Vec<Condition>, CallError> {
    list(with, "Conditions").map(condition).collect()
}

fn condition(condition: &Value) -> Result<Condition, CallError> {
    let values = |config: &str| texts(condition.get(config).unwrap_or(condition), "Values");
    match text(condition, "Field").as_str() {
        "host-header" => Ok(Condition::HostHeader(values("HostHeaderConfig"))),
        "path-pattern" => Ok(Condition::PathPattern(values("PathPatternConfig"))),
        "http-request-method" => Ok(Condition::HttpRequestMethod(values("HttpRequestMethodConfig"))),
        "source-ip" => Ok(Condition::SourceIp(values("SourceIpConfig"))),
        "query-string" => {
            let config = condition.get("QueryStringConfig").unwrap_or(condition);
            let pair = |one: &Value| QueryPair { key: maybe(one, "Key"), value: text(one, "Value") };
            Ok(Condition::QueryString(list(config, "Values").map(pair).collect()))
        }
        other => unknown(&format!("conditions on {other}")),
    }
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
            Ok(Action::Forward(Forward { targets, stickiness: None }))
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
    let shown = |condition: &Condition| match condition {
        Condition::HostHeader(values) => {
            json!({"Field": "host-header", "HostHeaderConfig": {"Values": values}})
        }
        Condition::PathPattern(values) => {
            json!({"Field": "path-pattern", "PathPatternConfig": {"Values": values}})
        }
        other => json!({ "Field": format!("{other:?}") }),
    };
    json!({
        "RuleArn": row.arn,
        "Priority": row.priority.to_string(),
        "IsDefault": false,
        "Conditions": row.conditions.iter().map(shown).collect::<Value>(),
        "Actions": shown_actions(&row.actions),
    })
}

fn shown_actions(actions: &[Action]) -> Value {
    actions.iter().map(shown_action).collect()
}

fn shown_action(action: &Action) -> Value {
    match action {
        Action::Forward(forward) => {
            let target = |one: &WeightedTarget| json!({"TargetGroupArn": one.target_group.name(), "Weight": one.weight});
            let stickiness = json!({"Enabled": forward.stickiness.is_some()});
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
    }
}
