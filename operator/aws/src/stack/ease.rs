//! No rule lets go of healthy targets before those that come after them are healthy.
//!
//! AWS checks the health of a target group that some rule forwards to, and of no other. So a rule, or the default of a
//! listener, that is about to forward elsewhere first names the new groups beside the old ones, with weight 0; the old
//! ones, their TargetGroupBindings and their targets stay. Once a target of each new group is healthy, the rule is what
//! was asked for. Where nothing that serves now is healthy, there is nothing to wait for.
//!
//! What is asked of health is asked only while something is about to change.

mod front;
mod successor;
mod unwell;

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::evaluate::Facts;

use super::Stacks;
use crate::{
    compare::{
        Claimed,
        action::{same_set, shares},
    },
    facts::{Answer, Query},
    model::{Action, Forward, LoadBalancerKind, Ref, Rule, StackModel, WeightedTarget},
    observed::RuleSeen,
};

/// The most target groups that one action forwards to.
const GROUPS: usize = 5;

/// Seconds. AWS wants stickiness between groups where targets of one are sticky; the shortest matters least.
const SHORTEST: i32 = 1;

/// The way to a model, as far as it can be gone now.
#[derive(Debug)]
pub(super) struct Eased {
    pub(super) model: StackModel,
    /// Names of target groups that are not wanted any more and still serve.
    pub(super) kept: BTreeSet<String>,
    /// Rules and listeners that wait, and the target group that each waits for.
    pub(super) waits: Vec<(fairway_core::plan::ResourceKey, String)>,
    /// Whether what stands in front leads to what is to go.
    pub(super) keeps_all: bool,
    /// Name of the load balancer that is shown in the place of its successor.
    pub(super) shown: Option<String>,
}

/// Holds back what has to wait. `published` are the DNS names that statuses show, in lower case.
///
/// # Errors
/// What has to be known first.
pub(super) fn ease(
    model: &StackModel,
    claimed: &Claimed,
    facts: &Facts<Stacks>,
    published: &BTreeSet<String>,
) -> Result<Eased, Vec<Query>> {
    let mut easing = Easing { model, claimed, facts, asks: BTreeSet::new(), kept: BTreeSet::new() };
    let (mut eased, mut waits) = (model.clone(), Vec::new());
    let wanted = model.load_balancer.as_ref().filter(|wanted| wanted.kind == LoadBalancerKind::Application);
    let balancer = wanted.and_then(|wanted| claimed.load_balancers.get(&wanted.name));
    for (port, seen) in balancer.iter().flat_map(|balancer| &balancer.get().listeners) {
        if let Some(listener) = eased.listeners.get_mut(port)
            && let Some(group) = easing.actions(&mut listener.default_actions, &seen.default_actions)
        {
            waits.push((listener.reference().key(), group));
        }
        let mut left: Vec<&RuleSeen> = seen.rules.iter().collect();
        left.sort_by_key(|seen| seen.priority);
        for rule in eased.rules.get_mut(port).into_iter().flatten() {
            let Some(partner) = partner(rule, &mut left) else { continue };
            if let Some(group) = easing.actions(&mut rule.actions, &partner.actions) {
                rule.transforms.clone_from(&partner.transforms);
                waits.push((rule.reference().key(), group));
            }
        }
    }
    let in_front = front::hold(&mut eased, &mut easing);
    let keeps_all = !in_front.is_empty();
    waits.extend(in_front);
    let shown = successor::hold(model, published, &mut easing).map(|(shown, unwell)| {
        waits.extend(unwell);
        shown
    });
    let Easing { asks, kept, .. } = easing;
    if asks.is_empty() {
        Ok(Eased { model: eased, kept, waits, keeps_all, shown })
    } else {
        Err(asks.into_iter().collect())
    }
}

/// The rule that answers the same requests now: the first of equal ones for the first, and so on.
fn partner<'a>(rule: &Rule, left: &mut Vec<&'a RuleSeen>) -> Option<&'a RuleSeen> {
    let answers = |seen: &&RuleSeen| seen.unknown.is_empty() && same_set(&rule.conditions, &seen.conditions);
    left.iter().position(answers).map(|place| left.remove(place))
}

struct Easing<'a> {
    model: &'a StackModel,
    claimed: &'a Claimed,
    facts: &'a Facts<Stacks>,
    asks: BTreeSet<Query>,
    kept: BTreeSet<String>,
}

impl Easing<'_> {
    /// Puts the step before the last one in the place of actions that have to wait, and names the group they wait for.
    fn actions(&mut self, want: &mut [Action], have: &[Action]) -> Option<String> {
        let have = forward(have)?;
        let want = want.iter_mut().find_map(|action| match action {
            Action::Forward(forward) => Some(forward),
            _ => None,
        })?;
        let old = shares(have);
        let serves = |name: &str| old.get(name).is_some_and(|share| *share > 0);
        let fresh: Vec<String> = shares(want)
            .into_iter()
            .filter(|(name, share)| {
                *share > 0 && !serves(name) && self.model.target_groups.contains_key(*name)
            })
            .map(|(name, _)| name.to_owned())
            .collect();
        // All are asked for at once: each answer that is missing costs a round.
        let unwell: Vec<String> = fresh.into_iter().filter(|name| !self.is_healthy(name)).collect();
        let first = unwell.first()?.clone();
        let serving = old.iter().filter(|(_, share)| **share > 0);
        let healthy: Vec<bool> = serving.map(|(name, _)| self.is_healthy(name)).collect();
        let mut targets = old.clone();
        targets.extend(unwell.iter().map(|name| (name.as_str(), 0)));
        if !healthy.contains(&true) || targets.len() > GROUPS {
            return None;
        }
        let unwanted = old.into_keys().filter(|name| !self.model.target_groups.contains_key(*name));
        self.kept.extend(unwanted.map(str::to_owned));
        let sticky = targets.keys().any(|name| self.is_sticky(name)).then_some(SHORTEST);
        let stickiness = have.stickiness.or(want.stickiness).or(sticky);
        let targets = targets.into_iter();
        let target = |(name, weight)| WeightedTarget { target_group: Ref::new(name), weight };
        *want = Forward { targets: targets.map(target).collect(), stickiness };
        Some(first)
    }

    /// Whether a target is healthy of a group by name, or by ARN when it is not the stack's. One that is still to be made
    /// has none.
    fn is_healthy(&mut self, name: &str) -> bool {
        let arn = match self.claimed.target_groups.get(name) {
            Some(group) => group.get().arn.clone(),
            None if name.starts_with("arn:") => name.to_owned(),
            None => return false,
        };
        let query = Query::Healthy(arn);
        match self.facts.get(&query) {
            Some(Answer::Healthy(healthy)) => *healthy,
            _ => {
                self.asks.insert(query);
                false
            }
        }
    }

    fn is_sticky(&self, name: &str) -> bool {
        let wanted = self.model.target_groups.get(name).map(|group| &group.attributes);
        let seen = self.claimed.target_groups.get(name).map(|group| &group.get().attributes);
        let on = |attributes: &BTreeMap<String, String>| {
            attributes.get("stickiness.enabled").is_some_and(|value| value == "true")
        };
        wanted.is_some_and(on) || seen.is_some_and(on)
    }
}

fn forward(actions: &[Action]) -> Option<&Forward> {
    actions.iter().find_map(|action| match action {
        Action::Forward(forward) => Some(forward),
        _ => None,
    })
}
