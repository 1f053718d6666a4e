//! A TargetGroupBinding object: what ties a target group to a Service port, as the peer makes it.

use std::collections::BTreeMap;

use fairway_core::{
    ids::Key,
    intent::{PortName, Transport},
};
use fairway_crds::{
    IpBlock, Networking, NetworkingIngressRule, NetworkingPeer, NetworkingPort, SecurityGroup as GroupPeer,
    ServiceReference, TargetGroupBinding, TargetGroupBindingSpec,
};
use k8s_openapi::apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString};
use serde::{Deserialize, Serialize};

use super::{Ref, ResourceKind, TargetGroup, TargetProtocol, TargetType};

/// A TargetGroupBinding. It carries the target group's name and lives in the Service's namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Namespace and name of the object.
    pub key: Key,
    /// Labels that name the stack.
    pub labels: BTreeMap<String, String>,
    /// Its group, whose ARN goes into the object.
    pub target_group: Ref<TargetGroup>,
    /// `spec.serviceRef.name`.
    pub service: String,
    /// `spec.serviceRef.port`, as written in the backend.
    pub port: PortName,
    /// `spec.targetType`.
    pub target_type: TargetType,
    /// `spec.targetGroupProtocol`.
    pub protocol: TargetProtocol,
    /// `spec.ipAddressType`.
    pub ip_address_type: String,
    /// `spec.vpcID`.
    pub vpc: String,
    /// `spec.networking.ingress`; empty when no rules are to be kept for it.
    pub networking: Vec<BindingIngress>,
    /// `spec.nodeSelector.matchLabels`.
    pub node_labels: BTreeMap<String, String>,
    /// `spec.multiClusterTargetGroup`, written only when true.
    pub multi_cluster: bool,
}

impl ResourceKind for Binding {
    const KIND: &'static str = "binding";
}

/// One entry of `spec.networking.ingress`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingIngress {
    /// Who may connect.
    pub from: Vec<BindingPeer>,
    /// Where to: TCP or UDP, and a port as the Service writes it.
    pub ports: Vec<BindingPort>,
}

/// Who may connect to targets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BindingPeer {
    /// The cluster's shared backend security group, whose id is filled in when the object is written.
    Backend,
    /// A security group, by id.
    Group(String),
    /// A range.
    Cidr(String),
}

/// Ports of targets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BindingPort {
    /// Transport.
    pub transport: Transport,
    /// Number, or name of a container port; `None` is every port.
    pub port: Option<PortName>,
}

impl Binding {
    /// How others refer to it.
    #[must_use]
    pub fn reference(&self) -> Ref<Self> {
        Ref::new(self.key.to_string())
    }

    /// Whether the object names the shared backend group, which must exist before it can be written.
    #[must_use]
    pub fn needs_backend_group(&self) -> bool {
        self.networking.iter().any(|entry| entry.from.contains(&BindingPeer::Backend))
    }

    /// The object's spec, once the target group's ARN and the id of the shared backend group are known.
    #[must_use]
    pub fn spec(&self, target_group_arn: &str, backend_group: Option<&str>) -> TargetGroupBindingSpec {
        let networking = self.networking.iter().map(|entry| NetworkingIngressRule {
            from: entry.from.iter().map(|peer| peer_of(peer, backend_group)).collect(),
            ports: entry.ports.iter().map(port_of).collect(),
        });
        TargetGroupBindingSpec {
            target_group_arn: Some(target_group_arn.to_owned()),
            multi_cluster_target_group: self.multi_cluster.then_some(true),
            target_type: Some(self.target_type.as_str().to_owned()),
            target_group_protocol: Some(self.protocol.as_str().to_owned()),
            service_ref: ServiceReference { name: self.service.clone(), port: int_or_string(&self.port) },
            networking: (!self.networking.is_empty()).then(|| Networking { ingress: networking.collect() }),
            node_selector: (!self.node_labels.is_empty()).then(|| LabelSelector {
                match_labels: Some(self.node_labels.clone()),
                ..LabelSelector::default()
            }),
            ip_address_type: Some(self.ip_address_type.clone()),
            vpc_id: Some(self.vpc.clone()),
            ..TargetGroupBindingSpec::default()
        }
    }

    /// The object as it has to be written: no annotations, no finalizer, no status.
    #[must_use]
    pub fn object(&self, target_group_arn: &str, backend_group: Option<&str>) -> TargetGroupBinding {
        let mut object = TargetGroupBinding::new(&self.key.name, self.spec(target_group_arn, backend_group));
        object.metadata.namespace = Some(self.key.namespace.clone());
        object.metadata.labels = Some(self.labels.clone());
        object
    }
}

fn peer_of(peer: &BindingPeer, backend_group: Option<&str>) -> NetworkingPeer {
    let group = |id: &str| NetworkingPeer {
        security_group: Some(GroupPeer { group_id: id.to_owned() }),
        ..NetworkingPeer::default()
    };
    match peer {
        BindingPeer::Backend => group(backend_group.unwrap_or_default()),
        BindingPeer::Group(id) => group(id),
        BindingPeer::Cidr(cidr) => {
            NetworkingPeer { ip_block: Some(IpBlock { cidr: cidr.clone() }), ..NetworkingPeer::default() }
        }
    }
}

fn port_of(port: &BindingPort) -> NetworkingPort {
    let protocol = if port.transport == Transport::Udp { "UDP" } else { "TCP" };
    NetworkingPort { protocol: Some(protocol.to_owned()), port: port.port.as_ref().map(int_or_string) }
}

fn int_or_string(port: &PortName) -> IntOrString {
    match port {
        PortName::Number(number) => IntOrString::Int(i32::from(number.get())),
        PortName::Name(name) => IntOrString::String(name.clone()),
    }
}
