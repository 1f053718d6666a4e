//! One Service, lowered whole: a network load balancer of its own.
//!
//! | port                                     | listener | target group              |
//! |------------------------------------------|----------|---------------------------|
//! | TCP                                      | TCP      | TCP                       |
//! | TCP, with certificates, among `ssl-ports` | TLS     | TCP, or TLS with `backend-protocol: ssl` |
//! | UDP                                      | UDP      | UDP                       |

use std::collections::BTreeSet;

use fairway_core::intent::{Backend, FoundService, L4Ask, Member, Transport};

use super::{
    Front, LowerError, Lowering, Scene, action,
    ask::{NlbAsk, ProxyProtocol, plain},
    binding, certificate, ingress, rows,
    security_group::Door,
    target_group,
};
use crate::{
    model::{Attributes, Listener, ListenerProtocol, LoadBalancerKind, Ref, StackModel, TargetProtocol},
    naming, tags,
};

const PROXY_PROTOCOL: &str = "proxy_protocol_v2.enabled";

/// A Service that could be lowered.
#[derive(Debug, Clone)]
pub(crate) struct Whole {
    ask: NlbAsk,
    certificates: Vec<String>,
    ports: Vec<Port>,
    member: Member,
    source_ranges: Vec<String>,
    health_node_port: Option<fairway_core::ids::Port>,
}

#[derive(Debug, Clone)]
struct Port {
    backend: Backend,
    found: FoundService,
    protocol: ListenerProtocol,
}

/// Reads and checks one Service.
pub(crate) fn whole(scene: &Scene<'_>, member: &Member, l4: &L4Ask) -> Lowering<Whole> {
    let mut ask = rows::service(&member.settings)?;
    ingress::resolve(scene, &mut ask.front, LoadBalancerKind::Network)?;
    let arns = ask.front.certificates.as_ref().map(|asked| asked.value.clone()).unwrap_or_default();
    let certificates = certificate::given(scene, &arns)?;
    let ports = ports(l4, &ask, !certificates.is_empty())?;
    let asked = ask.front.inbound_cidrs.as_ref().map(|asked| asked.value.clone()).unwrap_or_default();
    let source_ranges = if l4.source_ranges.is_empty() { asked } else { l4.source_ranges.clone() };
    let whole = Whole {
        ask,
        certificates,
        ports,
        member: member.clone(),
        source_ranges,
        health_node_port: l4.health_check_node_port,
    };
    // What cannot be lowered is found out here, before anything is decided for it.
    whole.build(scene, "")?;
    Ok(whole)
}

fn ports(l4: &L4Ask, ask: &NlbAsk, certificates: bool) -> Result<Vec<Port>, LowerError> {
    let mut seen = BTreeSet::new();
    let mut ports = Vec::new();
    for backend in &l4.ports {
        let Some(found) = &backend.found else { continue };
        let number = found.port.number.get();
        if !seen.insert(number) {
            return Err(LowerError::PortTwice(number));
        }
        let tls = certificates && ask.ssl_ports.as_ref().is_none_or(|listed| names(listed, found));
        let protocol = match found.port.transport {
            Transport::Tcp if tls => ListenerProtocol::Tls,
            Transport::Tcp => ListenerProtocol::Tcp,
            Transport::Udp => ListenerProtocol::Udp,
            Transport::Sctp => return Err(LowerError::Sctp(number)),
        };
        ports.push(Port { backend: backend.clone(), found: found.clone(), protocol });
    }
    let known = |entry: &&String| ports.iter().any(|port| names(std::slice::from_ref(entry), &port.found));
    match ask.ssl_ports.iter().flatten().find(|entry| !known(entry)) {
        Some(unknown) => Err(LowerError::NoSuchSslPort(unknown.clone())),
        None => Ok(ports),
    }
}

fn names(listed: &[String], found: &FoundService) -> bool {
    let number = found.port.number.to_string();
    listed.iter().any(|entry| *entry == number || (!found.port.name.is_empty() && *entry == found.port.name))
}

impl Whole {
    /// The load balancer's front.
    pub(crate) fn front(&self, scene: &Scene<'_>) -> Front {
        let scheme = self.ask.front.scheme.as_ref().map_or(scene.config.default_scheme, |asked| asked.value);
        let (key, uid, cluster) = (&self.member.object.key, &self.member.uid, &scene.config.cluster);
        Front {
            kind: LoadBalancerKind::Network,
            generated_name: naming::nlb(cluster, key, uid, scheme),
            security_group_name: naming::nlb_security_group(cluster, key, uid),
            scheme,
            ask: self.ask.front.clone(),
        }
    }

    /// The doors of the managed security group.
    pub(crate) fn doors(&self) -> Vec<Door<'_>> {
        let lists = self.ask.front.prefix_lists.as_ref().map_or(&[][..], |asked| asked.value.as_slice());
        let door = |port: &Port| Door {
            protocol: if port.protocol == ListenerProtocol::Udp { "udp" } else { "tcp" },
            port: port.found.port.number.get(),
            cidrs: &self.source_ranges,
            prefix_lists: lists,
        };
        self.ports.iter().map(door).collect()
    }

    /// Listeners, target groups and bindings on the load balancer called `name`.
    pub(crate) fn build(&self, scene: &Scene<'_>, name: &str) -> Result<StackModel, LowerError> {
        let mut model = StackModel::default();
        for port in &self.ports {
            let number = port.found.port.number.get();
            let protocol = match port.protocol {
                ListenerProtocol::Udp => TargetProtocol::Udp,
                ListenerProtocol::Tls if self.ask.tls_to_targets => TargetProtocol::Tls,
                _ => TargetProtocol::Tcp,
            };
            let mut group = target_group::layer4(
                &port.backend,
                &port.found,
                &self.ask.target,
                scene.config.default_target_type,
                (protocol, self.health_node_port),
            )?;
            group.attributes = self.attributes(number);
            let key = &self.member.object.key;
            group.name =
                naming::service_target_group(&scene.config.cluster, key, &self.member.uid, number, &group);
            group.tags = tags::of(scene.config, scene.stack, &format!("{key}:{number}"), &group.tags);
            let binding = binding::of_service(scene, &port.backend, &port.found, (&group, &self.ask.target));
            model.listeners.insert(number, self.listener(scene, name, port, &group.name));
            model.bindings.insert(binding.key.to_string(), binding);
            model.target_groups.insert(group.name.clone(), group);
        }
        Ok(model)
    }

    fn listener(&self, scene: &Scene<'_>, name: &str, port: &Port, group: &str) -> Listener {
        let tls = port.protocol == ListenerProtocol::Tls;
        let number = port.found.port.number.get();
        let front = &self.ask.front;
        let policy =
            front.ssl_policy.as_ref().map_or(&scene.config.default_ssl_policy, |asked| &asked.value).clone();
        Listener {
            load_balancer: Ref::new(name),
            port: number,
            protocol: port.protocol,
            default_actions: vec![action::forward(group)],
            ssl_policy: tls.then_some(policy),
            certificates: if tls { self.certificates.iter().map(Ref::new).collect() } else { Vec::new() },
            alpn_policy: self.ask.alpn_policy.clone().filter(|_| tls),
            client_certificates: None,
            attributes: Attributes::new(),
            tags: tags::of(scene.config, scene.stack, &tags::listener(number), &plain(&front.tags)),
        }
    }

    fn attributes(&self, port: u16) -> Attributes {
        let mut attributes = Attributes::from([(PROXY_PROTOCOL.to_owned(), "false".to_owned())]);
        attributes.extend(self.ask.target.attributes.clone());
        let own = self.ask.port_attributes.get(&port.to_string()).into_iter().flatten();
        let said = own.filter(|(_, value)| !value.is_empty());
        attributes.extend(said.map(|(key, value)| (key.clone(), value.clone())));
        let proxied = match &self.ask.proxy_protocol {
            ProxyProtocol::Unsaid => None,
            ProxyProtocol::All => Some(true),
            ProxyProtocol::Ports(ports) => Some(ports.contains(&port)),
        };
        attributes.extend(proxied.map(|on| (PROXY_PROTOCOL.to_owned(), on.to_string())));
        attributes
    }
}
