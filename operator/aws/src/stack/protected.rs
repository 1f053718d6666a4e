//! A load balancer that nobody asks for any more and that is protected against deletion: it stays, with its records.
//!
//! AWS would refuse its deletion after its records had gone. Protection is not ours to switch off: who deletes an object
//! may not be who protected what it made.
//!
//! What stands in front stays in the same way, with what it leads to, also where there are no subnets for its successor.

use fairway_core::{
    evaluate::{Address, AddressWish, StatusWish},
    ids::Kind,
    intent::{Intent, Leaving},
    plan::ResourceKey,
};

use crate::{
    compare::Claimed,
    model::{ListenerProtocol, LoadBalancer, ResourceKind as _, StackModel},
    observed::LoadBalancerSeen,
    tags,
};

/// Attribute that protects a load balancer.
pub(crate) const PROTECTION: &str = "deletion_protection.enabled";

/// The one that cannot go although all of the stack has to.
pub(super) fn find<'a>(model: &StackModel, claimed: &'a Claimed) -> Option<&'a LoadBalancerSeen> {
    let unwanted = claimed.load_balancers.values().map(|owned| owned.get());
    let mut unwanted = unwanted.filter(|_| model.load_balancer.is_none());
    unwanted.find(|seen| is_protected(seen))
}

/// What stands in front, is not wanted in front of what stays, and cannot go.
pub(super) fn in_front<'a>(
    model: &StackModel,
    claimed: &'a Claimed,
    (resource_key, has_no_successor): (&str, bool),
) -> Option<&'a LoadBalancerSeen> {
    let all = claimed.load_balancers.values().map(|owned| owned.get());
    let mut unwanted = all
        .filter(|seen| is_front(seen, resource_key))
        .filter(|_| model.load_balancer.is_some() && model.frontend.is_none());
    unwanted.find(|seen| has_no_successor || is_protected(seen))
}

/// Whether AWS would refuse to delete it.
pub(crate) fn is_protected(seen: &LoadBalancerSeen) -> bool {
    seen.attributes.get(PROTECTION).is_some_and(|value| value == "true")
}

fn is_front(seen: &LoadBalancerSeen, resource_key: &str) -> bool {
    seen.tags.get(resource_key).is_some_and(|role| role == tags::FRONTEND)
}

/// Objects that are served nowhere else show all addresses as long as they are there: records follow them.
pub(super) fn wishes(intent: &Intent, claimed: &Claimed, resource_key: &str) -> Vec<StatusWish> {
    let all = claimed.load_balancers.values().map(|owned| owned.get());
    let (in_front, behind): (Vec<_>, Vec<_>) = all.partition(|seen| is_front(seen, resource_key));
    let wish = |leaving: &Leaving| {
        let of_service = leaving.object.kind == Kind::Service;
        let of_stack = behind.iter().map(|seen| address(seen, |port| Some(spelled(port, of_service))));
        let of_front = in_front.iter().map(|seen| address(seen, |_| None));
        StatusWish { object: leaving.object.clone(), addresses: of_stack.chain(of_front).collect() }
    };
    intent.leaving.iter().filter(|leaving| leaving.successor.is_none()).map(wish).collect()
}

/// Every member shows what stands in front, too.
pub(super) fn show(status: &mut [StatusWish], in_front: &LoadBalancerSeen) {
    for wish in status.iter_mut().filter(|wish| !wish.addresses.is_empty()) {
        wish.addresses.push(address(in_front, |_| None));
    }
}

fn address(seen: &LoadBalancerSeen, spelled: impl Fn(ListenerProtocol) -> Option<String>) -> AddressWish {
    let ports = seen.listeners.values();
    AddressWish {
        address: Address::Of(ResourceKey::new(LoadBalancer::KIND, &seen.name)),
        ports: ports.filter_map(|listener| Some((listener.port, spelled(listener.protocol)?))).collect(),
    }
}

fn spelled(protocol: ListenerProtocol, of_service: bool) -> String {
    let transport = if protocol == ListenerProtocol::Udp { "UDP" } else { "TCP" };
    if of_service { transport.to_owned() } else { String::new() }
}
