//! Changes from desired and observed, name by name.
//!
//! What is ours and wanted is kept or replaced in place; what is missing is created together with its ownership, unless
//! somebody else has something at the name; what is ours and not wanted is deleted, exactly as the zone holds it. All
//! changes of one name are one group; deletions that make no room for anything are a group of their own, so that a
//! policy can withhold them.
//!
//! A name that passes from one load balancer to another is one UPSERT: it never points at nothing.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    class::{Class, Classified},
    ids::ObjectRef,
    note::Note,
};

use crate::{
    change::{Action, Change, Group},
    config::{DnsConfig, ZoneFilter},
    desired::{Desired, Wanted, ZoneModel},
    name::Name,
    record::{Content, RecordSet, RecordType, Routing},
    registry::{Mark, Registry, Standing},
    txt::{Claim, TXT_TTL, is_source},
};

/// What has to change, and what cannot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// In the order of their names.
    pub groups: Vec<Group>,
    /// Names that are not published, and why.
    pub notes: Vec<Note>,
}

/// Why a name is not published although a zone could hold it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Obstacle {
    #[error("{kind} {name} is owned by {owner:?}, not by us; it is left alone")]
    OwnedBy { name: Name, kind: RecordType, owner: String },
    #[error("{kind} {name} is there already and not owned by us; it is left alone")]
    NotOwned { name: Name, kind: RecordType },
    #[error(
        "the ownership of {name} cannot be kept: {txt} is too long for a DNS name; use an affix with a dot"
    )]
    LongOwnershipName { name: Name, txt: Name },
    #[error("{kind} {name} would stand in the way of another name's ownership record; it is not published")]
    Reserved { name: Name, kind: RecordType },
}

impl Classified for Obstacle {
    fn class(&self) -> Class {
        match self {
            Self::OwnedBy { .. } | Self::NotOwned { .. } | Self::Reserved { .. } => Class::Conflict,
            Self::LongOwnershipName { .. } => Class::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::OwnedBy { .. } | Self::NotOwned { .. } | Self::Reserved { .. } => "RecordConflict",
            Self::LongOwnershipName { .. } => "OwnershipNameTooLong",
        }
    }
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
    let names: BTreeSet<&Name> = wanted.keys().copied().chain(registry.names()).collect();
    let mut comparison = Comparison::default();
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

/// Names that ownership takes up: of what is wanted, whether or not it is there yet.
#[derive(Default)]
struct Reserved {
    /// A CNAME there would fail, and with it everything that is sent along.
    texts: BTreeSet<Name>,
    /// Wildcards, as ownership spells them: another record there could not be told from the wildcard.
    wildcards: BTreeSet<Name>,
}

impl Reserved {
    fn of(model: &ZoneModel, registry: &Registry<'_>) -> Self {
        let mut reserved = Self::default();
        for desired in &model.names {
            let spelled = registry.spelled(&desired.name);
            reserved.wildcards.extend(Some(spelled).filter(|spelled| *spelled != desired.name));
            if let Wanted::Records { records, .. } = &desired.wanted {
                reserved.texts.extend(records.iter().map(|record| registry.txt_name(record)));
            }
        }
        reserved
    }

    fn excludes(&self, want: &RecordSet) -> bool {
        let cname = want.kind == RecordType::Cname;
        (cname && self.texts.contains(&want.name)) || self.wildcards.contains(&want.name)
    }
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

/// What is being done about one name.
struct Work<'w, 'a> {
    registry: &'w Registry<'a>,
    reserved: &'w Reserved,
    writes: Vec<Change>,
    /// Deleted to make room for what is written.
    deleted: Vec<&'a RecordSet>,
    kept: Vec<&'a RecordSet>,
}

impl<'w, 'a> Work<'w, 'a> {
    fn new(registry: &'w Registry<'a>, reserved: &'w Reserved) -> Self {
        Self { registry, reserved, writes: Vec::new(), deleted: Vec::new(), kept: Vec::new() }
    }

    /// Brings what is there to what is wanted, as far as it is ours.
    fn bring(&mut self, desired: &Desired) -> Vec<Note> {
        let set = desired.routing.as_ref().map(|routing| routing.set_identifier.as_str()).unwrap_or_default();
        let ours: Vec<(&'a RecordSet, &'w Mark<'a>)> = self
            .registry
            .at(&desired.name)
            .iter()
            .filter(|record| record.kind.is_published() && record.set_identifier() == set)
            .filter_map(|record| match self.registry.standing(record) {
                Standing::Ours(mark) => Some((*record, mark)),
                Standing::Theirs(_) | Standing::Unowned => None,
            })
            .collect();
        let Wanted::Records { records, ttl_matters, .. } = &desired.wanted else {
            self.kept.extend(ours.iter().map(|(record, _)| record));
            return Vec::new();
        };
        let (mut missing, mut replaced) = (Vec::new(), Vec::new());
        for want in records {
            let Some((have, mark)) = ours.iter().find(|(have, _)| have.kind == want.kind) else {
                missing.push(want);
                continue;
            };
            if have.routing_kind() != want.routing_kind() {
                // A replacement in place cannot change the routing policy.
                replaced.push(*have);
                missing.push(want);
                continue;
            }
            self.kept.push(have);
            self.writes.extend(update(have, want, *ttl_matters));
            self.writes.extend(move_mark(mark, desired));
        }
        replaced.extend(self.excluded_by(&missing));
        match self.create(&missing, &replaced, desired) {
            Ok(()) => {
                self.deleted.extend(replaced);
                Vec::new()
            }
            Err(obstacle) => {
                self.kept.extend(ours.iter().map(|(record, _)| record));
                desired.asked_by.iter().map(|object| Note::warn(object, &obstacle)).collect()
            }
        }
    }

    /// What is ours and cannot stand beside what is missing: a CNAME beside anything, simple beside routed.
    fn excluded_by(&self, missing: &[&RecordSet]) -> Vec<&'a RecordSet> {
        let excludes = |want: &&RecordSet, have: &RecordSet| {
            let cname = (want.kind == RecordType::Cname) != (have.kind == RecordType::Cname);
            cname || (want.kind == have.kind && want.routing.is_some() != have.routing.is_some())
        };
        let Some(first) = missing.first() else { return Vec::new() };
        let here = self.registry.at(&first.name).iter().filter(|have| have.kind.is_published());
        here.filter(|have| missing.iter().any(|want| excludes(want, have)))
            .filter(|have| matches!(self.registry.standing(have), Standing::Ours(_)))
            .copied()
            .collect()
    }

    /// All that is missing, or nothing.
    fn create(
        &mut self,
        missing: &[&RecordSet],
        replaced: &[&RecordSet],
        desired: &Desired,
    ) -> Result<(), Obstacle> {
        let Some(holder) = desired.asked_by.first().filter(|_| !missing.is_empty()) else { return Ok(()) };
        let mut writes = Vec::new();
        for want in missing {
            self.is_free(want)?;
            let replaces = replaced.iter().any(|have| have.key() == want.key());
            writes.push(Change { action: Action::Create, record: (*want).clone() });
            writes.extend(self.mark(want, holder, desired, replaces)?);
        }
        self.writes.extend(writes);
        Ok(())
    }

    /// Whether nobody else has anything at the name that the record would stand beside.
    fn is_free(&self, want: &RecordSet) -> Result<(), Obstacle> {
        if self.reserved.excludes(want) || self.registry.shares_mark(&want.name) {
            return Err(Obstacle::Reserved { name: want.name.clone(), kind: want.kind.clone() });
        }
        for have in self.registry.at(&want.name) {
            let name = have.name.clone();
            let (cname, other_cname) = (want.kind == RecordType::Cname, have.kind == RecordType::Cname);
            if !have.kind.is_published() {
                if cname {
                    return Err(Obstacle::NotOwned { name, kind: have.kind.clone() });
                }
                continue;
            }
            let siblings = want.routing.is_some() && have.routing.is_some() && cname == other_cname;
            if siblings && want.set_identifier() != have.set_identifier() {
                continue;
            }
            match self.registry.standing(have) {
                Standing::Ours(_) => {}
                Standing::Theirs(owner) => {
                    return Err(Obstacle::OwnedBy { name, kind: have.kind.clone(), owner });
                }
                Standing::Unowned => return Err(Obstacle::NotOwned { name, kind: have.kind.clone() }),
            }
        }
        Ok(())
    }

    /// The ownership of a record set that is created; nothing when it is there.
    fn mark(
        &self,
        want: &RecordSet,
        holder: &ObjectRef,
        desired: &Desired,
        replaced: bool,
    ) -> Result<Vec<Change>, Obstacle> {
        let txt = self.registry.txt_name(want);
        if txt.has_long_label() {
            return Err(Obstacle::LongOwnershipName { name: want.name.clone(), txt });
        }
        let fresh = RecordSet {
            name: txt.clone(),
            kind: RecordType::Txt,
            routing: want.routing.clone(),
            content: Content::Values {
                ttl: TXT_TTL,
                values: vec![Claim::new(self.registry.owner(), holder).to_value()],
            },
        };
        for have in self.registry.at(&txt) {
            let same = have.key() == fresh.key();
            match (have.kind == RecordType::Cname, same, self.registry.claim(have)) {
                (true, _, _) | (false, true, Standing::Unowned) => {
                    return Err(Obstacle::NotOwned { name: txt, kind: have.kind.clone() });
                }
                (false, true, Standing::Theirs(owner)) => {
                    return Err(Obstacle::OwnedBy { name: txt, kind: have.kind.clone(), owner });
                }
                (false, true, Standing::Ours(_)) if replaced && have.routing != fresh.routing => {
                    return Ok(vec![delete(have), Change { action: Action::Create, record: fresh }]);
                }
                (false, true, Standing::Ours(mark)) => {
                    return Ok(move_mark(mark, desired).into_iter().collect());
                }
                (false, false, _) => {}
            }
        }
        Ok(vec![Change { action: Action::Create, record: fresh }])
    }

    /// Our marks that speak for what goes and for nothing that stays. What is created has marks of its own.
    fn idle_marks(&self, name: &Name, gone: &[&RecordSet]) -> Vec<Change> {
        let written: BTreeSet<_> = self.writes.iter().map(|change| change.record.key()).collect();
        let idle = |mark: &&Mark<'_>| {
            gone.iter().any(|record| mark.covers(record))
                && !self.kept.iter().any(|record| mark.covers(record))
                && !written.contains(&mark.record.key())
        };
        self.registry.marks_for(name).filter(idle).map(|mark| release(mark)).collect()
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

fn update(have: &RecordSet, want: &RecordSet, ttl_matters: bool) -> Option<Change> {
    if have.says(want, ttl_matters) {
        return None;
    }
    let mut record = want.clone();
    if let (Content::Values { ttl: have, .. }, Content::Values { ttl, .. }) =
        (&have.content, &mut record.content)
        && !ttl_matters
    {
        *ttl = *have;
    }
    Some(Change { action: Action::Upsert, record })
}

/// The mark rewritten for who asks now, and routed as what it speaks for; nothing when it is so already.
fn move_mark(mark: &Mark<'_>, desired: &Desired) -> Option<Change> {
    let named = desired.asked_by.iter().any(|object| mark.claim.is_for(object));
    if named && mark.record.routing == desired.routing {
        return None;
    }
    let claim = if named { mark.claim.clone() } else { mark.claim.moved_to(desired.asked_by.first()?) };
    let record = with_values(mark.record, Some(claim.to_value()));
    Some(Change { action: Action::Upsert, record: RecordSet { routing: desired.routing.clone(), ..record } })
}

/// The mark taken away, leaving what others have put into the same record set.
fn release(mark: &Mark<'_>) -> Change {
    match &mark.record.content {
        Content::Values { values, .. } if values.len() > 1 => {
            Change { action: Action::Upsert, record: with_values(mark.record, None) }
        }
        Content::Values { .. } | Content::Alias(_) => delete(mark.record),
    }
}

/// A TXT record set with another first value, or without it.
fn with_values(record: &RecordSet, first: Option<String>) -> RecordSet {
    let content = match &record.content {
        Content::Values { ttl, values } => Content::Values {
            ttl: *ttl,
            values: first.into_iter().chain(values.iter().skip(1).cloned()).collect(),
        },
        alias @ Content::Alias(_) => alias.clone(),
    };
    RecordSet { content, ..record.clone() }
}

fn delete(record: &RecordSet) -> Change {
    Change { action: Action::Delete, record: record.clone() }
}

impl RecordSet {
    fn routing_kind(&self) -> Option<std::mem::Discriminant<crate::record::RoutingPolicy>> {
        self.routing.as_ref().map(|Routing { policy, .. }| std::mem::discriminant(policy))
    }
}
