//! What decisions are made from, as files.
//!
//! | file            | holds                                                                          |
//! |-----------------|--------------------------------------------------------------------------------|
//! | `manifests.yaml`| every object that is looked at, as one List; of Secrets, facts have digests      |
//! | `facts.yaml`    | answers of the account, as pairs of question and answer, by kind of unit        |
//! | `observed.yaml` | what exists, by kind of unit and unit                                           |

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use fairway_aws::{
    network::{Network, NetworkObserved},
    observed::StackObserved,
    stack::Stacks,
    targets::{Targets, TargetsObserved},
};
use fairway_core::{
    evaluate::Facts,
    snapshot::{Objects, Snapshot},
};
use fairway_dns::{Zones, provider::ZoneObserved};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Everything that decisions are made from.
pub(super) struct Captured {
    pub(super) snapshot: Snapshot,
    pub(super) facts: AllFacts,
    pub(super) observed: AllObserved,
}

/// Answers by kind of unit.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct AllFacts {
    pub(super) aws: Facts<Stacks>,
    pub(super) targets: Facts<Targets>,
    pub(super) network: Facts<Network>,
    pub(super) dns: Facts<Zones>,
    pub(super) in_cluster: Facts<fairway_metal::stack::Stacks>,
}

/// What exists, by kind of unit and unit.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct AllObserved {
    pub(super) stacks: BTreeMap<String, StackObserved>,
    pub(super) targets: BTreeMap<String, TargetsObserved>,
    pub(super) network: BTreeMap<String, NetworkObserved>,
    pub(super) zones: BTreeMap<String, ZoneObserved>,
}

impl Captured {
    /// The objects alone.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self { snapshot: snapshot.clone(), facts: AllFacts::default(), observed: AllObserved::default() }
    }

    /// Reads what files hold; folders give their `.yaml`, `.yml` and `.json` files.
    pub(super) fn read(
        manifests: &[PathBuf],
        facts: Option<&Path>,
        observed: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let mut snapshot = Snapshot::default();
        for path in files(manifests)? {
            let text =
                fs::read_to_string(&path).with_context(|| format!("{} could not be read", path.display()))?;
            let objects: Vec<Value> = serde_saphyr::from_multiple(&text)
                .with_context(|| format!("{} is no YAML", path.display()))?;
            for object in objects.iter().filter(|object| !object.is_null()) {
                snapshot.add(object).with_context(|| path.display().to_string())?;
            }
        }
        Ok(Self {
            snapshot,
            facts: facts.map(parse).transpose()?.unwrap_or_default(),
            observed: observed.map(parse).transpose()?.unwrap_or_default(),
        })
    }

    /// Writes the three files.
    pub(super) fn write(&self, directory: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(directory)
            .with_context(|| format!("{} could not be made", directory.display()))?;
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items(&self.snapshot)?});
        print(&directory.join("manifests.yaml"), &list)?;
        print(&directory.join("facts.yaml"), &self.facts)?;
        print(&directory.join("observed.yaml"), &self.observed)
    }
}

fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).with_context(|| format!("{} could not be read", path.display()))?;
        let mut inside: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        inside.retain(|path| {
            path.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known))
        });
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

fn parse<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))?;
    serde_saphyr::from_str(&text)
        .with_context(|| format!("{} does not hold what `fairway capture` writes", path.display()))
}

fn print(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let text = spell(value).with_context(|| format!("{} could not be spelled", path.display()))?;
    fs::write(path, text).with_context(|| format!("{} could not be written", path.display()))
}

/// As YAML, by way of plain maps and lists: within a variant of an enum, serde-saphyr 2.1 puts an empty list on a line
/// of its own, at an indentation at which it cannot read it again.
fn spell(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_saphyr::to_string(&serde_json::to_value(value)?)?)
}

/// Every object with its apiVersion and kind.
fn items(snapshot: &Snapshot) -> anyhow::Result<Vec<Value>> {
    let mut items = Vec::new();
    add(&mut items, "networking.k8s.io/v1", "Ingress", &snapshot.ingresses)?;
    add(&mut items, "networking.k8s.io/v1", "IngressClass", &snapshot.ingress_classes)?;
    add(&mut items, "elbv2.k8s.aws/v1beta1", "IngressClassParams", &snapshot.ingress_class_params)?;
    add(&mut items, "fairway.dev/v1alpha1", "InClusterClassParams", &snapshot.in_cluster_class_params)?;
    add(&mut items, "v1", "Service", &snapshot.services)?;
    add(&mut items, "discovery.k8s.io/v1", "EndpointSlice", &snapshot.endpoint_slices)?;
    add(&mut items, "v1", "Node", &snapshot.nodes)?;
    add(&mut items, "v1", "Pod", &snapshot.pods)?;
    add(&mut items, "v1", "Namespace", &snapshot.namespaces)?;
    add(&mut items, "elbv2.k8s.aws/v1beta1", "TargetGroupBinding", &snapshot.target_group_bindings)?;
    add(&mut items, "metallb.io/v1beta1", "IPAddressPool", &snapshot.ip_address_pools)?;
    add(&mut items, "metallb.io/v1beta1", "L2Advertisement", &snapshot.l2_advertisements)?;
    add(&mut items, "fairway.dev/v1alpha1", "LoadBalancerState", &snapshot.states)?;
    Ok(items)
}

fn add<T: Serialize>(
    items: &mut Vec<Value>,
    version: &str,
    kind: &str,
    objects: &Objects<T>,
) -> anyhow::Result<()> {
    for object in objects.values() {
        let mut value = serde_json::to_value(object.as_ref())?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("apiVersion".to_owned(), json!(version));
            fields.insert("kind".to_owned(), json!(kind));
        }
        items.push(value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use fairway_aws::facts::{Answer, Query};

    use super::*;

    #[test]
    fn empty_lists_in_facts_are_read_again() {
        let mut facts = AllFacts::default();
        let vpc = Answer::Vpc { ipv4: vec!["10.0.0.0/16".to_owned()], ipv6: Vec::new() };
        facts.targets.insert(Query::Vpc, vpc.clone());
        let interfaces = Query::Interfaces { addresses: vec!["10.0.1.2".to_owned()], instances: Vec::new() };
        facts.network.insert(interfaces.clone(), Answer::Interfaces(Vec::new()));

        let text = spell(&facts).unwrap();
        let read: AllFacts = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read.targets.get(&Query::Vpc), Some(&vpc), "{text}");
        assert_eq!(read.network.get(&interfaces), Some(&Answer::Interfaces(Vec::new())), "{text}");
    }
}
