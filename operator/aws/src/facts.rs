//! Questions about an account, and about Secrets, that lowering may ask, and their answers.
//!
//! Answers are cached by whoever gives them and may be dropped at any time; a captured set makes `fairway plan`
//! work without an account.

use std::collections::BTreeMap;

use fairway_core::ids::Key;
use serde::{Deserialize, Serialize};

use crate::secret::{ClientSeen, tls::TlsSeen};

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Query {
    /// Address ranges of the configured VPC.
    Vpc,
    /// All subnets of the configured VPC.
    Subnets,
    /// Security groups of the VPC, by `sg-…` id or by `Name` tag, as written.
    SecurityGroup(String),
    /// How many entries a managed prefix list may have, by id.
    PrefixList(String),
    /// Every issued certificate of the account in the region.
    Certificates,
    /// One certificate, by ARN.
    Certificate(String),
    /// The client that a Secret holds.
    Client(Key),
    /// The certificate that a Secret holds.
    TlsSecret(Key),
    /// A target group that somebody else made, by name.
    TargetGroup(String),
    /// A trust store, by ARN or by name, as written.
    TrustStore(String),
    /// A regional web ACL of WAFv2, by name.
    WebAcl(String),
    /// Whether the account has Shield Advanced.
    ShieldAdvanced,
    /// The cluster's shared backend security group, once the Network unit made it.
    BackendSecurityGroup,
    /// Network interfaces that carry these addresses or belong to these instances.
    Interfaces {
        /// Private IP addresses, sorted.
        addresses: Vec<String>,
        /// Instance ids, sorted.
        instances: Vec<String>,
    },
    /// Whether AWS finds a target of a target group healthy, by ARN.
    Healthy(String),
    /// Address ranges of another VPC than the configured one, by id.
    VpcOf(String),
    /// The target group that a TargetGroupBinding names.
    BoundGroup {
        /// ARN or name.
        named: String,
        /// Who asks; `None`: the operator itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
    },
}

/// A role that calls about one target group are made in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Role {
    /// ARN.
    pub arn: String,
    /// Given when the role is assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// The answer to the [`Query`] of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// CIDRs, IPv4 and IPv6.
    Vpc {
        /// IPv4 ranges.
        ipv4: Vec<String>,
        /// IPv6 ranges.
        ipv6: Vec<String>,
    },
    /// In the order of their ids.
    Subnets(Vec<Subnet>),
    /// Ids of the groups that match; none is an error of whoever wrote the name.
    SecurityGroup(Vec<String>),
    /// `None`: the list is not known, or may not be looked at.
    PrefixList(Option<usize>),
    /// In the order of their ARNs.
    Certificates(Vec<Certificate>),
    /// `None`: there is no such certificate.
    Certificate(Option<Certificate>),
    /// What may be known of it.
    Client(ClientSeen),
    /// What may be known of it.
    TlsSecret(TlsSeen),
    /// Its ARN; `None`: there is no such group.
    TargetGroup(Option<String>),
    /// Its ARN; `None`: there is no such trust store.
    TrustStore(Option<String>),
    /// Its ARN; `None`: there is no such web ACL.
    WebAcl(Option<String>),
    /// Whether its subscription is active.
    ShieldAdvanced(bool),
    /// Its id; `None` while there is none.
    BackendSecurityGroup(Option<String>),
    /// In the order of their ids.
    Interfaces(Vec<Interface>),
    /// Not when there is no such group.
    Healthy(bool),
    /// IPv4 and IPv6 ranges; `None`: no such VPC is known to the account.
    VpcOf(Option<Vec<String>>),
    /// `None`: there is no such group.
    BoundGroup(Option<BoundGroup>),
}

/// What cannot be changed of a target group that somebody else made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundGroup {
    /// ARN.
    pub arn: String,
    /// `instance` or `ip`; others take no binding.
    pub target_type: String,
    /// Such as `HTTP`.
    pub protocol: String,
    /// `ipv4` or `ipv6`.
    pub ip_address_type: String,
    /// `vpc-…`.
    pub vpc: String,
}

/// One subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// `subnet-…`.
    pub id: String,
    /// Such as `us-east-1a`.
    pub zone: String,
    /// Such as `use1-az1`.
    pub zone_id: String,
    /// `availability-zone`, `local-zone`, `wavelength-zone`, or `outpost` when the subnet is on one.
    pub zone_type: String,
    /// IPv4 range.
    pub cidr: String,
    /// IPv6 ranges that are associated.
    pub ipv6_cidrs: Vec<String>,
    /// Free IPv4 addresses.
    pub free_addresses: u32,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One certificate of ACM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// ARN.
    pub arn: String,
    /// Domain name and alternative names, lower-case.
    pub names: Vec<String>,
    /// Whether its status is ISSUED.
    pub issued: bool,
}

/// One network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// `eni-…`.
    pub id: String,
    /// Instance it is attached to.
    pub instance: Option<String>,
    /// All private IPv4 and IPv6 addresses.
    pub addresses: Vec<String>,
    /// Its security groups.
    pub groups: Vec<InterfaceGroup>,
}

/// A security group as an interface carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceGroup {
    /// `sg-…`.
    pub id: String,
    /// Tags of the group.
    pub tags: BTreeMap<String, String>,
}
