//! The shape of the one pure entry: asked again with more until it needs nothing.
//!
//! A provider is a compiler: it reads a snapshot into an intent, lowers that to its own model, and compares the
//! model with what was observed. Where it needs a fact (subnets, certificates, zones) it does not fetch it: it says
//! which, and is called again. The caller answers, at most [`MAX_ROUNDS`] times.

use std::{collections::BTreeMap, fmt, time::Duration};

use fairway_crds::LoadBalancerStateStatus;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{Key, ObjectRef},
    intent::Member,
    note::Note,
    plan::{Bindings, Operation, Plan},
    snapshot::Snapshot,
};

/// How often `evaluate` may ask before the unit is reported as a bug.
pub const MAX_ROUNDS: usize = 6;

/// A compiler from snapshot to plan, for one kind of unit.
pub trait Provider: Sized + fmt::Debug {
    /// What is reconciled as one: a stack, a target group's members, a hosted zone.
    type Unit: Clone + Ord + fmt::Display + fmt::Debug + Send + Sync;
    /// Configuration that does not change while the process runs.
    type Config: Send + Sync;
    /// A question about the world outside the cluster.
    type Query: Clone + Ord + fmt::Debug + Serialize + for<'de> Deserialize<'de> + Send + Sync;
    /// Its answer.
    type Answer: Clone + fmt::Debug + PartialEq + Serialize + for<'de> Deserialize<'de> + Send + Sync;
    /// What has to be observed to compare.
    type Scope: Clone + fmt::Debug + PartialEq + Serialize + Send + Sync;
    /// What is there, complete within its scope.
    type Observed: Clone + fmt::Debug + Serialize + for<'de> Deserialize<'de> + Send + Sync;
    /// What is wanted, in the provider's own words.
    type Model: Clone + fmt::Debug + PartialEq + Serialize + Send + Sync;
    /// One change.
    type Op: Operation + Send + Sync;

    /// The one pure entry.
    fn evaluate(input: &Input<'_, Self>) -> Step<Self>;
}

/// All that a decision depends on.
#[derive(Debug)]
pub struct Input<'a, P: Provider> {
    /// Which unit.
    pub unit: &'a P::Unit,
    /// Names, defaults, identity.
    pub config: &'a P::Config,
    /// The cluster.
    pub snapshot: &'a Snapshot,
    /// Answers so far.
    pub facts: &'a Facts<P>,
    /// What is there, once it was asked for.
    pub observed: Option<&'a P::Observed>,
    /// What was applied last, and what each member last asked for that could be read.
    pub last_good: &'a LastGood,
}

/// Answers by question.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Facts<P: Provider> {
    #[serde(with = "pairs")]
    answers: BTreeMap<P::Query, P::Answer>,
}

impl<P: Provider> Default for Facts<P> {
    fn default() -> Self {
        Self { answers: BTreeMap::new() }
    }
}

impl<P: Provider> Facts<P> {
    /// The answer to a question, if it was asked.
    #[must_use]
    pub fn get(&self, query: &P::Query) -> Option<&P::Answer> {
        self.answers.get(query)
    }

    /// Whether nothing was asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// Adds an answer; the newest wins.
    pub fn insert(&mut self, query: P::Query, answer: P::Answer) {
        self.answers.insert(query, answer);
    }

    /// Adds all answers of another set.
    pub fn extend(&mut self, other: Self) {
        self.answers.extend(other.answers);
    }
}

/// What `evaluate` says.
#[must_use]
#[derive(Debug)]
pub enum Step<P: Provider> {
    /// Answer these and call again.
    NeedFacts(Vec<P::Query>),
    /// Observe this and call again.
    NeedObserved(P::Scope),
    /// Nothing more is needed.
    Done(Box<Evaluation<P>>),
}

/// What is wanted, what has to be done for it, and what there is to say.
#[must_use]
#[derive(Debug, Clone)]
pub struct Evaluation<P: Provider> {
    /// `None` when the unit is held whole (its class cannot be read, say): nothing is changed.
    pub model: Option<P::Model>,
    /// What has to be done. Empty when all is as wanted.
    pub plan: Plan<P::Op>,
    /// Handles of what is there already.
    pub bindings: Bindings,
    /// About the objects that the unit came from.
    pub notes: Vec<Note>,
    /// Finalizers to add before the first operation, and to remove once nothing of the unit is left.
    pub finalizers: Finalizers,
    /// What every member's status should show once the plan is applied.
    pub status: Vec<StatusWish>,
    /// Readings that are good now, to be kept by member.
    pub good: BTreeMap<String, Member>,
    /// Fingerprint of the model: equal fingerprints need no observation. Empty when the unit is held whole.
    pub fingerprint: String,
    /// Whether nothing of the unit is wanted any more and nothing of it is left: its state can go.
    pub gone: bool,
    /// When to look again although nothing is wrong: what is waited for does not tell the cluster when it comes.
    pub again: Option<Duration>,
}

/// Finalizers of the objects of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Finalizers {
    /// Before the first operation.
    pub add: Vec<(ObjectRef, String)>,
    /// When the plan that makes nothing of them has been applied without rest.
    pub remove: Vec<(ObjectRef, String)>,
}

/// What an object's `status.loadBalancer.ingress` should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusWish {
    /// The member.
    pub object: ObjectRef,
    /// In order. Empty clears the status.
    pub addresses: Vec<AddressWish>,
}

/// One entry of a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressWish {
    /// What it shows.
    pub address: Address,
    /// Ports with their protocol (`""` for Ingresses, as the peer leaves it).
    pub ports: Vec<(u16, String)>,
}

/// An address that is known now, or will be once an operation made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Address {
    /// An IP address.
    Ip(String),
    /// A host name, lower-case.
    Hostname(String),
    /// The DNS name of the load balancer of this key, once it exists.
    Of(crate::plan::ResourceKey),
}

/// What is remembered of a unit between two looks: never a source of truth, always a reason to do less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastGood {
    /// Last reading of each member that could be read, by `Kind ns/name`.
    pub members: BTreeMap<String, Member>,
    /// Fingerprint of the model that was last applied without rest; `None` when it must not be relied on (a drift
    /// check is due, or the last pass failed).
    pub fingerprint: Option<String>,
    /// Counts replacements that had to reuse a name.
    pub generation: u32,
    /// DNS name of the load balancer, as last seen.
    pub hostname: Option<String>,
    /// Hosted zone of each host name that was published.
    pub addresses: BTreeMap<String, String>,
    /// The provider's identifiers by resource key, as last recorded.
    #[serde(default)]
    pub resources: BTreeMap<String, String>,
}

impl LastGood {
    /// What a stack's state remembers of it. A member that cannot be read back is forgotten: it is only ever a reason to
    /// hold.
    #[must_use]
    pub fn of(status: Option<&LoadBalancerStateStatus>) -> Self {
        let Some(status) = status else { return Self::default() };
        let member =
            |(name, text): (&String, &String)| Some((name.clone(), serde_json::from_str(text).ok()?));
        let zones = status
            .addresses
            .iter()
            .filter_map(|address| Some((address.hostname.clone()?, address.hosted_zone_id.clone()?)));
        Self {
            members: status.last_good.iter().filter_map(member).collect(),
            fingerprint: status.fingerprint.clone(),
            generation: status
                .generation
                .and_then(|generation| u32::try_from(generation).ok())
                .unwrap_or_default(),
            hostname: status.addresses.iter().find_map(|address| address.hostname.clone()),
            addresses: zones.collect(),
            resources: status.arns.clone(),
        }
    }
}

/// The key under which a unit's objects are found by name.
#[must_use]
pub fn named<'a, T>(objects: &'a crate::snapshot::Objects<T>, namespace: &str, name: &str) -> Option<&'a T> {
    objects.get(&Key::new(namespace, name)).map(AsRef::as_ref)
}

/// Facts are written as a list of pairs: a question is not a string.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_read_back_is_forgotten_and_the_rest_is_not() {
        let status = json!({
            "lastGood": {"Ingress default/shop": "{\"from\": \"another version\"}"},
            "addresses": [{"ip": "192.0.2.1"}, {"hostname": "lb.example", "hostedZoneId": "Z1"}],
            "arns": {"load-balancer/shop": "arn:x"},
            "fingerprint": "ab",
            "generation": 2,
        });
        let status: LoadBalancerStateStatus = serde_json::from_value(status).unwrap();
        let want = LastGood {
            members: BTreeMap::new(),
            fingerprint: Some("ab".to_owned()),
            generation: 2,
            hostname: Some("lb.example".to_owned()),
            addresses: [("lb.example".to_owned(), "Z1".to_owned())].into(),
            resources: [("load-balancer/shop".to_owned(), "arn:x".to_owned())].into(),
        };
        assert_eq!(LastGood::of(Some(&status)), want);
        assert_eq!(LastGood::of(None), LastGood::default());
    }
}
