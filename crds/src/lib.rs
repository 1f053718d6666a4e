//! Custom resources that Fairway reads and writes, one kind a file.
//!
//! | kind                      | group and version       | scope      | whose interface            |
//! |---------------------------|-------------------------|------------|----------------------------|
//! | [`IngressClassParams`]    | `elbv2.k8s.aws/v1beta1` | cluster    | AWS Load Balancer Controller |
//! | [`TargetGroupBinding`]    | `elbv2.k8s.aws/v1beta1` | namespaced | AWS Load Balancer Controller |
//! | [`IPAddressPool`]         | `metallb.io/v1beta1`    | namespaced | MetalLB                    |
//! | [`L2Advertisement`]       | `metallb.io/v1beta1`    | namespaced | MetalLB                    |
//! | [`InClusterClassParams`]  | `fairway.dev/v1alpha1`  | cluster    | ours                       |
//! | [`LoadBalancerState`]     | `fairway.dev/v1alpha1`  | cluster    | ours                       |
//!
//! Shape: the types are the wire format and nothing else. Closed sets of words (`scheme`, `targetType`) are an
//! `enum` of the schema but a `String` here: one object that another version of the CRD let through must not make
//! the whole list unreadable. Whoever reads a field parses it and reports what it cannot read.
//! An empty list and an absent one are the same thing, as they are for the peers, and are written as absent.
//!
//! What a caller must not assume: fields that the types do not know are dropped on reading, so objects of others
//! are changed by patches, never by writing back what was read.
//!
//! `crds/yaml/` holds the definitions as they are applied to a cluster; a test keeps them equal to the types.

#![expect(clippy::duplicated_attributes, reason = "columns of one kind are alike, and are no duplicates")]

mod in_cluster_class_params;
mod ingress_class_params;
mod ip_address_pool;
mod l2_advertisement;
mod load_balancer_state;
mod target_group_binding;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

pub use in_cluster_class_params::{InClusterClassParams, InClusterClassParamsSpec};
pub use ingress_class_params::{
    IngressClassParams, IngressClassParamsSpec, IngressGroup, IpamConfiguration, KeyValue, Listener,
    MinimumLoadBalancerCapacity, SubnetSelector,
};
pub use ip_address_pool::{IPAddressPool, IPAddressPoolSpec, IPAddressPoolStatus, ServiceAllocation};
pub use l2_advertisement::{L2Advertisement, L2AdvertisementSpec, PreferredNodeSelector};
pub use load_balancer_state::{
    ANNOUNCED, Drift, LIMITS, LastPlan, Limits, LoadBalancerAddress, LoadBalancerState,
    LoadBalancerStateSpec, LoadBalancerStateStatus, PlanSummary,
};
pub use target_group_binding::{
    IpBlock, Networking, NetworkingIngressRule, NetworkingPeer, NetworkingPort, SecurityGroup,
    ServiceReference, TargetGroupBinding, TargetGroupBindingSpec, TargetGroupBindingStatus,
};

/// Every definition of this crate, in the order of their names.
#[must_use]
pub fn definitions() -> Vec<CustomResourceDefinition> {
    let mut all = vec![
        InClusterClassParams::crd(),
        IngressClassParams::crd(),
        IPAddressPool::crd(),
        L2Advertisement::crd(),
        LoadBalancerState::crd(),
        TargetGroupBinding::crd(),
    ];
    all.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    all
}
