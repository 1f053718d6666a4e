//! What the tests of zones share: short forms of records and wishes, and a zone that takes only what Route 53 takes.

#![allow(dead_code, reason = "each test binary uses its part")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    ids::{Key, Kind, ObjectRef},
    note::Note,
    plan::{Effect, Operation as _},
    settings::Provenance,
};
use fairway_dns::{
    DnsConfig,
    change::{Action, ChangeBatch, MAX_CHARACTERS, MAX_VALUES, pack},
    compare::compare,
    desired::ZoneModel,
    name::Name,
    provider::{ZoneObserved, lower},
    record::{Alias, Content, RecordSet, RecordType, Routing, RoutingPolicy},
    sources::Asked,
    txt::Claim,
    wish::{Target, Targets, Wish},
    zone::{HostedZone, Visibility, ZoneId},
};

pub(crate) fn name(text: &str) -> Name {
    Name::observed(text)
}

pub(crate) fn kind(text: &str) -> RecordType {
    RecordType::from(text.to_owned())
}

/// `Ingress shop/web`.
pub(crate) fn object(text: &str) -> ObjectRef {
    let (kind, key) = text.split_once(' ').unwrap();
    let kind = match kind {
        "Ingress" => Kind::Ingress,
        "Service" => Kind::Service,
        other => panic!("{other}"),
    };
    let (namespace, name) = key.split_once('/').unwrap();
    ObjectRef::new(kind, Key::new(namespace, name))
}

pub(crate) fn weighted(set: &str, weight: u8) -> Routing {
    Routing { set_identifier: set.to_owned(), policy: RoutingPolicy::Weighted(weight), health_check: None }
}

pub(crate) fn values(at: &str, of: &str, ttl: u32, values: &[&str]) -> RecordSet {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    RecordSet { name: name(at), kind: kind(of), routing: None, content: Content::Values { ttl, values } }
}

pub(crate) fn alias(at: &str, of: &str, host: &str, zone: &str) -> RecordSet {
    let alias = Alias { target: name(host), zone_id: zone.to_owned(), evaluate_target_health: true };
    RecordSet { name: name(at), kind: kind(of), routing: None, content: Content::Alias(alias) }
}

pub(crate) fn mark(at: &str, owner: &str, who: &str) -> RecordSet {
    values(at, "TXT", 300, &[&Claim::new(owner, &object(who)).to_value()])
}

pub(crate) fn wish(who: &str, at: &str, targets: Targets) -> Wish {
    Wish {
        from: Provenance { object: object(who), key: "spec.rules".to_owned() },
        created: Some("2025-01-01T00:00:00Z".to_owned()),
        name: name(at),
        targets,
        ttl: None,
        evaluate_target_health: true,
        routing: None,
        proof: false,
    }
}

pub(crate) fn load_balancer(host: &str, zone: &str, dual_stack: bool) -> Targets {
    Targets::Published(vec![Target::LoadBalancer { host: name(host), zone_id: zone.to_owned(), dual_stack }])
}

pub(crate) fn zone(apex: &str) -> HostedZone {
    HostedZone {
        id: ZoneId::new("Z1"),
        name: name(apex),
        visibility: Visibility::Public,
        tags: BTreeMap::new(),
    }
}

/// One look at one zone.
pub(crate) struct Look {
    pub(crate) model: ZoneModel,
    pub(crate) batches: Vec<ChangeBatch>,
    pub(crate) notes: Vec<Note>,
}

pub(crate) fn look(
    config: &DnsConfig,
    zone: &HostedZone,
    asked: Asked,
    records: &[RecordSet],
    spared: &[&str],
) -> Look {
    let owner = config.owner.clone().unwrap();
    let (model, mut notes) = lower(asked, &owner, zone, std::slice::from_ref(zone), config);
    let spared: BTreeSet<String> = spared.iter().map(|label| (*label).to_owned()).collect();
    let comparison = compare(&model, records, config, &spared);
    notes.extend(comparison.notes);
    Look { batches: pack(&zone.id, &zone.name, comparison.groups), model, notes }
}

pub(crate) fn print(look: &Look) -> String {
    let mut lines = Vec::new();
    for batch in &look.batches {
        let sign = match batch.effect {
            Effect::Create => "+",
            Effect::Modify => "~",
            Effect::Delete => "-",
        };
        lines.push(format!("{sign} {}", batch.describe()));
        lines.extend(batch.details().iter().map(|line| format!("    {line}")));
    }
    if look.batches.is_empty() {
        lines.push("nothing to do".to_owned());
    }
    lines.extend(look.notes.iter().map(|note| format!("{:?}: {note}", note.class)));
    lines.join("\n") + "\n"
}

/// Applies a batch as Route 53 does: whole, or not at all.
pub(crate) fn apply(records: &[RecordSet], batch: &ChangeBatch) -> Result<Vec<RecordSet>, String> {
    let (mut count, mut characters) = (0, 0);
    let mut after = records.to_vec();
    let mut written = BTreeSet::new();
    for change in batch.changes() {
        let (values, length) = change.record.size();
        let times = if change.action == Action::Upsert { 2 } else { 1 };
        (count, characters) = (count + values * times, characters + length * times);
        let (key, text) = (change.record.key(), change.describe());
        let there = after.iter().position(|record| record.key() == key);
        if !written.insert((change.action == Action::Delete, key)) {
            return Err(format!("twice: {text}"));
        }
        match (change.action, there) {
            (Action::Create, Some(_)) => return Err(format!("already exists: {text}")),
            (Action::Delete, None) => return Err(format!("not found: {text}")),
            (Action::Delete, Some(position)) if after[position] != change.record => {
                return Err(format!("values do not match: {text}"));
            }
            (_, Some(position)) => {
                after.remove(position);
            }
            (_, None) => {}
        }
        if change.action != Action::Delete {
            after.push(change.record.clone());
        }
    }
    if batch.groups.len() > 1 && (count > MAX_VALUES || characters > MAX_CHARACTERS) {
        return Err(format!("{count} values, {characters} characters"));
    }
    consistent(&after)?;
    assert_eq!(after.len(), ZoneObserved { records: records.to_vec() }.after(batch).records.len());
    Ok(after)
}

/// A CNAME stands alone, and simple and routed record sets do not mix.
pub(crate) fn consistent(records: &[RecordSet]) -> Result<(), String> {
    for record in records {
        for other in records.iter().filter(|other| other.name == record.name) {
            let cname = RecordType::Cname;
            if record.kind == cname && other.kind != cname {
                return Err(format!("a CNAME beside {} {}", other.kind, other.name));
            }
            if record.kind == other.kind && record.routing.is_none() && other.routing.is_some() {
                return Err(format!("simple beside routed: {} {}", other.kind, other.name));
            }
        }
    }
    Ok(())
}
