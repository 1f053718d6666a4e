//! A TargetGroupBinding object: what ties a target group to a Service port, as the peer makes it.

use std::collections::BTreeMap;

use fairway_core::{ids::Key, intent::PortName};
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
    /// `spec.networking`; `None` when no rules are to be kept for it.
    pub networking: Option<BindingNetworking>,
    /// `spec.nodeSelector.matchLabels`.
    pub node_labels: BTreeMap<String, String>,
    /// `spec.multiClusterTargetGroup`, written only when true.
    pub multi_cluster: bool,
}

impl ResourceKind for Binding {
    const KIND: &'static str = "binding";
}

/// `spec.networking.ingress`, one entry a source set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BindingNetworking {
    /// Whether the source is the shared backend security group; otherwise `groups` and `cidrs` are.
    pub from_backend_group: bool,
    /// Given security groups, by id.
    pub groups: Vec<String>,
    /// Given ranges.
    pub cidrs: Vec<String>,
    /// Protocol (`TCP`, `UDP`) and port (a number).
    pub ports: Vec<(String, u16)>,
}

impl Binding {
    /// How others refer to it.
    #[must_use]
    pub fn reference(&self) -> Ref<Self> {
        Ref::new(self.key.to_string())
    }
}
