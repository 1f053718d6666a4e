//! Everything that is written to the cluster, by patch: what is not ours on an object stays as it is.

mod binding;
mod event;
mod finalizer;
mod state;
mod status;
mod target;

use kube::{Api, Client, api::PatchParams};
use serde::{Serialize, de::DeserializeOwned};

use fairway_core::ids::{Key, Kind, ObjectRef};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};

pub use binding::{BindingStatus, BindingWrite, Verdict};
pub use event::Recorder;
pub use state::state_status;
pub use target::PodConditionWrite;

/// Field manager of every write.
pub const FIELD_MANAGER: &str = "fairway";

/// Writes to one cluster.
#[derive(Clone)]
pub struct Writer {
    client: Client,
    /// Types of conditions that others write.
    others: &'static [&'static str],
}

impl Writer {
    /// A writer on a client. Conditions of `others` stay as they are when a state is written, see [`Writer::say`].
    #[must_use]
    pub const fn new(client: Client, others: &'static [&'static str]) -> Self {
        Self { client, others }
    }

    fn namespaced<K>(&self, namespace: &str) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + Serialize,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Access to an object whose kind is known at run time only.
    fn dynamic(&self, object: &ObjectRef) -> Api<DynamicObject> {
        let resource = resource(object.kind);
        let Key { namespace, .. } = &object.key;
        if namespace.is_empty() {
            Api::all_with(self.client.clone(), &resource)
        } else {
            Api::namespaced_with(self.client.clone(), namespace, &resource)
        }
    }
}

fn params() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() }
}

/// Group, version and plural of a kind.
fn resource(kind: Kind) -> ApiResource {
    let (group, version, plural) = match kind {
        Kind::Ingress => ("networking.k8s.io", "v1", "ingresses"),
        Kind::IngressClass => ("networking.k8s.io", "v1", "ingressclasses"),
        Kind::Service => ("", "v1", "services"),
        Kind::Node => ("", "v1", "nodes"),
        Kind::Secret => ("", "v1", "secrets"),
        Kind::IngressClassParams => ("elbv2.k8s.aws", "v1beta1", "ingressclassparams"),
        Kind::TargetGroupBinding => ("elbv2.k8s.aws", "v1beta1", "targetgroupbindings"),
        Kind::IpAddressPool => ("metallb.io", "v1beta1", "ipaddresspools"),
        Kind::LoadBalancerState => ("fairway.dev", "v1alpha1", "loadbalancerstates"),
    };
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind.as_str()), plural)
}
