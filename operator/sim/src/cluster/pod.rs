//! What is written about targets: conditions of pods, and records of what is ours.

use std::sync::Arc;

use fairway_aws::targets::PodHealth;
use fairway_core::{ids::Key, snapshot::Pod};
use k8s_openapi::api::core::v1::PodCondition;

use super::Cluster;

impl Cluster {
    /// Writes one condition of a pod. A pod that is gone, or another of its name, is left alone.
    pub fn tell_pod(&mut self, told: &PodHealth) {
        let Some(pod) = Arc::make_mut(&mut self.objects.pods).get_mut(&told.pod) else { return };
        if pod.metadata.uid.as_deref().unwrap_or_default() != told.uid {
            return;
        }
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let condition = PodCondition {
            type_: told.gate.clone(),
            status: told.status.clone(),
            reason: some(&told.reason),
            message: some(&told.message),
            ..PodCondition::default()
        };
        put(Arc::make_mut(pod), condition);
        self.version += 1;
    }

    /// Writes a ConfigMap that records targets, or deletes it.
    pub fn write_record(&mut self, key: &Key, text: Option<String>) {
        match text {
            Some(text) => drop(self.records.insert(key.clone(), text)),
            None => drop(self.records.remove(key)),
        }
    }
}

fn put(pod: &mut Pod, condition: PodCondition) {
    let all = &mut pod.status.conditions;
    all.retain(|present| present.type_ != condition.type_);
    all.push(condition);
}
