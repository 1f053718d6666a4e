//! What plans need to know of a change of the shared network.

use std::collections::BTreeSet;

use fairway_core::plan::{Effect, Operation, ResourceKey};

use super::NetworkOp;
use crate::model::SecurityGroupRef;

impl Operation for NetworkOp {
    fn effect(&self) -> Effect {
        match self {
            Self::CreateBackend(_) => Effect::Create,
            Self::DeleteBackend(_) => Effect::Delete,
            Self::Authorize { .. } | Self::Revoke { .. } => Effect::Modify,
        }
    }

    fn resource(&self) -> ResourceKey {
        match self {
            Self::CreateBackend(_) | Self::DeleteBackend(_) => {
                ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned())
            }
            Self::Authorize { group, .. } | Self::Revoke { group, .. } => {
                ResourceKey::new("node-rules", group)
            }
        }
    }

    fn refers_to(&self) -> BTreeSet<ResourceKey> {
        BTreeSet::new()
    }

    fn describe(&self) -> String {
        match self {
            Self::CreateBackend(spec) => format!("create shared backend security group {}", spec.name),
            Self::DeleteBackend(group) => {
                format!("delete shared backend security group {}", group.get().name)
            }
            Self::Authorize { group, permissions } => {
                format!("allow {} of load balancers on {group}", count(permissions.len()))
            }
            Self::Revoke { group, permissions } => {
                format!("revoke {} of load balancers on {group}", count(permissions.len()))
            }
        }
    }

    fn details(&self) -> Vec<String> {
        match self {
            Self::Authorize { permissions, .. } | Self::Revoke { permissions, .. } => {
                permissions.iter().map(ToString::to_string).collect()
            }
            Self::CreateBackend(_) | Self::DeleteBackend(_) => Vec::new(),
        }
    }
}

fn count(rules: usize) -> String {
    format!("{rules} rule{}", if rules == 1 { "" } else { "s" })
}
