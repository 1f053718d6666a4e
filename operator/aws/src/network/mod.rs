//! The Network unit: what the stacks of a cluster share, the backend security group and the rules on nodes and pods.
//!
//! The shared group is the source of every rule; it is made when the first stack needs it and deleted after the last.
//! Rules are told from others by their description, and only those are ever touched. Each (group, protocol, source
//! group) has one rule that spans all ports that are needed; where ports are not restricted, every port that is asked for
//! has its own, and Ingresses ask for all. So the peer has it.

mod evaluate;
mod op;
mod rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use fairway_core::evaluate::{Input, Provider, Step};
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    facts::{Answer, Query},
    model::{Permission, SecurityGroup},
    observed::SecurityGroupSeen,
    ownership::Owned,
};

/// Description of every rule that is ours.
pub const RULE_DESCRIPTION: &str = "elbv2.k8s.aws/targetGroupBinding=shared";

/// The Network unit's compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network;

/// The one unit of its kind: the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cluster;

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cluster network")
    }
}

impl Provider for Network {
    type Unit = Cluster;
    type Config = Config;
    type Query = Query;
    type Answer = Answer;
    type Scope = NetworkScope;
    type Observed = NetworkObserved;
    type Model = NetworkModel;
    type Op = NetworkOp;

    fn evaluate(input: &Input<'_, Self>) -> Step<Self> {
        evaluate::evaluate(input)
    }
}

/// What stacks share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkModel {
    /// The shared backend group; `None` when nothing needs it.
    pub backend: Option<SecurityGroup>,
    /// Rules of ours, by the id of the group that nodes or pods carry.
    pub rules: BTreeMap<String, BTreeSet<Permission>>,
}

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
