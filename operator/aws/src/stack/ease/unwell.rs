//! Whether one listener can answer in the place of another.

use super::{Easing, forward, partner, shares};
use crate::{
    model::{Action, StackModel},
    observed::{ListenerSeen, RuleSeen},
};

/// A target group that would answer in the place of healthy ones and is not healthy.
pub(super) fn unwell(
    model: &StackModel,
    port: u16,
    behind: &ListenerSeen,
    easing: &mut Easing<'_>,
) -> Option<String> {
    let default = model.listeners.get(&port).map(|listener| listener.default_actions.as_slice());
    let mut pairs: Vec<(&[Action], &[Action])> = Vec::new();
    pairs.extend(default.map(|want| (want, behind.default_actions.as_slice())));
    let mut left: Vec<&RuleSeen> = behind.rules.iter().collect();
    left.sort_by_key(|seen| seen.priority);
    for rule in model.rules.get(&port).into_iter().flatten() {
        let have = partner(rule, &mut left);
        pairs.extend(have.map(|have| (rule.actions.as_slice(), have.actions.as_slice())));
    }
    // All are asked for at once: each answer that is missing costs a round.
    let found: Vec<String> = pairs.into_iter().filter_map(|(want, have)| easing.lacks(want, have)).collect();
    found.into_iter().next()
}

impl Easing<'_> {
    fn lacks(&mut self, want: &[Action], have: &[Action]) -> Option<String> {
        let old = serving(have);
        let fresh = serving(want).into_iter().filter(|name| !old.contains(name));
        let unwell: Vec<&str> = fresh.filter(|name| !self.is_healthy(name)).collect();
        let first = unwell.first()?;
        let healthy: Vec<bool> = old.iter().map(|name| self.is_healthy(name)).collect();
        healthy.contains(&true).then(|| (*first).to_owned())
    }
}

/// Groups that answer requests.
fn serving(actions: &[Action]) -> Vec<&str> {
    let all = forward(actions).map(shares).unwrap_or_default();
    all.into_iter().filter(|(_, share)| *share > 0).map(|(name, _)| name).collect()
}
