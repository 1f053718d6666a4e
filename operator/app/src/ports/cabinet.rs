//! The admission webhook's keyring in a Secret, and its authority in the webhook configurations.

use async_trait::async_trait;
use fairway_admission::keep::{Cabinet, Kept, Saved};
use fairway_cluster::{error::ClusterError, lease::Leadership, webhook::Webhook};
use fairway_core::report::Failure;

/// The webhook's objects, written to by whoever leads.
pub(crate) struct Objects {
    pub(crate) webhook: Webhook,
    pub(crate) lease: Leadership,
}

#[async_trait]
impl Cabinet for Objects {
    async fn load(&self) -> Result<Option<Kept>, Failure> {
        let found = self.webhook.load().await.map_err(failed)?;
        Ok(found.map(|found| Kept { keyring: found.text, version: found.version }))
    }

    async fn save(&self, keyring: &str, bundle: &str, over: Option<&str>) -> Result<Saved, Failure> {
        let written = self.webhook.save(keyring, bundle, over).await.map_err(failed)?;
        Ok(if written { Saved::Written } else { Saved::Beaten })
    }

    async fn in_use(&self) -> Result<Vec<String>, Failure> {
        self.webhook.bundles().await.map_err(failed)
    }

    async fn trust(&self, bundle: &str) -> Result<(), Failure> {
        self.webhook.set_bundle(bundle).await.map_err(failed)
    }

    fn leads(&self) -> bool {
        self.lease.term().is_some()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` takes")]
fn failed(error: ClusterError) -> Failure {
    error.failure()
}
