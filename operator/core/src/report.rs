//! Conditions, events, status and the next look, from an evaluation and what became of its plan.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    class::Class,
    evaluate::{Address, Evaluation, Provider},
    ids::ObjectRef,
    intent::Member,
    note::Note,
    plan::{Bindings, OpId, ResourceKey, Wait},
    policy::Withheld,
};

/// A load balancer that is being provisioned, or a fact that another unit will publish soon.
const PENDING: Duration = Duration::from_secs(5);
/// An administrator has to act; looking more often costs calls and changes nothing.
const ENVIRONMENT: Duration = Duration::from_secs(120);
/// Enough to see what a pass did, little enough for an object in etcd.
const PLAN_LINES: usize = 32;

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// One entry for every operation of the admitted plan.
    pub results: BTreeMap<OpId, OpResult>,
    /// Handles of everything that exists now: what was there, less what was deleted, and what was made.
    pub bindings: Bindings,
    /// What policy left out.
    pub withheld: Vec<Withheld>,
}

/// What became of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum OpResult {
    /// It is done.
    Applied,
    /// The provider refused it, or nobody knows.
    Failed(Failure),
    /// A fact that it waits for is not published yet.
    Waiting(Wait),
    /// Something that it comes after was not done.
    Skipped,
}

/// Why an operation was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Whose move it is.
    pub class: Class,
    /// Stable code, CamelCase.
    pub code: String,
    /// One sentence.
    pub message: String,
}

/// All that is written after a look at a unit.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// To be recorded; the recorder keeps equal ones from being repeated.
    pub events: Vec<Event>,
    /// Warnings of what is tried again by itself: for when it has been in vain for long.
    pub in_vain: Vec<Event>,
    /// Statuses to be written where they differ.
    pub status: Vec<StatusWrite>,
    /// Finalizers to be removed now.
    pub release: Vec<(ObjectRef, String)>,
    /// The unit's state object; `None` when it should not exist.
    pub state: Option<StateReport>,
    /// When to look again.
    pub requeue: Requeue,
}

/// An event on an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// The object it is shown on.
    pub about: ObjectRef,
    /// Warning, or Normal.
    pub warning: bool,
    /// CamelCase.
    pub reason: String,
    /// One sentence.
    pub message: String,
}

/// The status of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusWrite {
    /// Which object.
    pub object: ObjectRef,
    /// `status.loadBalancer.ingress`, whole.
    pub addresses: Vec<PublishedAddress>,
}

/// One entry of `status.loadBalancer.ingress`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedAddress {
    /// Set for addresses.
    pub ip: Option<String>,
    /// Set for host names.
    pub hostname: Option<String>,
    /// Hosted zone of the host name, as the provider reports it: what alias records need.
    pub zone_id: Option<String>,
    /// Port and protocol.
    pub ports: Vec<(u16, String)>,
}

/// What the unit's `LoadBalancerState` shows.
#[derive(Debug, Clone, PartialEq)]
pub struct StateReport {
    /// Whether all that is wanted is there, and why not.
    pub ready: Condition,
    /// Every note, one condition message.
    pub notes: Vec<Note>,
    /// Handles by resource key.
    pub bindings: Bindings,
    /// Addresses that were published.
    pub addresses: Vec<PublishedAddress>,
    /// One line an operation.
    pub plan: Vec<String>,
    /// Set only when everything was applied: equal fingerprints need no observation.
    pub fingerprint: Option<String>,
    /// Last good reading of every member that is still one.
    pub good: BTreeMap<String, Member>,
}

/// A condition's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// True when all is as wanted.
    pub status: bool,
    /// CamelCase.
    pub reason: String,
    /// One sentence.
    pub message: String,
}

impl Condition {
    /// What is said when nothing is left to do.
    #[must_use]
    pub fn ready() -> Self {
        let (reason, message) = ("Ready".to_owned(), "everything is as asked for".to_owned());
        Self { status: true, reason, message }
    }
}

/// When to look at a unit again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Requeue {
    /// Something has to change first (or the slow drift clock strikes).
    OnChange,
    /// After this long.
    After(Duration),
    /// Nobody's fault: jittered exponential back-off.
    Backoff,
}

/// What is written after a look. `outcome` is `None` when nothing was applied because nothing had to be.
///
/// Ready is True only when every operation was done, every status can be written, and no note says more than advice.
/// Finalizers are released only when every operation was done. A fingerprint is given only when, besides, nothing is
/// held: what is left over of a member that could not be read must still be found once it can be.
pub fn report<P: Provider>(evaluation: &Evaluation<P>, outcome: Option<&Outcome>) -> Report {
    let empty = Outcome { bindings: evaluation.bindings.clone(), ..Outcome::default() };
    let outcome = outcome.unwrap_or(&empty);
    let settled = is_settled(evaluation, outcome);
    let status = resolve_status(evaluation, &outcome.bindings);
    let waiting_for_address = status.len() < evaluation.status.len();
    let well = !evaluation.notes.iter().any(|note| !note.advice);
    let held = evaluation.notes.iter().any(|note| note.held);
    let known = settled && !waiting_for_address && !held && !evaluation.fingerprint.is_empty();
    let gone = evaluation.gone && settled;
    Report {
        events: events(evaluation, outcome, settled),
        in_vain: failed(evaluation, outcome, |class| class == Class::Transient).collect(),
        release: if settled { evaluation.finalizers.remove.clone() } else { Vec::new() },
        state: (!gone).then(|| StateReport {
            ready: ready(evaluation, outcome, settled && !waiting_for_address && well),
            notes: evaluation.notes.clone(),
            bindings: outcome.bindings.clone(),
            addresses: published(&status),
            plan: plan_lines(evaluation, outcome),
            fingerprint: known.then(|| evaluation.fingerprint.clone()),
            good: evaluation.good.clone(),
        }),
        requeue: requeue(evaluation, outcome, waiting_for_address),
        status,
    }
}

/// Whether every operation of the plan was done. One without a result was not.
fn is_settled<P: Provider>(evaluation: &Evaluation<P>, outcome: &Outcome) -> bool {
    let applied = |id| outcome.results.get(id) == Some(&OpResult::Applied);
    evaluation.plan.ops().iter().all(|planned| applied(&planned.id))
        && outcome.results.keys().all(applied)
        && outcome.withheld.is_empty()
}

fn resolve_status<P: Provider>(evaluation: &Evaluation<P>, bindings: &Bindings) -> Vec<StatusWrite> {
    let resolve = |address: &Address| match address {
        Address::Ip(ip) => Some((Some(ip.clone()), None, None)),
        Address::Hostname(name) => Some((None, Some(name.clone()), None)),
        Address::Of(key) => {
            let handle = bindings.get(key).filter(|handle| handle.ready)?;
            Some((None, Some(handle.dns_name.clone()?.to_lowercase()), handle.zone_id.clone()))
        }
    };
    let wishes = evaluation.status.iter();
    wishes
        .filter_map(|wish| {
            let addresses = wish.addresses.iter().map(|entry| {
                let (ip, hostname, zone_id) = resolve(&entry.address)?;
                Some(PublishedAddress { ip, hostname, zone_id, ports: entry.ports.clone() })
            });
            Some(StatusWrite { object: wish.object.clone(), addresses: addresses.collect::<Option<_>>()? })
        })
        .collect()
}

fn published(status: &[StatusWrite]) -> Vec<PublishedAddress> {
    let mut all: Vec<PublishedAddress> = Vec::new();
    for address in status.iter().flat_map(|write| &write.addresses) {
        if !all.contains(address) {
            all.push(address.clone());
        }
    }
    all
}

fn failures(outcome: &Outcome) -> impl Iterator<Item = &Failure> {
    outcome.results.values().filter_map(|result| match result {
        OpResult::Failed(failure) => Some(failure),
        _ => None,
    })
}

fn events<P: Provider>(evaluation: &Evaluation<P>, outcome: &Outcome, settled: bool) -> Vec<Event> {
    let mut events: BTreeSet<Event> = BTreeSet::new();
    for note in evaluation.notes.iter().filter(|note| note.class.warns()) {
        events.insert(Event {
            about: note.about.clone(),
            warning: true,
            reason: note.code.clone(),
            message: note.message.clone(),
        });
    }
    events.extend(failed(evaluation, outcome, Class::warns));
    if settled && !outcome.results.is_empty() {
        for about in evaluation.status.iter().map(|wish| &wish.object) {
            events.insert(Event {
                about: about.clone(),
                warning: false,
                reason: "SuccessfullyReconciled".to_owned(),
                message: "Successfully reconciled".to_owned(),
            });
        }
    }
    events.into_iter().collect()
}

/// Warnings about operations that failed with some classes. Who asked for an operation is told; everybody who is served
/// is, when nobody in particular asked.
fn failed<P: Provider>(
    evaluation: &Evaluation<P>,
    outcome: &Outcome,
    which: impl Fn(Class) -> bool,
) -> impl Iterator<Item = Event> {
    let served: BTreeSet<&ObjectRef> = evaluation.status.iter().map(|wish| &wish.object).collect();
    let mut events = BTreeSet::new();
    for planned in evaluation.plan.ops() {
        let Some(OpResult::Failed(failure)) = outcome.results.get(&planned.id) else { continue };
        let asked = planned.because.iter().map(|from| &from.object);
        let told = if planned.because.is_empty() { served.clone() } else { asked.collect() };
        events.extend(told.into_iter().filter(|_| which(failure.class)).map(|about| Event {
            about: about.clone(),
            warning: true,
            reason: failure.code.clone(),
            message: failure.message.clone(),
        }));
    }
    events.into_iter()
}

fn ready<P: Provider>(evaluation: &Evaluation<P>, outcome: &Outcome, all_well: bool) -> Condition {
    if all_well {
        return Condition::ready();
    }
    let worst_note =
        evaluation.notes.iter().filter(|note| !note.advice).max_by_key(|note| (note.class, note.held));
    let worst_failure = failures(outcome).max_by_key(|failure| failure.class);
    let (reason, message) = match (worst_failure, worst_note) {
        (Some(failure), note) if note.is_none_or(|note| note.class <= failure.class) => {
            (failure.code.clone(), failure.message.clone())
        }
        (_, Some(note)) => (note.code.clone(), note.to_string()),
        _ => unfinished(evaluation, outcome),
    };
    Condition { status: false, reason, message }
}

/// Why a unit is not ready although nothing is wrong.
fn unfinished<P: Provider>(evaluation: &Evaluation<P>, outcome: &Outcome) -> (String, String) {
    let pair = |reason: &str, message: String| (reason.to_owned(), message);
    if let Some(waiting) = outcome.results.values().find_map(waits_for) {
        return waiting;
    }
    match outcome.withheld.first() {
        Some(withheld) => pair("Withheld", format!("{}: {}", withheld.what, withheld.reason)),
        None if !is_settled(evaluation, outcome) => {
            pair("NotApplied", "the plan is not applied yet".to_owned())
        }
        None => pair("Pending", "the load balancer is being provisioned".to_owned()),
    }
}

fn waits_for(result: &OpResult) -> Option<(String, String)> {
    match result {
        OpResult::Waiting(wait) => Some(("Waiting".to_owned(), format!("waits until {wait}"))),
        _ => None,
    }
}

fn plan_lines<P: Provider>(evaluation: &Evaluation<P>, outcome: &Outcome) -> Vec<String> {
    use crate::plan::Operation as _;
    let line = |planned: &crate::plan::Planned<P::Op>| {
        let state = match outcome.results.get(&planned.id) {
            Some(OpResult::Applied) => "done",
            Some(OpResult::Failed(_)) => "failed",
            Some(OpResult::Waiting(_)) => "waiting",
            None if outcome.withheld.iter().any(|withheld| withheld.op == planned.id) => "withheld",
            Some(OpResult::Skipped) | None => "not done",
        };
        format!("{state}: {}", planned.op.describe())
    };
    evaluation.plan.ops().iter().take(PLAN_LINES).map(line).collect()
}

fn requeue<P: Provider>(evaluation: &Evaluation<P>, outcome: &Outcome, waiting_for_address: bool) -> Requeue {
    let classes: BTreeSet<Class> = evaluation
        .notes
        .iter()
        .map(|note| note.class)
        .chain(failures(outcome).map(|failure| failure.class))
        .collect();
    let waiting = outcome.results.values().any(|result| matches!(result, OpResult::Waiting(_)));
    let bound = |key: &ResourceKey| outcome.bindings.contains_key(key);
    let made = evaluation
        .status
        .iter()
        .flat_map(|wish| &wish.addresses)
        .any(|entry| matches!(&entry.address, Address::Of(key) if bound(key)));
    // What could not be made is not being provisioned: whoever has to act does not do so within seconds.
    let provisioning = waiting_for_address && (made || !classes.iter().any(|class| class.warns()));
    if classes.contains(&Class::Transient) {
        Requeue::Backoff
    } else if waiting || provisioning || classes.contains(&Class::Pending) || !outcome.withheld.is_empty() {
        Requeue::After(PENDING)
    } else if classes.contains(&Class::Environment) {
        Requeue::After(evaluation.again.map_or(ENVIRONMENT, |again| again.min(ENVIRONMENT)))
    } else {
        evaluation.again.map_or(Requeue::OnChange, Requeue::After)
    }
}

#[cfg(test)]
mod tests;
