//! A load balancer that nobody asks for any more and that is protected against deletion: it stays, with its records.
//!
//! AWS would refuse its deletion after its records had gone. Protection is not ours to switch off: who deletes an object
//! may not be who protected what it made.

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
};

/// Attribute that protects a load balancer.
pub(crate) const PROTECTION: &str = "deletion_protection.enabled";

/// The one that cannot go although all of the stack has to.
pub(super) fn find<'a>(model: &StackModel, claimed: &'a Claimed) -> Option<&'a LoadBalancerSeen> {
    let unwanted = claimed.load_balancers.values().map(|owned| owned.get());
    let mut unwanted = unwanted.filter(|_| model.load_balancer.is_none());
    unwanted.find(|seen| seen.attributes.get(PROTECTION).is_some_and(|value| value == "true"))
}

/// Objects that are served nowhere else show the address as long as it is there: records follow it.
pub(super) fn wishes(intent: &Intent, seen: &LoadBalancerSeen) -> Vec<StatusWish> {
    let address = Address::Of(ResourceKey::new(LoadBalancer::KIND, &seen.name));
    let wish = |leaving: &Leaving| {
        let of_service = leaving.object.kind == Kind::Service;
        let ports = seen.listeners.values();
        let ports = ports.map(|listener| (listener.port, spelled(listener.protocol, of_service))).collect();
        let addresses = vec![AddressWish { address: address.clone(), ports }];
        StatusWish { object: leaving.object.clone(), addresses }
    };
    intent.leaving.iter().filter(|leaving| leaving.successor.is_none()).map(wish).collect()
}

fn spelled(protocol: ListenerProtocol, of_service: bool) -> String {
    let transport = if protocol == ListenerProtocol::Udp { "UDP" } else { "TCP" };
    if of_service { transport.to_owned() } else { String::new() }
}
