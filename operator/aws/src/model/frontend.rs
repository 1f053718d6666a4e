//! A network load balancer in front of an application load balancer.
//!
//! Its target groups, which are among those of the stack, are of type `alb`: each has one target, which is the
//! application load balancer at the port of one of its listeners.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Listener, LoadBalancer, Ref, TargetGroup};

/// A network load balancer that passes connections on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frontend {
    /// The load balancer that clients reach.
    pub load_balancer: LoadBalancer,
    /// By port.
    pub listeners: BTreeMap<u16, Listener>,
    /// Where each port leads, by port.
    pub targets: BTreeMap<u16, Registration>,
}

/// An application load balancer as the one target of a target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The group, of type `alb`.
    pub target_group: Ref<TargetGroup>,
    /// What is registered.
    pub load_balancer: Ref<LoadBalancer>,
    /// Port of its listener, and of the group.
    pub port: u16,
}

impl Registration {
    /// The listener that connections arrive at.
    #[must_use]
    pub fn listener(&self) -> Ref<Listener> {
        Ref::new(format!("{}:{}", self.load_balancer.name(), self.port))
    }
}
