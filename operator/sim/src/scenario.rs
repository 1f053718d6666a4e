//! What users do, in steps: files in `scenarios/`.
//!
//! ```yaml
//! dns: true                         # whether DNS has an owner; default false
//! steps:
//!   - say: a Service gets a load balancer
//!     apply: |                      # manifests, as for kubectl apply
//!       apiVersion: v1
//!       ...
//!     delete: ["Ingress default/shop"]
//!     hurry: 3                      # seconds until the next step; default: until nothing changes any more
//!     expect: {load_balancers: 1}   # counts of what is ours, once settled; see `harness::Counts`
//!     warn: {"Ingress default/shop": [BackendNotFound]}   # Warning events that must have been recorded by then
//! ```
//!
//! Every scenario starts from `scenarios/base.yaml` and ends with the deletion of everything that asked for something.

use std::{collections::BTreeMap, sync::Arc};

use fairway_aws::config::Quotas;
use fairway_core::ids::{Key, Kind, ObjectRef};
use serde::Deserialize;
use serde_json::Value;

use crate::{cluster::Cluster, world::Aws};

/// A scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's name.
    #[serde(skip)]
    pub name: String,
    /// Whether DNS has an owner.
    #[serde(default)]
    pub dns: bool,
    /// How many AWS allows, as flags say.
    #[serde(skip)]
    pub quotas: Quotas,
    /// What the run begins with, in place of what all begin with.
    #[serde(skip)]
    pub world: Option<Arc<(Aws, Cluster)>>,
    /// In order.
    pub steps: Vec<Step>,
}

/// One thing that users do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A sentence.
    pub say: String,
    /// Manifests.
    #[serde(default)]
    pub apply: String,
    /// The manifests, read once for all runs.
    #[serde(skip)]
    pub objects: Vec<Value>,
    /// `Kind namespace/name`.
    #[serde(default)]
    pub delete: Vec<String>,
    /// Seconds until the next step, settled or not.
    #[serde(default)]
    pub hurry: Option<u64>,
    /// Counts of what is ours.
    #[serde(default)]
    pub expect: BTreeMap<String, usize>,
    /// Reasons by object.
    #[serde(default)]
    pub warn: BTreeMap<String, Vec<String>>,
}

/// A scenario that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct ScenarioError {
    /// Which.
    pub name: String,
    /// What is wrong.
    pub problem: String,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// Text that is none, manifests included.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let wrong = |problem: String| ScenarioError { name: name.to_owned(), problem };
        let mut scenario: Self = serde_saphyr::from_str(text).map_err(|error| wrong(error.to_string()))?;
        for step in &mut scenario.steps {
            step.objects = manifests(&step.apply).map_err(&wrong)?;
            step.delete.iter().try_for_each(|object| doomed(object).map(drop)).map_err(&wrong)?;
        }
        Ok(Self { name: name.to_owned(), ..scenario })
    }
}

/// Objects of a text with several documents.
pub(crate) fn manifests(text: &str) -> Result<Vec<Value>, String> {
    let all: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| error.to_string())?;
    Ok(all.into_iter().filter(|value| !value.is_null()).collect())
}

/// What is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Doomed {
    /// Can carry finalizers.
    Object(ObjectRef),
    /// Carries none.
    Plain(String, Key),
}

pub(crate) fn doomed(text: &str) -> Result<Doomed, String> {
    let (kind, key) = text.split_once(' ').ok_or_else(|| format!("{text} is no object"))?;
    let (namespace, name) = key.split_once('/').ok_or_else(|| format!("{text} has no namespace"))?;
    let key = Key::new(namespace, name); // that of a cluster's object is empty
    match kind {
        "Ingress" => Ok(Doomed::Object(ObjectRef::new(Kind::Ingress, key))),
        "Service" => Ok(Doomed::Object(ObjectRef::new(Kind::Service, key))),
        "TargetGroupBinding" => Ok(Doomed::Object(ObjectRef::new(Kind::TargetGroupBinding, key))),
        "EndpointSlice" | "Pod" | "Secret" | "IngressClass" | "IngressClassParams" => {
            Ok(Doomed::Plain(kind.to_owned(), key))
        }
        other => Err(format!("{other} cannot be deleted here")),
    }
}
