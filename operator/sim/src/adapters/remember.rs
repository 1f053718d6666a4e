//! What is kept of stacks: a LoadBalancerState each. Other units keep nothing, or keep it on their objects.

use std::time::Duration;

use async_trait::async_trait;
use fairway_aws::{
    network::Network,
    stack::Stacks,
    targets::{Targets, checkpoint_of},
};
use fairway_core::{
    evaluate::LastGood,
    ids::{Key, StackId},
    report::Failure,
};
use fairway_dns::{Zones, provider::ZoneUnit};
use fairway_engine::ports::{Record, Refusal, Remember, Remembered};

use super::Process;
use crate::{
    cluster::{seconds, state_status},
    sim::Inner,
};

impl Process {
    fn recall_stack(&self, unit: &StackId) -> Remembered {
        let inner = self.sim.lock();
        let Some(status) = inner.cluster.state(&unit.state_name()) else { return Remembered::default() };
        Remembered {
            last_good: LastGood::of(Some(status)),
            observed_at: status
                .fingerprint_observed_at
                .as_ref()
                .map(|time| Duration::from_secs(seconds(time))),
        }
    }

    async fn forget_stack(&self, unit: &StackId) -> Result<(), Refusal> {
        let forget = |inner: &mut Inner| {
            if let Some(mut status) = inner.cluster.state(&unit.state_name()).cloned() {
                status.fingerprint = None;
                inner.cluster.write_state(unit, Some(status));
            }
            Ok(())
        };
        self.sim.write(self.number, format!("forget the fingerprint of {unit}"), forget).await
    }

    async fn record_stack(&self, unit: &StackId, record: Option<Record<'_>>) -> Result<(), Refusal> {
        let wanted = |inner: &Inner| {
            let present = inner.cluster.state(&unit.state_name());
            record
                .map(|record| state_status(record.report, record.observed_at.map(|at| at.as_secs()), present))
        };
        {
            let inner = self.sim.lock();
            if inner.cluster.state(&unit.state_name()) == wanted(&inner).as_ref() {
                return Ok(());
            }
        }
        let write = |inner: &mut Inner| {
            let status = wanted(inner);
            inner.cluster.write_state(unit, status);
            Ok(())
        };
        self.sim.write(self.number, format!("record {unit}"), write).await
    }
}

macro_rules! keeps_states {
    ($($provider:ty),*) => {$(
        #[async_trait]
        impl Remember<$provider> for Process {
            async fn recall(&self, unit: &StackId) -> Result<Remembered, Refusal> {
                Ok(self.recall_stack(unit))
            }

            async fn forget(&self, unit: &StackId) -> Result<(), Refusal> {
                self.forget_stack(unit).await
            }

            async fn record(&self, unit: &StackId, record: Option<Record<'_>>) -> Result<(), Refusal> {
                self.record_stack(unit, record).await
            }

            async fn stumble(&self, _: &StackId, _: &Failure) -> Result<(), Refusal> {
                Ok(())
            }
        }
    )*};
}

keeps_states!(Stacks, fairway_metal::stack::Stacks);

/// A binding's checkpoint says what was registered, and is on the object.
#[async_trait]
impl Remember<Targets> for Process {
    async fn recall(&self, unit: &Key) -> Result<Remembered, Refusal> {
        let inner = self.sim.lock();
        let fingerprint =
            inner.cluster.objects.target_group_bindings.get(unit).and_then(|object| checkpoint_of(object));
        let observed_at = fingerprint.is_some().then(|| Duration::from_secs(inner.aws.now));
        Ok(Remembered { last_good: LastGood { fingerprint, ..LastGood::default() }, observed_at })
    }

    async fn forget(&self, _: &Key) -> Result<(), Refusal> {
        Ok(())
    }

    async fn record(&self, _: &Key, _: Option<Record<'_>>) -> Result<(), Refusal> {
        Ok(())
    }

    async fn stumble(&self, _: &Key, _: &Failure) -> Result<(), Refusal> {
        Ok(())
    }
}

macro_rules! forgets {
    ($($provider:ty, $unit:ty);*) => {$(
        #[async_trait]
        impl Remember<$provider> for Process {
            async fn recall(&self, _: &$unit) -> Result<Remembered, Refusal> {
                Ok(Remembered::default())
            }

            async fn forget(&self, _: &$unit) -> Result<(), Refusal> {
                Ok(())
            }

            async fn record(&self, _: &$unit, _: Option<Record<'_>>) -> Result<(), Refusal> {
                Ok(())
            }

            async fn stumble(&self, _: &$unit, _: &Failure) -> Result<(), Refusal> {
                Ok(())
            }
        }
    )*};
}

forgets!(Network, <Network as fairway_core::evaluate::Provider>::Unit; Zones, ZoneUnit);
