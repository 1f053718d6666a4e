//! Finalizers: added before the first effect, removed when nothing is left.

use fairway_core::ids::ObjectRef;
use kube::api::Patch;
use serde_json::json;

use super::{Writer, params};
use crate::error::{ClusterError, status};

/// How often a write is tried again when somebody else changed the object in between.
const ATTEMPTS: usize = 4;

impl Writer {
    /// Makes sure that an object carries a finalizer. `false`: the object is gone or going, and gets none.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn add_finalizer(&self, object: &ObjectRef, finalizer: &str) -> Result<bool, ClusterError> {
        self.change_finalizers(object, |finalizers, deleted| {
            if finalizers.iter().any(|present| present == finalizer) {
                return Some(None);
            }
            (!deleted).then(|| Some([finalizers, &[finalizer.to_owned()]].concat()))
        })
        .await
    }

    /// Makes sure that an object does not carry a finalizer. An object that is gone is fine.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn remove_finalizer(&self, object: &ObjectRef, finalizer: &str) -> Result<bool, ClusterError> {
        self.change_finalizers(object, |finalizers, _| {
            let rest: Vec<String> =
                finalizers.iter().filter(|present| *present != finalizer).cloned().collect();
            Some((rest.len() != finalizers.len()).then_some(rest))
        })
        .await
    }

    /// Applies `change` to the present finalizers, and again when somebody else was quicker. The closure answers `None`
    /// when nothing may be done, `Some(None)` when nothing has to be done.
    async fn change_finalizers(
        &self,
        object: &ObjectRef,
        change: impl Fn(&[String], bool) -> Option<Option<Vec<String>>>,
    ) -> Result<bool, ClusterError> {
        let api = self.dynamic(object);
        let failed = |error| ClusterError::new(format!("finalizers of {object}"), error);
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let Some(found) = api.get_metadata_opt(&object.key.name).await.map_err(failed)? else {
                return Ok(false);
            };
            let present = found.metadata.finalizers.as_deref().unwrap_or_default();
            let wanted = match change(present, found.metadata.deletion_timestamp.is_some()) {
                None => return Ok(false),
                Some(None) => return Ok(true),
                Some(Some(wanted)) => wanted,
            };
            // The version makes the server refuse the patch if the list changed since it was read.
            let patch = json!({"metadata": {"resourceVersion": found.metadata.resource_version, "finalizers": wanted}});
            match api.patch(&object.key.name, &params(), &Patch::Merge(&patch)).await {
                Ok(_) => return Ok(true),
                Err(error) if status(&error) == Some(404) => return Ok(false),
                Err(error) if status(&error) == Some(409) => last = Some(error),
                Err(error) => return Err(failed(error)),
            }
        }
        last.map_or(Ok(false), |error| Err(failed(error)))
    }
}
