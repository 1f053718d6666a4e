//! What plans need to know of a change of membership.

use std::collections::BTreeSet;

use fairway_core::plan::{Effect, Operation, ResourceKey};

use super::{Target, TargetsOp};

impl Operation for TargetsOp {
    /// Membership follows the pods: taking a target out is no deletion in the sense of a policy against deletions.
    fn effect(&self) -> Effect {
        Effect::Modify
    }

    fn resource(&self) -> ResourceKey {
        match self {
            Self::Register { target_group, .. } | Self::Deregister { target_group, .. } => {
                ResourceKey::new("targets", target_group)
            }
            Self::Checkpoint { binding, .. } => ResourceKey::new("checkpoint", &binding.to_string()),
        }
    }

    fn refers_to(&self) -> BTreeSet<ResourceKey> {
        BTreeSet::new()
    }

    fn describe(&self) -> String {
        let count = |targets: &BTreeSet<Target>| {
            format!("{} target{}", targets.len(), if targets.len() == 1 { "" } else { "s" })
        };
        match self {
            Self::Register { targets, .. } => format!("register {}", count(targets)),
            Self::Deregister { targets, .. } => format!("deregister {}", count(targets)),
            Self::Checkpoint { binding, checkpoint: Some(_) } => format!("write checkpoint of {binding}"),
            Self::Checkpoint { binding, checkpoint: None } => format!("empty checkpoint of {binding}"),
        }
    }

    fn details(&self) -> Vec<String> {
        match self {
            Self::Register { targets, .. } | Self::Deregister { targets, .. } => {
                targets.iter().map(|target| format!("{}:{}", target.id, target.port)).collect()
            }
            Self::Checkpoint { .. } => Vec::new(),
        }
    }
}
