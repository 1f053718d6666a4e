//! What is kept of stacks: a LoadBalancerState each. Other units keep nothing, or keep it on their objects.

use std::{collections::BTreeMap, time::Duration};

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
use crate::cluster::{seconds, state_status};

#[async_trait]
impl Remember<Stacks> for Process {
    async fn recall(&self, unit: &StackId) -> Result<Remembered, Refusal> {
        let inner = self.sim.lock();
        let Some(status) = inner.cluster.state(&unit.state_name()) else { return Ok(Remembered::default()) };
        let member =
            |(name, text): (&String, &String)| Some((name.clone(), serde_json::from_str(text).ok()?));
        let zones = status.addresses.iter();
        let zones: BTreeMap<String, String> = zones
            .filter_map(|address| Some((address.hostname.clone()?, address.hosted_zone_id.clone()?)))
            .collect();
        Ok(Remembered {
            last_good: LastGood {
                members: status.last_good.iter().filter_map(member).collect(),
                fingerprint: status.fingerprint.clone(),
                generation: 0,
                resources: BTreeMap::new(),
                hostname: status.addresses.iter().find_map(|address| address.hostname.clone()),
                addresses: zones,
            },
            observed_at: status
                .fingerprint_observed_at
                .as_ref()
                .map(|time| Duration::from_secs(seconds(time))),
        })
    }

    async fn forget(&self, unit: &StackId) -> Result<(), Refusal> {
        let name = unit.state_name();
        self.sim
            .write(self.number, format!("forget the fingerprint of {unit}"), |inner| {
                if let Some(mut status) = inner.cluster.state(&name).cloned() {
                    status.fingerprint = None;
                    inner.cluster.write_state(&name, &unit.to_string(), Some(status));
                }
                Ok(())
            })
            .await
    }

    async fn record(&self, unit: &StackId, record: Option<Record<'_>>) -> Result<(), Refusal> {
        let name = unit.state_name();
        let status = record.map(|record| {
            let observed_at = record.observed_at.map(|at| at.as_secs());
            state_status(record.report, observed_at)
        });
        if self.sim.lock().cluster.state(&name) == status.as_ref() {
            return Ok(());
        }
        self.sim
            .write(self.number, format!("record {unit}"), |inner| {
                inner.cluster.write_state(&name, &unit.to_string(), status);
                Ok(())
            })
            .await
    }

    async fn stumble(&self, _: &StackId, _: &Failure) -> Result<(), Refusal> {
        Ok(())
    }
}

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
