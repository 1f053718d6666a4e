//! The Network unit: what the stacks of a cluster share, the backend security group and the rules on nodes and pods.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    model::{Permission, SecurityGroup},
    observed::SecurityGroupSeen,
    ownership::Owned,
};

/// What to observe: the backend group by its tags, and the groups that carry or may carry our rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkScope {
    /// Tags of the shared backend group.
    pub backend_marks: BTreeMap<String, String>,
    /// Name of the shared backend group.
    pub backend_name: String,
    /// Groups that need rules now, by id.
    pub groups: BTreeSet<String>,
    /// Tag key whose groups are searched for rules of ours that nothing needs any more.
    pub cluster_tag: String,
}

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkObserved {
    /// The shared backend group.
    pub backend: Option<SecurityGroupSeen>,
    /// Groups of the scope, by id.
    pub groups: BTreeMap<String, SecurityGroupSeen>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkOp {
    /// CreateSecurityGroup, with tags.
    CreateBackend(SecurityGroup),
    /// DeleteSecurityGroup.
    DeleteBackend(Owned<SecurityGroupSeen>),
    /// AuthorizeSecurityGroupIngress on a group that nodes or pods carry.
    Authorize {
        /// `sg-…`.
        group: String,
        /// Rules with our description.
        permissions: BTreeSet<Permission>,
    },
    /// RevokeSecurityGroupIngress of rules with our description.
    Revoke {
        /// `sg-…`.
        group: String,
        /// Rules with our description.
        permissions: BTreeSet<Permission>,
    },
}
