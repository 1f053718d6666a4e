//! Security groups of a load balancer: its own, whose permissions are what clients may do, or those that were given.

use std::collections::{BTreeMap, BTreeSet};

use super::{LowerError, Lowering, Scene};
use crate::{
    facts::{Answer, Query},
    model::{IpAddressType, Permission, Ref, SecurityGroup, SecurityGroupRef, Source},
    tags,
};

/// Description of every managed group, as the peer writes it.
pub(crate) const DESCRIPTION: &str = "[k8s] Managed SecurityGroup for LoadBalancer";

/// Who may reach one port.
#[derive(Debug, Clone)]
pub(crate) struct Door<'a> {
    /// `tcp` or `udp`.
    pub(crate) protocol: &'static str,
    pub(crate) port: u16,
    /// As asked for; empty when nothing was.
    pub(crate) cidrs: &'a [String],
    pub(crate) prefix_lists: &'a [String],
}

/// Ids of the groups that were asked for, in order.
pub(crate) fn given(scene: &Scene<'_>, names: &[String]) -> Lowering<Vec<String>> {
    scene.ask_all(names.iter().cloned().map(Query::SecurityGroup))?;
    let mut ids = Vec::new();
    for name in names {
        let found = match scene.ask(Query::SecurityGroup(name.clone()))? {
            Answer::SecurityGroup(found) => found.as_slice(),
            _ => &[],
        };
        let [id] = found else {
            return Err(LowerError::SecurityGroupNotFound { name: name.clone(), found: found.len() }.into());
        };
        ids.push(id.clone());
    }
    Ok(ids)
}

/// How many entries the prefix lists of doors may have, where that is known.
pub(crate) fn entries(scene: &Scene<'_>, doors: &[Door<'_>]) -> BTreeMap<String, usize> {
    let lists = doors.iter().flat_map(|door| door.prefix_lists);
    let known = lists.filter_map(|list| match scene.ask(Query::PrefixList(list.clone())) {
        Ok(Answer::PrefixList(entries)) => Some((list.clone(), (*entries)?)),
        _ => None,
    });
    known.collect()
}

/// As how many permissions AWS counts one.
pub(crate) fn weight(permission: &Permission, entries: &BTreeMap<String, usize>) -> usize {
    match &permission.source {
        Source::PrefixList(id) => entries.get(id).copied().unwrap_or(1),
        Source::Cidr(_) | Source::Cidr6(_) | Source::Group(_) => 1,
    }
}

/// The stack's own group, with all permissions: they are spread over several once it is known what is there.
pub(crate) fn managed(
    scene: &Scene<'_>,
    name: String,
    (ip_address_type, doors): (IpAddressType, &[Door<'_>]),
    asked_tags: &crate::model::Tags,
) -> SecurityGroup {
    let permissions = doors.iter().flat_map(|door| open(door, ip_address_type)).collect();
    let tags = tags::of(scene.config, scene.stack, tags::SECURITY_GROUP, asked_tags);
    SecurityGroup { name, description: DESCRIPTION.to_owned(), permissions, tags }
}

/// What the load balancer carries: its own group and the shared one, or those that were given.
pub(crate) fn of_load_balancer(
    own: Option<&SecurityGroup>,
    given: &[String],
    manage_backend_rules: bool,
) -> Vec<SecurityGroupRef> {
    let mut groups: Vec<SecurityGroupRef> = match own {
        Some(group) => vec![SecurityGroupRef::Managed(Ref::new(group.name.clone()))],
        None => given.iter().cloned().map(SecurityGroupRef::Given).collect(),
    };
    if own.is_some() || manage_backend_rules {
        groups.push(SecurityGroupRef::Backend);
    }
    groups
}

/// What a door lets in.
pub(crate) fn open(door: &Door<'_>, ip_address_type: IpAddressType) -> BTreeSet<Permission> {
    let ipv6 = ip_address_type != IpAddressType::Ipv4;
    let everyone = ["0.0.0.0/0".to_owned(), "::/0".to_owned()];
    let unsaid = door.cidrs.is_empty() && door.prefix_lists.is_empty();
    let cidrs = if unsaid { everyone.as_slice() } else { door.cidrs };
    let ranges = cidrs.iter().filter(|cidr| ipv6 || !cidr.contains(':')).map(|cidr| {
        if cidr.contains(':') { Source::Cidr6(cidr.clone()) } else { Source::Cidr(cidr.clone()) }
    });
    let lists = door.prefix_lists.iter().cloned().map(Source::PrefixList);
    let permission = |source| Permission {
        protocol: door.protocol.to_owned(),
        from: Some(i32::from(door.port)),
        to: Some(i32::from(door.port)),
        source,
        description: String::new(),
    };
    ranges.chain(lists).map(permission).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_open_to_those_who_were_asked_for_and_else_to_everyone() {
        let sources = |cidrs: &[&str], lists: &[&str], kind| -> Vec<Source> {
            let cidrs: Vec<String> = cidrs.iter().map(|cidr| (*cidr).to_owned()).collect();
            let lists: Vec<String> = lists.iter().map(|list| (*list).to_owned()).collect();
            let door = Door { protocol: "tcp", port: 80, cidrs: &cidrs, prefix_lists: &lists };
            open(&door, kind).into_iter().map(|permission| permission.source).collect()
        };
        let (v4, dual) = (IpAddressType::Ipv4, IpAddressType::Dualstack);
        let range = |cidr: &str| Source::Cidr(cidr.to_owned());
        let range6 = |cidr: &str| Source::Cidr6(cidr.to_owned());
        assert_eq!(sources(&[], &[], v4), [range("0.0.0.0/0")]);
        assert_eq!(sources(&[], &[], dual), [range("0.0.0.0/0"), range6("::/0")]);
        assert_eq!(sources(&["10.0.0.0/8", "fd00::/8"], &[], v4), [range("10.0.0.0/8")]);
        assert_eq!(sources(&[], &["pl-1"], v4), [Source::PrefixList("pl-1".to_owned())]);
    }

    #[test]
    fn given_groups_get_the_shared_one_only_when_backend_rules_are_managed() {
        let given = ["sg-1".to_owned()];
        assert_eq!(of_load_balancer(None, &given, false), [SecurityGroupRef::Given("sg-1".to_owned())]);
        assert_eq!(of_load_balancer(None, &given, true).last(), Some(&SecurityGroupRef::Backend));
    }
}
