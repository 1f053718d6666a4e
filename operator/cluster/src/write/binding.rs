//! TargetGroupBinding objects: made and deleted for stacks, with their checkpoint annotations.

use std::time::Duration;

use fairway_core::ids::Key;
use fairway_crds::{TargetGroupBinding, TargetGroupBindingSpec};
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

    /// Writes `status.observedGeneration`. An object that is gone is fine.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn binding_observed(&self, key: &Key, generation: i64) -> Result<(), ClusterError> {
        let api = self.namespaced::<TargetGroupBinding>(&key.namespace);
        let patch = json!({"status": {"observedGeneration": generation}});
        match api.patch_status(&key.name, &params(), &Patch::Merge(&patch)).await {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) => Ok(()),
            Err(error) => Err(ClusterError::new(format!("status of TargetGroupBinding {key}"), error)),
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
