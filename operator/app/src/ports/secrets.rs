//! Secrets of the cluster, for AWS.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use fairway_aws::secret::Secret;
use fairway_aws_api::Secrets;
use fairway_core::ids::Key;
use fairway_engine::ports::{Clock as _, Refusal};

use super::{
    cluster::{Cluster, refused},
    process::Process,
};

/// Secrets, by the cluster's client.
pub(crate) struct ClusterSecrets(pub(crate) Arc<Cluster>);

#[async_trait]
impl Secrets for ClusterSecrets {
    async fn read(&self, secret: &Key) -> Result<Option<Secret>, Refusal> {
        let found = self.0.secrets.read(secret).await.map_err(|error| refused(&error))?;
        Ok(found.map(|found| Secret {
            uid: found.metadata.uid.unwrap_or_default(),
            entries: found.data.into_iter().flatten().map(|(name, bytes)| (name, bytes.0)).collect(),
        }))
    }

    fn now(&self) -> Duration {
        Process.now()
    }
}
