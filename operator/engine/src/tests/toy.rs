//! A provider of named things, and a world that holds them and writes down all that is done to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use fairway_core::{
    class::Class,
    evaluate::{Evaluation, Facts, Finalizers, Input, LastGood, Provider, StatusWish, Step},
    ids::{Key, Kind, ObjectRef},
    plan::{Bindings, Effect, Handle, Operation, Plan, ResourceKey, Wait},
    policy::Policy,
    report::{Event, Failure, StatusWrite},
    snapshot::Snapshot,
};
use serde::Serialize;

use crate::{
    board::{Announces, Board},
    context::{Context, Memory, Sources},
    drift::DriftClock,
    ports::{
        Answer, Applied, Apply, Clock, Finalize, Leadership, Observe, Publish, Record, Refusal, Remember,
        Remembered, Snapshots, Term, Timestamp,
    },
};

pub(super) const DAY: Duration = Duration::from_secs(86_400);

#[derive(Debug)]
pub(super) struct Toy;

#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    pub(super) wanted: BTreeSet<String>,
    /// Each creation comes after the one before it.
    pub(super) chained: bool,
    pub(super) wait: Option<Wait>,
    pub(super) panics: bool,
    pub(super) never_settles: bool,
    pub(super) dangling: bool,
    /// The member's status is to be cleared.
    pub(super) withdraws: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct ToyOp {
    effect: Effect,
    name: String,
    refers: BTreeSet<ResourceKey>,
}

impl Operation for ToyOp {
    fn effect(&self) -> Effect {
        self.effect
    }

    fn resource(&self) -> ResourceKey {
        key(&self.name)
    }

    fn refers_to(&self) -> BTreeSet<ResourceKey> {
        self.refers.clone()
    }

    fn describe(&self) -> String {
        let verb = if self.effect == Effect::Delete { "delete" } else { "create" };
        format!("{verb} {}", self.name)
    }
}

impl Provider for Toy {
    type Unit = String;
    type Config = Arc<Mutex<Script>>;
    type Query = String;
    type Answer = String;
    type Scope = ();
    type Observed = BTreeSet<String>;
    type Model = BTreeSet<String>;
    type Op = ToyOp;

    fn evaluate(input: &Input<'_, Self>) -> Step<Self> {
        let script = input.config.lock().unwrap().clone();
        assert!(!script.panics, "the toy is broken");
        let query = "colour".to_owned();
        if script.never_settles || input.facts.get(&query).is_none() {
            return Step::NeedFacts(vec![query]);
        }
        let fingerprint = format!("f{}", script.wanted.iter().cloned().collect::<Vec<_>>().join("-"));
        let mut plan = Plan::default();
        let mut bindings = Bindings::new();
        if input.last_good.fingerprint.as_ref() != Some(&fingerprint) {
            let Some(observed) = input.observed else { return Step::NeedObserved(()) };
            bindings = observed.iter().map(|name| (key(name), handle(name))).collect();
            compare(&script, observed, &mut plan);
        }
        let cleared = StatusWish { object: member(), addresses: Vec::new() };
        let status = script.withdraws.then_some(cleared).into_iter().collect();
        let member = member();
        let finalizer = (member, "toy/finalizer".to_owned());
        let gone = script.wanted.is_empty();
        Step::Done(Box::new(Evaluation {
            model: Some(script.wanted),
            plan,
            bindings,
            notes: Vec::new(),
            finalizers: Finalizers {
                add: if gone { Vec::new() } else { vec![finalizer.clone()] },
                remove: if gone { vec![finalizer] } else { Vec::new() },
            },
            status,
            good: BTreeMap::new(),
            fingerprint,
            gone,
            again: None,
        }))
    }
}

fn compare(script: &Script, observed: &BTreeSet<String>, plan: &mut Plan<ToyOp>) {
    let waits: Vec<Wait> = script.wait.iter().cloned().collect();
    let mut last = None;
    for name in script.wanted.difference(observed) {
        let refers = if script.dangling { BTreeSet::from([key("nowhere")]) } else { BTreeSet::new() };
        let op = ToyOp { effect: Effect::Create, name: name.clone(), refers };
        let id = plan.push_waiting(op, last.filter(|_| script.chained), waits.clone(), Vec::new());
        last = Some(id);
    }
    for name in observed.difference(&script.wanted) {
        let op = ToyOp { effect: Effect::Delete, name: name.clone(), refers: BTreeSet::new() };
        plan.push_waiting(op, last, waits.clone(), Vec::new());
    }
}

pub(super) fn key(name: &str) -> ResourceKey {
    ResourceKey::new("toy", name)
}

pub(super) fn member() -> ObjectRef {
    ObjectRef::new(Kind::Service, Key::new("default", "toy"))
}

fn handle(name: &str) -> Handle {
    Handle { id: name.to_owned(), ready: true, ..Handle::default() }
}

/// All that there is, and all that was done, in order.
#[derive(Default)]
pub(super) struct World(Mutex<Inner>);

#[derive(Default)]
pub(super) struct Inner {
    pub(super) things: BTreeSet<String>,
    pub(super) log: Vec<String>,
    pub(super) refuse: BTreeMap<String, Refusal>,
    pub(super) term: Option<Term>,
    /// The lease is lost once the log has so many entries.
    pub(super) lease_lasts: Option<usize>,
    pub(super) recorded: Remembered,
    pub(super) now: Timestamp,
    pub(super) panic_on_apply: bool,
}

impl World {
    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    fn write(&self, line: &str) -> Result<(), Refusal> {
        let mut inner = self.inner();
        inner.log.push(line.to_owned());
        inner.refuse.get(line).map_or(Ok(()), |refusal| Err(refusal.clone()))
    }

    pub(super) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut self.inner().log)
    }
}

impl Snapshots for World {
    fn snapshot(&self) -> Snapshot {
        Snapshot::default()
    }
}

#[async_trait]
impl Answer<Toy> for World {
    async fn answer(&self, _: &String, queries: &[String]) -> Result<Facts<Toy>, Refusal> {
        self.write("answer")?;
        let mut facts = Facts::default();
        queries.iter().for_each(|query| facts.insert(query.clone(), "blue".to_owned()));
        Ok(facts)
    }
}

#[async_trait]
impl Observe<Toy> for World {
    async fn observe(&self, _: &String, (): &()) -> Result<BTreeSet<String>, Refusal> {
        self.write("observe")?;
        Ok(self.inner().things.clone())
    }
}

#[async_trait]
impl Apply<Toy> for World {
    async fn apply(&self, _: &String, op: &ToyOp, _: &Bindings) -> Result<Applied, Refusal> {
        assert!(!self.inner().panic_on_apply, "the world is broken");
        self.write(&op.describe())?;
        if op.effect == Effect::Delete {
            self.inner().things.remove(&op.name);
            return Ok(Applied::Removed);
        }
        self.inner().things.insert(op.name.clone());
        Ok(Applied::Produced { key: key(&op.name), handle: handle(&op.name) })
    }
}

#[async_trait]
impl Finalize for World {
    async fn add(&self, object: &ObjectRef, finalizer: &str) -> Result<(), Refusal> {
        self.write(&format!("add {finalizer} to {object}"))
    }

    async fn remove(&self, object: &ObjectRef, finalizer: &str) -> Result<(), Refusal> {
        self.write(&format!("remove {finalizer} from {object}"))
    }
}

#[async_trait]
impl Publish for World {
    async fn event(&self, event: &Event) {
        self.write(&format!("event {}", event.reason)).unwrap();
    }

    async fn status(&self, write: &StatusWrite) -> Result<(), Refusal> {
        self.write(&format!("status {}", write.object))
    }
}

#[async_trait]
impl Remember<Toy> for World {
    async fn recall(&self, _: &String) -> Result<Remembered, Refusal> {
        Ok(self.inner().recorded.clone())
    }

    async fn forget(&self, _: &String) -> Result<(), Refusal> {
        self.write("forget")?;
        self.inner().recorded.last_good.fingerprint = None;
        Ok(())
    }

    async fn record(&self, _: &String, record: Option<Record<'_>>) -> Result<(), Refusal> {
        self.write(if record.is_some() { "record" } else { "record nothing" })?;
        self.inner().recorded = record.map_or_else(Remembered::default, |record| Remembered {
            last_good: LastGood { fingerprint: record.report.fingerprint.clone(), ..LastGood::default() },
            observed_at: record.observed_at,
        });
        Ok(())
    }

    async fn stumble(&self, _: &String, failure: &Failure) -> Result<(), Refusal> {
        self.write(&format!("stumble {} {}", failure.class.as_str(), failure.code))
    }
}

impl Leadership for World {
    fn term(&self) -> Option<Term> {
        let inner = self.inner();
        let lasts = inner.lease_lasts.is_none_or(|lasts| inner.log.len() < lasts);
        inner.term.filter(|_| lasts)
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.inner().now
    }
}

pub(super) struct Stage {
    pub(super) world: Arc<World>,
    pub(super) script: Arc<Mutex<Script>>,
    pub(super) ctx: Context<Toy>,
}

impl Stage {
    pub(super) fn wanting(names: &[&str]) -> Self {
        let script = Script { wanted: names.iter().map(ToString::to_string).collect(), ..Script::default() };
        let (script, world) = (Arc::new(Mutex::new(script)), Arc::new(World::default()));
        world.inner().term = Some(Term(1));
        world.inner().now = DAY;
        let sources = Sources {
            config: Arc::clone(&script),
            snapshots: Arc::clone(&world) as _,
            answer: Arc::clone(&world) as _,
            observe: Arc::clone(&world) as _,
            remember: Arc::clone(&world) as _,
            policy: Policy::default(),
        };
        let ctx = Context {
            sources,
            apply: Arc::clone(&world) as _,
            finalize: Arc::clone(&world) as _,
            publish: Arc::clone(&world) as _,
            leadership: Arc::clone(&world) as _,
            clock: Arc::clone(&world) as _,
            drift: DriftClock::new(DAY),
            board: Arc::new(Board::new(key("backend"))),
            announces: Announces::Nothing,
            memory: Memory::default(),
        };
        Self { world, script, ctx }
    }

    pub(super) fn want(&self, names: &[&str]) {
        self.script.lock().unwrap().wanted = names.iter().map(ToString::to_string).collect();
    }
}

pub(super) fn refusal(class: Class, retry_after: Option<Duration>) -> Refusal {
    Refusal { retry_after, ..Refusal::new(class, "Scripted", "as the test asked") }
}
