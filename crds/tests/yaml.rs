//! The definitions under `yaml/` are those of the types.
//!
//! After a change of a type: `UPDATE_GOLDEN=1 cargo test -p fairway-crds --test yaml`, then read the difference.
//! Nothing is ever written where `CI` is set.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking, and so may what it calls")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use fairway_crds::definitions;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

#[test]
fn committed_definitions_are_those_of_the_types() {
    let want = rendered();
    if is_set("UPDATE_GOLDEN") && !is_set("CI") {
        write(&want);
    }
    assert_eq!(committed(), want, "run `UPDATE_GOLDEN=1 cargo test -p fairway-crds --test yaml`");
}

#[test]
fn what_is_written_reads_as_the_same_definition() {
    let by_name: BTreeMap<String, CustomResourceDefinition> =
        definitions().into_iter().map(|definition| (file_name(&definition), definition)).collect();
    for (name, text) in rendered() {
        let read: CustomResourceDefinition = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, by_name[&name], "{name}");
    }
}

#[test]
fn names_are_those_of_the_peers() {
    let names: Vec<_> = definitions().into_iter().filter_map(|definition| definition.metadata.name).collect();
    let want = [
        "inclusterclassparams.fairway.dev",
        "ingressclassparams.elbv2.k8s.aws",
        "ipaddresspools.metallb.io",
        "l2advertisements.metallb.io",
        "loadbalancerstates.fairway.dev",
        "targetgroupbindings.elbv2.k8s.aws",
    ];
    assert_eq!(names, want);
}

#[test]
fn no_default_is_written_into_objects_of_the_load_balancer_controller() {
    for definition in definitions().iter().filter(|definition| definition.spec.group == "elbv2.k8s.aws") {
        let text = serde_json::to_string(definition).unwrap();
        assert!(!text.contains("\"default\":"), "{:?}", definition.metadata.name);
    }
}

/// File name to text, for every definition.
fn rendered() -> BTreeMap<String, String> {
    definitions().iter().map(|definition| (file_name(definition), render(definition))).collect()
}

fn file_name(definition: &CustomResourceDefinition) -> String {
    format!("{}.yaml", definition.metadata.name.as_deref().unwrap())
}

fn render(definition: &CustomResourceDefinition) -> String {
    let value: Value = serde_json::to_value(definition).unwrap();
    format!("# Generated from the types of fairway-crds.\n{}", serde_saphyr::to_string(&value).unwrap())
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("yaml")
}

fn committed() -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder()).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn write(want: &BTreeMap<String, String>) {
    fs::create_dir_all(folder()).unwrap();
    for stale in committed().keys().filter(|name| !want.contains_key(*name)) {
        fs::remove_file(folder().join(stale)).unwrap();
    }
    for (name, text) in want {
        fs::write(folder().join(name), text).unwrap();
    }
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}
