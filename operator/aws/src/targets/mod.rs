//! The Targets unit: the members of one target group, as its TargetGroupBinding asks.
//!
//! What was registered completely is remembered in the binding's checkpoint annotation, byte for byte as the peer
//! writes it: while it is right and no drift check is due ([`LastGood::fingerprint`] is then that checkpoint, see
//! [`checkpoint_of`]), nothing is asked of AWS.
//!
//! [`LastGood::fingerprint`]: fairway_core::evaluate::LastGood::fingerprint

mod bound;
mod change;
mod checkpoint;
mod evaluate;
mod gate;
mod op;
mod record;

use std::{collections::BTreeSet, fmt};

use fairway_core::{
    evaluate::{Input, Provider, Step},
    ids::Key,
};
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    facts::{Answer, Query, Role},
};

pub use bound::made_by_a_stack;
pub(crate) use bound::query;
pub(crate) use bound::{BoundError, filled, query as group_query};
pub use gate::{GATE, Health, HealthByTarget, PodHealth};
pub use record::{RECORD_KEY, read_record, record_of, spell_record};

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
    /// The role that calls about it are made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether other clusters register targets in it.
    #[serde(default)]
    pub shared: bool,
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

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, self.port)
    }
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
    /// AWS's word on each target, at most some seconds old; `None` when nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthByTarget>,
    /// Targets of a shared group that are ours, as `id:port`; `None` when nothing is recorded yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<BTreeSet<String>>,
}

/// What to observe: the group of one binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetsScope {
    /// ARN.
    pub target_group: String,
    /// The role that calls about it are made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether the health of targets is asked for.
    #[serde(default)]
    pub health: bool,
    /// Whether the record of what is ours is asked for.
    #[serde(default)]
    pub record: bool,
}

/// One change of membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetsOp {
    /// RegisterTargets, at most 200 a call.
    Register {
        /// ARN.
        target_group: String,
        /// The role that the call is made in.
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        /// Which.
        targets: BTreeSet<Target>,
    },
    /// DeregisterTargets, at most 200 a call.
    Deregister {
        /// ARN.
        target_group: String,
        /// The role that the call is made in.
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        /// Which.
        targets: BTreeSet<Target>,
    },
    /// Records which targets of a shared group are ours.
    Record {
        /// The binding.
        binding: Key,
        /// As `id:port`.
        targets: BTreeSet<String>,
    },
    /// Deletes that record.
    ForgetRecord {
        /// The binding.
        binding: Key,
    },
    /// Tells a pod that waits for it about its target.
    Tell(PodHealth),
    /// Writes the peer's checkpoint annotations on the TargetGroupBinding: `None` empties it before a change.
    Checkpoint {
        /// The binding.
        binding: Key,
        /// `b64url(sha256(endpoints))/b64url(sha256(spec))`.
        checkpoint: Option<String>,
    },
}
