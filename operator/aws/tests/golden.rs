//! Golden plans: what a person would read before saying yes.
//!
//! One folder a case.
//!
//! | file            | holds                                                                                   |
//! |-----------------|-----------------------------------------------------------------------------------------|
//! | `in.yaml`       | manifests, and comments: `# why:` the plan is right, which `# stack:` it is of, and the `# quotas:` if they are not AWS's |
//! | `before.yaml`   | manifests that were applied earlier, if any                                             |
//! | `drift.yaml`    | what somebody did to AWS since: a JSON merge patch of what was observed then            |
//! | `facts.yaml`    | answers that are not those of `facts.yaml` beside the folders                           |
//! | `observed.yaml`, `bindings.yaml`, `good.yaml` | what is there: made from the three above                  |
//! | `intent.yaml`, `model.yaml`, `plan.txt` | what comes of it                                                |
//!
//! With drift and without `before.yaml`, what was applied earlier is `in.yaml`. `UPDATE_GOLDEN=1` writes the files anew
//! (those of facts that nobody wrote included, to be edited), and never when `CI` is set.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and is told by the environment whether to write"
)]

mod support;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use fairway_aws::{
    config::{Config, Quotas},
    observed::StackObserved,
    stack::Stacks,
};
use fairway_core::{
    evaluate::{Evaluation, Facts, Input, MAX_ROUNDS, Provider as _, Step},
    ids::{Key, StackId},
    intent::Intent,
    plan::{Effect, OpId, Operation as _},
    read::{self, ReadConfig},
    snapshot::Snapshot,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use support::world::World;

/// Fewer are a mistake.
const CASES: usize = 237;

/// What somebody did, by hand: JSON merge patches.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Drift {
    /// Of what is observed.
    aws: serde_json::Map<String, Value>,
    /// Of TargetGroupBindings, by `namespace/name`; null takes one away.
    bindings: BTreeMap<String, Value>,
}

impl Drift {
    fn happen(&self, world: &mut World) {
        let mut observed = serde_json::to_value(&world.observed).unwrap();
        merge(&mut observed, &Value::Object(self.aws.clone()));
        world.observed = serde_json::from_value(observed).unwrap();
        let all = Arc::make_mut(&mut world.snapshot.target_group_bindings);
        for (name, patch) in &self.bindings {
            let (namespace, name) = name.split_once('/').unwrap();
            let key = Key::new(namespace, name);
            let mut object = serde_json::to_value(all.remove(&key).unwrap().as_ref()).unwrap();
            if !patch.is_null() {
                merge(&mut object, patch);
                all.insert(key, Arc::new(serde_json::from_value(object).unwrap()));
            }
        }
    }
}

/// A JSON merge patch; `{}` changes nothing, `null` takes away.
fn merge(value: &mut Value, patch: &Value) {
    match (value, patch) {
        (Value::Object(value), Value::Object(patch)) => {
            for (key, patch) in patch {
                let known = value.contains_key(key);
                match patch {
                    Value::Null => assert!(value.remove(key).is_some(), "there is no {key} to take away"),
                    patch if known => merge(&mut value[key], patch),
                    patch => drop(value.insert(key.clone(), patch.clone())),
                }
            }
        }
        (value, patch) => *value = patch.clone(),
    }
}

struct Case {
    folder: PathBuf,
    stack: StackId,
    quotas: Quotas,
    update: bool,
}

impl Case {
    fn read(folder: PathBuf, update: bool) -> Self {
        let text = fs::read_to_string(folder.join("in.yaml")).unwrap();
        let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(&format!("# {key}: ")));
        let said =
            |key: &str| line(key).unwrap_or_else(|| panic!("{}: no line `# {key}: `", folder.display()));
        assert!(said("why").len() > 20, "{}: say why the plan is right", folder.display());
        let stack = StackId::parse(said("stack")).unwrap();
        let quotas = line("quotas").map(|text| serde_saphyr::from_str(text).unwrap()).unwrap_or_default();
        Self { folder, stack, quotas, update }
    }

    fn config(&self) -> Config {
        let mut config = Config::new("demo", "us-east-1", "vpc-973af0aea18100386");
        config.dns = true;
        config.request_certificates = true;
        config.quotas = self.quotas.clone();
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

    /// What was applied earlier, in the account of this case, with what somebody did to it since.
    fn earlier(&self) -> World {
        let mut world = World { facts: self.facts(), ..World::recorded() };
        let drift: Option<Drift> = self.parse("drift.yaml");
        let before =
            self.objects("before.yaml").or_else(|| self.objects("in.yaml").filter(|_| drift.is_some()));
        if let Some(before) = before {
            for object in before {
                world.snapshot.add(&object).unwrap();
            }
            world.settle_issuing(&self.config(), &self.stack);
        }
        if let Some(drift) = drift {
            drift.happen(&mut world);
        }
        world
    }

    /// The answers of this case over those of all.
    fn facts(&self) -> Facts<Stacks> {
        let shared = self.folder.parent().unwrap().join("facts.yaml");
        let mut facts: Facts<Stacks> = serde_saphyr::from_str(&fs::read_to_string(shared).unwrap()).unwrap();
        facts.extend(self.parse("facts.yaml").unwrap_or_default());
        facts
    }

    fn snapshot(&self) -> Snapshot {
        let mut snapshot = World::recorded().snapshot;
        let bindings: Option<Vec<Value>> = self.parse("bindings.yaml");
        for object in self.objects("in.yaml").unwrap().iter().chain(bindings.iter().flatten()) {
            snapshot.add(object).unwrap();
        }
        snapshot
    }

    fn evaluate(&self, earlier: &World) -> (Intent, Evaluation<Stacks>) {
        let (snapshot, config) = (self.snapshot(), self.config());
        let (mut facts, mut missing) = (self.facts(), Facts::<Stacks>::default());
        let observed: StackObserved =
            self.parse("observed.yaml").unwrap_or_else(|| World::recorded().observed);
        let last_good = &earlier.last_good;
        let mut seen = None;
        for _ in 0..MAX_ROUNDS {
            let unit = &self.stack;
            let input = Input {
                unit,
                config: &config,
                snapshot: &snapshot,
                facts: &facts,
                observed: seen,
                last_good,
            };
            match Stacks::evaluate(&input) {
                Step::NeedFacts(queries) if self.update => {
                    for query in queries {
                        let answer = earlier.answer(&query);
                        missing.insert(query.clone(), answer.clone());
                        facts.insert(query, answer);
                    }
                }
                Step::NeedFacts(queries) => {
                    panic!("{}: not in facts.yaml: {queries:?}", self.folder.display())
                }
                Step::NeedObserved(_) => seen = Some(&observed),
                Step::Done(evaluation) => {
                    self.keep(missing);
                    let existing = evaluation.bindings.keys().cloned().collect();
                    evaluation.plan.lint(&existing).unwrap();
                    let (intent, _) = read::intent(&snapshot, &ReadConfig::default(), &self.stack, last_good);
                    return (intent, *evaluation);
                }
            }
        }
        panic!("{}: evaluate did not settle", self.folder.display());
    }

    /// Writes answers that nobody wrote, to be edited.
    fn keep(&self, missing: Facts<Stacks>) {
        if missing.is_empty() {
            return;
        }
        let mut own: Facts<Stacks> = self.parse("facts.yaml").unwrap_or_default();
        own.extend(missing);
        fs::write(self.path("facts.yaml"), serde_saphyr::to_string(&own).unwrap()).unwrap();
    }

    fn check(&self) {
        let earlier = self.earlier();
        if self.path("before.yaml").exists() || self.path("drift.yaml").exists() {
            let all = earlier.snapshot.target_group_bindings.values();
            let bindings: Vec<_> = all.map(|object| object.as_ref()).collect();
            self.compare("observed.yaml", &serde_saphyr::to_string(&earlier.observed).unwrap());
            self.compare("bindings.yaml", &serde_saphyr::to_string(&bindings).unwrap());
        }
        let (intent, evaluation) = self.evaluate(&earlier);
        // By way of a value: the keys are sorted then.
        let intent = serde_json::to_value(&intent).unwrap();
        self.compare("intent.yaml", &serde_saphyr::to_string(&intent).unwrap());
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
