//! The Targets unit: the members of one target group, as its TargetGroupBinding asks.

use std::collections::BTreeSet;

use fairway_core::ids::Key;
use serde::{Deserialize, Serialize};

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
