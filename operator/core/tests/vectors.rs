//! What the peer was given is read without complaint, and would get the finalizers that the peer gave it.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{collections::BTreeMap, fs, path::Path};

use fairway_core::{
    evaluate::LastGood,
    read::{self, ReadConfig},
    snapshot::Snapshot,
};
use serde_json::Value;

/// Reads `in.yaml` of a case: finalizers by object, and codes of notes.
fn read_case(root: &Path, case: &Path) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
    let mut snapshot = Snapshot::default();
    let environment: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(root.join("environment-objects.json")).unwrap()).unwrap();
    let text = fs::read_to_string(case.join("in.yaml")).unwrap();
    let given: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    environment.iter().chain(&given).for_each(|object| snapshot.add(object).unwrap());
    let (config, mut finalizers, mut codes) = (ReadConfig::default(), BTreeMap::new(), Vec::new());
    for stack in read::stacks(&snapshot, &config) {
        let (intent, notes) = read::intent(&snapshot, &config, &stack, &LastGood::default());
        codes.extend(notes.into_iter().map(|note| note.code));
        finalizers.extend(intent.members.into_iter().map(|m| (m.object.to_string(), vec![m.finalizer])));
    }
    (finalizers, codes)
}

/// Finalizers that the peer put on the objects of a case.
fn finalized_by_peer(case: &Path) -> BTreeMap<String, Vec<String>> {
    let objects: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(case.join("objects.json")).unwrap()).unwrap();
    let text =
        |object: &Value, at: &str| object.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let members = objects.iter().filter(|object| ["Ingress", "Service"].contains(&&*text(object, "/kind")));
    let with = members.filter_map(|object| {
        let finalizers = object.pointer("/metadata/finalizers")?.as_array()?;
        let name = format!("{}/{}", text(object, "/metadata/namespace"), text(object, "/metadata/name"));
        let finalizers = finalizers.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Some((format!("{} {name}", text(object, "/kind")), finalizers))
    });
    with.collect()
}

#[test]
fn what_the_peer_was_given_is_read_as_the_peer_read_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/vectors/lbc-3.5.0");
    let entries = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    let cases: Vec<_> = entries.filter(|path| path.join("in.yaml").exists()).collect();
    assert!(cases.len() >= 6, "vectors are missing: {cases:?}");
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let (finalizers, codes) = read_case(&root, &case);
        let want: &[&str] = if name == "missing-backend" { &["BackendNotFound"] } else { &[] };
        assert_eq!(codes, want, "{name}");
        assert_eq!(finalizers, finalized_by_peer(&case), "{name}");
    }
}
