//! What stands in front leads on to where it led, until what it is to lead to serves as well.
//!
//! Behind another listener, or another load balancer, requests may be answered by other target groups. They are in use
//! there, so their health is known before anybody is sent to them. What answers a request now and is not healthy has not
//! to be waited for.

use fairway_core::plan::ResourceKey;

use super::{Easing, forward, unwell::unwell};
use crate::{
    model::{Registration, StackModel},
    observed::{BalancerTarget, ListenerSeen, LoadBalancerSeen},
};

/// Holds connections back that cannot go where they are to go, and names the target group that each listener waits for.
pub(super) fn hold(eased: &mut StackModel, easing: &mut Easing<'_>) -> Vec<(ResourceKey, String)> {
    let Some(mut front) = eased.frontend.take() else { return Vec::new() };
    let seen = easing.claimed.load_balancers.get(&front.load_balancer.name);
    let mut waits = Vec::new();
    for (port, have) in seen.iter().flat_map(|seen| &seen.get().listeners) {
        let (Some(want), Some(target)) = (front.listeners.get_mut(port), front.targets.get(port)) else {
            continue;
        };
        let Some(behind) = behind(have, target, easing) else { continue };
        if let Some(group) = unwell(eased, target.port, behind, easing) {
            want.default_actions.clone_from(&have.default_actions);
            waits.push((want.reference().key(), group));
        }
    }
    eased.frontend = Some(front);
    waits
}

/// The listener that connections go to now, unless it is the one they are to go to.
fn behind<'a>(have: &ListenerSeen, target: &Registration, easing: &Easing<'a>) -> Option<&'a ListenerSeen> {
    let group = forward(&have.default_actions)?.targets.first()?.target_group.name();
    let group = easing.claimed.target_groups.get(group)?.get();
    let BalancerTarget { id, port } = group.load_balancers.iter().next()?;
    let mut all = easing.claimed.load_balancers.values().map(|owned| owned.get());
    let balancer: &LoadBalancerSeen = all.find(|seen| seen.handle.id == *id)?;
    let stays = balancer.name == target.load_balancer.name() && *port == target.port;
    balancer.listeners.get(port).filter(|_| !stays)
}
