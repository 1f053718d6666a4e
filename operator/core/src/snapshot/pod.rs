//! What decisions look at of a pod.
//!
//! Pods outnumber everything else, and most of a pod is never looked at: this is a view of `v1` Pod in its shape on the
//! wire, a fifth of the memory of the whole. What it does not name is passed over while it is read.

use std::borrow::Cow;

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{PodCondition, PodIP, PodReadinessGate},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube_core::Resource;
use serde::{Deserialize, Serialize};

/// A `v1` Pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// As on the wire.
    pub metadata: ObjectMeta,
    /// As on the wire.
    pub spec: PodSpec,
    /// As on the wire.
    pub status: PodStatus,
}

/// What is asked of a pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    /// Conditions without which it is not ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub readiness_gates: Vec<PodReadinessGate>,
}

/// What became of a pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// As on the wire.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<PodCondition>,
    /// Its addresses, the first one being the main one.
    #[serde(rename = "podIPs", skip_serializing_if = "Vec::is_empty")]
    pub pod_ips: Vec<PodIP>,
}

impl Pod {
    /// Whether its readiness waits for a condition of this type.
    #[must_use]
    pub fn carries(&self, gate: &str) -> bool {
        self.spec.readiness_gates.iter().any(|carried| carried.condition_type == gate)
    }

    /// Its condition of this type.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&PodCondition> {
        self.status.conditions.iter().find(|condition| condition.type_ == kind)
    }
}

impl Resource for Pod {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "Pod".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "pods".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_whole_and_writes_what_it_keeps() {
        let whole = serde_json::json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop", "uid": "u"},
            "spec": {"nodeName": "n", "containers": [{"name": "main"}], "readinessGates": [{"conditionType": "example.com/g"}]},
            "status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}],
                       "conditions": [{"type": "example.com/g", "status": "True"}]},
        });
        let pod: Pod = serde_json::from_value(whole).unwrap();
        assert!(pod.carries("example.com/g") && !pod.carries("example.com/h"));
        assert_eq!(pod.condition("example.com/g").unwrap().status, "True");
        assert_eq!(pod.status.pod_ips.first().unwrap().ip, "10.0.0.1");
        let again: Pod = serde_json::from_value(serde_json::to_value(&pod).unwrap()).unwrap();
        assert_eq!(again, pod);
    }
}
