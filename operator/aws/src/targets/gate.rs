//! Readiness gates: pods that are not ready before the load balancer takes them in.
//!
//! | target is                | condition | reason and message        |
//! |--------------------------|-----------|---------------------------|
//! | healthy                  | True      | none                      |
//! | just registered          | False     | as AWS says of `initial`  |
//! | in any other state       | False     | AWS's own                 |
//! | not told by AWS          | Unknown   | none                      |
//! | of a binding that goes   | True      | says so                   |
//!
//! Pods without the gate are left alone.
//! Source: AWS Load Balancer Controller 3.5, TargetGroupBinding.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    ids::Key,
    snapshot::{Pod, Snapshot},
};
use k8s_openapi::api::core::v1::PodCondition;
use serde::{Deserialize, Serialize};

use crate::endpoints::Endpoint;

/// First part of the gate's name; the binding's name follows.
pub const GATE: &str = "target-health.elbv2.k8s.aws";

/// AWS's word on one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Such as `healthy`, `initial`, `unused`.
    pub state: String,
    /// Such as `Target.Timeout`; empty when there is none.
    pub reason: String,
    /// A sentence; empty when there is none.
    pub description: String,
}

/// By `id:port`.
pub type HealthByTarget = BTreeMap<String, Health>;

/// A condition of a pod, as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PodHealth {
    /// The pod.
    pub pod: Key,
    /// Its UID: another pod of the name is not meant.
    pub uid: String,
    /// Type of the condition: the gate.
    pub gate: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// CamelCase, or empty.
    pub reason: String,
    /// A sentence, or empty.
    pub message: String,
    /// Whether the status is another one than before.
    pub turned: bool,
}

/// A pod that carries the gate of a binding.
pub(super) struct Gated<'a> {
    key: Key,
    pod: &'a Pod,
    gate: String,
    /// `id:port`.
    pub(super) target: String,
}

/// The pods among `endpoints` that carry the gate of the binding of this name.
pub(super) fn of<'a>(
    snapshot: &'a Snapshot,
    binding: &str,
    endpoints: &BTreeSet<Endpoint>,
) -> Vec<Gated<'a>> {
    let gate = format!("{GATE}/{binding}");
    let gated = |endpoint: &Endpoint| {
        let key = endpoint.pod.clone()?;
        let pod = snapshot.pods.get(&key)?;
        let target = format!("{}:{}", endpoint.id, endpoint.port);
        pod.carries(&gate).then(|| Gated { key, pod, gate: gate.clone(), target })
    };
    endpoints.iter().filter_map(gated).collect()
}

impl Gated<'_> {
    fn present(&self) -> Option<&PodCondition> {
        self.pod.condition(&self.gate)
    }

    /// Whether the pod still waits for its target.
    pub(super) fn waits(&self) -> bool {
        self.present().is_none_or(|condition| condition.status != "True")
    }

    /// What the pod has to be told, if that is news to it.
    pub(super) fn told(&self, health: Option<&Health>) -> Option<PodHealth> {
        let (status, reason, message) = match health {
            None => ("Unknown", "", ""),
            Some(health) if health.is_well() => ("True", "", health.description.as_str()),
            Some(health) => ("False", health.reason.as_str(), health.description.as_str()),
        };
        let present = self.present();
        let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
        let same = present.is_some_and(|present| {
            present.status == status && text(&present.reason) == reason && text(&present.message) == message
        });
        (!same).then(|| PodHealth {
            pod: self.key.clone(),
            uid: self.pod.metadata.uid.clone().unwrap_or_default(),
            gate: self.gate.clone(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            turned: present.is_none_or(|present| present.status != status),
        })
    }
}

impl Health {
    /// What AWS says of a target that was just registered.
    #[must_use]
    pub fn registering() -> Self {
        Self {
            state: "initial".to_owned(),
            reason: "Elb.RegistrationInProgress".to_owned(),
            description: "Target registration is in progress".to_owned(),
        }
    }

    /// What is said of a target whose binding goes: the pod waits for nothing any more.
    pub(super) fn unbound() -> Self {
        Self {
            state: "healthy".to_owned(),
            reason: String::new(),
            description: "Target Group Binding is deleted".to_owned(),
        }
    }

    /// Whether traffic is sent to it.
    pub(super) fn is_well(&self) -> bool {
        self.state == "healthy"
    }
}
