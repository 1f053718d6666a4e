//! Hosted zones and their records.

use async_trait::async_trait;
use fairway_core::{
    evaluate::Facts,
    plan::{Bindings, Operation as _},
};
use fairway_dns::{
    Zones,
    change::ChangeBatch,
    provider::{Answer as Fact, Query, Scope, ZoneObserved, ZoneUnit},
    zone::{HostedZone, Visibility, ZoneId},
};
use fairway_engine::ports::{Answer, Applied, Apply, Observe, Refusal};

use super::Process;
use crate::sim::refused;

#[async_trait]
impl Answer<Zones> for Process {
    async fn answer(&self, _: &ZoneUnit, queries: &[Query]) -> Result<Facts<Zones>, Refusal> {
        let inner = self.sim.lock();
        let zone = |row: &crate::world::ZoneRow| HostedZone {
            id: ZoneId::new(&row.id),
            name: row.name.clone(),
            visibility: Visibility::Public,
            tags: std::collections::BTreeMap::new(),
        };
        let mut facts = Facts::default();
        for query in queries {
            facts.insert(query.clone(), Fact::HostedZones(inner.aws.zones.values().map(zone).collect()));
        }
        Ok(facts)
    }
}

/// "The results from ListResourceRecordSets are strongly consistent with ChangeResourceRecordSets" (Route 53 API
/// reference), so that a list never lags behind.
#[async_trait]
impl Observe<Zones> for Process {
    async fn observe(&self, _: &ZoneUnit, scope: &Scope) -> Result<ZoneObserved, Refusal> {
        let Scope::WholeZone(zone) = scope;
        self.sim
            .observe_present(self.number, |aws| {
                Ok(ZoneObserved { records: aws.records(zone.as_str()).map_err(refused)? })
            })
            .await
    }
}

#[async_trait]
impl Apply<Zones> for Process {
    async fn apply(&self, _: &ZoneUnit, op: &ChangeBatch, _: &Bindings) -> Result<Applied, Refusal> {
        let changed = self.sim.write(self.number, op.describe(), |inner| {
            inner.aws.change_records(op.zone.as_str(), &op.changes()).map_err(refused)
        });
        changed.await.map(|_| Applied::Changed)
    }
}
