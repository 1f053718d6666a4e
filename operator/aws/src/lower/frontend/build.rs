//! A network load balancer in front, in AWS's own words.
//!
//! | of it             | unless asked for                                                                |
//! |-------------------|---------------------------------------------------------------------------------|
//! | scheme            | the default one, whatever the load balancer behind has                          |
//! | addresses         | those of the load balancer behind; a network load balancer is never without public IPv4 |
//! | security groups, tags | those of the load balancer behind                                           |
//! | health check      | HTTP `/` on the traffic port, `200`, every 15 s within 5 s, 2 of either         |

use std::collections::BTreeMap;

use super::{super::action, Frontend, HealthAsk, PortAsk};
use crate::{
    lower::{Scene, target_group::TRAFFIC_PORT},
    model::{
        self, Addons, Attributes, HealthCheck, IpAddressType, Listener, ListenerProtocol, LoadBalancer,
        LoadBalancerKind, Ref, Registration, SecurityGroupRef, StackModel, Tags, TargetGroup, TargetProtocol,
        TargetType,
    },
    naming, tags,
};

impl Frontend {
    /// Puts it in front of the load balancer that `model` has.
    pub(crate) fn complete(&self, scene: &Scene<'_>, model: &mut StackModel) {
        let Some(behind) = &model.load_balancer else { return };
        let load_balancer = self.load_balancer(scene, behind);
        let (mut listeners, mut targets) = (BTreeMap::new(), BTreeMap::new());
        for (port, asked) in &self.ports {
            let Some(group) = target_group(scene, *port, asked) else { continue };
            let to = Registration {
                target_group: Ref::new(group.name.clone()),
                load_balancer: Ref::new(behind.name.clone()),
                port: u16::try_from(group.port).unwrap_or_default(),
            };
            listeners.insert(*port, listener(scene, &load_balancer.name, *port, &group.name));
            targets.insert(*port, to);
            model.target_groups.insert(group.name.clone(), group);
        }
        model.frontend = Some(model::Frontend { load_balancer, listeners, targets });
    }

    fn load_balancer(&self, scene: &Scene<'_>, behind: &LoadBalancer) -> LoadBalancer {
        let front = &self.front;
        let given = |ids: &Vec<String>| ids.iter().cloned().map(SecurityGroupRef::Given).collect();
        let tags = front.tags.as_ref().map_or(&behind.tags, |asked| &asked.value);
        LoadBalancer {
            name: naming::frontend_nlb(&behind.name),
            kind: LoadBalancerKind::Network,
            scheme: front.scheme(scene),
            ip_address_type: match behind.ip_address_type {
                IpAddressType::Ipv4 => IpAddressType::Ipv4,
                IpAddressType::Dualstack | IpAddressType::DualstackWithoutPublicIpv4 => {
                    IpAddressType::Dualstack
                }
            },
            subnets: self.subnets.clone().unwrap_or_default(),
            security_groups: front
                .security_groups
                .as_ref()
                .map_or_else(|| behind.security_groups.clone(), |asked| given(&asked.value)),
            attributes: front.attributes.as_ref().map(|asked| asked.value.clone()).unwrap_or_default(),
            customer_owned_pool: None,
            allocations: front.allocations.as_ref().map(|asked| asked.value.clone()).unwrap_or_default(),
            ipv4_pool: None,
            addons: Addons::default(),
            tags: tags::marked(scene.config, scene.stack, tags::FRONTEND, tags),
        }
    }
}

fn target_group(scene: &Scene<'_>, port: u16, asked: &PortAsk) -> Option<TargetGroup> {
    let behind = asked.behind.as_ref()?.value;
    let mut group = TargetGroup {
        name: String::new(),
        port: i32::from(behind),
        protocol: TargetProtocol::Tcp,
        protocol_version: None,
        target_type: TargetType::Alb,
        ip_address_type: "ipv4".to_owned(),
        control_port: None,
        health_check: asked.health.lower(),
        attributes: Attributes::new(),
        tags: own_tags(scene, &tags::frontend_target_group(port)),
    };
    group.name = naming::frontend_target_group(&scene.config.cluster, scene.stack, port, &group);
    Some(group)
}

fn listener(scene: &Scene<'_>, balancer: &str, port: u16, group: &str) -> Listener {
    Listener {
        load_balancer: Ref::new(balancer),
        port,
        protocol: ListenerProtocol::Tcp,
        default_actions: vec![action::forward(group)],
        ssl_policy: None,
        certificates: Vec::new(),
        alpn_policy: None,
        client_certificates: None,
        attributes: Attributes::new(),
        tags: own_tags(scene, &tags::frontend_listener(port)),
    }
}

/// Nothing that users ask for is put on what hangs on it.
fn own_tags(scene: &Scene<'_>, resource: &str) -> Tags {
    tags::marked(scene.config, scene.stack, resource, &Tags::new())
}

impl HealthAsk {
    fn lower(&self) -> HealthCheck {
        let or = |asked: &Option<fairway_core::settings::Sourced<String>>, default: &str| {
            asked.as_ref().map_or_else(|| default.to_owned(), |asked| asked.value.clone())
        };
        let number = |asked: &Option<fairway_core::settings::Sourced<i32>>, default| {
            asked.as_ref().map_or(default, |asked| asked.value)
        };
        HealthCheck {
            protocol: or(&self.protocol, "HTTP"),
            port: or(&self.port, TRAFFIC_PORT),
            path: Some(or(&self.path, "/")),
            http_codes: Some(or(&self.codes, "200")),
            grpc_codes: None,
            interval: number(&self.interval, 15),
            timeout: number(&self.timeout, 5),
            healthy: number(&self.healthy, 2),
            unhealthy: number(&self.unhealthy, 2),
        }
    }
}
