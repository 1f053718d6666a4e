//! Which subnets a load balancer gets: those that were asked for, or those that are tagged for its scheme.
//!
//! Discovery: tag `kubernetes.io/role/elb` or `kubernetes.io/role/internal-elb` (empty or `1`); not another cluster's; at
//! least 8 free addresses; an IPv6 range where the load balancer needs one; per zone the one with our cluster's
//! tag, then the lowest id.
//!
//! Errors: class `Environment`, naming each candidate and why it was refused.
//! Source: AWS Load Balancer Controller 3.5 (an internet gateway in the route table is not looked for instead of tags).

use std::collections::{BTreeMap, BTreeSet};

use super::{LowerError, Lowering, Scene};
use crate::{
    facts::{Answer, Query, Subnet},
    model::{IpAddressType, LoadBalancerKind, Scheme},
};

/// AWS wants this many free addresses in a subnet to place a load balancer there.
const FREE_ADDRESSES: u32 = 8;
/// An ALB in availability zones spans at least two.
const ALB_ZONES: usize = 2;

/// What the subnets are for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    pub(crate) kind: LoadBalancerKind,
    pub(crate) scheme: Scheme,
    pub(crate) ip_address_type: IpAddressType,
}

/// All subnets of the VPC.
fn all<'a>(scene: &Scene<'a>) -> Lowering<&'a [Subnet]> {
    match scene.ask(Query::Subnets)? {
        Answer::Subnets(subnets) => Ok(subnets),
        _ => Ok(&[]),
    }
}

/// The subnets that were asked for, by id or by `Name` tag: their ids, sorted.
pub(crate) fn given(scene: &Scene<'_>, names: &[String], placement: Placement) -> Lowering<Vec<String>> {
    let all = all(scene)?;
    let mut taken = BTreeMap::new();
    for name in names {
        let matches = |subnet: &&Subnet| {
            if name.starts_with("subnet-") {
                subnet.id == *name
            } else {
                subnet.tags.get("Name") == Some(name)
            }
        };
        let mut found: Vec<&Subnet> = all.iter().filter(matches).collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        let next = found.into_iter().find(|subnet| !taken.contains_key(&subnet.id));
        let subnet = next.ok_or_else(|| LowerError::SubnetNotFound(name.clone()))?;
        taken.insert(subnet.id.clone(), subnet);
    }
    let chosen: Vec<&Subnet> = taken.into_values().collect();
    validate(&chosen, placement).map_err(LowerError::BadSubnets)?;
    Ok(chosen.into_iter().map(|subnet| subnet.id.clone()).collect())
}

/// The subnets that are tagged for the scheme: their ids, sorted.
pub(crate) fn discovered(scene: &Scene<'_>, placement: Placement) -> Lowering<Vec<String>> {
    let role = match placement.scheme {
        Scheme::Internal => "kubernetes.io/role/internal-elb",
        Scheme::InternetFacing => "kubernetes.io/role/elb",
    };
    chosen(scene, placement, |subnet| {
        let tagged = subnet.tags.get(role).is_some_and(|value| value.is_empty() || value == "1");
        if tagged { Ok(()) } else { Err(format!("no tag {role}")) }
    })
}

/// The subnets that have, for each key of `tags`, one of its values: their ids, sorted.
pub(crate) fn tagged(
    scene: &Scene<'_>,
    tags: &BTreeMap<String, Vec<String>>,
    placement: Placement,
) -> Lowering<Vec<String>> {
    chosen(scene, placement, |subnet| {
        let fits = |(key, values): (&String, &Vec<String>)| {
            subnet.tags.get(key).is_some_and(|value| values.contains(value))
        };
        match tags.iter().find(|pair| !fits(*pair)) {
            None => Ok(()),
            Some((key, values)) => Err(format!("tag {key} is not {}", values.join(" or "))),
        }
    })
}

/// The best subnet of each zone among the candidates: their ids, sorted.
fn chosen(
    scene: &Scene<'_>,
    placement: Placement,
    is_candidate: impl Fn(&Subnet) -> Result<(), String>,
) -> Lowering<Vec<String>> {
    let cluster_tag = format!("kubernetes.io/cluster/{}", scene.config.cluster);
    let mut refused = Vec::new();
    let mut by_zone: BTreeMap<&str, &Subnet> = BTreeMap::new();
    for subnet in all(scene)? {
        let refused_for = is_candidate(subnet).err().or_else(|| refusal(subnet, placement, &cluster_tag));
        if let Some(reason) = refused_for {
            refused.push(format!("{} ({}): {reason}", subnet.id, subnet.zone));
            continue;
        }
        let rank = |subnet: &Subnet| (!subnet.tags.contains_key(&cluster_tag), subnet.id.clone());
        let best = by_zone.entry(&subnet.zone).or_insert(subnet);
        if rank(subnet) < rank(best) {
            *best = subnet;
        }
    }
    let chosen: Vec<&Subnet> = by_zone.into_values().collect();
    if let Err(problem) = validate(&chosen, placement) {
        let kept = chosen.iter().map(|subnet| format!("{} ({}): {problem}", subnet.id, subnet.zone));
        let candidates = kept.chain(refused).collect();
        return Err(LowerError::NoSubnets { scheme: placement.scheme.as_str(), candidates }.into());
    }
    let ids: BTreeSet<String> = chosen.into_iter().map(|subnet| subnet.id.clone()).collect();
    Ok(ids.into_iter().collect())
}

fn refusal(subnet: &Subnet, placement: Placement, cluster_tag: &str) -> Option<String> {
    let clusters = || subnet.tags.keys().filter(|key| key.starts_with("kubernetes.io/cluster/"));
    if clusters().next().is_some() && !subnet.tags.contains_key(cluster_tag) {
        Some(format!("tagged for another cluster, not {cluster_tag}"))
    } else if subnet.free_addresses < FREE_ADDRESSES {
        Some(format!("{} free addresses, {FREE_ADDRESSES} are needed", subnet.free_addresses))
    } else if placement.ip_address_type != IpAddressType::Ipv4 && subnet.ipv6_cidrs.is_empty() {
        Some("no IPv6 range".to_owned())
    } else {
        None
    }
}

fn validate(subnets: &[&Subnet], placement: Placement) -> Result<(), String> {
    let zones: BTreeSet<&str> = subnets.iter().map(|subnet| subnet.zone.as_str()).collect();
    let locales: BTreeSet<&str> = subnets.iter().map(|subnet| subnet.zone_type.as_str()).collect();
    let needed = match (placement.kind, locales.first()) {
        (LoadBalancerKind::Application, Some(&"availability-zone")) => ALB_ZONES,
        _ => 1,
    };
    let without_ipv6 = || subnets.iter().find(|subnet| subnet.ipv6_cidrs.is_empty());
    if locales.len() > 1 {
        Err(format!("they are of different kinds: {}", locales.into_iter().collect::<Vec<_>>().join(", ")))
    } else if zones.len() < subnets.len() {
        Err("two of them are in one zone".to_owned())
    } else if zones.len() < needed {
        Err(format!("{} zone where {needed} are needed", zones.len()))
    } else if let (true, Some(subnet)) = (placement.ip_address_type != IpAddressType::Ipv4, without_ipv6()) {
        Err(format!("{} has no IPv6 range", subnet.id))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
