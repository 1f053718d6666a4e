//! Statuses of objects, as controllers write them.

use fairway_core::report::PublishedAddress;
use k8s_openapi::api::{
    core::v1::{LoadBalancerIngress, LoadBalancerStatus, PortStatus},
    networking::v1::{IngressLoadBalancerIngress, IngressLoadBalancerStatus, IngressPortStatus},
};

pub(super) fn ingress_status(addresses: &[PublishedAddress]) -> IngressLoadBalancerStatus {
    let ports = |address: &PublishedAddress| {
        let port = |(port, protocol): &(u16, String)| IngressPortStatus {
            error: None,
            port: i32::from(*port),
            protocol: protocol.clone(),
        };
        Some(address.ports.iter().map(port).collect::<Vec<_>>()).filter(|ports| !ports.is_empty())
    };
    let entries = addresses.iter().map(|address| IngressLoadBalancerIngress {
        hostname: address.hostname.clone(),
        ip: address.ip.clone(),
        ports: ports(address),
    });
    IngressLoadBalancerStatus { ingress: Some(entries.collect::<Vec<_>>()).filter(|all| !all.is_empty()) }
}

pub(super) fn service_status(addresses: &[PublishedAddress]) -> LoadBalancerStatus {
    let ports = |address: &PublishedAddress| {
        let port = |(port, protocol): &(u16, String)| PortStatus {
            error: None,
            port: i32::from(*port),
            protocol: protocol.clone(),
        };
        Some(address.ports.iter().map(port).collect::<Vec<_>>()).filter(|ports| !ports.is_empty())
    };
    let entries = addresses.iter().map(|address| LoadBalancerIngress {
        hostname: address.hostname.clone(),
        ip: address.ip.clone(),
        ip_mode: None,
        ports: ports(address),
    });
    LoadBalancerStatus { ingress: Some(entries.collect::<Vec<_>>()).filter(|all| !all.is_empty()) }
}
