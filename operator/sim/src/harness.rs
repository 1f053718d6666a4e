//! A scenario run to its end under faults, with the clock paused, and what must hold then.
//!
//! After every step, once nothing changes any more: nothing is left to plan, what was there before Fairway is
//! untouched, expected counts hold, and the world is, name by name, as in the run without faults. At the end everything is
//! deleted and only what was there before is left. After every single write, the laws of every moment hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
    time::Duration,
};

use tokio::{sync::mpsc::UnboundedReceiver, task::JoinHandle, time::sleep};

mod counts;
mod drift;
mod ending;

pub use counts::Counts;
use counts::counts;
pub use drift::repairs;

use crate::{
    adapters::Process,
    cluster::Cluster,
    dump,
    faults::{Fault, Faults},
    foreign,
    operator::{DRIFT_PERIOD, Operator, Ports, Setup, process},
    scenario::{Doomed, Scenario, Step, doomed, manifests},
    sim::{Incident, PROBE, Sim},
    world::{Aws, Settings},
};

/// Longer than the longest back-off: when nothing changes for so long, nothing will.
const QUIET: u64 = 400;
/// A run that has not come to rest by then never will.
const PATIENCE: u64 = 3000;

/// How long agents take to answer for an address.
const ANNOUNCING: Duration = Duration::from_secs(2);

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What should not have been, in words.
    pub problems: Vec<String>,
    /// What was injected.
    pub injected: BTreeMap<Fault, u64>,
    /// Writes and observations.
    pub counted: (u64, u64),
    /// The world after each step, for comparison with other runs.
    pub pictures: Vec<BTreeSet<String>>,
    /// Every write.
    pub log: Vec<String>,
}

/// How a process reaches the world: honestly, or with a bug that a test plants.
pub type Wiring = fn(&Process) -> Ports;

/// Runs a scenario. `reference` is a run without faults to compare with.
pub fn run(scenario: &Scenario, faults: Faults, reference: Option<&Outcome>, wiring: Wiring) -> Outcome {
    // The clock of a run begins inside the runtime.
    paused(async { Run::new(scenario, faults, wiring).play(scenario, reference).await })
}

/// Runs it with a clock that jumps over waiting.
fn paused(run: impl Future<Output = Outcome>) -> Outcome {
    let built = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    match built {
        Ok(runtime) => runtime.block_on(run),
        Err(error) => Outcome { problems: vec![format!("no runtime: {error}")], ..Outcome::default() },
    }
}

struct Run {
    sim: Arc<Sim>,
    incidents: UnboundedReceiver<Incident>,
    processes: BTreeMap<u64, JoinHandle<()>>,
    started: u64,
    setup: Setup,
    wiring: Wiring,
    before: BTreeSet<String>,
    outcome: Outcome,
    drift_owed: u64,
    agents: Option<JoinHandle<()>>,
}

/// The agents of the cluster's nodes, who have no faults here: what they serve is not simulated, only that they say so.
async fn agents(sim: Arc<Sim>) {
    loop {
        sim.changed().await;
        sleep(ANNOUNCING).await;
        let now = sim.now();
        if sim.lock().cluster.announce(now) {
            sim.meddle(|_| ());
        }
    }
}

/// Before every run, unless its scenario says otherwise: built once, and shared until a run changes it.
pub static BEGINNING: LazyLock<(Aws, Cluster)> = LazyLock::new(world);

fn world() -> (Aws, Cluster) {
    let mut aws = foreign::world();
    aws.settings = Settings { provisioning: 60, interface_linger: 30, ..Settings::default() };
    let mut cluster = Cluster::default();
    for object in manifests(include_str!("../scenarios/base.yaml")).unwrap_or_default() {
        // The test of the scenarios shows that the base is well-formed.
        let _ = cluster.apply(object, 0);
    }
    (aws, cluster)
}

impl Run {
    fn new(scenario: &Scenario, faults: Faults, wiring: Wiring) -> Self {
        let (aws, cluster) = scenario.world.as_deref().unwrap_or(&BEGINNING).clone();
        let before = dump::aws(&aws);
        let (sim, incidents) = Sim::new(aws, cluster, faults);
        let setup = Setup { dns: scenario.dns, quotas: scenario.quotas.clone() };
        let (processes, outcome) = (BTreeMap::new(), Outcome::default());
        let sim = Arc::new(sim);
        Self {
            sim,
            incidents,
            processes,
            started: 0,
            setup,
            wiring,
            before,
            outcome,
            drift_owed: 0,
            agents: None,
        }
    }

    async fn play(mut self, scenario: &Scenario, mut reference: Option<&Outcome>) -> Outcome {
        self.start(0);
        self.agents = Some(tokio::spawn(agents(Arc::clone(&self.sim))));
        for (number, step) in scenario.steps.iter().enumerate() {
            self.take(step);
            match step.hurry {
                Some(seconds) => self.wait(seconds).await,
                None => {
                    self.rest(&format!("step {} ({})", number + 1, step.say), Some(step), reference).await
                }
            }
            if !self.outcome.problems.is_empty() {
                return self.finish();
            }
            if step.hurry.is_none() && reference.is_some() && self.sim.lock().faults.are_over() {
                // The world is, name by name, as it is without faults, and nothing is left to go wrong. What is left
                // in the end differs from what the whole scenario leaves; leaks are looked for all the same.
                reference = None;
                break;
            }
        }
        let mut restarted = (0, 0);
        if self.sim.lock().faults.is_none() && reference.is_none() {
            let before = self.sim.lock().faults.counted();
            self.restart().await;
            let after = self.sim.lock().faults.counted();
            restarted = (after.0 - before.0, after.1 - before.1);
        }
        self.delete_all();
        self.rest("deleting everything", None, reference).await;
        if self.allow_deletion() {
            self.rest("deleting what was protected", None, reference).await;
        }
        self.leaks();
        let mut outcome = self.finish();
        // Runs with faults do without this restart: its calls are no positions.
        outcome.counted.0 -= restarted.0;
        outcome.counted.1 -= restarted.1;
        outcome
    }

    fn finish(mut self) -> Outcome {
        self.processes.values().chain(&self.agents).for_each(JoinHandle::abort);
        let mut inner = self.sim.lock();
        let mut violations = std::mem::take(&mut inner.violations);
        violations.dedup();
        self.outcome.problems.extend(violations);
        self.outcome.injected.clone_from(&inner.faults.injected);
        self.outcome.counted = inner.faults.counted();
        self.outcome.log = std::mem::take(&mut inner.log);
        drop(inner);
        self.outcome
    }

    fn start(&mut self, number: u64) {
        self.started = self.started.max(number);
        let process = process(&self.sim, number);
        let ports = (self.wiring)(&process);
        let operator = Operator::new(&process, self.setup.clone(), ports);
        self.processes.insert(number, tokio::spawn(async move { operator.run().await }));
    }

    fn take(&mut self, step: &Step) {
        let now = self.sim.now();
        self.sim.meddle(|inner| {
            for object in &step.objects {
                if let Err(problem) = inner.cluster.apply(object.clone(), now) {
                    inner.violations.push(format!("{}: {problem}", step.say));
                }
            }
            for doomed in step.delete.iter().filter_map(|object| doomed(object).ok()) {
                match doomed {
                    Doomed::Object(object) => inner.cluster.delete(&object, now),
                    Doomed::Plain(kind, key) => inner.cluster.delete_plain(&kind, &key),
                }
            }
        });
    }

    /// Lets time pass and processes die and start.
    async fn wait(&mut self, seconds: u64) {
        let until = self.sim.now() + seconds;
        loop {
            let left = until.saturating_sub(self.sim.now());
            if left == 0 {
                return;
            }
            tokio::select! {
                biased;
                Some(incident) = self.incidents.recv() => self.handle(incident),
                () = sleep(Duration::from_secs(left)) => {}
            }
        }
    }

    fn handle(&mut self, incident: Incident) {
        match incident {
            Incident::Crashed(number) => {
                if let Some(task) = self.processes.remove(&number) {
                    task.abort();
                }
                let next = self.started + 1;
                self.sim.lock().leader = next;
                self.start(next);
            }
            Incident::LeaseMoved(number) => self.start(number),
        }
    }

    async fn quiet(&mut self) -> bool {
        let begun = self.sim.now();
        loop {
            let (now, last) = (self.sim.now(), self.sim.lock().last_change);
            let quiet_at = last.max(begun) + QUIET;
            if now >= quiet_at {
                return true;
            }
            if now > begun + PATIENCE {
                return false;
            }
            self.wait(quiet_at - now).await;
        }
    }

    /// Waits until nothing changes any more, and checks what must hold then.
    async fn rest(&mut self, when: &str, step: Option<&Step>, reference: Option<&Outcome>) {
        let mut at_rest = self.quiet().await;
        let stale = self.sim.lock().faults.injected.get(&Fault::StaleRead).copied().unwrap_or_default();
        if stale > self.drift_owed {
            // What a stale read hid is found when the drift clock strikes, and not before.
            self.drift_owed = stale;
            self.wait(DRIFT_PERIOD.as_secs()).await;
            at_rest = self.quiet().await;
        }
        if !at_rest {
            self.problem(format!("{when}: it does not come to rest"));
        }
        let mut plan = self.probe().plan().await;
        if !self.protected().is_empty() {
            // Deletions wait until the protection is lifted.
            plan.retain(|line| !line.contains(": delete "));
        }
        plan.sort();
        if !plan.is_empty() {
            self.problem(format!("{when}: something is left to do: {}", plan.join("; ")));
        }
        let (picture, counts) = {
            let inner = self.sim.lock();
            (dump::lines(&inner), counts(&inner, &self.before))
        };
        if let Some(touched) = self.before.difference(&picture).next() {
            self.problem(format!("{when}: touched what is not ours: {touched}"));
        }
        if let Some(step) = step {
            self.expectations(when, step, &counts);
        }
        self.compare(when, &picture, reference);
        self.outcome.pictures.push(picture);
    }

    /// A process that only plans.
    fn probe(&self) -> Operator {
        let process = process(&self.sim, PROBE);
        Operator::new(&process, self.setup.clone(), Ports::honest(&process))
    }

    fn expectations(&mut self, when: &str, step: &Step, counts: &Counts) {
        for (what, want) in &step.expect {
            let have = counts.get(what).copied();
            if have != Some(*want) {
                self.problem(format!("{when}: {what} is {have:?}, expected {want}"));
            }
        }
        for (object, reasons) in &step.warn {
            let inner = self.sim.lock();
            let recorded = inner.cluster.warnings.iter().find(|(about, _)| about.to_string() == *object);
            let recorded: Vec<String> = recorded.map(|(_, reasons)| reasons.clone()).unwrap_or_default();
            drop(inner);
            for reason in reasons.iter().filter(|reason| !recorded.contains(reason)) {
                self.problem(format!("{when}: no Warning {reason} on {object}, only {recorded:?}"));
            }
        }
    }

    fn compare(&mut self, when: &str, picture: &BTreeSet<String>, reference: Option<&Outcome>) {
        let wanted = reference.and_then(|run| run.pictures.get(self.outcome.pictures.len()));
        let Some(wanted) = wanted else { return };
        let missing = wanted.difference(picture).next().map(|line| format!("missing {line}"));
        let extra = picture.difference(wanted).next().map(|line| format!("there is {line}"));
        if let Some(difference) = missing.or(extra) {
            self.problem(format!("{when}: not as without faults: {difference}"));
        }
    }

    fn problem(&mut self, problem: String) {
        self.outcome.problems.push(problem);
    }
}
