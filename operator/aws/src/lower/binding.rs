//! The TargetGroupBinding of one target group, and which ports its targets have to be reachable at.
//!
//! An Ingress asks for one networking entry a port, or for all TCP ports where ports are not restricted; a Service for
//! one entry with all ports; as the peer writes them.

use fairway_core::{
    ids::{Key, Port},
    intent::{Backend, FoundService, PortName, Transport},
};

use super::{Scene, ask::TargetAsk, target_group::TRAFFIC_PORT};
use crate::{
    model::{
        Binding, BindingIngress, BindingPeer, BindingPort, Ref, TargetGroup, TargetProtocol, TargetType,
    },
    tags,
};

/// The binding of `group`, with networking as an Ingress has it.
pub(crate) fn of_ingress(
    scene: &Scene<'_>,
    backend: &Backend,
    found: &FoundService,
    (group, ask): (&TargetGroup, &TargetAsk),
) -> Binding {
    let mut ports = vec![tcp(target_port(found, group))];
    ports.extend(health_port(group).map(tcp));
    let control = group.control_port.and_then(|port| Port::new(i64::from(port)));
    ports.extend(control.map(PortName::Number).map(tcp));
    if !scene.config.restricted_ports {
        ports = vec![BindingPort { transport: Transport::Tcp, port: None }];
    }
    let entry = |port| BindingIngress { from: vec![BindingPeer::Backend], ports: vec![port] };
    Binding { networking: ports.into_iter().map(entry).collect(), ..bare(scene, backend, group, ask) }
}

/// The binding of `group`, with networking as a Service has it.
pub(crate) fn of_service(
    scene: &Scene<'_>,
    backend: &Backend,
    found: &FoundService,
    (group, ask): (&TargetGroup, &TargetAsk),
) -> Binding {
    let target = target_port(found, group);
    let health = health_port(group).filter(|port| *port != target);
    let mut ports = Vec::new();
    if matches!(group.protocol, TargetProtocol::Udp | TargetProtocol::TcpUdp) {
        ports.push(BindingPort { transport: Transport::Udp, port: Some(target.clone()) });
        // Health checks speak TCP even to a UDP port.
        if group.protocol == TargetProtocol::TcpUdp || health.is_none() {
            ports.push(tcp(target));
        }
    } else {
        ports.push(tcp(target));
    }
    ports.extend(health.map(tcp));
    let networking = vec![BindingIngress { from: vec![BindingPeer::Backend], ports }];
    Binding { networking, ..bare(scene, backend, group, ask) }
}

fn bare(scene: &Scene<'_>, backend: &Backend, group: &TargetGroup, ask: &TargetAsk) -> Binding {
    let instances = group.target_type == TargetType::Instance;
    Binding {
        key: Key::new(&backend.service.namespace, &group.name),
        labels: tags::labels(scene.stack),
        target_group: Ref::new(group.name.clone()),
        service: backend.service.name.clone(),
        port: backend.port.clone(),
        target_type: group.target_type,
        protocol: group.protocol,
        ip_address_type: group.ip_address_type.clone(),
        vpc: scene.config.vpc.clone(),
        networking: Vec::new(),
        node_labels: if instances { ask.node_labels.clone() } else { Default::default() },
        multi_cluster: ask.multi_cluster,
    }
}

fn target_port(found: &FoundService, group: &TargetGroup) -> PortName {
    match (group.target_type, found.port.node) {
        (TargetType::Instance, Some(node)) => PortName::Number(node),
        _ => found.port.target.clone(),
    }
}

fn health_port(group: &TargetGroup) -> Option<PortName> {
    let port = Some(group.health_check.port.as_str()).filter(|port| *port != TRAFFIC_PORT)?;
    port.parse().ok().and_then(Port::new).map(PortName::Number)
}

fn tcp(port: PortName) -> BindingPort {
    BindingPort { transport: Transport::Tcp, port: Some(port) }
}
