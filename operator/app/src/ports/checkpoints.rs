//! What is remembered of target groups: the checkpoint annotations of their TargetGroupBindings, as the peer keeps them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use fairway_aws::targets::{CHECKPOINT_TIMESTAMP, Targets, checkpoint_of};
use fairway_core::{evaluate::LastGood, ids::Key, report::Failure};
use fairway_engine::ports::{Record, Refusal, Remember, Remembered};
use kube::ResourceExt as _;

use super::cluster::Cluster;

/// Reads checkpoints; they are written as operations of the plan.
pub(crate) struct Checkpoints(pub(crate) Arc<Cluster>);

#[async_trait]
impl Remember<Targets> for Checkpoints {
    async fn recall(&self, unit: &Key) -> Result<Remembered, Refusal> {
        let Some(binding) = self.0.watches.snapshot().target_group_bindings.get(unit).cloned() else {
            return Ok(Remembered::default());
        };
        let written = binding.annotations().get(CHECKPOINT_TIMESTAMP).and_then(|text| text.parse().ok());
        Ok(Remembered {
            last_good: LastGood { fingerprint: checkpoint_of(&binding), ..LastGood::default() },
            observed_at: written.map(Duration::from_secs),
        })
    }

    async fn forget(&self, _: &Key) -> Result<(), Refusal> {
        // The plan's first operation empties the checkpoint.
        Ok(())
    }

    async fn record(&self, unit: &Key, record: Option<Record<'_>>) -> Result<(), Refusal> {
        let Some(binding) = self.0.watches.snapshot().target_group_bindings.get(unit).cloned() else {
            return Ok(());
        };
        let generation = binding.metadata.generation.unwrap_or_default();
        let seen = binding.status.as_ref().and_then(|status| status.observed_generation);
        if record.is_none() || seen == Some(generation) {
            return Ok(());
        }
        let write = self.0.writer.binding_observed(unit, generation).await;
        write.map_err(|error| error.failure().into())
    }

    async fn stumble(&self, unit: &Key, failure: &Failure) -> Result<(), Refusal> {
        tracing::warn!(binding = %unit, code = failure.code, message = failure.message, "targets were not changed");
        Ok(())
    }
}
