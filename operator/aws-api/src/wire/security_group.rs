//! Security groups and their permissions: the thin client's shapes and the model's.

use fairway_aws::model::{Permission, Source};
use fairway_aws::observed::SecurityGroupSeen;

use crate::thin::ec2;

pub(crate) fn decode(group: ec2::SecurityGroup) -> SecurityGroupSeen {
    SecurityGroupSeen {
        permissions: group.ingress.into_iter().map(decode_permission).collect(),
        id: group.id,
        name: group.name,
        description: group.description,
        tags: group.tags,
    }
}

fn decode_permission(permission: ec2::Permission) -> Permission {
    let source = match permission.source {
        ec2::Source::Ipv4(cidr) => Source::Cidr(cidr),
        ec2::Source::Ipv6(cidr) => Source::Cidr6(cidr),
        ec2::Source::Group(group) => Source::Group(group.id),
        ec2::Source::PrefixList(id) => Source::PrefixList(id),
    };
    Permission {
        protocol: permission.protocol,
        from: permission.from_port,
        to: permission.to_port,
        source,
        description: permission.description.unwrap_or_default(),
    }
}

pub(crate) fn encode_permission(permission: &Permission) -> ec2::Permission {
    let source = match &permission.source {
        Source::Cidr(cidr) => ec2::Source::Ipv4(cidr.clone()),
        Source::Cidr6(cidr) => ec2::Source::Ipv6(cidr.clone()),
        Source::Group(id) => ec2::Source::Group(ec2::GroupSource { id: id.clone(), owner_id: None }),
        Source::PrefixList(id) => ec2::Source::PrefixList(id.clone()),
    };
    ec2::Permission {
        protocol: permission.protocol.clone(),
        from_port: permission.from,
        to_port: permission.to,
        source,
        description: Some(permission.description.clone()).filter(|text| !text.is_empty()),
    }
}
