//! What every member's status shows once the load balancer, and what stands in front of it, is there.

use fairway_core::{
    evaluate::{Address, AddressWish, StatusWish},
    intent::{Ask, Intent, L4Ask, Transport},
    plan::ResourceKey,
};

use crate::model::{LoadBalancer, ResourceKind as _, StackModel};

/// Ingresses show all ports of the group, ascending and without a protocol, and what stands in front without any; Services
/// show their own. What left the stack and is served nowhere else shows nothing.
pub(super) fn wishes(intent: &Intent, model: &StackModel) -> Vec<StatusWish> {
    let left = intent.leaving.iter().filter(|leaving| leaving.successor.is_none());
    let cleared = left.map(|leaving| StatusWish { object: leaving.object.clone(), addresses: Vec::new() });
    let Some(balancer) = &model.load_balancer else { return cleared.collect() };
    let address = Address::Of(ResourceKey::new(LoadBalancer::KIND, &balancer.name));
    let shown = intent.members.iter().map(|member| {
        let ports = match &member.ask {
            Ask::Http(_) => model.listeners.keys().map(|port| (*port, String::new())).collect(),
            Ask::L4(ask) => ports(ask),
        };
        let front = model.frontend.iter().map(|front| AddressWish {
            address: Address::Of(ResourceKey::new(LoadBalancer::KIND, &front.load_balancer.name)),
            ports: Vec::new(),
        });
        let addresses = [AddressWish { address: address.clone(), ports }].into_iter().chain(front).collect();
        StatusWish { object: member.object.clone(), addresses }
    });
    shown.chain(cleared).collect()
}

fn ports(ask: &L4Ask) -> Vec<(u16, String)> {
    let found = ask.ports.iter().filter_map(|backend| backend.found.as_ref());
    let spelled = |transport| match transport {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
        Transport::Sctp => "SCTP",
    };
    found.map(|found| (found.port.number.get(), spelled(found.port.transport).to_owned())).collect()
}
