//! [`Zones`]: DNS as a provider of the engine, one unit a hosted zone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use fairway_core::{
    class::{Class, Classified},
    evaluate::{Evaluation, Facts, Finalizers, Input, Provider, Step},
    ids::sha256_hex,
    note::Note,
    plan::{Bindings, Plan},
    read::ReadConfig,
};
use serde::{Deserialize, Serialize};

use crate::{
    board,
    change::{ChangeBatch, pack},
    compare::compare,
    config::DnsConfig,
    desired::{ZoneModel, desire},
    name::Name,
    record::RecordSet,
    sources::{self, Asked},
    wish::{Wish, award},
    zone::{HostedZone, Visibility, ZoneId, zones_of},
};

/// The compiler from members and published addresses to changes of hosted zones.
#[derive(Debug, Clone, Copy)]
pub enum Zones {}

/// What is reconciled as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneUnit {
    /// The records of one hosted zone.
    Hosted(ZoneId),
    /// Names that no zone takes, and names that are none: it changes nothing and only tells their objects.
    Unassigned,
}

impl fmt::Display for ZoneUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hosted(id) => write!(f, "zone:{id}"),
            Self::Unassigned => write!(f, "zone:none"),
        }
    }
}

/// A question about the account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Query {
    /// Every hosted zone of the account, complete; with tags when asked for (ten zones a call).
    HostedZones {
        /// Whether tags are needed.
        tags: bool,
    },
}

/// The answer to the [`Query`] of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// In the order of their ids.
    HostedZones(Vec<HostedZone>),
}

/// What has to be observed to compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every record set of the zone.
    WholeZone(ZoneId),
}

/// What is there: every record set of the zone, of every type, or the observation failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneObserved {
    /// In no particular order.
    pub records: Vec<RecordSet>,
}

/// Configuration of [`Zones`].
#[derive(Debug, Clone, Default)]
pub struct ZonesConfig {
    /// Records, zones and ownership.
    pub dns: DnsConfig,
    /// What makes an object a member of a stack.
    pub read: ReadConfig,
}

/// A name that no hosted zone takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no hosted zone for {0}")]
struct NoZone(Name);

impl Classified for NoZone {
    fn class(&self) -> Class {
        Class::Environment
    }

    fn code(&self) -> &'static str {
        "NoZone"
    }
}

impl Provider for Zones {
    type Unit = ZoneUnit;
    type Config = ZonesConfig;
    type Query = Query;
    type Answer = Answer;
    type Scope = Scope;
    type Observed = ZoneObserved;
    type Model = ZoneModel;
    type Op = ChangeBatch;

    fn evaluate(input: &Input<'_, Self>) -> Step<Self> {
        let dns = &input.config.dns;
        let Some(owner) = &dns.owner else { return nothing(Vec::new(), false) };
        let Some(zones) = managed(dns, input.facts) else { return Step::NeedFacts(queries(dns)) };
        let asked = || sources::ask(input.snapshot, &input.config.read, dns);
        match input.unit {
            ZoneUnit::Unassigned => nothing(unassigned(&asked(), &zones, dns), false),
            ZoneUnit::Hosted(id) => match zones.iter().find(|zone| zone.id == *id) {
                Some(zone) => look(input, owner, zone, &zones, asked()),
                None => nothing(Vec::new(), true),
            },
        }
    }
}

/// What has to be known to say which units there are; nothing while DNS is off.
#[must_use]
pub fn queries(config: &DnsConfig) -> Vec<Query> {
    let query = Query::HostedZones { tags: !config.filter.tags.is_empty() };
    config.owner.iter().map(|_| query.clone()).collect()
}

/// The units: every zone that is looked at, whether or not anything is asked of it, because something of ours may be
/// left in it. `None` while [`queries`] are not answered; empty while DNS is off.
#[must_use]
pub fn units(config: &DnsConfig, facts: &Facts<Zones>) -> Option<BTreeSet<ZoneUnit>> {
    if config.owner.is_none() {
        return Some(BTreeSet::new());
    }
    let zones = managed(config, facts)?.into_iter().map(|zone| ZoneUnit::Hosted(zone.id));
    Some(zones.chain([ZoneUnit::Unassigned]).collect())
}

/// The zones that are looked at, in the order of their ids.
fn managed(config: &DnsConfig, facts: &Facts<Zones>) -> Option<Vec<HostedZone>> {
    let mut zones =
        queries(config).iter().find_map(|query| facts.get(query)).map(|Answer::HostedZones(zones)| {
            zones.iter().filter(|zone| config.filter.takes_zone(zone)).cloned().collect::<Vec<_>>()
        })?;
    zones.sort();
    Some(zones)
}

/// The zones that a wish is written to.
fn homes<'a>(wish: &Wish, zones: &'a [HostedZone]) -> BTreeSet<&'a ZoneId> {
    let mut homes = zones_of(&wish.name, zones);
    let public =
        |id: &ZoneId| zones.iter().any(|zone| zone.id == *id && zone.visibility == Visibility::Public);
    homes.retain(|id| !wish.proof || public(id));
    homes
}

/// What is said about names that belong to no zone.
fn unassigned(asked: &Asked, zones: &[HostedZone], config: &DnsConfig) -> Vec<Note> {
    let mut notes = asked.notes.clone();
    for wish in asked.wishes.iter().filter(|wish| config.filter.takes_name(&wish.name)) {
        if homes(wish, zones).is_empty() {
            notes.push(Note::warn(&wish.from.object, &NoZone(wish.name.clone())));
        }
    }
    notes.sort();
    notes.dedup();
    notes
}

/// What is wanted of one zone, and what there is to say about it before it was seen.
#[must_use]
pub fn lower(
    asked: Asked,
    owner: &str,
    zone: &HostedZone,
    zones: &[HostedZone],
    config: &DnsConfig,
) -> (ZoneModel, Vec<Note>) {
    let here = asked
        .wishes
        .into_iter()
        .filter(|wish| config.filter.takes_name(&wish.name) && homes(wish, zones).contains(&zone.id));
    let (awards, mut notes) = award(here.collect());
    let mut names = Vec::new();
    for award in &awards {
        match desire(award, &zone.name) {
            Ok(desired) => names.push(desired),
            Err(refused) => notes.extend(refused),
        }
    }
    names.sort_by(|a, b| (&a.name, &a.routing).cmp(&(&b.name, &b.routing)));
    let (zone, apex) = (zone.id.clone(), zone.name.clone());
    (ZoneModel { zone, apex, owner: owner.to_owned(), names, held: asked.held }, notes)
}

fn look(
    input: &Input<'_, Zones>,
    owner: &str,
    zone: &HostedZone,
    zones: &[HostedZone],
    asked: Asked,
) -> Step<Zones> {
    let dns = &input.config.dns;
    let (model, mut notes) = lower(asked, owner, zone, zones, dns);
    let fingerprint = fingerprint(&model);
    if input.last_good.fingerprint.as_ref() == Some(&fingerprint) {
        let bindings = board::handles_of(&model);
        return Step::Done(Box::new(Evaluation {
            model: Some(model),
            bindings,
            notes,
            fingerprint,
            ..empty()
        }));
    }
    let Some(observed) = input.observed else { return Step::NeedObserved(Scope::WholeZone(zone.id.clone())) };
    let spared = sources::spared(input.snapshot, &input.config.read, dns);
    let comparison = compare(&model, &observed.records, dns, &spared);
    // What stands in the way may go without any object changing, and has to be said until then. And what is kept
    // without being in the model has to be seen each time, or nobody could say what it points at.
    let settles = comparison.notes.is_empty() && !comparison.keeps_unnamed;
    notes.extend(comparison.notes);
    let plan = plan_of(pack(&model.zone, &model.apex, comparison.groups));
    let bindings = board::handles(dns, &model.apex, observed);
    let fingerprint = if settles { fingerprint } else { String::new() };
    Step::Done(Box::new(Evaluation { model: Some(model), plan, bindings, notes, fingerprint, ..empty() }))
}

/// Batches in their order. Deletions at a name come after what is written there: a name is not left without records
/// because only the second half succeeded.
fn plan_of(batches: Vec<ChangeBatch>) -> Plan<ChangeBatch> {
    let mut plan: Plan<ChangeBatch> = Plan::default();
    for batch in batches {
        let names: BTreeSet<&Name> = batch.groups.iter().map(|group| &group.name).collect();
        let shares = |earlier: &ChangeBatch| earlier.groups.iter().any(|group| names.contains(&group.name));
        let after: Vec<_> = plan.ops().iter().filter(|earlier| shares(&earlier.op)).map(|op| op.id).collect();
        let because = batch.groups.iter().flat_map(|group| group.because.clone()).collect();
        plan.push_waiting(batch, after, Vec::new(), because);
    }
    plan
}

/// Lower-case hex of the model's canonical JSON; empty if it could not be written, which asks for another look.
#[must_use]
pub fn fingerprint(model: &ZoneModel) -> String {
    serde_json::to_string(model).map(|json| sha256_hex([json.as_str()])).unwrap_or_default()
}

fn nothing(notes: Vec<Note>, gone: bool) -> Step<Zones> {
    Step::Done(Box::new(Evaluation { notes, gone, ..empty() }))
}

fn empty() -> Evaluation<Zones> {
    Evaluation {
        model: None,
        plan: Plan::default(),
        bindings: Bindings::new(),
        notes: Vec::new(),
        finalizers: Finalizers::default(),
        status: Vec::new(),
        good: BTreeMap::new(),
        fingerprint: String::new(),
        gone: false,
        again: None,
    }
}

#[cfg(test)]
mod tests;
