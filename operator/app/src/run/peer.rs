//! Standing back while the AWS Load Balancer Controller leads, and saying so.

use std::sync::Arc;

use fairway_cluster::peer::{Holder, Presence};
use fairway_core::{
    class::{Class, Classified},
    report::Failure,
};
use fairway_engine::queue::Queue;

use super::{Contexts, push_everything};
use crate::{admin::Metrics, ports::Shared, unit::Unit};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the AWS Load Balancer Controller leads: {0}; nothing is done on AWS until its Lease runs out (scale it to 0 replicas)"
)]
struct PeerLeads(Holder);

impl Classified for PeerLeads {
    fn class(&self) -> Class {
        Class::Environment
    }

    fn code(&self) -> &'static str {
        "PeerLeads"
    }
}

/// Whether the peer keeps us from looking at a unit. What is served in the cluster is none of its business.
pub(super) fn in_the_way(unit: &Unit, cluster: &Shared) -> bool {
    !matches!(unit, Unit::InCluster(_)) && cluster.peer.stretch().is_none()
}

/// Says in a stack's state why nothing is done. A follower says nothing, and units without a state have nowhere to.
pub(super) async fn hold(unit: &Unit, cluster: &Shared, contexts: &Contexts) {
    let (Unit::Stack(stack), Presence::Leads(holder), Some(aws)) =
        (unit, cluster.peer.presence(), &contexts.aws)
    else {
        return;
    };
    let error = PeerLeads(holder);
    let failure = Failure { class: error.class(), code: error.code().to_owned(), message: error.to_string() };
    if cluster.lease.term().is_some()
        && let Err(refusal) = aws.stacks.sources.remember.stumble(stack, &failure).await
    {
        tracing::warn!(unit = %unit, code = refusal.failure.code, message = refusal.failure.message, "not recorded");
    }
}

/// Each time the peer comes or goes, everything is worth a look.
pub(super) async fn follow(
    queue: Arc<Queue<Unit>>,
    cluster: Shared,
    contexts: Arc<Contexts>,
    metrics: Metrics,
) {
    let mut peer = cluster.peer.clone();
    loop {
        peer.changed().await;
        match peer.presence() {
            Presence::Leads(holder) => tracing::warn!(reason = %PeerLeads(holder), "held"),
            Presence::Away | Presence::Unknown => {
                tracing::info!("no AWS Load Balancer Controller leads: nothing is held because of one");
                // It may have written since: what was read from AWS is worth nothing.
                contexts.forget_aws().await;
            }
        }
        metrics.set_held_by_peer(peer.stretch().is_none());
        if cluster.lease.term().is_some() {
            push_everything(&queue, &cluster.watches.snapshot(), &contexts);
        }
    }
}
