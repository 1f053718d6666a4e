//! Golden plans: what a person would read before saying yes.
//!
//! One folder a case. `in.yaml` begins with `# why:` (why the plan is right) and `# stack:`; `before.yaml`, if there is one,
//! is what was applied earlier, from which `observed.yaml` and `bindings.yaml` were made. `UPDATE_GOLDEN=1` writes the
//! files anew, and never when `CI` is set.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and is told by the environment whether to write"
)]

mod support;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use fairway_aws::{config::Config, observed::StackObserved, stack::Stacks};
use fairway_core::{
    evaluate::{Evaluation, Facts, Input, LastGood, MAX_ROUNDS, Provider as _, Step},
    ids::StackId,
    plan::{Effect, OpId, Operation as _},
    snapshot::Snapshot,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use support::world::World;

const CASES: usize = 35;

struct Case {
    folder: PathBuf,
    stack: StackId,
    update: bool,
}

impl Case {
    fn read(folder: PathBuf, update: bool) -> Self {
        let text = fs::read_to_string(folder.join("in.yaml")).unwrap();
        let said = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("# {key}: ")));
            line.unwrap_or_else(|| panic!("{}: no line `# {key}: `", folder.display())).to_owned()
        };
        assert!(said("why").len() > 20, "{}: say why the plan is right", folder.display());
        let stack = StackId::parse(&said("stack")).unwrap();
        Self { folder, stack, update }
    }

    fn config(&self) -> Config {
        let mut config = Config::new("demo", "us-east-1", "vpc-973af0aea18100386");
        config.dns = true;
        config
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn parse<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let text = fs::read_to_string(self.path(name)).ok()?;
        let parsed = serde_saphyr::from_str(&text);
        Some(parsed.unwrap_or_else(|error| panic!("{}: {error}", self.path(name).display())))
    }

    fn objects(&self, name: &str) -> Option<Vec<Value>> {
        let text = fs::read_to_string(self.path(name)).ok()?;
        let parsed = serde_saphyr::from_multiple(&text);
        Some(parsed.unwrap_or_else(|error| panic!("{}: {error}", self.path(name).display())))
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) {
        fs::write(self.path(name), serde_saphyr::to_string(value).unwrap()).unwrap();
    }

    /// Makes the inputs that follow from others: facts, and what an earlier manifest left behind.
    fn prepare(&self) {
        let Some(before) = self.objects("before.yaml") else { return };
        let mut world = World::recorded();
        for object in before {
            world.snapshot.add(&object).unwrap();
        }
        world.settle(&self.config(), &self.stack);
        self.write("observed.yaml", &world.observed);
        let bindings: Vec<_> =
            world.snapshot.target_group_bindings.values().map(|object| object.as_ref().clone()).collect();
        self.write("bindings.yaml", &bindings);
    }

    fn snapshot(&self) -> Snapshot {
        let mut snapshot = World::recorded().snapshot;
        let bindings: Option<Vec<Value>> = self.parse("bindings.yaml");
        for object in self.objects("in.yaml").unwrap().iter().chain(bindings.iter().flatten()) {
            snapshot.add(object).unwrap();
        }
        snapshot
    }

    fn evaluate(&self) -> Evaluation<Stacks> {
        let snapshot = self.snapshot();
        let config = self.config();
        let world = World::recorded();
        let mut facts: Facts<Stacks> =
            if self.update { Facts::default() } else { self.parse("facts.yaml").unwrap_or_default() };
        let observed: StackObserved = self.parse("observed.yaml").unwrap_or_else(|| world.observed.clone());
        let (mut seen, last_good) = (None, LastGood::default());
        for _ in 0..MAX_ROUNDS {
            let input = Input {
                unit: &self.stack,
                config: &config,
                snapshot: &snapshot,
                facts: &facts,
                observed: seen,
                last_good: &last_good,
            };
            match Stacks::evaluate(&input) {
                Step::NeedFacts(queries) if self.update => {
                    for query in queries {
                        let answer = world.answer(&query);
                        facts.insert(query, answer);
                    }
                }
                Step::NeedFacts(queries) => {
                    panic!("{}: not in facts.yaml: {queries:?}", self.folder.display())
                }
                Step::NeedObserved(_) => seen = Some(&observed),
                Step::Done(evaluation) => {
                    if self.update {
                        self.write("facts.yaml", &facts);
                    }
                    let existing = evaluation.bindings.keys().cloned().collect();
                    evaluation.plan.lint(&existing).unwrap();
                    return *evaluation;
                }
            }
        }
        panic!("{}: evaluate did not settle", self.folder.display());
    }

    fn check(&self) {
        if self.update {
            self.prepare();
        }
        let evaluation = self.evaluate();
        self.compare("model.yaml", &serde_saphyr::to_string(&evaluation.model).unwrap());
        self.compare("plan.txt", &page(&evaluation));
    }

    fn compare(&self, name: &str, text: &str) {
        if self.update {
            fs::write(self.path(name), text).unwrap();
        }
        let golden = fs::read_to_string(self.path(name)).unwrap_or_default();
        assert_eq!(text, golden, "{}: UPDATE_GOLDEN=1 writes it anew", self.path(name).display());
    }
}

/// A plan as a page.
fn page(evaluation: &Evaluation<Stacks>) -> String {
    let mut page = String::new();
    for note in &evaluation.notes {
        writeln!(page, "! {note}").unwrap();
    }
    if evaluation.plan.is_empty() {
        writeln!(page, "nothing to do").unwrap();
    }
    for planned in evaluation.plan.ops() {
        let sign = match planned.op.effect() {
            Effect::Create => '+',
            Effect::Modify => '~',
            Effect::Delete => '-',
        };
        let OpId(id) = planned.id;
        let after: Vec<String> = planned.after.iter().map(|OpId(id)| id.to_string()).collect();
        let after = if after.is_empty() { String::new() } else { format!(" (after {})", after.join(" ")) };
        writeln!(page, "{id:>3} {sign} {}{after}", planned.op.describe()).unwrap();
        let waits = planned.waits.iter().map(|wait| format!("waits until {wait}"));
        for line in planned.op.details().into_iter().chain(waits) {
            writeln!(page, "        {line}").unwrap();
        }
    }
    page
}

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

#[test]
fn plans_are_as_they_were_read() {
    let update = std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1");
    let ci = std::env::var("CI").is_ok();
    assert!(!(update && ci), "golden files are never written in CI");
    let folders = folders();
    assert!(folders.len() >= CASES, "{} cases", folders.len());
    folders.into_iter().for_each(|folder| Case::read(folder, update).check());
}
