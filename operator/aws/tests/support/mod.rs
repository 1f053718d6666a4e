//! A world for tests: what AWS and the cluster hold, changed by operations as they would change it.

#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod apply;
pub(crate) mod dump;
pub(crate) mod world;

use std::path::PathBuf;

/// A directory of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// A JSON file of the recorded cases.
pub(crate) fn recorded(path: &str) -> serde_json::Value {
    let path = repository("e2e/vectors/lbc-3.5.0").join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The classes that a case brings: the peer's objects are recorded without them.
pub(crate) fn classes(case: &str) -> Vec<serde_json::Value> {
    let path = repository("e2e/vectors/lbc-3.5.0").join(case).join("in.yaml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut objects: Vec<serde_json::Value> = serde_saphyr::from_multiple(&text).unwrap();
    objects.retain(|object| object["kind"] == "IngressClass");
    objects
}
