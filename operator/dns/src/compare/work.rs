//! What is done about one name: kept, replaced in place, created, or made room for.

use std::collections::BTreeSet;

use fairway_core::{ids::ObjectRef, note::Note};

use super::{obstacle::Obstacle, reserved::Reserved};
use crate::{
    change::{Action, Change},
    desired::{Desired, Wanted},
    name::Name,
    record::{Content, RecordSet, RecordType, Routing},
    registry::{Mark, Registry, Standing},
    txt::{Claim, TXT_TTL},
};

/// What is being done about one name.
pub(super) struct Work<'w, 'a> {
    pub(super) registry: &'w Registry<'a>,
    reserved: &'w Reserved,
    pub(super) writes: Vec<Change>,
    /// Deleted to make room for what is written.
    pub(super) deleted: Vec<&'a RecordSet>,
    pub(super) kept: Vec<&'a RecordSet>,
}

impl<'w, 'a> Work<'w, 'a> {
    pub(super) fn new(registry: &'w Registry<'a>, reserved: &'w Reserved) -> Self {
        Self { registry, reserved, writes: Vec::new(), deleted: Vec::new(), kept: Vec::new() }
    }

    /// Brings what is there to what is wanted, as far as it is ours.
    pub(super) fn bring(&mut self, desired: &Desired) -> Vec<Note> {
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
        if desired.proof {
            return self.prove(records, desired);
        }
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

    /// Creates what nobody has written yet, and owns none of it.
    fn prove(&mut self, records: &[RecordSet], desired: &Desired) -> Vec<Note> {
        let there = |want: &RecordSet| self.registry.at(&want.name).iter().any(|have| have.says(want, false));
        let missing: Vec<&RecordSet> = records.iter().filter(|want| !there(want)).collect();
        if let Some(obstacle) = missing.iter().find_map(|want| self.is_free(want).err()) {
            return desired.asked_by.iter().map(|object| Note::warn(object, &obstacle)).collect();
        }
        let create = |want: &RecordSet| Change { action: Action::Create, record: want.clone() };
        self.writes.extend(missing.into_iter().map(create));
        Vec::new()
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
    pub(super) fn idle_marks(&self, name: &Name, gone: &[&RecordSet]) -> Vec<Change> {
        let written: BTreeSet<_> = self.writes.iter().map(|change| change.record.key()).collect();
        let idle = |mark: &&Mark<'_>| {
            gone.iter().any(|record| mark.covers(record))
                && !self.kept.iter().any(|record| mark.covers(record))
                && !written.contains(&mark.record.key())
        };
        self.registry.marks_for(name).filter(idle).map(|mark| release(mark)).collect()
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

pub(super) fn delete(record: &RecordSet) -> Change {
    Change { action: Action::Delete, record: record.clone() }
}

impl RecordSet {
    fn routing_kind(&self) -> Option<std::mem::Discriminant<crate::record::RoutingPolicy>> {
        self.routing.as_ref().map(|Routing { policy, .. }| std::mem::discriminant(policy))
    }
}
