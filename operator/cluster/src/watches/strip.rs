//! What no decision looks at is dropped before an object is kept.

use fairway_crds::LoadBalancerState;
use k8s_openapi::api::{
    core::v1::{Node, NodeStatus, Pod, PodSpec, PodStatus, Service},
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
    Ingress,
    Service,
    k8s_openapi::api::networking::v1::IngressClass,
    k8s_openapi::api::discovery::v1::EndpointSlice,
    k8s_openapi::api::core::v1::Namespace,
    fairway_crds::IngressClassParams,
    fairway_crds::InClusterClassParams,
    fairway_crds::IPAddressPool,
    fairway_crds::L2Advertisement,
    fairway_crds::TargetGroupBinding,
    LoadBalancerState,
);

impl Strip for Pod {
    fn strip(self) -> Self {
        let mut pod = without_managed_fields(self);
        pod.spec = pod.spec.map(|spec| PodSpec {
            node_name: spec.node_name,
            readiness_gates: spec.readiness_gates,
            host_network: spec.host_network,
            ..Default::default()
        });
        pod.status = pod.status.map(|status| PodStatus {
            conditions: status.conditions,
            phase: status.phase,
            pod_ip: status.pod_ip,
            pod_ips: status.pod_ips,
            ..Default::default()
        });
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
