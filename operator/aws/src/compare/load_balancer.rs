//! A load balancer: everything but its kind and scheme can be changed in place.

use std::collections::BTreeSet;

use crate::{
    lower::LowerError,
    model::{LoadBalancer, Ref, SecurityGroupRef},
    observed::{LoadBalancerSeen, StackObserved},
    ownership::Owned,
    stack::{StackOp, Subnets},
};

/// Changes in place.
pub(crate) fn changes(
    want: &LoadBalancer,
    have: &Owned<LoadBalancerSeen>,
    observed: &StackObserved,
) -> Vec<StackOp> {
    let seen = have.get();
    let mut ops = Vec::new();
    if !same_groups(&want.security_groups, &seen.security_groups, observed) {
        ops.push(StackOp::SetSecurityGroups(have.clone(), want.security_groups.clone()));
    }
    let sorted = |subnets: &[String]| subnets.iter().cloned().collect::<BTreeSet<_>>();
    if sorted(&want.subnets) != sorted(&seen.subnets) {
        let subnets = Subnets { ids: want.subnets.clone(), allocations: want.allocations.clone() };
        ops.push(StackOp::SetSubnets(have.clone(), subnets));
    }
    if want.ip_address_type != seen.ip_address_type {
        ops.push(StackOp::SetIpAddressType(have.clone(), want.ip_address_type));
    }
    if want.ipv4_pool != seen.ipv4_pool {
        ops.push(StackOp::SetIpv4Pool(have.clone(), want.ipv4_pool.clone()));
    }
    let attributes = super::attributes(&want.attributes, &seen.attributes);
    if !attributes.is_empty() {
        ops.push(StackOp::ModifyLoadBalancerAttributes(Ref::new(want.name.clone()), attributes));
    }
    ops
}

/// What was fixed at creation and is asked for otherwise now.
pub(crate) fn fixed(want: &LoadBalancer, seen: &LoadBalancerSeen) -> Vec<LowerError> {
    let name = || seen.name.clone();
    let pool = want.customer_owned_pool.is_some() && want.customer_owned_pool != seen.customer_owned_pool;
    let pool = pool.then(|| {
        let made = seen.customer_owned_pool.clone().unwrap_or_else(|| "none".to_owned());
        LowerError::PoolIsFixed { name: name(), made }
    });
    // Subnets that change take theirs along.
    let stays = want.subnets == seen.subnets && !want.allocations.is_empty();
    let addresses = (stays && want.allocations != seen.allocations).then(|| {
        let made = seen.allocations.join(", ");
        let made = if made.is_empty() { "none".to_owned() } else { made };
        LowerError::AddressesAreFixed { name: name(), made }
    });
    pool.into_iter().chain(addresses).collect()
}

/// AWS does not keep the order of groups.
fn same_groups(want: &[SecurityGroupRef], have: &[String], observed: &StackObserved) -> bool {
    let ids: Option<BTreeSet<&String>> = want
        .iter()
        .map(|group| match group {
            SecurityGroupRef::Managed(own) => observed.security_groups.get(own.name()).map(|seen| &seen.id),
            SecurityGroupRef::Backend => observed.backend_security_group.as_ref(),
            SecurityGroupRef::Given(id) => Some(id),
        })
        .collect();
    ids.is_some_and(|ids| ids == have.iter().collect())
}
