//! What is remembered of a stack that is not looked at: how its load balancer is reached.
//!
//! Alias records need the hosted zone of the load balancer's name. Where it is not remembered, the stack has to be
//! observed.

use fairway_core::{
    evaluate::LastGood,
    plan::{Bindings, Handle, ResourceKey},
};
use fairway_crds::LoadBalancerStateStatus;

use crate::model::{LoadBalancer, ResourceKind as _};

/// The name of the load balancer: one that was taken over keeps its own, whatever is wanted. `None` when several others
/// are known, of which one has to go.
pub(super) fn name<'a>(wanted: &'a str, state: Option<&'a LoadBalancerStateStatus>) -> Option<&'a str> {
    let keys = state.into_iter().flat_map(|state| state.arns.keys());
    let known: Vec<&str> = keys.filter_map(|key| LoadBalancer::name_in(key)).collect();
    match known.as_slice() {
        [] => Some(wanted),
        [only] => Some(only),
        several => several.contains(&wanted).then_some(wanted),
    }
}

/// Handles of what the stack's state names; `None` when it is not known how the load balancer is reached.
pub(super) fn handles(
    balancer: &ResourceKey,
    state: Option<&LoadBalancerStateStatus>,
    last_good: &LastGood,
) -> Option<Bindings> {
    let hostname = last_good.hostname.as_ref()?;
    let address = state
        .and_then(|state| state.addresses.iter().find(|address| address.hostname.as_ref() == Some(hostname)));
    let zone = address.and_then(|address| address.hosted_zone_id.clone());
    let zone = zone.or_else(|| last_good.addresses.get(hostname).cloned())?;
    let known = state.into_iter().flat_map(|state| &state.arns);
    let mut handles: Bindings = known
        .map(|(key, id)| {
            (ResourceKey(key.clone()), Handle { id: id.clone(), ready: true, ..Handle::default() })
        })
        .collect();
    let handle = handles.entry(balancer.clone()).or_default();
    handle.dns_name = Some(hostname.clone());
    handle.zone_id = Some(zone);
    handle.ready = true;
    Some(handles)
}
