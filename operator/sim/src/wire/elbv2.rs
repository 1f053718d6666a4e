//! Load balancers, target groups, targets, tags; listeners and rules are in the module of that name.

use std::collections::BTreeSet;

use fairway_aws::model::{IpAddressType, LoadBalancerKind, Scheme, TargetProtocol, TargetType};
use serde_json::{Value, json};

use super::{Called, list, maybe, named, number, pairs, rules, tags, text, texts, unknown};
use crate::world::{
    Answered, Aws, BalancerAsk, BalancerRow, Health, HealthCheckChange, State, TargetGroupAsk,
    TargetGroupRow, refuse,
};

pub(super) fn call(aws: &mut Aws, name: &str, with: &Value) -> Called {
    let arn = text(with, "LoadBalancerArn");
    match name {
        "CreateLoadBalancer" => {
            let row = aws.create_load_balancer(balancer_ask(with)?)?;
            Ok(json!({"LoadBalancers": [balancer(aws, &row)]}))
        }
        "DescribeLoadBalancers" => balancers(aws, with),
        "DeleteLoadBalancer" => Ok(json!({ "done": aws.delete_load_balancer(&arn)? })),
        "DescribeLoadBalancerAttributes" => Ok(json!({"Attributes": pairs(&aws.balancer(&arn)?.attributes)})),
        "ModifyLoadBalancerAttributes" => {
            Ok(json!({ "done": aws.modify_balancer_attributes(&arn, &tags(with, "Attributes")?)? }))
        }
        "SetSecurityGroups" => {
            aws.set_security_groups(&arn, &texts(with, "SecurityGroups"))?;
            Ok(json!({"SecurityGroupIds": aws.balancer(&arn)?.security_groups}))
        }
        "SetIpAddressType" => {
            let family = named(with, "IpAddressType").unwrap_or(IpAddressType::Ipv4);
            Ok(json!({ "done": aws.set_ip_address_type(&arn, family)? }))
        }
        "SetSubnets" => {
            aws.set_subnets(&arn, &texts(with, "Subnets"), &[])?;
            Ok(json!({"AvailabilityZones": zones(aws.balancer(&arn)?)}))
        }
        "DescribeTags" => {
            let arns = texts(with, "ResourceArns");
            let all: Value = aws.tags_of(&arns)?.iter().map(|tags| json!({"Tags": pairs(tags)})).collect();
            Ok(json!({ "TagDescriptions": all }))
        }
        "AddTags" => Ok(json!({ "done": aws.add_tags(&texts(with, "ResourceArns"), &tags(with, "Tags")?)? })),
        "RemoveTags" => {
            let keys: BTreeSet<String> = texts(with, "TagKeys").into_iter().collect();
            Ok(json!({ "done": aws.remove_tags(&texts(with, "ResourceArns"), &keys)? }))
        }
        _ if name.contains("Target") => groups(aws, name, with),
        _ => rules::call(aws, name, with),
    }
}

fn groups(aws: &mut Aws, name: &str, with: &Value) -> Called {
    let arn = text(with, "TargetGroupArn");
    match name {
        "CreateTargetGroup" => {
            let row = aws.create_target_group(group_ask(with)?)?;
            Ok(json!({"TargetGroups": [group(aws, &row)]}))
        }
        "ModifyTargetGroup" => {
            aws.modify_target_group(&arn, &health_check(with))?;
            Ok(json!({"TargetGroups": [group(aws, aws.target_group(&arn)?)]}))
        }
        "ModifyTargetGroupAttributes" => {
            Ok(json!({ "done": aws.modify_target_group_attributes(&arn, &tags(with, "Attributes")?)? }))
        }
        "DeleteTargetGroup" => Ok(json!({ "done": aws.delete_target_group(&arn)? })),
        "DescribeTargetGroups" => {
            let (arns, balancer) = (texts(with, "TargetGroupArns"), maybe(with, "LoadBalancerArn"));
            arns.iter().try_for_each(|arn| aws.target_group(arn).map(drop))?;
            let asked = |row: &&TargetGroupRow| {
                (arns.is_empty() || arns.contains(&row.arn))
                    && balancer.as_ref().is_none_or(|balancer| aws.users_of(&row.arn).contains(balancer))
            };
            let found: Value = aws.target_groups.values().filter(asked).map(|row| group(aws, row)).collect();
            Ok(json!({ "TargetGroups": found }))
        }
        "RegisterTargets" => {
            let port = |target: &Value| number(target, "Port");
            let zone = |target: &Value| maybe(target, "AvailabilityZone");
            let targets: Vec<_> =
                list(with, "Targets").map(|one| (text(one, "Id"), port(one), zone(one))).collect();
            Ok(json!({ "done": aws.register_targets(&arn, &targets)? }))
        }
        "DeregisterTargets" => {
            let targets: Vec<_> =
                list(with, "Targets").map(|one| (text(one, "Id"), number(one, "Port"))).collect();
            Ok(json!({ "done": aws.deregister_targets(&arn, &targets)? }))
        }
        "DescribeTargetHealth" => health(aws, &arn),
        _ => unknown(name),
    }
}

fn balancer_ask(with: &Value) -> Answered<BalancerAsk> {
    Ok(BalancerAsk {
        name: text(with, "Name"),
        kind: named(with, "Type").unwrap_or(LoadBalancerKind::Application),
        scheme: named(with, "Scheme").unwrap_or(Scheme::InternetFacing),
        ip_address_type: named(with, "IpAddressType").unwrap_or(IpAddressType::Ipv4),
        subnets: texts(with, "Subnets"),
        security_groups: texts(with, "SecurityGroups"),
        customer_owned_pool: maybe(with, "CustomerOwnedIpv4Pool"),
        allocations: Vec::new(),
        ipv4_pool: None,
        tags: tags(with, "Tags")?,
    })
}

fn balancers(aws: &Aws, with: &Value) -> Called {
    let (arns, names) = (texts(with, "LoadBalancerArns"), texts(with, "Names"));
    arns.iter().try_for_each(|arn| aws.balancer(arn).map(drop))?;
    if let Some(name) = names.iter().find(|name| !aws.balancers.values().any(|row| row.name == **name)) {
        refuse::<()>("LoadBalancerNotFound", name)?;
    }
    let asked = |row: &&BalancerRow| {
        (arns.is_empty() || arns.contains(&row.arn)) && (names.is_empty() || names.contains(&row.name))
    };
    let found: Vec<&BalancerRow> = aws.balancers.values().filter(asked).collect();
    let start: usize = maybe(with, "Marker").and_then(|marker| marker.parse().ok()).unwrap_or_default();
    let size = number(with, "PageSize").unwrap_or(400);
    let page: Value = found.iter().skip(start).take(size).map(|row| balancer(aws, row)).collect();
    let mut answer = json!({ "LoadBalancers": page });
    if start + size < found.len()
        && let Some(fields) = answer.as_object_mut()
    {
        fields.insert("NextMarker".to_owned(), json!((start + size).to_string()));
    }
    Ok(answer)
}

fn balancer(aws: &Aws, row: &BalancerRow) -> Value {
    let state = if aws.state(row) == State::Active { "active" } else { "provisioning" };
    json!({
        "LoadBalancerArn": row.arn,
        "LoadBalancerName": row.name,
        "DNSName": row.dns_name,
        "CanonicalHostedZoneId": row.zone_id,
        "Type": row.kind,
        "Scheme": row.scheme,
        "State": {"Code": state},
        "SecurityGroups": row.security_groups,
        "AvailabilityZones": zones(row),
    })
}

fn zones(row: &BalancerRow) -> Value {
    row.subnets.iter().map(|subnet| json!({"SubnetId": subnet})).collect()
}

fn group_ask(with: &Value) -> Answered<TargetGroupAsk> {
    Ok(TargetGroupAsk {
        name: text(with, "Name"),
        port: number(with, "Port").unwrap_or_default(),
        protocol: named(with, "Protocol").unwrap_or(TargetProtocol::Http),
        protocol_version: maybe(with, "ProtocolVersion"),
        target_type: named(with, "TargetType").unwrap_or(TargetType::Instance),
        ip_address_type: maybe(with, "IpAddressType").unwrap_or_else(|| "ipv4".to_owned()),
        control_port: number(with, "TargetControlPort"),
        vpc: text(with, "VpcId"),
        health_check: health_check(with),
        tags: tags(with, "Tags")?,
    })
}

fn health_check(with: &Value) -> HealthCheckChange {
    let matcher = with.get("Matcher").cloned().unwrap_or_default();
    HealthCheckChange {
        protocol: maybe(with, "HealthCheckProtocol"),
        port: maybe(with, "HealthCheckPort"),
        path: maybe(with, "HealthCheckPath"),
        http_codes: maybe(&matcher, "HttpCode"),
        grpc_codes: maybe(&matcher, "GrpcCode"),
        interval: number(with, "HealthCheckIntervalSeconds"),
        timeout: number(with, "HealthCheckTimeoutSeconds"),
        healthy: number(with, "HealthyThresholdCount"),
        unhealthy: number(with, "UnhealthyThresholdCount"),
    }
}

fn group(aws: &Aws, row: &TargetGroupRow) -> Value {
    let check = &row.health_check;
    let matcher = match (&check.http_codes, &check.grpc_codes) {
        (Some(codes), _) => json!({ "HttpCode": codes }),
        (None, Some(codes)) => json!({ "GrpcCode": codes }),
        (None, None) => Value::Null,
    };
    json!({
        "TargetGroupArn": row.arn,
        "TargetGroupName": row.ask.name,
        "Protocol": row.ask.protocol,
        "Port": row.ask.port,
        "ProtocolVersion": row.ask.protocol_version,
        "HealthCheckProtocol": check.protocol,
        "HealthCheckPort": check.port,
        "HealthCheckPath": check.path,
        "HealthCheckIntervalSeconds": check.interval,
        "HealthCheckTimeoutSeconds": check.timeout,
        "HealthyThresholdCount": check.healthy,
        "UnhealthyThresholdCount": check.unhealthy,
        "Matcher": matcher,
        "LoadBalancerArns": aws.users_of(&row.arn),
    })
}

fn health(aws: &Aws, arn: &str) -> Called {
    let states = aws.target_health(arn)?.into_iter().map(|(row, health)| {
        let state = match health {
            Health::Unused => json!({"State": "unused", "Reason": "Target.NotInUse"}),
            Health::Initial => json!({"State": "initial", "Reason": "Elb.RegistrationInProgress"}),
            Health::Healthy => json!({"State": "healthy"}),
            Health::Draining => json!({"State": "draining", "Reason": "Target.DeregistrationInProgress"}),
        };
        json!({"Target": {"Id": row.id, "Port": row.port}, "TargetHealth": state})
    });
    Ok(json!({ "TargetHealthDescriptions": states.collect::<Value>() }))
}
