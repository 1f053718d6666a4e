//! The cluster as it was read: every object that a decision may look at, and nothing else.
//!
//! Shape: one map a kind, by namespace and name. Cloning is cheap (the objects are shared). The same value is
//! built from watches, from a captured file and from the simulator.

mod pod;

use std::{collections::BTreeMap, sync::Arc};

use fairway_crds::{
    IPAddressPool, InClusterClassParams, IngressClassParams, L2Advertisement, LoadBalancerState,
    TargetGroupBinding,
};
use k8s_openapi::api::{
    core::v1::{Namespace, Node, Service},
    discovery::v1::EndpointSlice,
    networking::v1::{Ingress, IngressClass},
};

use kube_core::Resource;

use crate::ids::Key;
pub use pod::{Pod, PodSpec, PodStatus};

/// Objects of one kind.
pub type Objects<T> = BTreeMap<Key, Arc<T>>;

/// Everything a decision may look at.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// networking.k8s.io/v1
    pub ingresses: Arc<Objects<Ingress>>,
    /// networking.k8s.io/v1
    pub ingress_classes: Arc<Objects<IngressClass>>,
    /// elbv2.k8s.aws/v1beta1
    pub ingress_class_params: Arc<Objects<IngressClassParams>>,
    /// fairway.dev/v1alpha1
    pub in_cluster_class_params: Arc<Objects<InClusterClassParams>>,
    /// v1
    pub services: Arc<Objects<Service>>,
    /// discovery.k8s.io/v1
    pub endpoint_slices: Arc<Objects<EndpointSlice>>,
    /// v1
    pub nodes: Arc<Objects<Node>>,
    /// v1
    pub pods: Arc<Objects<Pod>>,
    /// v1; only labels are looked at.
    pub namespaces: Arc<Objects<Namespace>>,
    /// elbv2.k8s.aws/v1beta1
    pub target_group_bindings: Arc<Objects<TargetGroupBinding>>,
    /// metallb.io/v1beta1
    pub ip_address_pools: Arc<Objects<IPAddressPool>>,
    /// metallb.io/v1beta1
    pub l2_advertisements: Arc<Objects<L2Advertisement>>,
    /// fairway.dev/v1alpha1
    pub states: Arc<Objects<LoadBalancerState>>,
}

/// An object that cannot be part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The object has no `kind`.
    #[error("an object without apiVersion and kind")]
    NoKind,
    /// The object is not of the shape that its kind asks for.
    #[error("{kind} {name}: {problem}")]
    Shape {
        /// As written.
        kind: String,
        /// `namespace/name`.
        name: String,
        /// What does not fit.
        problem: String,
    },
}

impl Snapshot {
    /// Adds one object by its `apiVersion` and `kind`; a `List` adds its items. Objects of kinds that no decision
    /// looks at are passed over, so that a whole namespace can be given as it was exported.
    ///
    /// # Errors
    /// The object that does not have its kind's shape; what was added before it stays.
    pub fn add(&mut self, object: &serde_json::Value) -> Result<(), SnapshotError> {
        let text = |pointer| object.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default();
        let (group, kind) = (text("/apiVersion").split('/').next().unwrap_or_default(), text("/kind"));
        if kind.is_empty() {
            return Err(SnapshotError::NoKind);
        }
        if kind == "List" {
            let items = object.get("items").and_then(serde_json::Value::as_array);
            return items.into_iter().flatten().try_for_each(|item| self.add(item));
        }
        let key = Key::new(text("/metadata/namespace"), text("/metadata/name"));
        match (group, kind) {
            ("networking.k8s.io", "Ingress") => put(&mut self.ingresses, namespaced(key), object),
            ("networking.k8s.io", "IngressClass") => put(&mut self.ingress_classes, key, object),
            ("elbv2.k8s.aws", "IngressClassParams") => put(&mut self.ingress_class_params, key, object),
            ("fairway.dev", "InClusterClassParams") => put(&mut self.in_cluster_class_params, key, object),
            ("v1", "Service") => put(&mut self.services, namespaced(key), object),
            ("discovery.k8s.io", "EndpointSlice") => put(&mut self.endpoint_slices, namespaced(key), object),
            ("v1", "Node") => put(&mut self.nodes, key, object),
            ("v1", "Pod") => put(&mut self.pods, namespaced(key), object),
            ("v1", "Namespace") => put(&mut self.namespaces, key, object),
            ("elbv2.k8s.aws", "TargetGroupBinding") => {
                put(&mut self.target_group_bindings, namespaced(key), object)
            }
            ("metallb.io", "IPAddressPool") => put(&mut self.ip_address_pools, namespaced(key), object),
            ("metallb.io", "L2Advertisement") => put(&mut self.l2_advertisements, namespaced(key), object),
            ("fairway.dev", "LoadBalancerState") => put(&mut self.states, key, object),
            _ => Ok(()),
        }
    }
}

/// Manifests may leave the namespace out; the API server would have said `default`.
fn namespaced(key: Key) -> Key {
    if key.namespace.is_empty() { Key::new("default", &key.name) } else { key }
}

fn put<T>(objects: &mut Arc<Objects<T>>, key: Key, object: &serde_json::Value) -> Result<(), SnapshotError>
where
    T: serde::de::DeserializeOwned + Resource + Clone,
{
    let mut parsed: T = serde_json::from_value(object.clone()).map_err(|error| SnapshotError::Shape {
        kind: object.get("kind").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned(),
        name: key.to_string(),
        problem: error.to_string(),
    })?;
    parsed.meta_mut().namespace = (!key.namespace.is_empty()).then(|| key.namespace.clone());
    Arc::make_mut(objects).insert(key, Arc::new(parsed));
    Ok(())
}
