//! What exists and serves as what is wanted keeps its name: the model takes over names of resources that carry our
//! marks and the right resource id, whoever made them. Where somebody removed the resource id, the name says which
//! resource it is; and of load balancers and security groups a stack has one.
//!
//! A load balancer is taken over when kind and scheme are as wanted; then it keeps its subnets too, unless others were
//! asked for. A target group is when nothing that is fixed at creation differs. A target group that another load
//! balancer still uses cannot be attached to a second one: its successor gets a name of its own.

mod frontend;

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::ids::ObjectRef;

use super::{further, lost::Lost, spread::Room};
use crate::{
    compare::{Claimed, target_group::same_kind},
    config::Quotas,
    lower::{LowerError, Lowered},
    model::{
        Action, Binding, LoadBalancer, LoadBalancerKind, Ref, SecurityGroupRef, StackModel, TargetGroup,
        TargetType,
    },
    naming,
    observed::{LoadBalancerSeen, SecurityGroupSeen},
    ownership::Owned,
    tags,
};

/// A model that has taken over what exists, and what is left out of it.
#[derive(Debug)]
pub(super) struct Adopted {
    pub(super) model: StackModel,
    pub(super) left_out: Option<(ObjectRef, LowerError)>,
    /// Whether there is nothing more to do once it is applied.
    pub(super) settled: bool,
}

/// Takes over what exists. What is lost is not ours any more, but has its name.
///
/// # Errors
/// More permissions than fit all security groups that there can be.
/// A change that needs a new load balancer, whose fixed name the old one still has; no subnets, for one that does not
/// exist yet.
pub(super) fn adopt(
    lowered: &Lowered,
    (claimed, lost): (&Claimed, &Lost),
    (quotas, resource_key): (&Quotas, &str),
) -> Result<Adopted, LowerError> {
    let mut model = lowered.model.clone();
    let Some(balancer) = model.load_balancer.clone() else {
        return Ok(Adopted { model, left_out: None, settled: true });
    };
    let gone = lost.load_balancers.get(&balancer.kind);
    match gone {
        Some(name) => rename_load_balancer(&mut model, name),
        None => adopt_load_balancer(&mut model, &balancer, lowered, (claimed, resource_key))?,
    }
    let left_out = match lost.load_balancers.get(&LoadBalancerKind::Network) {
        Some(name) => {
            frontend::rename(&mut model, name);
            None
        }
        None => frontend::adopt(&mut model, lowered, claimed, resource_key),
    };
    adopt_security_group(&mut model, claimed, resource_key);
    adopt_target_groups(&mut model, claimed, resource_key);
    let room = Room { quotas, entries: &lowered.entries, frozen: lowered.frozen };
    let settled = gone.is_some() || further::adopt(&mut model, lowered, (claimed, resource_key), room)?;
    Ok(Adopted { model, left_out, settled })
}

fn adopt_load_balancer(
    model: &mut StackModel,
    balancer: &LoadBalancer,
    lowered: &Lowered,
    (claimed, resource_key): (&Claimed, &str),
) -> Result<(), LowerError> {
    match existing(balancer, claimed, resource_key, tags::LOAD_BALANCER) {
        Some(seen) => {
            rename_load_balancer(model, &seen.name);
            if let Some(balancer) = model.load_balancer.as_mut().filter(|_| !lowered.subnets_given) {
                balancer.subnets = seen.subnets.clone();
                balancer.subnets.sort();
            }
        }
        None if claimed.load_balancers.contains_key(&balancer.name) => {
            return Err(LowerError::NameInTheWay { name: balancer.name.clone() });
        }
        None => {
            if let Some(error) = &lowered.no_subnets {
                return Err(error.clone());
            }
        }
    }
    Ok(())
}

fn existing<'a>(
    want: &LoadBalancer,
    claimed: &'a Claimed,
    resource_key: &str,
    own_role: &str,
) -> Option<&'a LoadBalancerSeen> {
    let fits = |seen: &&LoadBalancerSeen| seen.kind == want.kind && seen.scheme == want.scheme;
    let all = || claimed.load_balancers.values().map(|owned| owned.get()).filter(fits);
    let role =
        |role: Option<&str>| all().find(|seen| seen.tags.get(resource_key).map(String::as_str) == role);
    let same = all().find(|seen| seen.name == want.name);
    same.or_else(|| role(Some(own_role))).or_else(|| role(None))
}

/// The model with the load balancer, and what stands in front, under other names.
pub(super) fn named(model: &StackModel, name: &str, front: Option<&str>) -> StackModel {
    let mut model = model.clone();
    rename_load_balancer(&mut model, name);
    if let Some(front) = front {
        frontend::rename(&mut model, front);
    }
    model
}

fn rename_load_balancer(model: &mut StackModel, name: &str) {
    if let Some(balancer) = &mut model.load_balancer {
        name.clone_into(&mut balancer.name);
    }
    for listener in model.listeners.values_mut() {
        listener.load_balancer = Ref::new(name);
        let reference = listener.reference();
        let rules = model.rules.get_mut(&listener.port).into_iter().flatten();
        rules.for_each(|rule| rule.listener = reference.clone());
    }
    for target in model.frontend.iter_mut().flat_map(|front| front.targets.values_mut()) {
        target.load_balancer = Ref::new(name);
    }
}

fn adopt_security_group(model: &mut StackModel, claimed: &Claimed, resource_key: &str) {
    let Some(own) = &mut model.security_group else { return };
    if claimed.security_groups.contains_key(&own.name) {
        return;
    }
    let of_role = |wanted: Option<&str>| {
        let role = |seen: &Owned<SecurityGroupSeen>| seen.get().tags.get(resource_key).cloned();
        let mut all = claimed.security_groups.iter();
        all.find_map(|(name, seen)| (role(seen).as_deref() == wanted).then(|| name.clone()))
    };
    let Some(name) = of_role(Some(tags::SECURITY_GROUP)).or_else(|| of_role(None)) else { return };
    name.clone_into(&mut own.name);
    let front = model.frontend.iter_mut().map(|front| &mut front.load_balancer);
    let balancers = model.load_balancer.iter_mut().chain(front);
    for group in balancers.flat_map(|balancer| &mut balancer.security_groups) {
        if let SecurityGroupRef::Managed(own) = group {
            *own = Ref::new(name.clone());
        }
    }
}

fn adopt_target_groups(model: &mut StackModel, claimed: &Claimed, resource_key: &str) {
    let Some(current) = model.load_balancer.as_ref().map(|balancer| balancer.name.clone()) else { return };
    let users = users(claimed);
    let used_elsewhere = |name: &str| users.get(name).is_some_and(|by| by.iter().any(|by| *by != current));
    let used_here = |name: &str| users.get(name).is_some_and(|by| by.contains(&current));
    let mut renamed = BTreeMap::new();
    let own = model.target_groups.iter().filter(|(_, want)| want.target_type != TargetType::Alb);
    for (name, want) in own {
        let successor = naming::successor_target_group(name, &current);
        let fits = |candidate: &&String| {
            let seen = claimed.target_groups.get(*candidate).map(|owned| owned.get());
            seen.is_some_and(|seen| {
                let role = seen.tags.get(resource_key);
                let known =
                    role == want.tags.get(resource_key) || (role.is_none() && **candidate == successor);
                same_kind(want, seen) && known
            })
        };
        let here = claimed.target_groups.keys().filter(fits).find(|candidate| used_here(candidate));
        let taken_over = match here {
            _ if used_here(name) => None,
            Some(candidate) => Some(candidate.clone()),
            None if used_elsewhere(name) => Some(successor),
            None => None,
        };
        renamed.extend(taken_over.map(|new| (name.clone(), new)));
    }
    rename_target_groups(model, &renamed);
}

/// Which load balancers use a target group, by its name.
fn users(claimed: &Claimed) -> BTreeMap<&str, BTreeSet<String>> {
    let mut users: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for balancer in claimed.load_balancers.values().map(|owned| owned.get()) {
        for listener in balancer.listeners.values() {
            let actions = listener.rules.iter().flat_map(|rule| &rule.actions);
            for name in listener.default_actions.iter().chain(actions).flat_map(targets) {
                users.entry(name).or_default().insert(balancer.name.clone());
            }
        }
    }
    users
}

fn targets(action: &Action) -> Vec<&str> {
    match action {
        Action::Forward(forward) => forward.targets.iter().map(|target| target.target_group.name()).collect(),
        Action::Redirect(_)
        | Action::FixedResponse(_)
        | Action::Cognito(_)
        | Action::Oidc(_)
        | Action::Jwt(_) => Vec::new(),
    }
}

fn rename_target_groups(model: &mut StackModel, renamed: &BTreeMap<String, String>) {
    if renamed.is_empty() {
        return;
    }
    let new = |name: &str| renamed.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let rename = |action: &mut Action| {
        if let Action::Forward(forward) = action {
            for target in &mut forward.targets {
                target.target_group = Ref::new(new(target.target_group.name()));
            }
        }
    };
    let rules = model.rules.values_mut().flatten().flat_map(|rule| &mut rule.actions);
    rules.for_each(rename);
    let front = model.frontend.iter_mut().flat_map(|front| front.listeners.values_mut());
    let listeners = model.listeners.values_mut().chain(front);
    listeners.flat_map(|listener| &mut listener.default_actions).for_each(rename);
    for target in model.frontend.iter_mut().flat_map(|front| front.targets.values_mut()) {
        target.target_group = Ref::new(new(target.target_group.name()));
    }
    let groups = std::mem::take(&mut model.target_groups).into_values().map(|group| {
        let name = new(&group.name);
        (name.clone(), TargetGroup { name, ..group })
    });
    model.target_groups = groups.collect();
    let bindings = std::mem::take(&mut model.bindings).into_values().map(|binding| {
        let name = new(binding.target_group.name());
        let mut key = binding.key.clone();
        name.clone_into(&mut key.name);
        (key.to_string(), Binding { key, target_group: Ref::new(name), ..binding })
    });
    model.bindings = bindings.collect();
}
