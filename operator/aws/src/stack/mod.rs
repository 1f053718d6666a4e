//! The Stack unit: one load balancer and all it owns.

mod adopt;
mod awaited;
mod describe;
mod draft;
mod ease;
mod evaluate;
mod further;
mod handles;
mod lost;
mod op;
mod plan;
pub(crate) mod protected;
mod remembered;
pub mod secrets;
mod spread;
mod status;

use fairway_core::{
    evaluate::{Input, Provider, Step},
    ids::StackId,
};

use crate::{
    config::Config,
    facts::{Answer, Query},
    model::StackModel,
    observed::{StackObserved, StackScope},
};

pub use op::{Move, Retag, StackOp, Subnets};

/// The Stack unit's compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stacks;

impl Provider for Stacks {
    type Unit = StackId;
    type Config = Config;
    type Query = Query;
    type Answer = Answer;
    type Scope = StackScope;
    type Observed = StackObserved;
    type Model = StackModel;
    type Op = StackOp;

    fn evaluate(input: &Input<'_, Self>) -> Step<Self> {
        evaluate::evaluate(input)
    }
}
