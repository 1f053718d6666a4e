//! The world in the words of the recorded cases.

use std::collections::BTreeMap;

use fairway_aws::{
    model::{Action, Condition, Permission, Source},
    observed::{ListenerSeen, RuleSeen, SecurityGroupSeen, TargetGroupSeen},
};
use serde_json::{Value, json};

use super::world::{BACKEND, World};

pub(crate) const BACKEND_NAME: &str = "k8s-traffic-demo-2a97516c35";

impl World {
    fn group_name(&self, id: &str) -> String {
        let own = self.observed.security_groups.values().find(|seen| seen.id == id);
        own.map_or_else(|| if id == BACKEND { BACKEND_NAME } else { id }.to_owned(), |seen| seen.name.clone())
    }

    /// Load balancers, target groups and managed security groups as `aws.json` shows them.
    pub(crate) fn dump(&self) -> Value {
        let zone = |id: &String| {
            let subnet = self.subnets.iter().find(|subnet| subnet.id == *id).unwrap();
            format!("{}/{}", subnet.zone, subnet.cidr)
        };
        let balancers: BTreeMap<_, _> = self
            .observed
            .load_balancers
            .values()
            .map(|seen| {
                let listeners: BTreeMap<_, _> = seen
                    .listeners
                    .values()
                    .map(|one| (format!("{}/{}", one.port, one.protocol.as_str()), listener(one)))
                    .collect();
                let mut groups: Vec<_> = seen.security_groups.iter().map(|id| self.group_name(id)).collect();
                groups.sort();
                let mut zones: Vec<_> = seen.subnets.iter().map(zone).collect();
                zones.sort();
                let value = json!({
                    "ip": seen.ip_address_type, "listeners": listeners, "scheme": seen.scheme,
                    "securityGroups": groups, "tags": seen.tags, "type": seen.kind, "zones": zones,
                    "attributes": seen.attributes,
                });
                (seen.name.clone(), value)
            })
            .collect();
        let groups: BTreeMap<_, _> = self
            .observed
            .target_groups
            .values()
            .map(|seen| (seen.name.clone(), target_group(seen)))
            .collect();
        let security: BTreeMap<_, _> =
            self.observed.security_groups.values().map(|seen| (seen.name.clone(), security(seen))).collect();
        json!({ "loadBalancers": balancers, "targetGroups": groups, "securityGroups": security })
    }
}

fn listener(seen: &ListenerSeen) -> Value {
    json!({
        "alpn": seen.alpn_policy, "certificates": seen.certificates,
        "default": seen.default_actions.iter().map(action).collect::<Vec<_>>(),
        "rules": seen.rules.iter().map(rule).collect::<Vec<_>>(),
        "ssl": seen.ssl_policy, "tags": seen.tags,
    })
}

fn rule(seen: &RuleSeen) -> Value {
    json!({
        "actions": seen.actions.iter().map(action).collect::<Vec<_>>(),
        "conditions": seen.conditions.iter().map(condition).collect::<Vec<_>>(),
        "priority": seen.priority.to_string(),
    })
}

fn action(action: &Action) -> Value {
    match action {
        Action::Forward(forward) => {
            let groups: Vec<_> = forward
                .targets
                .iter()
                .map(|one| json!({"TargetGroupArn": one.target_group.name(), "Weight": one.weight}))
                .collect();
            let first = forward.targets[0].target_group.name();
            let mut config = json!({ "TargetGroups": groups });
            if let Some(seconds) = forward.stickiness {
                config["TargetGroupStickinessConfig"] = json!({"DurationSeconds": seconds, "Enabled": true});
            }
            let mut action = json!({"Type": "forward", "ForwardConfig": config});
            if groups.len() == 1 {
                action["TargetGroupArn"] = json!(first);
            }
            action
        }
        Action::Redirect(redirect) => json!({"Type": "redirect", "RedirectConfig": {
            "Host": redirect.host, "Path": redirect.path, "Port": redirect.port,
            "Protocol": redirect.protocol, "Query": redirect.query, "StatusCode": redirect.status_code,
        }}),
        Action::FixedResponse(fixed) => {
            let mut config = json!({"ContentType": fixed.content_type, "StatusCode": fixed.status_code});
            if let Some(body) = &fixed.body {
                config["MessageBody"] = json!(body);
            }
            json!({"Type": "fixed-response", "FixedResponseConfig": config})
        }
        Action::Cognito(_) | Action::Oidc(_) | Action::Jwt(_) => {
            panic!("the peer's recordings have no guards")
        }
    }
}

fn condition(condition: &Condition) -> Value {
    match condition {
        Condition::HostHeader(values) => {
            json!({"Field": "host-header", "HostHeaderConfig": {"Values": values}})
        }
        Condition::PathPattern(values) => {
            json!({"Field": "path-pattern", "PathPatternConfig": {"Values": values}})
        }
        Condition::HttpHeader { name, values } => {
            json!({"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": values}})
        }
        Condition::HttpRequestMethod(values) => {
            json!({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": values}})
        }
        Condition::QueryString(pairs) => {
            let pairs: Vec<_> =
                pairs.iter().map(|pair| json!({"Key": pair.key, "Value": pair.value})).collect();
            json!({"Field": "query-string", "QueryStringConfig": {"Values": pairs}})
        }
        other => panic!("{other:?} is in no recorded case"),
    }
}

fn target_group(seen: &TargetGroupSeen) -> Value {
    let check = &seen.health_check;
    json!({
        "HealthCheckIntervalSeconds": check.interval, "HealthCheckPath": check.path,
        "HealthCheckPort": check.port, "HealthCheckProtocol": check.protocol,
        "HealthCheckTimeoutSeconds": check.timeout, "HealthyThresholdCount": check.healthy,
        "IpAddressType": seen.ip_address_type,
        "Matcher": check.http_codes.as_ref().map(|codes| json!({"HttpCode": codes})),
        "Port": seen.port, "Protocol": seen.protocol, "ProtocolVersion": seen.protocol_version,
        "TargetType": seen.target_type, "UnhealthyThresholdCount": check.unhealthy, "tags": seen.tags,
        "attributes": seen.attributes,
    })
}

fn security(seen: &SecurityGroupSeen) -> Value {
    let mut ingress: Vec<Value> = Vec::new();
    for one in seen.permissions.iter().map(permission) {
        match ingress.iter_mut().find(|other| ["p", "f", "t"].iter().all(|key| other[key] == one[key])) {
            Some(same) => join(same, &one),
            None => ingress.push(one),
        }
    }
    json!({ "description": seen.description, "tags": seen.tags, "ingress": ingress })
}

/// AWS shows all sources of one protocol and port as one permission.
fn join(permission: &mut Value, other: &Value) {
    for kind in ["c", "c6", "g", "pl"] {
        let sources = other[kind].as_array().unwrap().clone();
        permission[kind].as_array_mut().unwrap().extend(sources);
    }
}

/// One permission in the recorded form, which is JSON in a string.
pub(crate) fn permission(permission: &Permission) -> Value {
    let said = json!([[permission.source_text(), permission.description]]);
    let of = |yes: bool| if yes { said.clone() } else { json!([]) };
    json!({
        "p": permission.protocol, "f": permission.from, "t": permission.to,
        "c": of(matches!(permission.source, Source::Cidr(_))),
        "c6": of(matches!(permission.source, Source::Cidr6(_))),
        "g": of(matches!(permission.source, Source::Group(_))),
        "pl": of(matches!(permission.source, Source::PrefixList(_))),
    })
}

trait SourceText {
    fn source_text(&self) -> String;
}

impl SourceText for Permission {
    fn source_text(&self) -> String {
        match &self.source {
            Source::Group(id) if id == BACKEND => BACKEND_NAME.to_owned(),
            Source::Cidr(text) | Source::Cidr6(text) | Source::Group(text) | Source::PrefixList(text) => {
                text.clone()
            }
        }
    }
}
