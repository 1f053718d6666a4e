//! Changes from desired and observed, name by name.
//!
//! What is ours and wanted is kept or replaced in place; what is missing is created together with its ownership, unless
//! somebody else has something at the name; what is ours and not wanted is deleted, exactly as the zone holds it. All
//! changes of one name are one group; deletions that make no room for anything are a group of their own, so that a
//! policy can withhold them.
//!
//! A name that passes from one load balancer to another is one UPSERT: it never points at nothing.

mod obstacle;
mod reserved;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::note::Note;

use crate::{
    change::{Action, Change, Group},
    config::{DnsConfig, ZoneFilter},
    desired::{Desired, Wanted, ZoneModel},
    name::Name,
    record::RecordSet,
    registry::{Mark, Registry, Standing},
    txt::is_source,
};
use reserved::Reserved;
use work::{Work, delete};

/// What has to change, and what cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// In the order of their names.
    pub groups: Vec<Group>,
    /// Names that are not published, and why.
    pub notes: Vec<Note>,
    /// Whether records of ours stay that the model does not spell out: names without a known target, or held ones.
    pub keeps_unnamed: bool,
}

/// What may be deleted at all.
struct Guard<'a> {
    filter: &'a ZoneFilter,
    held: &'a BTreeSet<String>,
    spared: &'a BTreeSet<String>,
}

/// Compares one zone. `spared` are ownership labels of objects that exist and that Fairway does not serve: what was
/// made for them before is left alone.
#[must_use]
pub fn compare(
    model: &ZoneModel,
    zone: &[RecordSet],
    config: &DnsConfig,
    spared: &BTreeSet<String>,
) -> Comparison {
    let registry = Registry::read(&model.owner, &config.naming, &model.apex, zone);
    let reserved = Reserved::of(model, &registry);
    let guard = Guard { filter: &config.filter, held: &model.held, spared };
    let mut wanted: BTreeMap<&Name, Vec<&Desired>> = BTreeMap::new();
    for desired in &model.names {
        wanted.entry(&desired.name).or_default().push(desired);
    }
    let keeps_unnamed = registry.ours().any(|(record, mark)| {
        let wanted = wanted.get(&record.name).map(Vec::as_slice).unwrap_or_default();
        wanted.iter().any(|desired| desired.wanted == Wanted::AsIs)
            || mark.claim.resource().is_some_and(|resource| model.held.contains(resource))
    });
    let names: BTreeSet<&Name> = wanted.keys().copied().chain(registry.names()).collect();
    let mut comparison = Comparison { keeps_unnamed, ..Comparison::default() };
    for name in names {
        let wanted = wanted.get(name).map(Vec::as_slice).unwrap_or_default();
        let work = Work::new(&registry, &reserved);
        compare_name(name, wanted, work, &guard, &mut comparison);
    }
    let spelled: BTreeSet<Name> = wanted.keys().map(|name| registry.spelled(name)).collect();
    let idle = |mark: &&Mark<'_>| !spelled.contains(&mark.name) && guard.may_delete(mark);
    for mark in registry.orphans().filter(idle) {
        let changes = vec![Change { action: Action::Delete, record: mark.record.clone() }];
        comparison.groups.push(Group { name: mark.name.clone(), changes, because: Vec::new() });
    }
    comparison.groups.sort_by(|a, b| a.name.cmp(&b.name));
    comparison.notes.sort();
    comparison.notes.dedup();
    comparison
}

fn compare_name(
    name: &Name,
    wanted: &[&Desired],
    mut work: Work<'_, '_>,
    guard: &Guard<'_>,
    comparison: &mut Comparison,
) {
    let registry = work.registry;
    for desired in wanted {
        let notes = work.bring(desired);
        comparison.notes.extend(notes);
    }
    let switching = work.deleted.clone();
    let mut removed = Vec::new();
    for record in registry.at(name).iter().filter(|record| record.kind.is_published()) {
        let Standing::Ours(mark) = registry.standing(record) else { continue };
        if work.kept.contains(record) || switching.contains(record) {
            continue;
        }
        let tolerated = work.writes.is_empty() && wanted.iter().any(|desired| desired.tolerates(record));
        if tolerated || !guard.may_delete(mark) {
            work.kept.push(record);
        } else {
            removed.push(*record);
        }
    }
    let because = || wanted.iter().map(|desired| desired.from.clone()).collect();
    let marks = work.idle_marks(name, &switching);
    let mut changes: Vec<Change> = switching.iter().map(|record| delete(record)).chain(marks).collect();
    changes.append(&mut work.writes);
    let marks = work.idle_marks(name, &removed);
    let removals: Vec<Change> = removed.iter().map(|record| delete(record)).chain(marks).collect();
    for mut changes in [changes, removals] {
        changes.sort();
        changes.dedup();
        if !changes.is_empty() {
            comparison.groups.push(Group { name: name.clone(), changes, because: because() });
        }
    }
}

impl Guard<'_> {
    fn may_delete(&self, mark: &Mark<'_>) -> bool {
        let resource = mark.claim.resource().unwrap_or_default();
        is_source(resource)
            && !self.held.contains(resource)
            && !self.spared.contains(resource)
            && self.filter.takes_name(&mark.name)
    }
}

impl Desired {
    fn tolerates(&self, record: &RecordSet) -> bool {
        match &self.wanted {
            Wanted::Records { tolerated, .. } => tolerated.iter().any(|want| record.says(want, false)),
            Wanted::AsIs => false,
        }
    }
}
