//! TargetGroupBinding objects: made and deleted for stacks, with their checkpoint annotations.

use std::time::Duration;

use fairway_core::ids::Key;
use fairway_crds::{TargetGroupBinding, TargetGroupBindingSpec};
use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use kube::api::{DeleteParams, ObjectMeta, Patch, PostParams};
use serde_json::json;

use super::{Writer, params};
use crate::error::{ClusterError, status};

/// How long one attempt waits for a deleted object to be gone; its finalizer is removed by the Targets unit.
const GONE: Duration = Duration::from_secs(5);
const CHECKPOINT: &str = "elbv2.k8s.aws/checkpoint";
const CHECKPOINT_TIME: &str = "elbv2.k8s.aws/checkpoint-timestamp";

/// A TargetGroupBinding as it should be.
#[derive(Debug, Clone)]
pub struct BindingWrite {
    /// Namespace and name.
    pub key: Key,
    /// Labels that name the stack.
    pub labels: std::collections::BTreeMap<String, String>,
    /// The whole spec.
    pub spec: TargetGroupBindingSpec,
}

impl Writer {
    /// Creates a TargetGroupBinding, or brings its labels and spec to what is wanted.
    ///
    /// # Errors
    /// The API server's refusal; changing a field that cannot be changed is one.
    pub async fn put_binding(&self, write: &BindingWrite) -> Result<(), ClusterError> {
        let api = self.namespaced::<TargetGroupBinding>(&write.key.namespace);
        let failed = |error| ClusterError::new(format!("TargetGroupBinding {}", write.key), error);
        let object = TargetGroupBinding {
            metadata: ObjectMeta {
                name: Some(write.key.name.clone()),
                namespace: Some(write.key.namespace.clone()),
                labels: Some(write.labels.clone()),
                ..ObjectMeta::default()
            },
            spec: write.spec.clone(),
            status: None,
        };
        match api.create(&PostParams::default(), &object).await {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(409) => {
                // A merge patch leaves what the spec does not name; parts of it that are not wanted any more are nulled.
                let patch = json!({"metadata": {"labels": write.labels}, "spec": nulled(&write.spec)});
                api.patch(&write.key.name, &params(), &Patch::Merge(&patch)).await.map(drop).map_err(failed)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Deletes a TargetGroupBinding and waits a little until it is gone. `false`: it is still going.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn delete_binding(&self, key: &Key) -> Result<bool, ClusterError> {
        let api = self.namespaced::<TargetGroupBinding>(&key.namespace);
        let failed = |error| ClusterError::new(format!("TargetGroupBinding {key}"), error);
        match api.delete(&key.name, &DeleteParams::default()).await {
            Ok(_) => {}
            Err(error) if status(&error) == Some(404) => return Ok(true),
            Err(error) => return Err(failed(error)),
        }
        let deadline = tokio::time::Instant::now() + GONE;
        while tokio::time::Instant::now() < deadline {
            if api.get_metadata_opt(&key.name).await.map_err(failed)?.is_none() {
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(false)
    }

    /// Writes or empties the checkpoint annotations. `at` is in Unix seconds. An object that is gone is fine.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn checkpoint(&self, key: &Key, checkpoint: Option<&str>, at: i64) -> Result<(), ClusterError> {
        let api = self.namespaced::<TargetGroupBinding>(&key.namespace);
        let annotations =
            json!({CHECKPOINT: checkpoint.unwrap_or_default(), CHECKPOINT_TIME: at.to_string()});
        let patch = json!({"metadata": {"annotations": annotations}});
        match api.patch(&key.name, &params(), &Patch::Merge(&patch)).await {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) => Ok(()),
            Err(error) => Err(ClusterError::new(format!("checkpoint of TargetGroupBinding {key}"), error)),
        }
    }

    /// Writes the parts of a binding's status that differ from what `present` shows. An object that is gone is fine.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn binding_status(
        &self,
        key: &Key,
        present: &TargetGroupBinding,
        wanted: &BindingStatus,
    ) -> Result<(), ClusterError> {
        let Some(patch) = wanted.patch(present) else { return Ok(()) };
        let api = self.namespaced::<TargetGroupBinding>(&key.namespace);
        match api.patch_status(&key.name, &params(), &Patch::Merge(&patch)).await {
            Ok(_) => Ok(()),
            // 409: it changed meanwhile, and will be looked at again for that.
            Err(error) if matches!(status(&error), Some(404 | 409)) => Ok(()),
            Err(error) => Err(ClusterError::new(format!("status of TargetGroupBinding {key}"), error)),
        }
    }
}

/// One condition of a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Such as `TargetsRegistered`.
    pub kind: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// CamelCase.
    pub reason: String,
    /// One sentence.
    pub message: String,
}

/// Parts of a binding's status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BindingStatus {
    /// Generation of the spec that was acted on; `None` leaves what is there.
    pub generation: Option<i64>,
    /// Conditions; others stay as they are.
    pub verdicts: Vec<Verdict>,
}

impl BindingStatus {
    /// What has to be patched, if anything. A list is patched whole, so the version guards what others write.
    fn patch(&self, present: &TargetGroupBinding) -> Option<serde_json::Value> {
        let before = present.status.clone().unwrap_or_default();
        let mut fields = serde_json::Map::new();
        if self.generation.is_some() && self.generation != before.observed_generation {
            fields.insert("observedGeneration".to_owned(), json!(self.generation));
        }
        let mut conditions = before.conditions.clone();
        for verdict in &self.verdicts {
            let condition = verdict.condition(&before.conditions, present.metadata.generation);
            match conditions.iter_mut().find(|present| present.type_ == verdict.kind) {
                Some(present) => *present = condition,
                None => conditions.push(condition),
            }
        }
        let mut guard = serde_json::Map::new();
        if conditions != before.conditions {
            fields.insert("conditions".to_owned(), json!(conditions));
            guard.insert("resourceVersion".to_owned(), json!(present.metadata.resource_version));
        }
        (!fields.is_empty()).then(|| json!({"metadata": guard, "status": fields}))
    }
}

impl Verdict {
    fn condition(&self, before: &[Condition], generation: Option<i64>) -> Condition {
        let status = if self.holds { "True" } else { "False" };
        let kept = before.iter().find(|present| present.type_ == self.kind && present.status == status);
        Condition {
            last_transition_time: kept
                .map_or_else(|| Time(Timestamp::now()), |kept| kept.last_transition_time.clone()),
            message: self.message.clone(),
            observed_generation: generation,
            reason: self.reason.clone(),
            status: status.to_owned(),
            type_: self.kind.to_owned(),
        }
    }
}

/// The spec with every optional field present, `null` where it is unset.
fn nulled(spec: &TargetGroupBindingSpec) -> serde_json::Value {
    let mut value = serde_json::to_value(spec).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        for field in ["networking", "nodeSelector", "multiClusterTargetGroup", "ipAddressType", "vpcID"] {
            fields.entry(field).or_insert(serde_json::Value::Null);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(holds: bool, reason: &str) -> Verdict {
        Verdict { kind: "Ready", holds, reason: reason.to_owned(), message: "a sentence".to_owned() }
    }

    fn apply(binding: &mut TargetGroupBinding, wanted: &BindingStatus) {
        let patch = wanted.patch(binding).unwrap();
        let conditions = serde_json::from_value(patch["status"]["conditions"].clone()).unwrap();
        binding.status.get_or_insert_default().conditions = conditions;
    }

    #[test]
    fn a_status_is_patched_where_it_differs() {
        let mut binding = TargetGroupBinding::default();
        let status = BindingStatus { generation: Some(2), verdicts: Vec::new() };
        let generation = json!({"metadata": {}, "status": {"observedGeneration": 2}});
        assert_eq!(status.patch(&binding), Some(generation), "no condition is written that nobody asked for");

        let well = BindingStatus { generation: None, verdicts: vec![verdict(true, "Ready")] };
        apply(&mut binding, &well);
        assert_eq!(well.patch(&binding), None, "the same again is no news");

        let before = binding.status.clone().unwrap().conditions[0].clone();
        let other = BindingStatus { generation: None, verdicts: vec![verdict(true, "Other")] };
        apply(&mut binding, &other);
        let after = binding.status.clone().unwrap().conditions[0].clone();
        assert_eq!(after.last_transition_time, before.last_transition_time, "it has held since then");
        assert_eq!(after.reason, "Other");
    }
}
