//! What no decision looks at is dropped before an object is kept.

use fairway_core::snapshot::Pod;
use fairway_crds::LoadBalancerState;
use k8s_openapi::api::{
    core::v1::{Node, NodeStatus, Service},
    discovery::v1::EndpointSlice,
    networking::v1::Ingress,
};
use kube::Resource;

/// Drops what no decision looks at.
pub(super) trait Strip: Sized {
    /// The object without what no decision looks at.
    #[must_use]
    fn strip(self) -> Self;
}

fn without_managed_fields<K: Resource>(mut object: K) -> K {
    object.meta_mut().managed_fields = None;
    object
}

macro_rules! strip_managed_fields {
    ($($kind:ty),* $(,)?) => {$(
        impl Strip for $kind {
            fn strip(self) -> Self {
                without_managed_fields(self)
            }
        }
    )*};
}

strip_managed_fields!(
    Service,
    k8s_openapi::api::networking::v1::IngressClass,
    k8s_openapi::api::core::v1::Namespace,
    fairway_crds::IngressClassParams,
    fairway_crds::InClusterClassParams,
    fairway_crds::IPAddressPool,
    fairway_crds::L2Advertisement,
    fairway_crds::TargetGroupBinding,
    LoadBalancerState,
);

// Lists are read into vectors with room to spare: what is kept for long needs none.

impl Strip for Ingress {
    fn strip(self) -> Self {
        let mut ingress = without_managed_fields(self);
        if let Some(rules) = ingress.spec.as_mut().and_then(|spec| spec.rules.as_mut()) {
            rules.shrink_to_fit();
            let paths = rules.iter_mut().filter_map(|rule| rule.http.as_mut());
            paths.for_each(|http| http.paths.shrink_to_fit());
        }
        ingress
    }
}

impl Strip for EndpointSlice {
    fn strip(self) -> Self {
        let mut slice = without_managed_fields(self);
        slice.metadata.annotations = None;
        slice.metadata.owner_references = None;
        slice.endpoints.shrink_to_fit();
        slice.endpoints.iter_mut().for_each(|endpoint| endpoint.addresses.shrink_to_fit());
        slice
    }
}

impl Strip for Pod {
    fn strip(self) -> Self {
        let mut pod = without_managed_fields(self);
        let metadata = &mut pod.metadata;
        metadata.labels = None;
        metadata.annotations = None;
        metadata.owner_references = None;
        let gates = std::mem::take(&mut pod.spec.readiness_gates);
        pod.status.conditions.retain(|condition| {
            condition.type_ == "ContainersReady"
                || gates.iter().any(|gate| gate.condition_type == condition.type_)
        });
        pod.status.conditions.shrink_to_fit();
        pod.spec.readiness_gates = gates;
        pod
    }
}

impl Strip for Node {
    fn strip(self) -> Self {
        let mut node = without_managed_fields(self);
        node.status = node.status.map(|status| NodeStatus {
            addresses: status.addresses,
            conditions: status.conditions,
            ..Default::default()
        });
        node
    }
}
