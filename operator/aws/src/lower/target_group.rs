//! The target group of one backend.
//!
//! | setting             | ALB                | NLB              | NLB, instances, `externalTrafficPolicy: Local` |
//! |---------------------|--------------------|------------------|---------------------------|
//! | health check        | HTTP `/` on the traffic port, `200` | TCP on the traffic port | HTTP `/healthz` on `healthCheckNodePort` |
//! | interval, time-out  | 15 s, 5 s          | 10 s, 10 s       | 10 s, 6 s                 |
//! | healthy, unhealthy  | 2, 2               | 3, 3             | 2, 2                      |
//!
//! The port is the node port for instances and the numeric `targetPort` for addresses, or 1 for a named one.

use fairway_core::{
    ids::Port,
    intent::{Backend, FoundService, IpFamily, PortName, ServicePort, ServiceType},
};

use super::{
    LowerError,
    ask::{HealthAsk, TargetAsk},
};
use crate::model::{HealthCheck, TargetGroup, TargetProtocol, TargetType};

/// Port number of a group whose targets all name their own.
const NAMED_PORT: i32 = 1;
/// The health check goes where the traffic goes.
pub(crate) const TRAFFIC_PORT: &str = "traffic-port";

/// What a health check is when nothing is asked for.
#[derive(Debug, Clone)]
pub(crate) struct HealthDefaults {
    pub(crate) protocol: &'static str,
    pub(crate) port: String,
    pub(crate) path: &'static str,
    pub(crate) codes: &'static str,
    pub(crate) interval: i32,
    pub(crate) timeout: i32,
    pub(crate) checks: i32,
}

/// A target group without name and tags.
pub(crate) fn layer7(
    backend: &Backend,
    found: &FoundService,
    ask: &TargetAsk,
    default_type: TargetType,
) -> Result<TargetGroup, LowerError> {
    let protocol = ask.protocol.unwrap_or(TargetProtocol::Http);
    let version = ask.protocol_version.clone().unwrap_or_else(|| "HTTP1".to_owned());
    let grpc = version == "GRPC";
    let defaults = HealthDefaults {
        protocol: protocol.as_str(),
        port: TRAFFIC_PORT.to_owned(),
        path: if grpc { "/AWS.ALB/healthcheck" } else { "/" },
        codes: if grpc { "12" } else { "200" },
        interval: 15,
        timeout: 5,
        checks: 2,
    };
    let mut group = group(backend, found, ask, default_type, (protocol, &defaults))?;
    if grpc {
        group.health_check.grpc_codes = group.health_check.http_codes.take();
    }
    group.protocol_version = Some(version);
    Ok(group)
}

/// A target group of a Service's own load balancer, without name and tags.
pub(crate) fn layer4(
    backend: &Backend,
    found: &FoundService,
    ask: &TargetAsk,
    default_type: TargetType,
    (protocol, health_node_port): (TargetProtocol, Option<Port>),
) -> Result<TargetGroup, LowerError> {
    let instances = ask.target_type.unwrap_or(default_type) == TargetType::Instance;
    let local =
        health_node_port.filter(|_| instances && found.local_only && found.kind == ServiceType::LoadBalancer);
    let defaults = match local {
        Some(port) => HealthDefaults {
            protocol: "HTTP",
            port: port.to_string(),
            path: "/healthz",
            codes: "200-399",
            interval: 10,
            timeout: 6,
            checks: 2,
        },
        None => HealthDefaults {
            protocol: "TCP",
            port: TRAFFIC_PORT.to_owned(),
            path: "/",
            codes: "200-399",
            interval: 10,
            timeout: 10,
            checks: 3,
        },
    };
    group(backend, found, ask, default_type, (protocol, &defaults))
}

fn group(
    backend: &Backend,
    found: &FoundService,
    ask: &TargetAsk,
    default_type: TargetType,
    (protocol, defaults): (TargetProtocol, &HealthDefaults),
) -> Result<TargetGroup, LowerError> {
    if found.kind == ServiceType::ExternalName {
        return Err(LowerError::ExternalName(backend.service.clone()));
    }
    let target_type = ask.target_type.unwrap_or(default_type);
    let port = match target_type {
        TargetType::Instance => i32::from(node_port(backend, &found.port)?.get()),
        TargetType::Ip | TargetType::Alb => match &found.port.target {
            PortName::Number(number) => i32::from(number.get()),
            PortName::Name(_) => NAMED_PORT,
        },
    };
    if ask.control_port.is_some() && target_type == TargetType::Instance {
        let port = backend.port.to_string();
        return Err(LowerError::ControlPortOfNodes { service: backend.service.clone(), port });
    }
    let ipv6 = target_type == TargetType::Ip && found.ip_family == IpFamily::Ipv6;
    Ok(TargetGroup {
        name: String::new(),
        port,
        protocol,
        protocol_version: None,
        target_type,
        ip_address_type: if ipv6 { "ipv6" } else { "ipv4" }.to_owned(),
        health_check: health_check(backend, found, target_type, (&ask.health, defaults))?,
        control_port: ask.control_port,
        attributes: ask.attributes.clone(),
        tags: ask.tags.clone(),
    })
}

fn node_port(backend: &Backend, port: &ServicePort) -> Result<Port, LowerError> {
    port.node.ok_or_else(|| LowerError::NoNodePort {
        service: backend.service.clone(),
        port: backend.port.to_string(),
    })
}

fn health_check(
    backend: &Backend,
    found: &FoundService,
    target_type: TargetType,
    (ask, defaults): (&HealthAsk, &HealthDefaults),
) -> Result<HealthCheck, LowerError> {
    let protocol = ask.protocol.clone().unwrap_or_else(|| defaults.protocol.to_owned());
    let http = protocol != "TCP";
    let port = match ask.port.as_deref() {
        None => defaults.port.clone(),
        Some(TRAFFIC_PORT) => TRAFFIC_PORT.to_owned(),
        Some(port) if port.parse::<u16>().is_ok_and(|port| port != 0) => port.to_owned(),
        Some(name) => named_port(backend, found, target_type, name)?,
    };
    let or = |asked: &Option<String>, default: &str| {
        http.then(|| asked.clone().unwrap_or_else(|| default.to_owned()))
    };
    Ok(HealthCheck {
        port,
        path: or(&ask.path, defaults.path),
        http_codes: or(&ask.codes, defaults.codes),
        grpc_codes: None,
        interval: ask.interval.unwrap_or(defaults.interval),
        timeout: ask.timeout.unwrap_or(defaults.timeout),
        healthy: ask.healthy.unwrap_or(defaults.checks),
        unhealthy: ask.unhealthy.unwrap_or(defaults.checks),
        protocol,
    })
}

fn named_port(
    backend: &Backend,
    found: &FoundService,
    target_type: TargetType,
    name: &str,
) -> Result<String, LowerError> {
    let port = found.ports.iter().find(|port| port.name == name);
    let number = port.and_then(|port| match (target_type, &port.target) {
        (TargetType::Instance, _) => port.node,
        (TargetType::Ip | TargetType::Alb, PortName::Number(number)) => Some(*number),
        (TargetType::Ip | TargetType::Alb, PortName::Name(_)) => None,
    });
    number.map(|number| number.to_string()).ok_or_else(|| LowerError::HealthCheckPort {
        port: name.to_owned(),
        service: backend.service.clone(),
    })
}
