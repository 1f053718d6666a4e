//! A provider of things with names, and plans of them at random: what the laws of plan, policy and report are tried on.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Serialize;

use crate::{
    evaluate::{Evaluation, Finalizers, Input, Provider, Step},
    plan::{Bindings, Effect, Operation, Plan, ResourceKey},
};

/// One change of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ToyOp {
    pub(crate) effect: Effect,
    pub(crate) name: &'static str,
    pub(crate) refers: Vec<&'static str>,
}

pub(crate) const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

pub(crate) fn key(name: &str) -> ResourceKey {
    ResourceKey::new("toy", name)
}

pub(crate) fn op(effect: Effect, name: &'static str, refers: &[&'static str]) -> ToyOp {
    ToyOp { effect, name, refers: refers.to_vec() }
}

impl Operation for ToyOp {
    fn effect(&self) -> Effect {
        self.effect
    }

    fn resource(&self) -> ResourceKey {
        key(self.name)
    }

    fn refers_to(&self) -> BTreeSet<ResourceKey> {
        self.refers.iter().map(|name| key(name)).collect()
    }

    fn describe(&self) -> String {
        format!("{:?} {}", self.effect, self.name)
    }
}

/// Plans of up to eight operations on five things, most of them senseless.
pub(crate) fn plans() -> impl Strategy<Value = Plan<ToyOp>> {
    let effect = prop_oneof![Just(Effect::Create), Just(Effect::Modify), Just(Effect::Delete)];
    let name = || prop::sample::select(NAMES.to_vec());
    let step = (effect, name(), prop::collection::vec(name(), 0..2), prop::collection::vec(any::<bool>(), 8));
    prop::collection::vec(step, 0..8).prop_map(|steps| {
        let (mut plan, mut ids) = (Plan::default(), Vec::new());
        for (effect, name, refers, after) in steps {
            let after: Vec<_> =
                ids.iter().copied().zip(after).filter(|(_, is)| *is).map(|(id, _)| id).collect();
            ids.push(plan.push(ToyOp { effect, name, refers }, after));
        }
        plan
    })
}

/// The provider of them. Nothing here asks it anything.
#[derive(Debug)]
pub(crate) struct Toy;

impl Provider for Toy {
    type Unit = String;
    type Config = ();
    type Query = String;
    type Answer = String;
    type Scope = String;
    type Observed = String;
    type Model = String;
    type Op = ToyOp;

    fn evaluate(_: &Input<'_, Self>) -> Step<Self> {
        Step::Done(Box::new(evaluation(Plan::default())))
    }
}

/// A unit with this plan and nothing else to say.
pub(crate) fn evaluation(plan: Plan<ToyOp>) -> Evaluation<Toy> {
    Evaluation {
        model: Some("model".to_owned()),
        plan,
        bindings: Bindings::new(),
        notes: Vec::new(),
        finalizers: Finalizers::default(),
        status: Vec::new(),
        good: std::collections::BTreeMap::new(),
        fingerprint: "f1".to_owned(),
        gone: false,
        again: None,
    }
}
