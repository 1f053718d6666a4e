//! What nothing needs any more, last: rules; what stands in front, before what is behind it, which AWS keeps as long as
//! it is a target; listeners, load balancers, bindings, target groups, security groups, certificates.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::plan::{ResourceKey, Wait};

use super::Making;
use crate::{
    model::{Binding, Listener, LoadBalancer, Ref, ResourceKind as _, TargetType},
    observed::{BalancerTarget, LoadBalancerSeen, TargetGroupSeen},
    ownership::Owned,
    stack::StackOp,
    tags,
};

impl Making<'_> {
    pub(super) fn deletions(&mut self) {
        for op in std::mem::take(&mut self.rule_deletions) {
            self.delete(op);
        }
        self.frontend_deletions();
        let model = self.input.model;
        let wanted = model.load_balancer.as_ref().map(|balancer| &balancer.name);
        self.stale_listeners(wanted, &model.listeners);
        let led_to = self.led_to();
        let stale = self.stale_balancers(|role| role != Some(tags::FRONTEND));
        let stale = stale.into_iter().filter(|one| led_to.iter().all(|to| to.id != one.get().handle.id));
        for balancer in stale {
            let waits = self.before_balancer_goes(balancer.get(), wanted);
            self.draft.delete(StackOp::DeleteLoadBalancer(balancer), waits);
        }
        for key in self.input.objects.keys() {
            if !model.bindings.contains_key(&key.to_string()) {
                let reference: Ref<Binding> = Ref::new(key.to_string());
                self.delete(StackOp::DeleteBinding(reference));
            }
        }
        self.stale_target_groups(|group| group.target_type != TargetType::Alb);
        for op in std::mem::take(&mut self.doors_to_close) {
            self.delete(op);
        }
        let own: BTreeSet<&String> = model.own_groups().map(|own| &own.name).collect();
        for (name, group) in &self.input.claimed.security_groups {
            if !own.contains(name) {
                self.delete(StackOp::DeleteSecurityGroup(group.clone()));
            }
        }
        self.certificates_to_delete();
    }

    fn frontend_deletions(&mut self) {
        let model = self.input.model;
        let front = model.frontend.as_ref();
        let wanted = front.map(|front| &front.load_balancer.name);
        let none = BTreeMap::new();
        self.stale_listeners(wanted, front.map_or(&none, |front| &front.listeners));
        let successor = wanted.or(model.load_balancer.as_ref().map(|balancer| &balancer.name));
        let standing = self.input.standing.map(|seen| &seen.name);
        let stale = self.stale_balancers(|role| role == Some(tags::FRONTEND));
        for balancer in stale.into_iter().filter(|one| Some(&one.get().name) != standing) {
            let waits = self.before_balancer_goes(balancer.get(), successor);
            self.draft.delete(StackOp::DeleteLoadBalancer(balancer), waits);
        }
        if standing.is_none() {
            self.stale_target_groups(|group| group.target_type == TargetType::Alb);
        }
    }

    /// Where what stands in front, and stays, leads to: AWS keeps that.
    fn led_to(&self) -> BTreeSet<BalancerTarget> {
        let groups = self.input.standing.iter().flat_map(|_| self.input.claimed.target_groups.values());
        groups.flat_map(|group| group.get().load_balancers.iter().cloned()).collect()
    }

    fn delete(&mut self, op: StackOp) {
        self.draft.delete(op, self.input.farewell.to_vec());
    }

    /// Listeners of the load balancer that stays, on ports that nobody asks for. Those of one that goes, go with it.
    fn stale_listeners(&mut self, balancer: Option<&String>, wanted: &BTreeMap<u16, Listener>) {
        let Some(current) = balancer.and_then(|name| self.seen(name)) else { return };
        let led_to = self.led_to();
        let leads = |port| led_to.contains(&BalancerTarget { id: current.handle.id.clone(), port });
        let stale = current.listeners.iter();
        let stale = stale.filter(|(port, _)| !wanted.contains_key(port) && !leads(**port));
        let ops: Vec<StackOp> = stale
            .filter_map(|(port, seen)| {
                let owned = Owned::claim(seen.clone(), self.input.memory.marks).ok()?;
                Some(StackOp::DeleteListener(Ref::new(format!("{}:{port}", current.name)), owned))
            })
            .collect();
        ops.into_iter().for_each(|op| self.delete(op));
    }

    /// Load balancers of a role that nobody asks for.
    fn stale_balancers(&self, of_role: impl Fn(Option<&str>) -> bool) -> Vec<Owned<LoadBalancerSeen>> {
        let wanted: Vec<&String> = self.input.model.load_balancers().map(|wanted| &wanted.name).collect();
        let all = self.input.claimed.load_balancers.iter();
        let stale = all.filter(|(name, balancer)| {
            let role = balancer.get().tags.get(self.input.resource_key);
            !wanted.contains(name) && of_role(role.map(String::as_str))
        });
        stale.map(|(_, balancer)| balancer.clone()).collect()
    }

    fn stale_target_groups(&mut self, of_kind: impl Fn(&TargetGroupSeen) -> bool) {
        for (name, group) in &self.input.claimed.target_groups {
            if !self.input.model.target_groups.contains_key(name) && of_kind(group.get()) {
                self.delete(StackOp::DeleteTargetGroup(group.clone()));
            }
        }
    }

    fn before_balancer_goes(&self, balancer: &LoadBalancerSeen, successor: Option<&String>) -> Vec<Wait> {
        let mut waits = self.input.farewell.to_vec();
        waits.extend(
            successor.map(|name| Wait::LoadBalancerActive(ResourceKey::new(LoadBalancer::KIND, name))),
        );
        // What is left serves the same objects: nobody may be sent here any more.
        let shown = balancer.handle.dns_name.as_ref().filter(|_| successor.is_some());
        waits.extend(shown.map(|name| Wait::AddressWithdrawn(name.to_lowercase())));
        let dns_name = balancer.handle.dns_name.as_ref().filter(|_| self.input.config.dns);
        waits.extend(dns_name.map(|name| Wait::RecordsGone(name.to_lowercase())));
        waits
    }
}
