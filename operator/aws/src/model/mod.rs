//! What a stack is on AWS: plain values in AWS's own canonical form.
//!
//! A resource refers to another by a typed [`Ref`], never by an id: the plan can be read before anything exists,
//! and applying it only substitutes ids. `Option` and absent map keys mean unmanaged: what AWS has there stays.

mod addons;
mod binding;
mod certificate;
mod frontend;
mod guard;
mod listener;
mod load_balancer;
mod rule;
mod security_group;
mod target_group;

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use fairway_core::plan::ResourceKey;
use serde::{Deserialize, Serialize};

pub use addons::{Addon, Addons, PROTECTION_NAME};
pub use binding::{Binding, BindingIngress, BindingPeer, BindingPort};
pub use certificate::{Certificate, CertificateRequest, CertificateSource};
pub use frontend::{Frontend, Registration};
pub use guard::{Claim, Cognito, Jwt, Oidc, SecretRef, Session};
pub use listener::{ClientCertificates, Listener, ListenerProtocol};
pub use load_balancer::{IpAddressType, LoadBalancer, LoadBalancerKind, Scheme, SecurityGroupRef};
pub use rule::{
    Action, Condition, FixedResponse, Forward, QueryPair, Redirect, Rewrite, Rule, Transform, WeightedTarget,
};
pub use security_group::{Permission, SecurityGroup, Source};
pub use target_group::{HealthCheck, TargetGroup, TargetProtocol, TargetType};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;
/// Attributes by key, only those that someone asked for.
pub type Attributes = BTreeMap<String, String>;

/// A kind of resource that can be referred to.
pub trait ResourceKind {
    /// First part of its keys.
    const KIND: &'static str;

    /// The name in a key of this kind.
    #[must_use]
    fn name_in(key: &str) -> Option<&str> {
        key.strip_prefix(Self::KIND)?.strip_prefix('/')
    }
}

/// A reference to a resource that may not exist yet, by its name.
///
/// | kind             | name                                  |
/// |------------------|---------------------------------------|
/// | load balancer, target group, security group | its AWS name |
/// | listener         | `<load balancer name>:<port>`         |
/// | rule             | `<load balancer name>:<port>:<priority>` |
/// | binding          | `<namespace>/<name>`                  |
/// | certificate      | the name of one of the stack's, or an ARN |
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Ref<K> {
    name: String,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

impl<K> Ref<K> {
    /// A reference to the `K` called `name`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: PhantomData }
    }

    /// The name alone.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<K: ResourceKind> Ref<K> {
    /// The key under which plans know it.
    #[must_use]
    pub fn key(&self) -> ResourceKey {
        ResourceKey::new(K::KIND, &self.name)
    }
}

impl<K> Clone for Ref<K> {
    fn clone(&self) -> Self {
        Self::new(self.name.clone())
    }
}

impl<K> PartialEq for Ref<K> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<K> Eq for Ref<K> {}

impl<K> PartialOrd for Ref<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Ref<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(&other.name)
    }
}

impl<K> fmt::Debug for Ref<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ref({})", self.name)
    }
}

/// Everything one stack is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackModel {
    /// The managed security group, unless groups were given.
    pub security_group: Option<SecurityGroup>,
    /// Others beside it, where its permissions do not fit one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_security_groups: Vec<SecurityGroup>,
    /// By name.
    pub target_groups: BTreeMap<String, TargetGroup>,
    /// `None`: nothing is wanted any more.
    pub load_balancer: Option<LoadBalancer>,
    /// By port.
    pub listeners: BTreeMap<u16, Listener>,
    /// By port, in the order of their priorities 1..N.
    pub rules: BTreeMap<u16, Vec<Rule>>,
    /// By `namespace/name`.
    pub bindings: BTreeMap<String, Binding>,
    /// By name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub certificates: BTreeMap<String, Certificate>,
    /// What stands in front of the load balancer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontend: Option<Frontend>,
}

impl StackModel {
    /// The load balancer, and what stands in front of it.
    pub fn load_balancers(&self) -> impl Iterator<Item = &LoadBalancer> {
        self.load_balancer.iter().chain(self.frontend.iter().map(|front| &front.load_balancer))
    }

    /// All managed security groups.
    pub fn own_groups(&self) -> impl Iterator<Item = &SecurityGroup> {
        self.security_group.iter().chain(&self.further_security_groups)
    }
}
