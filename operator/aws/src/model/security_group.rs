//! A managed security group and its ingress permissions.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{ResourceKind, Tags};

/// A security group that is ours whole: permissions that are not wanted are revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// `GroupName`.
    pub name: String,
    /// Fixed at creation.
    pub description: String,
    /// One source each.
    pub permissions: BTreeSet<Permission>,
    /// All tags, ownership included.
    pub tags: Tags,
}

impl ResourceKind for SecurityGroup {
    const KIND: &'static str = "security-group";
}

/// One ingress permission with exactly one source. The description is not part of its identity on AWS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Permission {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `-1`.
    pub protocol: String,
    /// First port; `None` for protocol `-1`.
    pub from: Option<i32>,
    /// Last port.
    pub to: Option<i32>,
    /// Who may connect.
    pub source: Source,
    /// Empty when there is none.
    pub description: String,
}

/// Who may connect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// IPv4 range.
    Cidr(String),
    /// IPv6 range.
    Cidr6(String),
    /// Members of a security group, by id.
    Group(String),
    /// Managed prefix list.
    PrefixList(String),
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from == to => write!(f, "{} {from}", self.protocol)?,
            (Some(from), Some(to)) => write!(f, "{} {from}-{to}", self.protocol)?,
            _ => write!(f, "{} all ports", self.protocol)?,
        }
        match &self.source {
            Source::Cidr(text) | Source::Cidr6(text) | Source::Group(text) | Source::PrefixList(text) => {
                write!(f, " from {text}")
            }
        }
    }
}
