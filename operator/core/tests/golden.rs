//! What is read from manifests, case by case: `tests/golden/<case>/in.yaml` becomes `intent.yaml` (every stack, in
//! order) and `notes.txt`; `why.txt` says in a line why that is right. `before.yaml`, where there is one, is what was
//! read last. Every case has the objects of `tests/golden/base.yaml`, unless it replaces them.
//!
//! After a change: `UPDATE_GOLDEN=1 cargo test -p fairway-core --test golden`, then read the difference.
//! Nothing is ever written where `CI` is set.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use fairway_core::{
    evaluate::LastGood,
    ids::StackId,
    read::{self, ReadConfig},
    snapshot::Snapshot,
};
use serde_json::Value;

#[test]
fn manifests_are_read_as_committed() {
    let cases = cases();
    assert!(cases.len() >= 12, "cases are missing: {cases:?}");
    let mut wrong = Vec::new();
    for case in cases {
        let why = fs::read_to_string(case.join("why.txt")).unwrap_or_default();
        assert!(why.trim().len() > 20, "{} does not say why it is right", case.display());
        let (intents, notes) = read_case(&case);
        for (file, text) in [("intent.yaml", intents), ("notes.txt", notes)] {
            if !is_committed(&case.join(file), &text) {
                wrong.push(format!("{}: {file} is now\n{text}", case.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\nrun with UPDATE_GOLDEN=1 if this is right", wrong.join("\n"));
}

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(golden()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn is_committed(path: &Path, text: &str) -> bool {
    let is_set = |name| std::env::var_os(name).is_some();
    if is_set("UPDATE_GOLDEN") && !is_set("CI") {
        fs::write(path, text).unwrap();
    }
    fs::read_to_string(path).unwrap_or_default() == text
}

fn read_case(case: &Path) -> (String, String) {
    let config = ReadConfig::default();
    let last_good =
        case.join("before.yaml").exists().then(|| last_good(&snapshot(case, "before.yaml"), &config));
    let last_good = last_good.unwrap_or_default();
    let snapshot = snapshot(case, "in.yaml");
    let (mut intents, mut notes) = (String::new(), String::new());
    for stack in read::stacks(&snapshot, &config) {
        let empty = LastGood::default();
        let (intent, said) =
            read::intent(&snapshot, &config, &stack, last_good.get(&stack).unwrap_or(&empty));
        // By way of a value: the keys are sorted then.
        let value = serde_json::to_value(&intent).unwrap();
        intents.push_str(&format!("---\n# {stack}\n{}", serde_saphyr::to_string(&value).unwrap()));
        notes.extend(said.iter().map(|note| format!("{stack}: {note}\n")));
    }
    (intents, notes)
}

fn last_good(snapshot: &Snapshot, config: &ReadConfig) -> BTreeMap<StackId, LastGood> {
    let read = |stack: StackId| {
        let (intent, _) = read::intent(snapshot, config, &stack, &LastGood::default());
        (stack, LastGood { members: read::good(&intent), ..LastGood::default() })
    };
    read::stacks(snapshot, config).into_iter().map(read).collect()
}

fn snapshot(case: &Path, file: &str) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for path in [golden().join("base.yaml"), case.join(file)] {
        let text = fs::read_to_string(&path).unwrap();
        let objects: Vec<Value> = serde_saphyr::from_multiple(&text).expect("readable manifests");
        for object in objects {
            snapshot.add(&object).unwrap();
        }
    }
    snapshot
}
