//! Which content of Secrets AWS was told.
//!
//! AWS never gives a client's secret back, so a rule that has an old one looks like any other. What was told last is
//! remembered in the stack's state, as one digest a Secret: where a digest differs, the rule does. A stack of which nothing
//! is remembered (another controller made it, or its state was lost) is taken to have been told what the Secrets hold now.
//!
//! | remembered               | a Secret that is wanted             | its rules            |
//! |--------------------------|-------------------------------------|----------------------|
//! | nothing                  | any                                 | as they look         |
//! | some, the same digest    |                                     | as they look         |
//! | some, another or none    |                                     | are told             |

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::plan::{Bindings, Handle, ResourceKey};

use super::StackOp;
use crate::{
    model::{Action, Oidc, SecretRef, StackModel},
    observed::StackObserved,
};

/// Digests by Secret.
pub type Digests = BTreeMap<String, String>;

/// What was told, and what has to be.
#[derive(Debug)]
pub(super) struct Told {
    remembered: Option<Digests>,
    wanted: Digests,
    /// Actions whose secret is not known to be the one that AWS has.
    stale: Vec<Oidc>,
}

/// Under which key it is remembered.
#[must_use]
pub fn key() -> ResourceKey {
    ResourceKey::new("secrets", "clients")
}

/// How it is remembered.
#[must_use]
pub fn handle(digests: &Digests) -> Handle {
    let all: Vec<String> = digests.iter().map(|(secret, digest)| format!("{secret}={digest}")).collect();
    Handle { id: all.join(" "), ready: true, ..Handle::default() }
}

impl Told {
    pub(super) fn of(model: &StackModel, resources: &BTreeMap<String, String>) -> Self {
        let remembered = resources.get(&key().0).map(|text| {
            let pairs = text.split(' ').filter_map(|pair| pair.split_once('='));
            pairs.map(|(secret, digest)| (secret.to_owned(), digest.to_owned())).collect::<Digests>()
        });
        let asked: Vec<&Oidc> = actions(model).filter_map(provider).collect();
        let wanted = asked.iter().filter_map(|asked| asked.secret.as_ref());
        let wanted = wanted.map(|secret| (secret.secret.to_string(), secret.digest.clone())).collect();
        let fresh = |secret: &SecretRef| {
            let digest = |told: &Digests| told.get(&secret.secret.to_string()) == Some(&secret.digest);
            remembered.as_ref().is_none_or(digest)
        };
        let stale = asked.into_iter().filter(|asked| !asked.secret.as_ref().is_some_and(fresh));
        let stale = stale.cloned().collect();
        Self { remembered, wanted, stale }
    }

    /// What is there, with what is not known to have the wanted secret marked as having another.
    pub(super) fn mark(&self, observed: &StackObserved) -> StackObserved {
        let mut observed = observed.clone();
        let listeners =
            observed.load_balancers.values_mut().flat_map(|balancer| balancer.listeners.values_mut());
        for listener in listeners.filter(|_| !self.stale.is_empty()) {
            let rules = listener.rules.iter_mut().flat_map(|rule| &mut rule.actions);
            for action in listener.default_actions.iter_mut().chain(rules) {
                let Action::Oidc(seen) = action else { continue };
                if let Some(stale) = self.stale.iter().find(|stale| looks_like(stale, seen)) {
                    seen.secret =
                        stale.secret.clone().map(|secret| SecretRef { digest: String::new(), ..secret });
                }
            }
        }
        observed
    }

    /// What stays remembered while the plan is applied. Of members that are held, all does.
    pub(super) fn bindings(&self, frozen: bool) -> Bindings {
        let told = match &self.remembered {
            Some(remembered) if frozen || !self.stale.is_empty() => remembered,
            _ => &self.wanted,
        };
        let known = (!told.is_empty()).then(|| (key(), handle(told)));
        known.into_iter().collect()
    }

    /// What is remembered once everything is told.
    pub(super) fn operation(&self, frozen: bool) -> Option<StackOp> {
        let kept = self.remembered.iter().flatten().filter(|_| frozen);
        let mut told: Digests = kept.map(|(secret, digest)| (secret.clone(), digest.clone())).collect();
        told.extend(self.wanted.clone());
        (!self.stale.is_empty()).then_some(StackOp::RememberSecrets(told))
    }
}

/// Whether AWS shows both alike.
pub(crate) fn looks_like(want: &Oidc, seen: &Oidc) -> bool {
    Oidc { secret: None, ..want.clone() } == Oidc { secret: None, ..seen.clone() }
}

fn provider(action: &Action) -> Option<&Oidc> {
    match action {
        Action::Oidc(asked) => Some(asked),
        _ => None,
    }
}

fn actions(model: &StackModel) -> impl Iterator<Item = &Action> {
    let rules = model.rules.values().flatten().flat_map(|rule| &rule.actions);
    model.listeners.values().flat_map(|listener| &listener.default_actions).chain(rules)
}

/// The Secrets whose content is meant, in order.
pub(super) fn names(digests: &Digests) -> String {
    let names: BTreeSet<&str> = digests.keys().map(String::as_str).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}
