//! Scenarios under faults.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Mutex, thread};

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

#[test]
fn every_scenario_comes_to_what_it_says_when_nothing_goes_wrong() {
    let mut wrong = Vec::new();
    for scenario in scenarios() {
        let outcome = without_faults(&scenario);
        if !outcome.problems.is_empty() {
            wrong.push(told(&scenario.name, &outcome));
        }
    }
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
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(job) = take() {
                    run(job, &tally);
                }
            });
        }
    });
    tally.into_inner().unwrap()
}

#[test]
fn every_single_fault_at_every_position_is_survived() {
    let jobs: Vec<(Scenario, Outcome)> =
        scenarios().into_iter().map(|scenario| (scenario.clone(), without_faults(&scenario))).collect();
    let positions = |(scenario, reference): &(Scenario, Outcome)| {
        let (writes, reads) = reference.counted;
        let at = |fault: Fault| 0..if fault.at_writes() { writes } else { reads };
        let all = Fault::ALL.into_iter().flat_map(|fault| at(fault).map(move |position| (fault, position)));
        all.map(|(fault, position)| (scenario.clone(), reference.clone(), fault, position))
            .collect::<Vec<_>>()
    };
    let stride = setting("FAIRWAY_SIM_STRIDE", 1);
    let jobs: Vec<_> = jobs.iter().flat_map(positions).step_by(usize::try_from(stride).unwrap()).collect();
    let tally = in_parallel(&jobs, |(scenario, reference, fault, position), tally| {
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
    let references: Vec<(Scenario, Outcome)> =
        scenarios().into_iter().map(|scenario| (scenario.clone(), without_faults(&scenario))).collect();
    let seeds: Vec<u64> = (first..first + runs).collect();
    let tally = in_parallel(&seeds, |seed, tally| {
        let (scenario, reference) = &references[usize::try_from(*seed).unwrap() % references.len()];
        let outcome = run(scenario, Faults::random(*seed, 6), Some(reference), Ports::honest);
        tally.lock().unwrap().add(&format!("{} with seed {seed}", scenario.name), &outcome);
    });
    tally.settle("random faults");
}
