//! What was made for the stack and has lost a tag that says so.
//!
//! Without every mark nothing can be changed or deleted: somebody may have taken a tag away so that we let go. But
//! what has the recorded id, and carries nobody else's mark, serves the stack still. So nothing is made beside it, its
//! address stays published, and the author is told which tag to put back.

use std::collections::BTreeMap;

use fairway_core::plan::{Bindings, Handle, ResourceKey};

use crate::{
    compare::Claimed,
    lower::LowerError,
    model::{LoadBalancer, LoadBalancerKind, ResourceKind as _, SecurityGroup, Tags, TargetGroup},
    observed::StackObserved,
};

/// What has lost a mark.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// Names of load balancers that serve, by kind.
    pub(super) load_balancers: BTreeMap<LoadBalancerKind, String>,
    /// What there is to say, by resource.
    pub(super) problems: BTreeMap<ResourceKey, LowerError>,
    /// How each is known.
    pub(super) handles: Bindings,
}

/// What decides whether something that is not ours was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory<'a> {
    pub(super) marks: &'a Tags,
    /// Identifiers by resource key.
    pub(super) recorded: &'a BTreeMap<String, String>,
}

impl Lost {
    /// Looks through everything that is there and not ours.
    pub(super) fn of(observed: &StackObserved, claimed: &Claimed, memory: Memory<'_>) -> Self {
        let mut lost = Self::default();
        let there = |id: &str| Handle { id: id.to_owned(), ready: true, ..Handle::default() };
        for seen in
            claimed.foreign.security_groups.iter().filter_map(|name| observed.security_groups.get(name))
        {
            let key = ResourceKey::new(SecurityGroup::KIND, &seen.name);
            lost.note(memory, (key, there(&seen.id)), ("security group", &seen.name), &seen.tags);
        }
        for seen in claimed.foreign.target_groups.iter().filter_map(|name| observed.target_groups.get(name)) {
            let key = ResourceKey::new(TargetGroup::KIND, &seen.name);
            lost.note(memory, (key, there(&seen.arn)), ("target group", &seen.name), &seen.tags);
        }
        // One that is ours serves instead.
        let ours = |kind| claimed.load_balancers.values().any(|owned| owned.get().kind == kind);
        let foreign = claimed.foreign.load_balancers.iter();
        let foreign = foreign.filter_map(|name| observed.load_balancers.get(name));
        for seen in foreign.filter(|seen| !ours(seen.kind)) {
            let key = ResourceKey::new(LoadBalancer::KIND, &seen.name);
            if lost.note(memory, (key, seen.handle.clone()), ("load balancer", &seen.name), &seen.tags) {
                lost.load_balancers.insert(seen.kind, seen.name.clone());
            }
        }
        lost
    }

    fn note(
        &mut self,
        memory: Memory<'_>,
        (key, handle): (ResourceKey, Handle),
        (kind, name): (&'static str, &str),
        tags: &Tags,
    ) -> bool {
        let problem = memory.problem(&key, &handle.id, (kind, name), tags);
        let lost = problem.is_some();
        if let Some(problem) = problem {
            self.handles.insert(key.clone(), handle);
            self.problems.insert(key, problem);
        }
        lost
    }
}

impl Memory<'_> {
    /// What to say of something that is not ours, if it was.
    pub(super) fn problem(
        &self,
        key: &ResourceKey,
        id: &str,
        (kind, name): (&'static str, &str),
        tags: &Tags,
    ) -> Option<LowerError> {
        let recorded = self.recorded.get(&key.0).is_some_and(|recorded| recorded == id);
        let elsewhere = |(mark, value): (&String, &String)| tags.get(mark).is_some_and(|have| have != value);
        if !recorded || self.marks.iter().any(elsewhere) {
            return None;
        }
        let tag = self.marks.keys().find(|mark| !tags.contains_key(*mark))?.clone();
        Some(LowerError::MarkLost { kind, name: name.to_owned(), tag })
    }
}
