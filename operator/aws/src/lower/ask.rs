//! What members ask for on AWS, read from their settings: typed, with provenance, and not yet combined.

use std::collections::BTreeMap;

use fairway_core::settings::{Sourced, front::ClientCertificates};
use serde::Serialize;

use super::addons::AddonsAsk;
use crate::model::{Attributes, IpAddressType, Scheme, Tags, TargetProtocol, TargetType};

/// Values by key, each with who wrote it.
pub(crate) type SourcedMap = BTreeMap<String, Sourced<String>>;

/// What one member asks of its load balancer and its listeners.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FrontAsk {
    pub(crate) name: Option<Sourced<String>>,
    pub(crate) scheme: Option<Sourced<Scheme>>,
    pub(crate) ip_address_type: Option<Sourced<IpAddressType>>,
    pub(crate) subnets: Option<Sourced<SubnetsAsk>>,
    /// Ids or `Name` tags, in order.
    pub(crate) security_groups: Option<Sourced<Vec<String>>>,
    pub(crate) manage_backend_rules: Option<Sourced<bool>>,
    pub(crate) attributes: SourcedMap,
    pub(crate) tags: SourcedMap,
    pub(crate) ssl_policy: Option<Sourced<String>>,
    pub(crate) certificates: Option<Sourced<Vec<String>>>,
    /// Whether those of Secrets are imported.
    pub(crate) import_certificates: bool,
    /// Whether one is requested for its hosts.
    pub(crate) request_certificate: bool,
    /// Private authority that issues it; empty is none.
    pub(crate) authority: Option<String>,
    pub(crate) inbound_cidrs: Option<Sourced<Vec<String>>>,
    pub(crate) prefix_lists: Option<Sourced<Vec<String>>>,
    /// By protocol and port, such as `HTTPS-443`.
    pub(crate) listener_attributes: BTreeMap<String, SourcedMap>,
    pub(crate) client_certificates: Option<Sourced<Vec<ClientCertificates>>>,
    pub(crate) customer_owned_pool: Option<Sourced<String>>,
    pub(crate) ipv4_pool: Option<Sourced<String>>,
    pub(crate) addons: AddonsAsk,
}

/// Which subnets are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum SubnetsAsk {
    /// Ids or `Name` tags, in order; ids alone, sorted, once resolved.
    Named(Vec<String>),
    /// Those that have, for each key, one of its values; as a class selects them.
    Tagged(BTreeMap<String, Vec<String>>),
}

/// What is asked of the target group of one backend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TargetAsk {
    pub(crate) target_type: Option<TargetType>,
    /// HTTP or HTTPS; layer 7 only.
    pub(crate) protocol: Option<TargetProtocol>,
    /// `HTTP1`, `HTTP2` or `GRPC`; layer 7 only.
    pub(crate) protocol_version: Option<String>,
    pub(crate) attributes: Attributes,
    pub(crate) health: HealthAsk,
    pub(crate) tags: Tags,
    pub(crate) node_labels: BTreeMap<String, String>,
    pub(crate) multi_cluster: bool,
    /// With other members of the stack that ask for the same; layer 7 only.
    pub(crate) shared: bool,
    /// Of the target optimizer's agent.
    pub(crate) control_port: Option<i32>,
}

/// What is asked of a health check. Seconds and counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HealthAsk {
    /// Upper case.
    pub(crate) protocol: Option<String>,
    /// A number, `traffic-port`, or a port name of the Service.
    pub(crate) port: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) codes: Option<String>,
    pub(crate) interval: Option<i32>,
    pub(crate) timeout: Option<i32>,
    pub(crate) healthy: Option<i32>,
    pub(crate) unhealthy: Option<i32>,
}

/// What a Service asks for besides [`FrontAsk`] and [`TargetAsk`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NlbAsk {
    pub(crate) front: FrontAsk,
    pub(crate) target: TargetAsk,
    /// Port numbers or names that are TLS; `None` is all of them.
    pub(crate) ssl_ports: Option<Vec<String>>,
    /// `backend-protocol: ssl`.
    pub(crate) tls_to_targets: bool,
    pub(crate) alpn_policy: Option<String>,
    pub(crate) proxy_protocol: ProxyProtocol,
    /// Target group attributes by listener port.
    pub(crate) port_attributes: BTreeMap<String, Attributes>,
}

/// Where proxy protocol is spoken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ProxyProtocol {
    /// As the target group attributes say.
    #[default]
    Unsaid,
    /// Everywhere.
    All,
    /// On these listener ports and on no other.
    Ports(Vec<u16>),
}

/// Values without their provenance.
pub(crate) fn plain(map: &SourcedMap) -> BTreeMap<String, String> {
    map.iter().map(|(key, sourced)| (key.clone(), sourced.value.clone())).collect()
}
