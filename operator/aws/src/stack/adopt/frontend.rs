//! What stands in front keeps its name and its address as long as its scheme is as wanted, whatever becomes of the load
//! balancer behind it.
//!
//! A target group has one target. So a group whose target is another load balancer, or another listener, gets a successor
//! that connections are switched to; what is in use is never without a target.

use std::collections::BTreeMap;

use fairway_core::ids::ObjectRef;

use super::{existing, rename_target_groups, users};
use crate::{
    compare::{Claimed, target_group::same_kind},
    lower::{LowerError, Lowered},
    model::{Ref, Registration, StackModel, TargetGroup},
    naming,
    observed::{BalancerTarget, TargetGroupSeen},
    tags,
};

/// Takes over what stands in front. Without subnets there is none yet, which is said to who asks for it.
pub(super) fn adopt(
    model: &mut StackModel,
    lowered: &Lowered,
    claimed: &Claimed,
    resource_key: &str,
) -> Option<(ObjectRef, LowerError)> {
    let want = model.frontend.as_ref()?.load_balancer.clone();
    match existing(&want, claimed, resource_key, tags::FRONTEND) {
        Some(seen) => {
            rename(model, &seen.name);
            let front = model.frontend.as_mut().filter(|_| !lowered.frontend_subnets_given);
            if let Some(front) = front {
                front.load_balancer.subnets.clone_from(&seen.subnets);
                front.load_balancer.subnets.sort();
            }
        }
        None if lowered.no_frontend_subnets.is_some() => {
            let front = model.frontend.take();
            let groups = front.iter().flat_map(|front| front.targets.values());
            let groups: Vec<String> = groups.map(|target| target.target_group.name().to_owned()).collect();
            model.target_groups.retain(|name, _| !groups.contains(name));
            return lowered.no_frontend_subnets.clone();
        }
        None if claimed.load_balancers.contains_key(&want.name) => {
            rename(model, &naming::successor_frontend_nlb(&want.name, want.scheme));
        }
        None => {}
    }
    adopt_target_groups(model, claimed, resource_key);
    None
}

/// The model with what stands in front under another name.
pub(super) fn rename(model: &mut StackModel, name: &str) {
    let Some(front) = &mut model.frontend else { return };
    name.clone_into(&mut front.load_balancer.name);
    for listener in front.listeners.values_mut() {
        listener.load_balancer = Ref::new(name);
    }
}

fn adopt_target_groups(model: &mut StackModel, claimed: &Claimed, resource_key: &str) {
    let Some(front) = &model.frontend else { return };
    let mut renamed = BTreeMap::new();
    for target in front.targets.values() {
        let name = target.target_group.name();
        let Some(want) = model.target_groups.get(name) else { continue };
        let place = Place { front: &front.load_balancer.name, target, claimed, resource_key };
        if let Some(new) = place.name_for(want).filter(|new| new != name) {
            renamed.insert(name.to_owned(), new);
        }
    }
    rename_target_groups(model, &renamed);
}

/// Where a target group is to be.
struct Place<'a> {
    front: &'a str,
    target: &'a Registration,
    claimed: &'a Claimed,
    resource_key: &'a str,
}

impl Place<'_> {
    /// The name of the group that takes the place: one in use here, the one of the wanted name, any other that fits.
    fn name_for(&self, want: &TargetGroup) -> Option<String> {
        let users = users(self.claimed);
        let by = |name: &str| users.get(name).cloned().unwrap_or_default();
        let all = self.claimed.target_groups.values().map(|owned| owned.get());
        let fits: Vec<&TargetGroupSeen> = all
            .filter(|seen| self.fits(want, seen) && by(&seen.name).iter().all(|user| user == self.front))
            .collect();
        let in_use = fits.iter().find(|seen| !by(&seen.name).is_empty());
        let named = || fits.iter().find(|seen| seen.name == want.name);
        if let Some(seen) = in_use.or_else(named).or(fits.first()) {
            return Some(seen.name.clone());
        }
        let leads_to = format!("{}:{}", self.target.load_balancer.name(), self.target.port);
        let next = |name: &String| Some(naming::successor_target_group(name, &leads_to));
        let groups = &self.claimed.target_groups;
        // Whoever succeeds another has a name that says where it leads, whether or not the first one is free again.
        let succeeds = groups.values().any(|owned| {
            let seen = owned.get();
            seen.tags.get(self.resource_key) == want.tags.get(self.resource_key) && !by(&seen.name).is_empty()
        });
        let names = std::iter::successors(Some(want.name.clone()), next).take(groups.len() + 2);
        names.skip(usize::from(succeeds)).find(|name| !groups.contains_key(name))
    }

    /// Whether the group is of the same role, and has no other target than the wanted one.
    fn fits(&self, want: &TargetGroup, seen: &TargetGroupSeen) -> bool {
        let wanted = self.behind().map(|id| BalancerTarget { id, port: self.target.port });
        same_kind(want, seen)
            && seen.tags.get(self.resource_key) == want.tags.get(self.resource_key)
            && seen.load_balancers.iter().all(|target| Some(target) == wanted.as_ref())
    }

    fn behind(&self) -> Option<String> {
        let seen = self.claimed.load_balancers.get(self.target.load_balancer.name());
        seen.map(|owned| owned.get().handle.id.clone())
    }
}
