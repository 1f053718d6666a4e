//! Security groups and network interfaces.

use std::collections::BTreeSet;

use fairway_aws::model::{Permission, Source, Tags};
use serde_json::{Value, json};

use super::{Called, list, maybe, number, pairs, tags, text, texts, unknown};
use crate::world::{Aws, GroupRow};

pub(super) fn call(aws: &mut Aws, name: &str, with: &Value) -> Called {
    match name {
        "CreateSecurityGroup" => {
            let mut all = Tags::new();
            for specification in list(with, "TagSpecifications") {
                all.extend(tags(specification, "Tags")?);
            }
            let id = aws.create_security_group(&text(with, "GroupName"), &text(with, "Description"), &all)?;
            Ok(json!({ "GroupId": id }))
        }
        "DeleteSecurityGroup" => Ok(json!({ "done": aws.delete_security_group(&text(with, "GroupId"))? })),
        "AuthorizeSecurityGroupIngress" => {
            Ok(json!({ "done": aws.authorize_ingress(&text(with, "GroupId"), &permissions(with))? }))
        }
        "RevokeSecurityGroupIngress" => {
            Ok(json!({ "done": aws.revoke_ingress(&text(with, "GroupId"), &permissions(with))? }))
        }
        "DescribeSecurityGroups" => groups(aws, with),
        "DescribeNetworkInterfaces" => Ok(interfaces(aws, with)),
        _ => unknown(name),
    }
}

fn permissions(with: &Value) -> BTreeSet<Permission> {
    list(with, "IpPermissions").flat_map(one_source_each).collect()
}

fn one_source_each(permission: &Value) -> Vec<Permission> {
    let cidrs = list(permission, "IpRanges").map(|range| Source::Cidr(text(range, "CidrIp")));
    let groups = list(permission, "UserIdGroupPairs").map(|pair| Source::Group(text(pair, "GroupId")));
    let with = |source| Permission {
        protocol: text(permission, "IpProtocol"),
        from: number(permission, "FromPort"),
        to: number(permission, "ToPort"),
        source,
        description: String::new(),
    };
    cidrs.chain(groups).map(with).collect()
}

fn groups(aws: &Aws, with: &Value) -> Called {
    let ids = texts(with, "GroupIds");
    ids.iter().try_for_each(|id| aws.group(id).map(drop))?;
    let passes = |row: &GroupRow| {
        list(with, "Filters").all(|filter| {
            let values = texts(filter, "Values");
            match maybe(filter, "Name")
                .as_deref()
                .and_then(|name| name.strip_prefix("tag:").map(str::to_owned))
            {
                Some(key) => row.tags.get(&key).is_some_and(|tag| values.contains(tag)),
                None => values.contains(&aws.vpc),
            }
        })
    };
    let found =
        aws.groups.values().filter(|row| ids.is_empty() || ids.contains(&row.id)).filter(|row| passes(row));
    let shown: Value = found
        .map(|row| json!({"GroupId": row.id, "GroupName": row.name, "Tags": pairs(&row.tags)}))
        .collect();
    Ok(json!({ "SecurityGroups": shown }))
}

fn interfaces(aws: &Aws, with: &Value) -> Value {
    let addresses: Vec<String> = list(with, "Filters").flat_map(|filter| texts(filter, "Values")).collect();
    let found =
        aws.interfaces.values().filter(|row| row.addresses.iter().any(|have| addresses.contains(have)));
    let found: Value = found.map(|row| json!({"Attachment": {"InstanceId": row.instance}})).collect();
    json!({ "NetworkInterfaces": found })
}
