//! What plans need to know of a change of membership.

use std::collections::BTreeSet;

use fairway_core::plan::{Effect, Operation, ResourceKey};

use super::{PodHealth, Target, TargetsOp};

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
            Self::Record { binding, .. } | Self::ForgetRecord { binding } => {
                ResourceKey::new("record", &binding.to_string())
            }
            Self::Tell(told) => ResourceKey::new("readiness", &format!("{}/{}", told.pod, told.gate)),
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
            Self::Record { binding, targets } => {
                let s = if targets.len() == 1 { "" } else { "s" };
                format!("record {} target{s} of {binding} as ours", targets.len())
            }
            Self::ForgetRecord { binding } => format!("forget which targets of {binding} are ours"),
            Self::Tell(PodHealth { pod, status, reason, .. }) if reason.is_empty() => {
                format!("tell pod {pod} that its target is healthy: {status}")
            }
            Self::Tell(PodHealth { pod, status, reason, .. }) => {
                format!("tell pod {pod} that its target is healthy: {status}, {reason}")
            }
            Self::Checkpoint { binding, checkpoint: Some(_) } => format!("write checkpoint of {binding}"),
            Self::Checkpoint { binding, checkpoint: None } => format!("empty checkpoint of {binding}"),
        }
    }

    fn details(&self) -> Vec<String> {
        match self {
            Self::Register { targets, .. } | Self::Deregister { targets, .. } => {
                targets.iter().map(ToString::to_string).collect()
            }
            Self::Record { targets, .. } => targets.iter().cloned().collect(),
            Self::ForgetRecord { .. } | Self::Tell(_) | Self::Checkpoint { .. } => Vec::new(),
        }
    }
}
