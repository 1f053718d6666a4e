//! Rules of one listener: paired with what is there, moved in one call, changed in place, made, and deleted last.
//!
//! 1. Rules with equal settings are pairs, those of equal priority first. Where priorities differ, one
//!    `SetRulePriorities` moves them all; in the same call, rules of ours without a partner go to 50000 and downwards.
//! 2. What is left and has the same priority is changed in place.
//! 3. The rest is created, then what has no partner is deleted.
//!
//! Rules without our marks are not ours: they keep their priorities, and ours are numbered around them. One that does
//! what is wanted, and that nothing else of ours does, has lost its tags, or was made by a peer that gave it none: the
//! tags are put back. A resource id that says the priority alone is as good as one with the port.
//! Source: AWS Load Balancer Controller 3.5.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{same_actions, same_set};
use crate::{
    config::Config,
    model::{Listener, Ref, Rule, Tags},
    observed::RuleSeen,
    ownership::Owned,
    stack::{Move, StackOp},
    tags,
};

/// The last priority that AWS takes.
const LAST: i32 = 50_000;

/// What has to be done, by when.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Moves, changes in place, creations: in this order.
    pub(crate) now: Vec<StackOp>,
    /// After everything that may still use the rule.
    pub(crate) tags: Vec<StackOp>,
    /// Last.
    pub(crate) deletions: Vec<StackOp>,
}

/// Numbers `rules` around the priorities that are not ours to use.
pub(crate) fn around(rules: &[Rule], taken: &BTreeSet<i32>, port: u16, resource_key: &str) -> Vec<Rule> {
    let free = (1..=LAST).filter(|priority| !taken.contains(priority));
    let numbered = rules.iter().zip(free).map(|(rule, priority)| {
        let mut rule = Rule { priority, ..rule.clone() };
        rule.tags.insert(resource_key.to_owned(), tags::rule(port, priority));
        rule
    });
    numbered.collect()
}

/// Compares the rules of one listener.
pub(crate) fn changes(
    config: &Config,
    listener: &Ref<Listener>,
    want: &[Rule],
    have: &[RuleSeen],
    marks: &Tags,
) -> Changes {
    let mut ours: BTreeMap<i32, Owned<RuleSeen>> = BTreeMap::new();
    for seen in have {
        if let Ok(owned) = Owned::claim(seen.clone(), marks) {
            ours.insert(seen.priority, owned);
        }
    }
    let mut pairs: Vec<(&Rule, Owned<RuleSeen>)> = Vec::new();
    let mut left: Vec<&Rule> = Vec::new();
    for exact in [true, false] {
        let round: Vec<&Rule> = if exact { want.iter().collect() } else { std::mem::take(&mut left) };
        for rule in round {
            let fits = |(priority, seen): (&i32, &Owned<RuleSeen>)| {
                ((!exact || *priority == rule.priority) && alike(rule, seen.get())).then_some(*priority)
            };
            let partner = ours.iter().find_map(fits).and_then(|priority| ours.remove(&priority));
            match partner {
                Some(partner) => pairs.push((rule, partner)),
                None => left.push(rule),
            }
        }
    }
    let mut changes = Changes::default();
    let moved = moves(&pairs, &mut ours);
    if !moved.is_empty() {
        changes.now.push(StackOp::SetRulePriorities(listener.clone(), moved));
    }
    for rule in left {
        match ours.remove(&rule.priority) {
            Some(partner) => {
                changes.now.push(StackOp::ModifyRule(rule.reference(), partner.clone(), rule.clone()));
                pairs.push((rule, partner));
            }
            None => changes.now.push(StackOp::CreateRule(rule.clone())),
        }
    }
    for (rule, partner) in &pairs {
        let key = (rule.reference().key(), partner.get().arn.as_str());
        let want = in_its_form(rule, partner.get());
        changes.tags.extend(super::tags::changes(config, key, &want, &partner.get().tags));
    }
    let deletion = |(priority, seen): (i32, Owned<RuleSeen>)| {
        StackOp::DeleteRule(Ref::new(format!("{}:{priority}", listener.name())), seen)
    };
    changes.deletions = ours.into_iter().map(deletion).collect();
    changes
}

/// The moves of all pairs, and of those without a partner, which `ours` then holds under their new priorities.
fn moves(pairs: &[(&Rule, Owned<RuleSeen>)], ours: &mut BTreeMap<i32, Owned<RuleSeen>>) -> Vec<Move> {
    let displaced = pairs.iter().filter(|(rule, seen)| rule.priority != seen.get().priority);
    let mut moves: Vec<Move> =
        displaced.map(|(rule, seen)| Move { rule: seen.clone(), priority: rule.priority }).collect();
    if moves.is_empty() {
        return moves;
    }
    let without = std::mem::take(ours);
    let places = (1..=LAST).rev();
    for ((priority, rule), place) in without.into_iter().zip(places) {
        if priority != place {
            moves.push(Move { rule: rule.clone(), priority: place });
        }
        ours.insert(place, rule);
    }
    moves
}

/// The wanted tags, with a resource id that says the same as it is written.
fn in_its_form(want: &Rule, have: &RuleSeen) -> Tags {
    let short = tags::rule_without_port(want.priority);
    let long = want.listener.name().rsplit(':').next().map(|port| format!("{port}:{short}"));
    let kept = |(key, value): (&String, &String)| {
        let as_good = long.as_ref() == Some(value) && have.tags.get(key) == Some(&short);
        (key.clone(), if as_good { short.clone() } else { value.clone() })
    };
    want.tags.iter().map(kept).collect()
}

/// Rules that do what is wanted and carry nobody's marks, where no rule of ours does the same: by ARN.
pub(crate) fn lost(want: &[Rule], have: &[RuleSeen], marks: &Tags) -> BTreeSet<String> {
    let ours = |seen: &&RuleSeen| Owned::claim((*seen).clone(), marks).is_ok();
    let elsewhere = |seen: &RuleSeen| {
        marks.iter().any(|(key, value)| seen.tags.get(key).is_some_and(|have| have != value))
    };
    let (own, others): (Vec<&RuleSeen>, Vec<&RuleSeen>) = have.iter().partition(ours);
    let missed = want.iter().filter(|rule| !own.iter().any(|seen| alike(rule, seen)));
    let found = missed.filter_map(|rule| others.iter().find(|seen| !elsewhere(seen) && alike(rule, seen)));
    found.map(|seen| seen.arn.clone()).collect()
}

/// Whether `have` does what `want` asks, whatever its priority.
pub(crate) fn alike(want: &Rule, have: &RuleSeen) -> bool {
    have.unknown.is_empty()
        && same_set(&want.conditions, &have.conditions)
        && same_set(&want.transforms, &have.transforms)
        && same_actions(&want.actions, &have.actions)
}

#[cfg(test)]
mod tests;
