//! One atomic change of a zone, within the limits of the API.
//!
//! | limit of one request                               | value |
//! |----------------------------------------------------|-------|
//! | values (an alias is one; an UPSERT counts twice)   | 1000  |
//! | characters in all values (an UPSERT counts twice)  | 32000 |
//!
//! Shape: a batch is made of groups, one a name: the records of a name and what owns them change together or not at
//! all. Groups are never split.
//! Source: Route 53 API reference, ChangeResourceRecordSets.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    plan::{Effect, Handle, Operation, ResourceKey},
    settings::Provenance,
};
use serde::{Deserialize, Serialize};

use crate::{
    name::Name,
    record::{Content, RecordSet},
    zone::ZoneId,
};

/// Values in one request.
pub const MAX_VALUES: usize = 1000;
/// Characters in the values of one request.
pub const MAX_CHARACTERS: usize = 32_000;

/// What is done with a record set. Deletions come first within a batch: they make room for what replaces them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// The record set has to be exactly as the zone holds it.
    Delete,
    /// Fails when it is there: whatever came in between is not overwritten.
    Create,
    /// Makes it or replaces it.
    Upsert,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Change {
    /// What is done.
    pub action: Action,
    /// With what.
    pub record: RecordSet,
}

/// All changes of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The published name; its ownership records have others.
    pub name: Name,
    /// In the order in which they are sent.
    pub changes: Vec<Change>,
    /// Who asks for it, and where. Empty when nobody does any more.
    pub because: Vec<Provenance>,
}

/// What is sent in one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeBatch {
    /// Where.
    pub zone: ZoneId,
    /// Its apex.
    pub zone_name: Name,
    /// Position among the batches of this pass that do the same.
    pub number: usize,
    /// What it does to the world, all its groups alike.
    pub effect: Effect,
    /// One a name, in the order of their names.
    pub groups: Vec<Group>,
}

impl Change {
    /// Values and characters, as the API counts them.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let times = if self.action == Action::Upsert { 2 } else { 1 };
        let (values, characters) = self.record.size();
        (values * times, characters * times)
    }

    /// One line: `UPSERT A www.example.com alias k8s-….elb.amazonaws.com`.
    #[must_use]
    pub fn describe(&self) -> String {
        let action = match self.action {
            Action::Delete => "DELETE",
            Action::Create => "CREATE",
            Action::Upsert => "UPSERT",
        };
        let record = &self.record;
        let set = match record.set_identifier() {
            "" => String::new(),
            set => format!(" [{set}]"),
        };
        let content = match &record.content {
            Content::Alias(alias) => {
                let health = if alias.evaluate_target_health { ", with health" } else { "" };
                format!("alias {} ({}{health})", alias.target, alias.zone_id)
            }
            Content::Values { ttl, values } => format!("{} ({ttl} s)", values.join(", ")),
        };
        format!("{action} {} {}{set} {content}", record.kind, record.name)
    }
}

impl Group {
    /// Values and characters, as the API counts them.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.changes.iter().map(Change::size).fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1))
    }

    /// What the group does to the world: a name appears, changes or goes. Rewriting an ownership text that a deletion
    /// shares with others does not make it less of a deletion.
    #[must_use]
    pub fn effect(&self) -> Effect {
        let deletes = self.changes.iter().any(|change| change.action == Action::Delete);
        let writes = self
            .changes
            .iter()
            .any(|change| change.action != Action::Delete && change.record.kind.is_published());
        if deletes && !writes {
            Effect::Delete
        } else if self.changes.iter().all(|change| change.action == Action::Create) {
            Effect::Create
        } else {
            Effect::Modify
        }
    }
}

impl ChangeBatch {
    /// All changes in the order in which they are sent: deletions first.
    #[must_use]
    pub fn changes(&self) -> Vec<&Change> {
        let mut all: Vec<&Change> = self.groups.iter().flat_map(|group| &group.changes).collect();
        all.sort_by_key(|change| change.action);
        all
    }
}

impl Operation for ChangeBatch {
    fn effect(&self) -> Effect {
        self.effect
    }

    fn resource(&self) -> ResourceKey {
        let effect = match self.effect {
            Effect::Create => "create",
            Effect::Modify => "modify",
            Effect::Delete => "delete",
        };
        ResourceKey::new("records", &format!("{}/{effect}-{}", self.zone, self.number))
    }

    fn refers_to(&self) -> BTreeSet<ResourceKey> {
        BTreeSet::new()
    }

    fn describe(&self) -> String {
        let names: Vec<&str> = self.groups.iter().map(|group| group.name.as_str()).collect();
        format!("records of {} in zone {}", names.join(", "), self.zone_name)
    }

    fn rebinds(&self) -> BTreeMap<ResourceKey, Option<Handle>> {
        let published = self.changes().into_iter().filter(|change| change.record.kind.is_published());
        let published = published.map(|change| {
            let stays = change.action != Action::Delete;
            (change.record.resource(), change.record.handle().filter(|_| stays))
        });
        published.collect()
    }

    fn details(&self) -> Vec<String> {
        self.changes().into_iter().map(Change::describe).collect()
    }
}

/// Fills batches with groups in their order. A group that alone exceeds the limits gets a batch of its own: the API
/// says no to it, and only to it.
#[must_use]
pub fn pack(zone: &ZoneId, zone_name: &Name, groups: Vec<Group>) -> Vec<ChangeBatch> {
    let mut batches: Vec<ChangeBatch> = Vec::new();
    for effect in [Effect::Create, Effect::Modify, Effect::Delete] {
        let mut room = (0, 0);
        let mut number = 0;
        for group in groups.iter().filter(|group| group.effect() == effect) {
            let (values, characters) = group.size();
            match batches.last_mut() {
                Some(batch) if number > 0 && values <= room.0 && characters <= room.1 => {
                    batch.groups.push(group.clone());
                }
                _ => {
                    room = (MAX_VALUES, MAX_CHARACTERS);
                    let (zone, zone_name) = (zone.clone(), zone_name.clone());
                    batches.push(ChangeBatch {
                        zone,
                        zone_name,
                        number,
                        effect,
                        groups: vec![group.clone()],
                    });
                    number += 1;
                }
            }
            room = (room.0.saturating_sub(values), room.1.saturating_sub(characters));
        }
    }
    batches
}
