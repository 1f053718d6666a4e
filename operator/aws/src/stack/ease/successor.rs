//! Nobody is sent to a load balancer that replaces another before its targets are healthy.
//!
//! Statuses, and with them records, show the one that serves until each target group that is to answer in the place of a
//! healthy one has a healthy target; then they show the successor. What was shown once is not taken back.

use std::collections::BTreeSet;

use fairway_core::plan::ResourceKey;

use super::{Easing, unwell::unwell};
use crate::{model::StackModel, observed::LoadBalancerSeen};

/// The load balancer that statuses are to show still, and the target group that each listener of its successor waits for.
pub(super) fn hold(
    model: &StackModel,
    published: &BTreeSet<String>,
    easing: &mut Easing<'_>,
) -> Option<(String, Vec<(ResourceKey, String)>)> {
    let wanted = model.load_balancer.as_ref()?;
    let shown = |seen: &LoadBalancerSeen| {
        seen.handle.dns_name.as_ref().is_some_and(|name| published.contains(&name.to_lowercase()))
    };
    let balancers = &easing.claimed.load_balancers;
    let successor = balancers.get(&wanted.name).map(|owned| owned.get());
    if successor.is_some_and(shown) {
        return None;
    }
    let mut others = balancers.values().map(|owned| owned.get()).filter(|seen| seen.kind == wanted.kind);
    let serving = others.find(|seen| shown(seen))?;
    // Targets are checked once there is something that uses them.
    if !successor.is_some_and(|seen| seen.handle.ready) {
        return Some((serving.name.clone(), Vec::new()));
    }
    let mut waits = Vec::new();
    for (port, listener) in &model.listeners {
        let group = serving.listeners.get(port).and_then(|have| unwell(model, *port, have, easing));
        waits.extend(group.map(|group| (listener.reference().key(), group)));
    }
    (!waits.is_empty()).then(|| (serving.name.clone(), waits))
}
