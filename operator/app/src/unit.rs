//! Every kind of unit in one queue.

use std::fmt;

use fairway_core::ids::{Key, ProviderKind, StackId};
use fairway_dns::provider::ZoneUnit;
use fairway_engine::queue::Rank;

/// What is looked at as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    /// A load balancer on AWS.
    Stack(StackId),
    /// A load balancer in the cluster.
    InCluster(StackId),
    /// The members of one target group, by its TargetGroupBinding.
    Targets(Key),
    /// What the AWS stacks of the cluster share.
    Network,
    /// A hosted zone, or the names that no zone takes.
    Zone(ZoneUnit),
}

impl Unit {
    /// The unit of a stack.
    pub(crate) fn of(stack: StackId) -> Self {
        match stack.provider {
            ProviderKind::Aws => Self::Stack(stack),
            ProviderKind::InCluster => Self::InCluster(stack),
        }
    }

    /// What a change of it ranks as: membership carries traffic and goes first.
    pub(crate) const fn rank(&self) -> Rank {
        match self {
            Self::Targets(_) => Rank::Membership,
            Self::Stack(_) | Self::InCluster(_) | Self::Network | Self::Zone(_) => Rank::Change,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stack(stack) | Self::InCluster(stack) => write!(f, "{stack}"),
            Self::Targets(key) => write!(f, "targets:{key}"),
            Self::Network => f.write_str("network"),
            Self::Zone(zone) => write!(f, "{zone}"),
        }
    }
}
