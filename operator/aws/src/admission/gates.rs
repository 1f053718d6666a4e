//! Readiness gates: a pod is not ready before the load balancer has found it healthy.
//!
//! Shape: one gate for each binding that registers the pod's address, named after the binding. Who sets the condition
//! is the Targets unit.

use fairway_core::{
    admission::{Answer, Edit},
    snapshot::Snapshot,
};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::pods::NewPod;
use crate::targets::GATE;

/// What ALB Ingress Controller wrote, before AWS Load Balancer Controller: nobody sets such a condition any more.
const LEGACY: &str = "target-health.alb.ingress.k8s.aws/";
/// What comes after the slash of a condition's type has at most so many characters.
const NAME: usize = 63;

/// What the API server is answered about a new pod.
#[must_use]
pub fn readiness_gates(snapshot: &Snapshot, namespace: &str, pod: &Pod) -> Answer {
    let present = pod.spec.as_ref().and_then(|spec| spec.readiness_gates.as_deref()).unwrap_or_default();
    let present: Vec<&str> = present.iter().map(|gate| gate.condition_type.as_str()).collect();
    let (mut wanted, mut too_long): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    wanted.extend(present.iter().filter(|gate| !gate.starts_with(LEGACY)).map(|gate| (*gate).to_owned()));
    for (key, _) in (NewPod { namespace, pod }).bindings(snapshot) {
        let gate = format!("{GATE}/{}", key.name);
        if key.name.len() > NAME {
            too_long.push(format!(
                "TargetGroupBinding {key}: its name is too long for a readiness gate; the pod gets none"
            ));
        } else if !wanted.contains(&gate) {
            wanted.push(gate);
        }
    }
    let gates: Vec<Value> = wanted.iter().map(|gate| json!({"conditionType": gate})).collect();
    let edits = if wanted == present { Vec::new() } else { vec![Edit::set("/spec/readinessGates", gates)] };
    Answer::edit(edits).warn(too_long)
}
