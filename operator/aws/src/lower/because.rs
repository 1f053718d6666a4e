//! Who asked for what: what a plan says beside each operation.

use std::collections::BTreeMap;

use fairway_core::{
    ids::ObjectRef,
    intent::{Ask, Intent, Member},
    plan::ResourceKey,
    settings::{Provenance, Sourced},
};

use super::{ask::FrontAsk, group::Group};
use crate::model::StackModel;

/// Reasons by resource.
#[derive(Debug, Clone, Default)]
pub(crate) struct Because {
    known: BTreeMap<ResourceKey, Vec<Provenance>>,
    /// For what members share.
    shared: Vec<Provenance>,
}

impl Because {
    /// Reasons for a stack's model. What no member asked for alone, all of them share.
    pub(super) fn of(intent: &Intent, group: &Group, front: &FrontAsk, model: &StackModel) -> Self {
        let shared: Vec<Provenance> = intent.members.iter().map(written_by).collect();
        let mut known = group.owners(model);
        if let Some(balancer) = &model.load_balancer {
            let key = ResourceKey::new("load-balancer", &balancer.name);
            known.insert(key, shared.iter().cloned().chain(settings(front)).collect());
        }
        Self { known, shared }
    }

    /// Reasons for what stands in front, and for all that hangs on it.
    pub(super) fn frontend(&mut self, model: &StackModel, written: Vec<Provenance>) {
        let Some(frontend) = &model.frontend else { return };
        let groups = frontend.targets.values().map(|target| target.target_group.key());
        let listeners = frontend.listeners.values().map(|listener| listener.reference().key());
        let balancer = ResourceKey::new("load-balancer", &frontend.load_balancer.name);
        self.known.extend(groups.chain(listeners).chain([balancer]).map(|key| (key, written.clone())));
    }

    /// The same, with the reasons of another where there were none.
    pub(crate) fn or(mut self, other: Self) -> Self {
        for (key, reasons) in other.known {
            self.known.entry(key).or_insert(reasons);
        }
        self
    }

    /// Who asked for a resource.
    pub(crate) fn get(&self, key: &ResourceKey) -> Vec<Provenance> {
        self.known.get(key).unwrap_or(&self.shared).clone()
    }
}

/// The part of a member's spec that asks for load balancing at all.
pub(crate) fn written_by(member: &Member) -> Provenance {
    written(&member.object, matches!(member.ask, Ask::Http(_)))
}

/// The same, of an object.
pub(super) fn written(object: &ObjectRef, is_ingress: bool) -> Provenance {
    let key = if is_ingress { "spec.rules" } else { "spec.ports" };
    Provenance { object: object.clone(), key: key.to_owned() }
}

/// Settings of the load balancer that somebody wrote.
fn settings(front: &FrontAsk) -> Vec<Provenance> {
    fn from<T>(asked: Option<&Sourced<T>>) -> Option<Provenance> {
        asked.map(|asked| asked.from.clone())
    }
    let single = [
        from(front.name.as_ref()),
        from(front.scheme.as_ref()),
        from(front.ip_address_type.as_ref()),
        from(front.subnets.as_ref()),
        from(front.security_groups.as_ref()),
        from(front.manage_backend_rules.as_ref()),
        from(front.customer_owned_pool.as_ref()),
        from(front.ipv4_pool.as_ref()),
    ];
    let maps = front.attributes.values().chain(front.tags.values()).map(|asked| asked.from.clone());
    let mut all: Vec<Provenance> =
        single.into_iter().flatten().chain(maps).chain(front.addons.written()).collect();
    all.sort();
    all.dedup();
    all
}
