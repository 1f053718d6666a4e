//! An application or network load balancer.

use serde::{Deserialize, Serialize};

use super::{Addons, Attributes, Ref, ResourceKind, SecurityGroup, Tags};

/// A load balancer. Name, kind and scheme are fixed at creation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancer {
    /// At most 32 characters.
    pub name: String,
    /// Application or network.
    pub kind: LoadBalancerKind,
    /// Who can reach it.
    pub scheme: Scheme,
    /// Address families.
    pub ip_address_type: IpAddressType,
    /// Subnet ids, sorted.
    pub subnets: Vec<String>,
    /// In order; empty for a network load balancer without groups.
    pub security_groups: Vec<SecurityGroupRef>,
    /// Only those that someone asked for.
    pub attributes: Attributes,
    /// Pool of customer-owned addresses, fixed at creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_owned_pool: Option<String>,
    /// Elastic addresses by allocation id, one a subnet in their order; fixed at creation. Empty: AWS's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<String>,
    /// IPAM pool of public addresses; `None` is AWS's own addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4_pool: Option<String>,
    /// What else is put on it.
    #[serde(default, skip_serializing_if = "Addons::is_empty")]
    pub addons: Addons,
    /// All tags, ownership included.
    pub tags: Tags,
}

impl ResourceKind for LoadBalancer {
    const KIND: &'static str = "load-balancer";
}

/// Layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoadBalancerKind {
    /// ALB.
    Application,
    /// NLB.
    Network,
}

/// Who can reach a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Clients within the network only.
    Internal,
    /// Everybody.
    InternetFacing,
}

impl Scheme {
    /// AWS's spelling, which is part of names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::InternetFacing => "internet-facing",
        }
    }
}

/// Address families of a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IpAddressType {
    /// IPv4 only.
    Ipv4,
    /// Both.
    Dualstack,
    /// Both, IPv4 without public addresses.
    DualstackWithoutPublicIpv4,
}

/// A security group of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecurityGroupRef {
    /// The stack's own.
    Managed(Ref<SecurityGroup>),
    /// The cluster's shared backend group, made by the Network unit. Its key is [`SecurityGroupRef::BACKEND_KEY`].
    Backend,
    /// Given by the user, by id.
    Given(String),
}

impl SecurityGroupRef {
    /// Key under which bindings hold the shared backend group.
    pub const BACKEND_KEY: &'static str = "security-group/backend";
}
