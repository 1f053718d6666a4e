//! What is remembered of a stack that is not looked at: how its load balancer, and what stands in front, is reached.
//!
//! Alias records need the hosted zone of the load balancer's name. Where it is not remembered, the stack has to be
//! observed.

use fairway_core::{
    evaluate::LastGood,
    plan::{Bindings, Handle, ResourceKey},
};
use fairway_crds::{LoadBalancerAddress, LoadBalancerStateStatus};

use crate::model::{LoadBalancer, ResourceKind as _};

/// The names of the load balancer and of what stands in front: those that were taken over keep their own, whatever is
/// wanted. `None` when others are known, of which one has to go, or it cannot be told which is which.
pub(super) fn names<'a>(
    (wanted, front): (&'a str, Option<&'a str>),
    state: Option<&'a LoadBalancerStateStatus>,
) -> Option<(&'a str, Option<&'a str>)> {
    let keys = state.into_iter().flat_map(|state| state.arns.keys());
    let known: Vec<&str> = keys.filter_map(|key| LoadBalancer::name_in(key)).collect();
    match (known.as_slice(), front) {
        ([], front) => Some((wanted, front)),
        ([only], None) => Some((only, None)),
        ([one, other], Some(front)) if *one == wanted || *other == front => Some((one, Some(other))),
        ([one, other], Some(front)) if *other == wanted || *one == front => Some((other, Some(one))),
        (several, None) => several.contains(&wanted).then_some((wanted, None)),
        (_, Some(_)) => None,
    }
}

/// Handles of what the stack's state names; `None` when it is not known how the load balancer is reached.
pub(super) fn handles(
    (balancer, front): (&ResourceKey, Option<ResourceKey>),
    state: Option<&LoadBalancerStateStatus>,
    last_good: &LastGood,
) -> Option<Bindings> {
    let hostname = last_good.hostname.as_ref()?;
    let addresses = state.map(|state| state.addresses.as_slice()).unwrap_or_default();
    let address = addresses.iter().find(|address| address.hostname.as_ref() == Some(hostname));
    let zone = address.and_then(|address| address.hosted_zone_id.clone());
    let zone = zone.or_else(|| last_good.addresses.get(hostname).cloned())?;
    let known = state.into_iter().flat_map(|state| &state.arns);
    let mut handles: Bindings = known
        .map(|(key, id)| {
            (ResourceKey(key.clone()), Handle { id: id.clone(), ready: true, ..Handle::default() })
        })
        .collect();
    reach(&mut handles, balancer, (hostname.clone(), zone));
    if let Some(front) = front {
        reach(&mut handles, &front, in_front(addresses, hostname)?);
    }
    Some(handles)
}

/// What stands in front is published behind the load balancer itself.
fn in_front(addresses: &[LoadBalancerAddress], hostname: &str) -> Option<(String, String)> {
    let other = addresses
        .iter()
        .filter_map(|address| Some((address.hostname.clone()?, address.hosted_zone_id.clone()?)));
    let mut others = other.filter(|(name, _)| name != hostname);
    others.next()
}

fn reach(handles: &mut Bindings, key: &ResourceKey, (hostname, zone): (String, String)) {
    let handle = handles.entry(key.clone()).or_default();
    handle.dns_name = Some(hostname);
    handle.zone_id = Some(zone);
    handle.ready = true;
}
