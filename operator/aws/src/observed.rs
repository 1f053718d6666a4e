//! What is there, as AWS reports it, in the model's own form where it has one.
//!
//! An observation is complete within its scope, or there is none: "not seen" must mean "not there".

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{plan::Handle, settings::front::Attachment};
use serde::{Deserialize, Serialize};

use crate::{
    model::{
        Action, Addon, Attributes, ClientCertificates, Condition, HealthCheck, IpAddressType,
        ListenerProtocol, LoadBalancerKind, Permission, Scheme, Tags, TargetProtocol, TargetType, Transform,
    },
    ownership::Tagged,
};

/// What to observe for one stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackScope {
    /// Tags that everything of the stack carries.
    pub marks: Tags,
    /// Names that will be made: whoever holds one without our tags is foreign.
    pub names: Names,
    /// Kinds of load balancers that are wanted: one of another kind may be protected by now, or not any more.
    pub kinds: BTreeSet<LoadBalancerKind>,
    /// What is looked at besides, of the stack's load balancers.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addons: BTreeSet<Addon>,
    /// ARNs of certificates that were made for the stack, which are looked at whatever lists say; `None`: there are none,
    /// and none is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<BTreeSet<String>>,
}

/// Names by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Load balancers.
    pub load_balancers: BTreeSet<String>,
    /// Target groups.
    pub target_groups: BTreeSet<String>,
    /// Security groups of the VPC.
    pub security_groups: BTreeSet<String>,
}

/// Everything that carries a stack's marks or one of its names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackObserved {
    /// By name.
    pub security_groups: BTreeMap<String, SecurityGroupSeen>,
    /// By name.
    pub target_groups: BTreeMap<String, TargetGroupSeen>,
    /// By name.
    pub load_balancers: BTreeMap<String, LoadBalancerSeen>,
    /// The shared backend security group, if the Network unit made it.
    pub backend_security_group: Option<String>,
    /// By ARN; none when they were not asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub certificates: BTreeMap<String, CertificateSeen>,
}

/// A certificate of ACM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateSeen {
    /// ARN.
    pub arn: String,
    /// Where it comes from.
    pub kind: CertificateKind,
    /// As AWS has them.
    pub tags: Tags,
}

/// Where a certificate of ACM comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateKind {
    /// It was imported.
    Imported,
    /// ACM was asked for it.
    Requested(RequestSeen),
}

/// What ACM was asked for, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSeen {
    /// The domain name and the others, lower-case.
    pub names: BTreeSet<String>,
    /// ARN of the private authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// What came of it.
    pub issuance: Issuance,
    /// Seconds since it was asked for.
    pub age: u64,
    /// CNAMEs that show that the domains are ours, name to value, without final dots. ACM tells them a moment after it was
    /// asked, and looks for them as long as the certificate lives.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub records: BTreeMap<String, String>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Issuance {
    /// Nothing yet.
    Pending,
    /// It can be used.
    Issued,
    /// It never will be, or not any more: why, in ACM's word.
    Failed(String),
}

impl CertificateSeen {
    /// What ACM was asked for, unless it was imported.
    #[must_use]
    pub const fn request(&self) -> Option<&RequestSeen> {
        match &self.kind {
            CertificateKind::Requested(request) => Some(request),
            CertificateKind::Imported => None,
        }
    }

    /// Whether a listener can have it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.request().is_none_or(|request| request.issuance == Issuance::Issued)
    }
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroupSeen {
    /// `sg-…`.
    pub id: String,
    /// `GroupName`.
    pub name: String,
    /// As AWS has it.
    pub description: String,
    /// One source each.
    pub permissions: BTreeSet<Permission>,
    /// As AWS has them.
    pub tags: Tags,
}

/// A target group. Instances and addresses are not part of it: see the Targets unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroupSeen {
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// Default port.
    pub port: i32,
    /// Protocol.
    pub protocol: TargetProtocol,
    /// `None` for layer 4.
    pub protocol_version: Option<String>,
    /// What is registered.
    pub target_type: TargetType,
    /// `ipv4` or `ipv6`.
    pub ip_address_type: String,
    /// Where the target optimizer's agent is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_port: Option<i32>,
    /// How targets are judged.
    pub health_check: HealthCheck,
    /// All attributes.
    pub attributes: Attributes,
    /// Load balancers that are registered; of type `alb` only.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub load_balancers: BTreeSet<BalancerTarget>,
    /// As AWS has them.
    pub tags: Tags,
}

/// A load balancer that is a target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BalancerTarget {
    /// ARN.
    pub id: String,
    /// Port of its listener.
    pub port: u16,
}

/// A load balancer and what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancerSeen {
    /// ARN, DNS name, hosted zone, and whether its state is `active`.
    pub handle: Handle,
    /// Name.
    pub name: String,
    /// Application or network.
    pub kind: LoadBalancerKind,
    /// Who can reach it.
    pub scheme: Scheme,
    /// Address families.
    pub ip_address_type: IpAddressType,
    /// Subnet ids, sorted.
    pub subnets: Vec<String>,
    /// Ids, in AWS's order.
    pub security_groups: Vec<String>,
    /// All attributes.
    pub attributes: Attributes,
    /// Pool of customer-owned addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_owned_pool: Option<String>,
    /// Elastic addresses by allocation id, in the order of the subnets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<String>,
    /// IPAM pool of public addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4_pool: Option<String>,
    /// Those that were looked at.
    #[serde(default, skip_serializing_if = "AddonsSeen::is_empty")]
    pub addons: AddonsSeen,
    /// As AWS has them.
    pub tags: Tags,
    /// By port.
    pub listeners: BTreeMap<u16, ListenerSeen>,
}

/// What is put on a load balancer from outside. `None`: not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddonsSeen {
    /// Reserved capacity units; 0 without a reservation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<i32>,
    /// Web ACL of WAFv2, by ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_acl: Option<Attachment>,
    /// Web ACL of WAF Classic, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classic_acl: Option<Attachment>,
    /// Whose Shield Advanced protection there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shield: Option<Shielding>,
}

impl AddonsSeen {
    /// Whether nothing was looked at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whose Shield Advanced protection a load balancer has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shielding {
    /// There is none.
    Nobody,
    /// One of our name, by id.
    Ours(String),
    /// One of another name.
    Theirs,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerSeen {
    /// ARN.
    pub arn: String,
    /// Port.
    pub port: u16,
    /// Protocol.
    pub protocol: ListenerProtocol,
    /// In order; target groups by name (see [`StackObserved`]), or by ARN when they are not of this stack.
    pub default_actions: Vec<Action>,
    /// HTTPS and TLS only.
    pub ssl_policy: Option<String>,
    /// The default certificate first, then the others sorted.
    pub certificates: Vec<String>,
    /// TLS only.
    pub alpn_policy: Option<String>,
    /// HTTPS only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificates: Option<ClientCertificates>,
    /// All attributes; empty when they were not asked for.
    pub attributes: Attributes,
    /// As AWS has them.
    pub tags: Tags,
    /// Without the default rule, by priority.
    pub rules: Vec<RuleSeen>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSeen {
    /// ARN.
    pub arn: String,
    /// Priority.
    pub priority: i32,
    /// In AWS's order.
    pub conditions: Vec<Condition>,
    /// In AWS's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<Transform>,
    /// In order.
    pub actions: Vec<Action>,
    /// What the rule has that this model has no word for: such a rule never equals a wanted one.
    pub unknown: Vec<String>,
    /// As AWS has them.
    pub tags: Tags,
}

macro_rules! tagged {
    ($($seen:ty),*) => {$(
        impl Tagged for $seen {
            fn tags(&self) -> &Tags {
                &self.tags
            }
        }
    )*};
}

tagged!(CertificateSeen, SecurityGroupSeen, TargetGroupSeen, LoadBalancerSeen, ListenerSeen, RuleSeen);
