//! What is written about targets besides TargetGroupBindings: conditions of pods, and records of what is ours.

use fairway_core::ids::Key;
use k8s_openapi::{
    api::core::v1::{ConfigMap, Pod},
    jiff::Timestamp,
};
use kube::api::{DeleteParams, ObjectMeta, Patch, PostParams};
use serde_json::{Map, Value, json};

use super::{Writer, params};
use crate::error::{ClusterError, status};

/// A condition of a pod, as it should be.
#[derive(Debug, Clone)]
pub struct PodConditionWrite<'a> {
    /// The pod.
    pub pod: &'a Key,
    /// Its UID: another pod of the name is left alone.
    pub uid: &'a str,
    /// Type of the condition.
    pub kind: &'a str,
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    /// CamelCase, or empty.
    pub reason: &'a str,
    /// A sentence, or empty.
    pub message: &'a str,
    /// Whether the status is another one than before.
    pub turned: bool,
}

impl Writer {
    /// Writes one condition of a pod. A pod that is gone, or another of its name, is fine.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn pod_condition(&self, write: &PodConditionWrite<'_>) -> Result<(), ClusterError> {
        let api = self.namespaced::<Pod>(&write.pod.namespace);
        let mut condition = Map::new();
        condition.insert("type".to_owned(), json!(write.kind));
        condition.insert("status".to_owned(), json!(write.status));
        // `null` takes away what an earlier status said.
        let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        condition.insert("reason".to_owned(), text(write.reason));
        condition.insert("message".to_owned(), text(write.message));
        if write.turned {
            condition.insert("lastTransitionTime".to_owned(), json!(Timestamp::now()));
        }
        let patch = json!({"metadata": {"uid": write.uid}, "status": {"conditions": [condition]}});
        match api.patch_status(&write.pod.name, &params(), &Patch::Strategic(&patch)).await {
            Ok(_) => Ok(()),
            // 409: the UID is another one.
            Err(error) if matches!(status(&error), Some(404 | 409)) => Ok(()),
            Err(error) => Err(ClusterError::new(format!("condition of Pod {}", write.pod), error)),
        }
    }

    /// What a ConfigMap holds under a key; `None` when there is no such ConfigMap.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn record(&self, map: &Key, key: &str) -> Result<Option<String>, ClusterError> {
        let api = self.namespaced::<ConfigMap>(&map.namespace);
        let failed = |error| ClusterError::new(format!("ConfigMap {map}"), error);
        let found = api.get_opt(&map.name).await.map_err(failed)?;
        Ok(found.map(|found| found.data.unwrap_or_default().remove(key).unwrap_or_default()))
    }

    /// Writes what a ConfigMap holds under a key; it is made when it is not there.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn put_record(&self, map: &Key, key: &str, text: &str) -> Result<(), ClusterError> {
        let api = self.namespaced::<ConfigMap>(&map.namespace);
        let failed = |error| ClusterError::new(format!("ConfigMap {map}"), error);
        let patch = json!({"data": {key: text}});
        match api.patch(&map.name, &params(), &Patch::Merge(&patch)).await {
            Ok(_) => return Ok(()),
            Err(error) if status(&error) == Some(404) => {}
            Err(error) => return Err(failed(error)),
        }
        let object = ConfigMap {
            metadata: ObjectMeta {
                name: Some(map.name.clone()),
                namespace: Some(map.namespace.clone()),
                ..ObjectMeta::default()
            },
            data: Some([(key.to_owned(), text.to_owned())].into()),
            ..ConfigMap::default()
        };
        api.create(&PostParams::default(), &object).await.map(drop).map_err(failed)
    }

    /// Deletes a ConfigMap; one that is gone is fine.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn delete_record(&self, map: &Key) -> Result<(), ClusterError> {
        let api = self.namespaced::<ConfigMap>(&map.namespace);
        match api.delete(&map.name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) => Ok(()),
            Err(error) => Err(ClusterError::new(format!("ConfigMap {map}"), error)),
        }
    }
}
