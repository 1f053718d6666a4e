//! The plan of a stack: make first, switch, delete last.
//!
//! Order: security group, target groups, certificates, load balancer, listeners, rules, bindings; what stands in front is
//! made, and listens once it leads somewhere; then tags; then what other services put on the load balancer, once it is
//! active: a failure of theirs keeps nothing else back; then, after all that brings the new state about, what nothing
//! needs any more (see [`deletions`]).

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    ids::Key,
    plan::{Plan, ResourceKey, Wait},
};
use fairway_crds::TargetGroupBinding;

use super::{
    Retag, StackOp,
    draft::Draft,
    lost::{Lost, Memory},
};
use crate::{
    compare::{self, Claimed, certificate::Matched},
    config::Config,
    lower::{Because, LowerError},
    model::{
        Listener, LoadBalancer, Ref, ResourceKind as _, Rule, SecurityGroup, SecurityGroupRef, StackModel,
        Tags, TargetGroup,
    },
    observed::{BalancerTarget, ListenerSeen, LoadBalancerSeen, RuleSeen, StackObserved},
    ownership::{Owned, Taken},
};

mod bindings;
mod certificates;
mod deletions;
mod doors;

/// All that a plan is made from.
#[derive(Debug)]
pub(super) struct Planning<'a> {
    pub(super) config: &'a Config,
    pub(super) resource_key: &'a str,
    pub(super) model: &'a StackModel,
    pub(super) observed: &'a StackObserved,
    pub(super) claimed: &'a Claimed,
    pub(super) certificates: &'a Matched,
    /// What was ours.
    pub(super) lost: &'a Lost,
    pub(super) memory: Memory<'a>,
    /// The stack's TargetGroupBinding objects.
    pub(super) objects: &'a BTreeMap<Key, &'a TargetGroupBinding>,
    /// Whether nothing may be deleted.
    pub(super) frozen: bool,
    /// What stands in front although nobody asks for it any more.
    pub(super) standing: Option<&'a LoadBalancerSeen>,
    /// What has to hold before anything goes.
    pub(super) farewell: &'a [Wait],
    pub(super) because: Because,
    pub(super) told: Option<StackOp>,
}

/// A plan, and what could not be planned.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) plan: Plan<StackOp>,
    pub(super) problems: Vec<LowerError>,
    /// What has no effect any more.
    pub(super) advice: Vec<LowerError>,
}

/// Plans the way from what is there to the model.
pub(super) fn plan(planning: &Planning<'_>) -> Planned {
    let taken = names_taken(planning);
    if !taken.is_empty() {
        return Planned { plan: Plan::default(), problems: taken, advice: Vec::new() };
    }
    let mut making = Making {
        input: planning,
        draft: Draft::new(planning.because.clone()),
        tags: Vec::new(),
        rule_deletions: Vec::new(),
        doors_to_shut: Vec::new(),
        doors_to_close: Vec::new(),
        problems: Vec::new(),
        advice: Vec::new(),
    };
    making.security_groups();
    let let_in = making.draft.switches();
    making.target_groups();
    making.certificates();
    let before = making.draft.switches();
    making.load_balancers();
    let carried = making.draft.switches().difference(&before).copied().chain(let_in).collect();
    making.shut(&carried);
    making.listeners(&planning.model.listeners, &planning.model.rules);
    making.bindings();
    making.frontend();
    planning.told.iter().for_each(|op| making.draft.last(op.clone()));
    std::mem::take(&mut making.tags).into_iter().for_each(|op| making.draft.aside(op, Vec::new()));
    making.addons();
    if !planning.frozen {
        making.deletions();
    }
    Planned { plan: making.draft.finish(), problems: making.problems, advice: making.advice }
}

/// What is wanted and belongs to somebody else, or is not ours any more.
fn names_taken(planning: &Planning<'_>) -> Vec<LowerError> {
    let (model, foreign) = (planning.model, &planning.claimed.foreign);
    let taken = |key: ResourceKey, kind, name: &String, by: &BTreeSet<String>| {
        let taken = by.contains(name) && !planning.lost.problems.contains_key(&key);
        taken.then(|| LowerError::NameTaken(Taken::new(kind, name)))
    };
    let balancers = model.load_balancers().filter_map(|wanted| {
        let key = ResourceKey::new(LoadBalancer::KIND, &wanted.name);
        taken(key, "load balancer", &wanted.name, &foreign.load_balancers)
    });
    let groups = model.target_groups.keys().filter_map(|name| {
        let key = ResourceKey::new(TargetGroup::KIND, name);
        taken(key, "target group", name, &foreign.target_groups)
    });
    let own = model.own_groups().filter_map(|own| {
        let key = ResourceKey::new(SecurityGroup::KIND, &own.name);
        taken(key, "security group", &own.name, &foreign.security_groups)
    });
    balancers.chain(groups).chain(own).chain(planning.lost.problems.values().cloned()).collect()
}

struct Making<'a> {
    input: &'a Planning<'a>,
    draft: Draft,
    tags: Vec<StackOp>,
    rule_deletions: Vec<StackOp>,
    /// Once all that is let in is.
    doors_to_shut: Vec<StackOp>,
    /// Once nothing is listened for behind them.
    doors_to_close: Vec<StackOp>,
    problems: Vec<LowerError>,
    advice: Vec<LowerError>,
}

impl Making<'_> {
    fn retag(&mut self, resource: ResourceKey, id: &str, want: &Tags, have: &Tags) {
        let change = compare::tags::changes(self.input.config, (resource, id), want, have);
        self.tags.extend(change.filter(|_| !self.input.frozen));
    }

    fn target_groups(&mut self) {
        for want in self.input.model.target_groups.values() {
            let reference: Ref<TargetGroup> = Ref::new(want.name.clone());
            match self.input.claimed.target_groups.get(&want.name) {
                None => {
                    self.draft.switch(StackOp::CreateTargetGroup(want.clone()), Vec::new());
                    if !want.attributes.is_empty() {
                        let attributes = want.attributes.clone();
                        let op = StackOp::ModifyTargetGroupAttributes(reference, attributes);
                        self.draft.switch(op, Vec::new());
                    }
                }
                Some(have) if !compare::target_group::same_kind(want, have.get()) => {
                    // Its name hashes all that is fixed at creation: who has it is not what we made.
                    let taken = Taken::new("target group", &want.name);
                    self.problems.push(LowerError::NameTaken(taken));
                }
                Some(have) => {
                    for op in compare::target_group::changes(want, have) {
                        self.draft.switch(op, Vec::new());
                    }
                    self.retag(reference.key(), &have.get().arn, &want.tags, &have.get().tags);
                }
            }
        }
    }

    fn load_balancers(&mut self) {
        let model = self.input.model;
        model.load_balancers().for_each(|want| self.load_balancer(want));
    }

    fn load_balancer(&mut self, want: &LoadBalancer) {
        let backend = want.security_groups.contains(&SecurityGroupRef::Backend);
        let waits = |yes: bool| if yes { vec![Wait::BackendSecurityGroup] } else { Vec::new() };
        let reference: Ref<LoadBalancer> = Ref::new(want.name.clone());
        match self.input.claimed.load_balancers.get(&want.name) {
            None => {
                self.draft.switch(StackOp::CreateLoadBalancer(want.clone()), waits(backend));
                if !want.attributes.is_empty() {
                    let attributes = want.attributes.clone();
                    let op = StackOp::ModifyLoadBalancerAttributes(reference, attributes);
                    self.draft.switch(op, Vec::new());
                }
            }
            Some(have) => {
                self.advice.extend(compare::load_balancer::fixed(want, have.get()));
                for op in compare::load_balancer::changes(want, have, self.input.observed) {
                    let groups = matches!(op, StackOp::SetSecurityGroups(..));
                    // A pool that nobody asks for may be a held member's.
                    let takes = matches!(op, StackOp::SetIpv4Pool(_, None));
                    if !(self.input.frozen && takes) {
                        self.draft.switch(op, waits(backend && groups));
                    }
                }
                self.retag(reference.key(), &have.get().handle.id, &want.tags, &have.get().tags);
            }
        }
    }

    /// Other services refuse a load balancer that is not active yet.
    fn addons(&mut self) {
        let Some(want) = &self.input.model.load_balancer else { return };
        let seen = self.seen(&want.name).map(|seen| seen.addons.clone()).unwrap_or_default();
        let active = Wait::LoadBalancerActive(ResourceKey::new(LoadBalancer::KIND, &want.name));
        for op in compare::addons::changes(&want.name, &want.addons, &seen) {
            self.draft.aside(op, vec![active.clone()]);
        }
    }

    /// The load balancer that serves already under this name, if there is one.
    fn seen(&self, name: &str) -> Option<&LoadBalancerSeen> {
        self.input.claimed.load_balancers.get(name).map(Owned::get)
    }

    /// What stands in front leads somewhere before anybody is sent to it.
    fn frontend(&mut self) {
        let Some(front) = &self.input.model.frontend else { return };
        for target in front.targets.values() {
            let behind = self.seen(target.load_balancer.name()).map(|seen| seen.handle.clone());
            let active = behind.as_ref().is_some_and(|handle| handle.ready);
            let group = self.input.claimed.target_groups.get(target.target_group.name());
            let leads = |id| BalancerTarget { id, port: target.port };
            let registered = behind
                .zip(group)
                .is_some_and(|(behind, group)| group.get().load_balancers.contains(&leads(behind.id)));
            if !registered {
                // AWS takes no other. What was seen to be active needs no telling: its address is published after this.
                let waits = (!active).then(|| Wait::LoadBalancerActive(target.load_balancer.key()));
                self.draft.switch(StackOp::RegisterLoadBalancer(target.clone()), waits.into_iter().collect());
            }
        }
        self.listeners(&front.listeners, &BTreeMap::new());
    }

    fn listeners(&mut self, wanted: &BTreeMap<u16, Listener>, rules: &BTreeMap<u16, Vec<Rule>>) {
        for want in wanted.values() {
            let rules = rules.get(&want.port).map_or(&[][..], Vec::as_slice);
            let seen = self.seen(want.load_balancer.name());
            let seen = seen.and_then(|balancer| balancer.listeners.get(&want.port)).cloned();
            match seen.map(|seen| Owned::claim(seen, self.input.memory.marks)) {
                None => {
                    self.draft.switch(StackOp::CreateListener(want.clone()), Vec::new());
                    for op in compare::listener::after_creation(want) {
                        self.draft.switch(op, Vec::new());
                    }
                    for rule in rules {
                        self.draft.switch(StackOp::CreateRule(rule.clone()), Vec::new());
                    }
                }
                Some(Ok(have)) => self.listener(want, rules, &have),
                Some(Err(seen)) => {
                    let (key, name) = (want.reference().key(), want.load_balancer.name().to_owned());
                    let what = ("listener", key.0.trim_start_matches("listener/"));
                    let lost = self.input.memory.problem(&key, &seen.arn, what, &seen.tags);
                    self.problems.push(lost.unwrap_or(LowerError::PortTaken { name, port: want.port }));
                }
            }
        }
    }

    /// A listener that is there. Where no rule is yet, those that come answer before another default action does.
    fn listener(&mut self, want: &Listener, rules: &[Rule], have: &Owned<ListenerSeen>) {
        let seen = have.get();
        let bare = seen.rules.is_empty() && seen.protocol == want.protocol;
        let before = self.draft.switches();
        if bare {
            self.rules(want, rules, seen);
        }
        let kept = if self.input.frozen { compare::listener::keep(want, seen) } else { want.clone() };
        for op in compare::listener::changes(&kept, have) {
            if !(self.input.frozen && matches!(op, StackOp::RemoveCertificates(..))) {
                self.draft.switch_behind(op, &before);
            }
        }
        self.retag(want.reference().key(), &seen.arn, &want.tags, &seen.tags);
        if !bare {
            self.rules(want, rules, seen);
        }
    }

    fn rules(&mut self, listener: &Listener, want: &[Rule], have: &ListenerSeen) {
        let marks = self.input.memory.marks;
        let rules = self.marked_again(listener, want, have);
        // While nothing may be deleted, a rule that nobody asks for may be a held member's: it keeps its place.
        let stays = |rule: &RuleSeen| {
            let ours = Owned::claim(rule.clone(), marks).is_ok();
            !ours || (self.input.frozen && !want.iter().any(|want| compare::rule::alike(want, rule)))
        };
        let (kept, free): (Vec<RuleSeen>, Vec<RuleSeen>) = rules.into_iter().partition(stays);
        let taken: BTreeSet<i32> = kept.into_iter().map(|rule| rule.priority).collect();
        let numbered = compare::rule::around(want, &taken, listener.port, self.input.resource_key);
        let changes =
            compare::rule::changes(self.input.config, &listener.reference(), &numbered, &free, marks);
        changes.now.into_iter().for_each(|op| self.draft.switch(op, Vec::new()));
        self.tags.extend(changes.tags);
        self.rule_deletions.extend(changes.deletions);
    }

    /// The rules of a listener; those that lost our marks get them back before anything else is done to them.
    fn marked_again(&mut self, listener: &Listener, want: &[Rule], have: &ListenerSeen) -> Vec<RuleSeen> {
        let marks = self.input.memory.marks;
        let lost = compare::rule::lost(want, &have.rules, marks);
        let mut rules = have.rules.clone();
        for rule in rules.iter_mut().filter(|rule| lost.contains(&rule.arn)) {
            let reference: Ref<Rule> = Ref::new(format!("{}:{}", listener.reference().name(), rule.priority));
            let resource = reference.key();
            let (id, set) = (rule.arn.clone(), compare::attributes(marks, &rule.tags));
            self.draft
                .switch(StackOp::SetTags(Retag { resource, id, set, remove: BTreeSet::new() }), Vec::new());
            rule.tags.extend(marks.clone());
        }
        rules
    }
}
