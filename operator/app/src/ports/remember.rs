//! What is remembered of stacks: their `LoadBalancerState`.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use fairway_cluster::write::state_status;
use fairway_core::{
    evaluate::{LastGood, Provider},
    ids::{Key, StackId},
    report::{Condition, Failure, StateReport},
};
use fairway_crds::{LoadBalancerState, LoadBalancerStateStatus};
use fairway_engine::ports::{Record, Refusal, Remember, Remembered};

use super::cluster::{Cluster, refused};

/// One `LoadBalancerState` a stack.
pub(crate) struct States(pub(crate) Arc<Cluster>);

impl States {
    fn find(&self, stack: &StackId) -> Option<Arc<LoadBalancerState>> {
        self.0.watches.snapshot().states.get(&Key::cluster(&stack.state_name())).cloned()
    }

    async fn write(&self, stack: &StackId, status: LoadBalancerStateStatus) -> Result<(), Refusal> {
        let present = self.find(stack);
        self.0.writer.state(stack, present.as_deref(), status).await.map_err(|error| refused(&error))
    }
}

#[async_trait]
impl<P: Provider<Unit = StackId>> Remember<P> for States {
    async fn recall(&self, unit: &StackId) -> Result<Remembered, Refusal> {
        let state = self.find(unit);
        let observed =
            state.as_ref().and_then(|state| state.status.as_ref()?.fingerprint_observed_at.clone());
        let observed_at =
            observed.and_then(|time| u64::try_from(time.0.as_second()).ok()).map(Duration::from_secs);
        // What the peer may have changed since has to be seen anew.
        let observed_at = observed_at.filter(|at| self.0.peer.renewed().is_none_or(|renewed| renewed < *at));
        let last_good = LastGood::of(state.as_ref().and_then(|state| state.status.as_ref()));
        Ok(Remembered { last_good, observed_at })
    }

    async fn forget(&self, unit: &StackId) -> Result<(), Refusal> {
        let status = self.find(unit).and_then(|state| state.status.clone()).unwrap_or_default();
        self.write(
            unit,
            LoadBalancerStateStatus { fingerprint: None, fingerprint_observed_at: None, ..status },
        )
        .await
    }

    async fn record(&self, unit: &StackId, record: Option<Record<'_>>) -> Result<(), Refusal> {
        let Some(record) = record else {
            return self.0.writer.forget(unit).await.map_err(|error| refused(&error));
        };
        let present = self.find(unit);
        let status = state_status(
            record.report,
            record.observed_at,
            present.as_ref().and_then(|state| state.status.as_ref()),
        );
        self.write(unit, status).await
    }

    async fn stumble(&self, unit: &StackId, failure: &Failure) -> Result<(), Refusal> {
        let before = self.find(unit).and_then(|state| state.status.clone()).unwrap_or_default();
        let remembered = LastGood::of(Some(&before));
        let report = StateReport {
            ready: Condition {
                status: false,
                reason: failure.code.clone(),
                message: failure.message.clone(),
            },
            notes: Vec::new(),
            bindings: fairway_core::plan::Bindings::new(),
            addresses: Vec::new(),
            plan: Vec::new(),
            fingerprint: None,
            good: remembered.members,
        };
        // Only the condition is news: addresses and ARNs stay as they were.
        let said = state_status(&report, None, Some(&before));
        self.write(unit, LoadBalancerStateStatus { conditions: said.conditions, ..before }).await
    }
}
