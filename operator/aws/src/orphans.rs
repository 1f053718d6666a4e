//! What carries the cluster's tags and belongs to nothing in the cluster.
//!
//! | it belongs to something                  | when                                                              |
//! |------------------------------------------|-------------------------------------------------------------------|
//! | a load balancer, target group, managed security group or certificate | its stack has members, is being left, or has a state |
//! | a target group                           | or a TargetGroupBinding names it                                  |
//! | the shared backend security group        | there is any stack                                                |
//!
//! Only what names both our cluster and a stack of Ingresses or Services is judged: what else carries the cluster's
//! tag is somebody else's business. Listeners and rules go with their load balancer.
//!
//! Order: as AWS permits it, network load balancers and what leads from them to others, then the other load balancers,
//! then target groups, then security groups, then certificates.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::ids::{Key, ProviderKind, StackId, StackKey};
use serde::Serialize;

use crate::{
    config::Config,
    model::{Action, LoadBalancerKind, Permission, Source, Tags, TargetType},
    network::{NetworkOp, RULE_DESCRIPTION},
    observed::{CertificateSeen, LoadBalancerSeen, SecurityGroupSeen, TargetGroupSeen},
    ownership::{Owned, Tagged},
    stack::{StackOp, protected::is_protected},
    tags,
};

/// What is in the account, as lists show it; security groups are all of the VPC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// With their tags.
    pub load_balancers: Vec<LoadBalancerSeen>,
    /// With their tags.
    pub target_groups: Vec<TargetGroupSeen>,
    /// With their tags.
    pub security_groups: Vec<SecurityGroupSeen>,
    /// With their tags.
    pub certificates: Vec<CertificateSeen>,
}

/// What the cluster has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Living {
    /// Stacks on AWS.
    pub stacks: BTreeSet<StackId>,
    /// ARNs that TargetGroupBindings name.
    pub bound: BTreeSet<String>,
}

/// Something that belongs to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Orphan {
    /// `load balancer`, `target group`, `security group` or `certificate`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// ARN, or `sg-…`.
    pub id: String,
    /// Why it belongs to nothing.
    pub why: String,
    /// What goes with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// Why it stays nevertheless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stays: Option<String>,
    /// Whose it was; `None` for what stacks share.
    #[serde(skip)]
    pub stack: Option<StackId>,
    /// What takes it away, in order.
    #[serde(skip)]
    pub removal: Vec<Removal>,
}

/// One call that takes something away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// Of what a stack owns.
    Stack(Box<StackOp>),
    /// Of what stacks share.
    Network(NetworkOp),
}

impl Account {
    /// What belongs to nothing, and all security groups. The rest need not be looked at any closer.
    #[must_use]
    pub fn astray(self, config: &Config, living: &Living) -> Self {
        let lost = |tags: &Tags| stack_of(config, tags).is_some_and(|stack| !living.stacks.contains(&stack));
        Self {
            load_balancers: self.load_balancers.into_iter().filter(|seen| lost(&seen.tags)).collect(),
            target_groups: self
                .target_groups
                .into_iter()
                .filter(|seen| lost(&seen.tags) && !living.bound.contains(&seen.arn))
                .collect(),
            security_groups: self.security_groups,
            certificates: self.certificates.into_iter().filter(|seen| lost(&seen.tags)).collect(),
        }
    }
}

/// The orphans, in the order in which they can be deleted. Of `astray`, listeners and attributes are known.
#[must_use]
pub fn orphans(config: &Config, astray: &Account, living: &Living) -> Vec<Orphan> {
    let stays = staying(config, &astray.load_balancers);
    let staying = astray.load_balancers.iter().filter(|seen| stays.contains_key(&seen.handle.id));
    let users = Users::of(&staying.collect::<Vec<_>>());
    let balancers = |kind| {
        let of_kind = astray.load_balancers.iter().filter(move |seen| seen.kind == kind);
        of_kind.filter_map(|seen| {
            let mut orphan = owned(config, "load balancer", (&seen.name, &seen.handle.id), seen, |owned| {
                StackOp::DeleteLoadBalancer(owned)
            })?;
            orphan.with = parts(seen);
            orphan.stays = stays.get(&seen.handle.id).cloned();
            Some(orphan)
        })
    };
    let groups = |to_balancers: bool| {
        let all = astray.target_groups.iter();
        let of_kind = all.filter(move |seen| (seen.target_type == TargetType::Alb) == to_balancers);
        of_kind.filter_map(|seen| {
            let mut orphan = owned(config, "target group", (&seen.name, &seen.arn), seen, |owned| {
                StackOp::DeleteTargetGroup(owned)
            })?;
            orphan.stays = users.reason(&seen.arn);
            Some(orphan)
        })
    };
    let managed = astray.security_groups.iter().filter_map(|seen| {
        let mut orphan = owned(config, "security group", (&seen.name, &seen.id), seen, |owned| {
            StackOp::DeleteSecurityGroup(owned)
        })?;
        let lost = orphan.stack.as_ref().is_some_and(|stack| !living.stacks.contains(stack));
        orphan.stays = users.reason(&seen.id);
        lost.then_some(orphan)
    });
    let shared = backend(config, astray, living, &users);
    balancers(LoadBalancerKind::Network)
        .chain(groups(true))
        .chain(balancers(LoadBalancerKind::Application))
        .chain(groups(false))
        .chain(managed)
        .chain(shared)
        .chain(certificates(config, astray, &users))
        .collect()
}

/// Load balancers that AWS would not delete, by ARN, and why.
fn staying(config: &Config, all: &[LoadBalancerSeen]) -> BTreeMap<String, String> {
    let leads_to = |front: &LoadBalancerSeen, behind: &LoadBalancerSeen| {
        let stack = stack_of(config, &front.tags);
        let role = stack.as_ref().and_then(|stack| front.tags.get(&tags::resource_key(stack)));
        front.name != behind.name
            && role.is_some_and(|role| role == tags::FRONTEND)
            && stack == stack_of(config, &behind.tags)
    };
    let protected: Vec<&LoadBalancerSeen> = all.iter().filter(|seen| is_protected(seen)).collect();
    let why = |seen: &LoadBalancerSeen| {
        if is_protected(seen) {
            return Some("its deletion protection is on".to_owned());
        }
        let front = protected.iter().find(|front| leads_to(front, seen))?;
        Some(format!("load balancer {}, which stays, leads to it", front.name))
    };
    all.iter().filter_map(|seen| Some((seen.handle.id.clone(), why(seen)?))).collect()
}

fn certificates(config: &Config, astray: &Account, users: &Users) -> Vec<Orphan> {
    let one = |seen: &CertificateSeen| {
        let (_, id) = seen.arn.rsplit_once('/').unwrap_or(("", &seen.arn));
        let mut orphan = owned(config, "certificate", (id, &seen.arn), seen, StackOp::DeleteCertificate)?;
        orphan.stays = users.reason(&seen.arn);
        Some(orphan)
    };
    astray.certificates.iter().filter_map(one).collect()
}

/// The shared group, when there is no stack that it could be for.
fn backend(config: &Config, account: &Account, living: &Living, users: &Users) -> Vec<Orphan> {
    if !living.stacks.is_empty() || !living.bound.is_empty() {
        return Vec::new();
    }
    let marks = tags::backend_marks(config);
    let claimed = account.security_groups.iter().filter_map(|seen| Owned::claim(seen.clone(), &marks).ok());
    claimed
        .map(|owned| {
            let seen = owned.get().clone();
            let rules = account.security_groups.iter().filter_map(|group| opened_to(group, &seen.id));
            let mut removal: Vec<Removal> = rules.map(Removal::Network).collect();
            removal.push(Removal::Network(NetworkOp::DeleteBackend(owned)));
            Orphan {
                kind: "security group",
                stays: users.reason(&seen.id),
                name: seen.name,
                id: seen.id,
                why: "no load balancer of this cluster is asked for, and it is what they share".to_owned(),
                with: Vec::new(),
                stack: None,
                removal,
            }
        })
        .collect()
}

/// Our rules on a group that let in what carries the shared one.
fn opened_to(group: &SecurityGroupSeen, backend: &str) -> Option<NetworkOp> {
    let ours = |permission: &&Permission| {
        permission.description == RULE_DESCRIPTION && permission.source == Source::Group(backend.to_owned())
    };
    let permissions: BTreeSet<Permission> = group.permissions.iter().filter(ours).cloned().collect();
    (!permissions.is_empty()).then(|| NetworkOp::Revoke { group: group.id.clone(), permissions })
}

fn owned<R: Tagged + Clone>(
    config: &Config,
    kind: &'static str,
    (name, id): (&str, &str),
    seen: &R,
    deletion: impl FnOnce(Owned<R>) -> StackOp,
) -> Option<Orphan> {
    let stack = stack_of(config, seen.tags())?;
    let owned = Owned::claim(seen.clone(), &tags::marks(config, &stack)).ok()?;
    Some(Orphan {
        kind,
        name: name.to_owned(),
        id: id.to_owned(),
        why: why(&stack),
        with: Vec::new(),
        stays: None,
        stack: Some(stack),
        removal: vec![Removal::Stack(Box::new(deletion(owned)))],
    })
}

fn why(stack: &StackId) -> String {
    match &stack.key {
        StackKey::Group(name) => format!("no Ingress is in group {name}"),
        StackKey::Ingress(key) => format!("no Ingress {key} asks for it"),
        StackKey::Service(key) => format!("no Service {key} asks for it"),
    }
}

/// The stack that made something for this cluster, by its tags.
fn stack_of(config: &Config, tags: &Tags) -> Option<StackId> {
    if tags.get(tags::CLUSTER) != Some(&config.cluster) {
        return None;
    }
    let key = |name: &str| name.split_once('/').map(|(namespace, name)| Key::new(namespace, name));
    let key = match (tags.get("ingress.k8s.aws/stack"), tags.get("service.k8s.aws/stack")) {
        (Some(name), None) => key(name).map_or_else(|| StackKey::Group(name.clone()), StackKey::Ingress),
        (None, Some(name)) => StackKey::Service(key(name)?),
        // Of nobody we know, or of two at once.
        (None, None) | (Some(_), Some(_)) => return None,
    };
    Some(StackId::new(ProviderKind::Aws, key))
}

fn parts(balancer: &LoadBalancerSeen) -> Vec<String> {
    let listeners = balancer.listeners.values();
    listeners
        .map(|listener| match listener.rules.len() {
            0 => format!("listener {}", listener.port),
            1 => format!("listener {} and its rule", listener.port),
            rules => format!("listener {} and its {rules} rules", listener.port),
        })
        .collect()
}

/// What stays in use by load balancers that stay, by id.
struct Users(BTreeMap<String, String>);

impl Users {
    fn of(balancers: &[&LoadBalancerSeen]) -> Self {
        let mut users = BTreeMap::new();
        for balancer in balancers {
            let listeners = balancer.listeners.values();
            let actions = listeners.flat_map(|listener| {
                listener.default_actions.iter().chain(listener.rules.iter().flat_map(|rule| &rule.actions))
            });
            let targets = actions.flat_map(|action| match action {
                Action::Forward(forward) => forward.targets.as_slice(),
                Action::Redirect(_)
                | Action::FixedResponse(_)
                | Action::Cognito(_)
                | Action::Oidc(_)
                | Action::Jwt(_) => &[],
            });
            let targets = targets.map(|target| target.target_group.name().to_owned());
            let certificates = balancer.listeners.values().flat_map(|listener| &listener.certificates);
            let ids = targets.chain(balancer.security_groups.iter().cloned()).chain(certificates.cloned());
            users.extend(ids.map(|id| (id, balancer.name.clone())));
        }
        Self(users)
    }

    fn reason(&self, id: &str) -> Option<String> {
        self.0.get(id).map(|balancer| format!("load balancer {balancer}, which stays, uses it"))
    }
}

#[cfg(test)]
mod tests;
