//! Scenarios under faults.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::{LazyLock, Mutex},
    thread,
};

use super::plans;

use crate::{
    faults::{Fault, Faults},
    harness::{Outcome, run},
    operator::Ports,
    scenario::Scenario,
};

fn scenarios() -> Vec<Scenario> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.file_name().is_some_and(|name| name != "base.yaml"));
    files.sort();
    let parse = |file: &PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        Scenario::parse(&name, &fs::read_to_string(file).unwrap()).unwrap()
    };
    files.iter().map(parse).collect()
}

pub(super) fn scenario(name: &str) -> Scenario {
    scenarios().into_iter().find(|scenario| scenario.name == name).unwrap()
}

pub(super) fn without_faults(scenario: &Scenario) -> Outcome {
    run(scenario, Faults::default(), None, Ports::honest)
}

fn told(what: &str, outcome: &Outcome) -> String {
    format!("{what}:\n  {}\n{}", outcome.problems.join("\n  "), outcome.log.join("\n"))
}

/// A scenario, and what it comes to when nothing goes wrong.
type Played = (Scenario, Outcome);

/// Those of files, which are short of nothing, and those of golden plans.
static PLAYED: LazyLock<(Vec<Played>, Vec<Played>)> = LazyLock::new(|| {
    let play = |scenarios: Vec<Scenario>| {
        let next = Mutex::new(scenarios.into_iter().enumerate());
        let done = Mutex::new(BTreeMap::new());
        thread::scope(|scope| {
            for _ in 0..threads() {
                scope.spawn(|| {
                    while let Some((number, scenario)) = { next.lock().unwrap().next() } {
                        let outcome = without_faults(&scenario);
                        done.lock().unwrap().insert(number, (scenario, outcome));
                    }
                });
            }
        });
        done.into_inner().unwrap().into_values().collect::<Vec<Played>>()
    };
    (play(scenarios()), play(plans::scenarios()))
});

#[test]
fn every_scenario_comes_to_what_it_says_when_nothing_goes_wrong() {
    let (own, golden) = &*PLAYED;
    assert!(golden.len() > 100, "{} golden plans", golden.len());
    let wrong: Vec<String> = own
        .iter()
        .chain(golden)
        .filter(|(_, outcome)| !outcome.problems.is_empty())
        .map(|(scenario, outcome)| told(&scenario.name, outcome))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// All runs of a test: what was injected, and what went wrong.
#[derive(Default)]
struct Tally {
    runs: u64,
    injected: BTreeMap<Fault, u64>,
    idle: u64,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, what: &str, outcome: &Outcome) {
        self.runs += 1;
        self.idle += u64::from(outcome.injected.is_empty());
        for (fault, count) in &outcome.injected {
            *self.injected.entry(*fault).or_default() += count;
        }
        if !outcome.problems.is_empty() {
            self.wrong.push(told(what, outcome));
        }
    }

    /// Prints what was done and fails when something went wrong, or when nothing was injected.
    fn settle(self, what: &str) {
        let total: u64 = self.injected.values().sum();
        let (runs, idle) = (self.runs, self.idle);
        eprintln!("{what}: {runs} runs, {total} faults injected: {:?}; {idle} runs met none", self.injected);
        assert!(total > 0, "no fault was injected: nothing was shown");
        for fault in Fault::ALL {
            assert!(self.injected.contains_key(&fault), "{fault:?} was never injected");
        }
        let count = self.wrong.len();
        let shown: Vec<String> = self.wrong.into_iter().take(12).collect();
        assert!(count == 0, "{count} runs went wrong, the first of them:\n{}", shown.join("\n\n"));
    }
}

fn threads() -> usize {
    thread::available_parallelism().map_or(2, usize::from)
}

/// Runs all jobs on as many threads as there are processors.
fn in_parallel<J: Sync>(jobs: &[J], run: impl Fn(&J, &Mutex<Tally>) + Sync) -> Tally {
    let (tally, next) = (Mutex::new(Tally::default()), Mutex::new(0));
    let take = || {
        let mut next = next.lock().unwrap();
        let job = jobs.get(*next);
        *next += 1;
        job
    };
    thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while let Some(job) = take() {
                    run(job, &tally);
                }
            });
        }
    });
    tally.into_inner().unwrap()
}

/// A fault of a run.
type Position = (Fault, u64);

/// Every fault at every write or read.
fn positions((_, reference): &Played) -> impl Iterator<Item = Position> {
    let (writes, reads) = reference.counted;
    let at = move |fault: Fault| 0..if fault.at_writes() { writes } else { reads };
    Fault::ALL.into_iter().flat_map(move |fault| at(fault).map(move |position| (fault, position)))
}

/// What is done at a position and after it, without names: a fault there is like one at any other place of that kind.
fn kind((_, reference): &Played, (fault, position): Position) -> Option<(Fault, String, String)> {
    let plain = |offset: usize| {
        let line = reference.log.get(usize::try_from(position).unwrap() + offset)?;
        let words = line.split_whitespace().filter(|word| word.chars().all(char::is_alphabetic));
        Some(words.take(4).collect::<Vec<_>>().join(" "))
    };
    fault.at_writes().then(|| (fault, plain(0).unwrap_or_default(), plain(1).unwrap_or_default()))
}

/// Faults of golden plans: at every position so many of the kinds there are, in turn, and besides every one that comes at
/// an operation, and before another, at which none of its kind came yet.
fn chosen<'a>(own: &'a [Played], golden: &'a [Played], each: u64) -> Vec<(&'a Played, Position)> {
    let mut seen: BTreeSet<_> =
        own.iter().flat_map(|played| positions(played).filter_map(|at| kind(played, at))).collect();
    let mut chosen = Vec::new();
    for (number, played) in (0..).zip(golden) {
        for at in positions(played) {
            let (fault, position) = at;
            // Reads have no kinds by which they could be told from each other.
            let read = !fault.at_writes() && (number + position).is_multiple_of(8);
            let turn = (number + position + u64::try_from(place(fault)).unwrap()) % KINDS_AT_WRITES;
            let new = kind(played, at).is_some_and(|kind| seen.insert(kind));
            if new || read || turn < each {
                chosen.push((played, at));
            }
        }
    }
    chosen
}

/// Faults that come at writes.
const KINDS_AT_WRITES: u64 = 5;

fn place(fault: Fault) -> usize {
    Fault::ALL.into_iter().filter(|one| one.at_writes()).take_while(|one| *one != fault).count()
}

#[test]
fn every_single_fault_at_every_position_is_survived() {
    let (own, golden) = &*PLAYED;
    let stride = usize::try_from(setting("FAIRWAY_SIM_STRIDE", 1)).unwrap();
    let each = setting("FAIRWAY_SIM_GOLDEN", 0);
    let all = own.iter().flat_map(|played| positions(played).map(move |at| (played, at)));
    let golden = chosen(own, golden, each);
    let jobs: Vec<_> = all.chain(golden).step_by(stride).collect();
    let tally = in_parallel(&jobs, |((scenario, reference), (fault, position)), tally| {
        let outcome = run(scenario, Faults::once(*fault, *position), Some(reference), Ports::honest);
        tally.lock().unwrap().add(&format!("{} with {fault:?} at {position}", scenario.name), &outcome);
    });
    tally.settle("single faults");
}

/// A number from the environment: how much to run is asked for there, what is run is not.
#[expect(clippy::disallowed_methods, reason = "a test has no command line of its own to read this from")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// `FAIRWAY_SIM_RUNS` runs more of them, `FAIRWAY_SIM_SEED` begins elsewhere.
#[test]
fn random_faults_are_survived() {
    let (runs, first) = (setting("FAIRWAY_SIM_RUNS", 1000), setting("FAIRWAY_SIM_SEED", 1));
    let references: Vec<&Played> = PLAYED.0.iter().chain(&PLAYED.1).collect();
    let seeds: Vec<u64> = (first..first + runs).collect();
    let tally = in_parallel(&seeds, |seed, tally| {
        let (scenario, reference) = references[usize::try_from(*seed).unwrap() % references.len()];
        let outcome = run(scenario, Faults::random(*seed, 6), Some(reference), Ports::honest);
        tally.lock().unwrap().add(&format!("{} with seed {seed}", scenario.name), &outcome);
    });
    tally.settle("random faults");
}
