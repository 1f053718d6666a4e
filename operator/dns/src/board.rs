//! Which load balancers and addresses records still point at: what has to be published before one of them may go.
//!
//! A load balancer may be deleted when no record of ours points at it any more. A look publishes the handles of the
//! records that it found ([`handles`]); applying a batch changes them ([`ChangeBatch::rebinds`]).
//!
//! [`ChangeBatch::rebinds`]: fairway_core::plan::Operation::rebinds

use std::collections::BTreeSet;

use fairway_core::plan::Bindings;

use crate::{
    change::{Action, ChangeBatch},
    config::DnsConfig,
    desired::{Wanted, ZoneModel},
    name::Name,
    provider::ZoneObserved,
    record::target_key,
    registry::Registry,
};

/// Handles of our records in the zone that point at host names or addresses.
#[must_use]
pub fn handles(config: &DnsConfig, apex: &Name, zone: &ZoneObserved) -> Bindings {
    let Some(owner) = &config.owner else { return Bindings::new() };
    let registry = Registry::read(owner, &config.naming, apex, &zone.records);
    registry.ours().filter_map(|(record, _)| Some((record.resource(), record.handle()?))).collect()
}

/// Handles of the records of a model that is applied; of proofs, which are not ours, none.
#[must_use]
pub fn handles_of(model: &ZoneModel) -> Bindings {
    let owned = model.names.iter().filter(|desired| !desired.proof);
    let records = owned.flat_map(|desired| match &desired.wanted {
        Wanted::Records { records, .. } => records.as_slice(),
        Wanted::AsIs => &[],
    });
    records.filter_map(|record| Some((record.resource(), record.handle()?))).collect()
}

/// Host names and addresses that our records in the zone point at, spelled as [`target_key`] does.
#[must_use]
pub fn targets_in_use(config: &DnsConfig, apex: &Name, zone: &ZoneObserved) -> BTreeSet<String> {
    let named = handles(config, apex, zone).into_values().filter_map(|handle| handle.dns_name);
    named.flat_map(|names| names.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Whether a record of ours in the zone points at a host name.
#[must_use]
pub fn pointing_at(config: &DnsConfig, apex: &Name, zone: &ZoneObserved, host: &str) -> bool {
    targets_in_use(config, apex, zone).contains(&target_key(host))
}

impl ZoneObserved {
    /// The zone as it is after a batch was applied, so that nothing has to be listed again.
    #[must_use]
    pub fn after(&self, batch: &ChangeBatch) -> Self {
        let mut records = self.records.clone();
        for change in batch.changes() {
            records.retain(|record| record.key() != change.record.key());
            if change.action != Action::Delete {
                records.push(change.record.clone());
            }
        }
        Self { records }
    }
}
