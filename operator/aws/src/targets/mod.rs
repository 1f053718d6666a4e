//! The Targets unit: the members of one target group, as its TargetGroupBinding asks.
//!
//! What was registered completely is remembered in the binding's checkpoint annotation, byte for byte as the peer
//! writes it: while it is right and no drift check is due ([`LastGood::fingerprint`] is then that checkpoint, see
//! [`checkpoint_of`]), nothing is asked of AWS.
//!
//! [`LastGood::fingerprint`]: fairway_core::evaluate::LastGood::fingerprint

mod checkpoint;
mod evaluate;
mod op;

use std::collections::BTreeSet;

use fairway_core::{
    evaluate::{Input, Provider, Step},
    ids::Key,
};
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    facts::{Answer, Query},
};

pub use checkpoint::{CHECKPOINT, CHECKPOINT_TIMESTAMP, checkpoint_of};

/// Finalizer of every TargetGroupBinding that is looked after.
pub const FINALIZER: &str = "elbv2.k8s.aws/resources";

/// The Targets unit's compiler; a unit is a TargetGroupBinding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Targets;

impl Provider for Targets {
    type Unit = Key;
    type Config = Config;
    type Query = Query;
    type Answer = Answer;
    type Scope = TargetsScope;
    type Observed = TargetsObserved;
    type Model = TargetsModel;
    type Op = TargetsOp;

    fn evaluate(input: &Input<'_, Self>) -> Step<Self> {
        evaluate::evaluate(input)
    }
}

/// What has to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetsModel {
    /// ARN.
    pub target_group: String,
    /// Where traffic goes.
    pub targets: BTreeSet<Target>,
    /// The checkpoint that says that all of it is registered; `None` when the binding is being deleted.
    pub checkpoint: Option<String>,
}

/// One registered target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// Instance id or IP address.
    pub id: String,
    /// Port.
    pub port: u16,
    /// `all` when the address is outside the VPC's ranges.
    pub zone: Option<String>,
}

/// What is registered in one target group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetsObserved {
    /// Registered and not draining.
    pub registered: BTreeSet<Target>,
    /// Being drained: not counted as registered.
    pub draining: BTreeSet<Target>,
    /// Whether the group exists at all.
    pub found: bool,
}

/// What to observe: the group of one binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetsScope {
    /// ARN.
    pub target_group: String,
}

/// One change of membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetsOp {
    /// RegisterTargets, at most 200 a call.
    Register {
        /// ARN.
        target_group: String,
        /// Which.
        targets: BTreeSet<Target>,
    },
    /// DeregisterTargets, at most 200 a call.
    Deregister {
        /// ARN.
        target_group: String,
        /// Which.
        targets: BTreeSet<Target>,
    },
    /// Writes the peer's checkpoint annotations on the TargetGroupBinding: `None` empties it before a change.
    Checkpoint {
        /// The binding.
        binding: Key,
        /// `b64url(sha256(endpoints))/b64url(sha256(spec))`.
        checkpoint: Option<String>,
    },
}
