//! Which Services and bindings a pod is behind. Looks at the pod's namespace only.

use std::collections::BTreeMap;

use fairway_core::{
    ids::Key,
    snapshot::{Objects, Snapshot},
};
use fairway_crds::TargetGroupBinding;
use k8s_openapi::api::core::v1::{Pod, Service};

/// A pod before it is stored: its namespace may be named beside it only.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewPod<'a> {
    pub(super) namespace: &'a str,
    pub(super) pod: &'a Pod,
}

impl NewPod<'_> {
    /// Whether a Service sends requests to the pod. One without a selector has its endpoints written by hand.
    pub(super) fn is_behind(&self, service: &Service) -> bool {
        let none = BTreeMap::new();
        let labels = self.pod.metadata.labels.as_ref().unwrap_or(&none);
        let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        selector.is_some_and(|selector| {
            !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        })
    }

    /// Services that the pod is behind, by name.
    pub(super) fn services<'s>(
        &self,
        snapshot: &'s Snapshot,
    ) -> impl Iterator<Item = (&'s Key, &'s Service)> {
        within(&snapshot.services, self.namespace).filter(|(_, service)| self.is_behind(service))
    }

    /// Bindings that register the pod's own address, in the order of their names.
    pub(super) fn bindings<'s>(
        &self,
        snapshot: &'s Snapshot,
    ) -> impl Iterator<Item = (&'s Key, &'s TargetGroupBinding)> {
        within(&snapshot.target_group_bindings, self.namespace).filter(|(key, binding)| {
            let service = Key::new(&key.namespace, &binding.spec.service_ref.name);
            binding.metadata.deletion_timestamp.is_none()
                && binding.spec.target_type.as_deref() == Some("ip")
                && snapshot.services.get(&service).is_some_and(|service| self.is_behind(service))
        })
    }
}

/// Objects of one namespace.
pub(super) fn within<'s, K>(
    objects: &'s Objects<K>,
    namespace: &str,
) -> impl Iterator<Item = (&'s Key, &'s K)> + use<'s, K> {
    let first = Key::new(namespace, "");
    let namespace = namespace.to_owned();
    let rest = objects.range(first..).take_while(move |(key, _)| key.namespace == namespace);
    rest.map(|(key, object)| (key, object.as_ref()))
}
