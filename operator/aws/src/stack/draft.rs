//! A plan in the making: every operation comes after those that touched what it touches or refers to.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::plan::{Effect, OpId, Operation as _, Plan, ResourceKey, Wait};

use super::StackOp;
use crate::lower::Because;

/// A plan in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    plan: Plan<StackOp>,
    touched: BTreeMap<ResourceKey, BTreeSet<OpId>>,
    because: Because,
    /// Everything that brings the new state about; deletions come after all of it.
    switches: BTreeSet<OpId>,
    deletions: BTreeSet<OpId>,
}

impl Draft {
    pub(super) fn new(because: Because) -> Self {
        Self { because, ..Self::default() }
    }

    /// An operation that brings the new state about.
    pub(super) fn switch(&mut self, op: StackOp, waits: Vec<Wait>) {
        let after = self.before(&op);
        let id = self.push(op, after, waits);
        self.switches.insert(id);
    }

    /// An operation that brings the new state about, after these too.
    pub(super) fn switch_after(&mut self, op: StackOp, these: &BTreeSet<OpId>) {
        let mut after = self.before(&op);
        after.extend(these);
        let id = self.push(op, after, Vec::new());
        self.switches.insert(id);
    }

    /// An operation that brings the new state about, but not before what was added since `since` did.
    pub(super) fn switch_behind(&mut self, op: StackOp, since: &BTreeSet<OpId>) {
        let these = self.switches.difference(since).copied().collect();
        self.switch_after(op, &these);
    }

    /// All that brings the new state about so far.
    pub(super) fn switches(&self) -> BTreeSet<OpId> {
        self.switches.clone()
    }

    /// An operation on which nothing else depends.
    pub(super) fn aside(&mut self, op: StackOp, waits: Vec<Wait>) {
        let after = self.before(&op);
        self.push(op, after, waits);
    }

    /// An operation that comes after everything that brings the new state about.
    pub(super) fn last(&mut self, op: StackOp) {
        let after = self.switches.clone();
        self.push(op, after, Vec::new());
    }

    /// A deletion: after everything that brings the new state about, and after all deletions so far.
    pub(super) fn delete(&mut self, op: StackOp, waits: Vec<Wait>) {
        let mut after = self.before(&op);
        after.extend(&self.switches);
        after.extend(&self.deletions);
        let id = self.push(op, after, waits);
        self.deletions.insert(id);
    }

    pub(super) fn finish(self) -> Plan<StackOp> {
        self.plan
    }

    fn before(&self, op: &StackOp) -> BTreeSet<OpId> {
        let mut keys = op.refers_to();
        keys.insert(op.resource());
        keys.iter().filter_map(|key| self.touched.get(key)).flatten().copied().collect()
    }

    fn push(&mut self, op: StackOp, after: BTreeSet<OpId>, waits: Vec<Wait>) -> OpId {
        let key = op.resource();
        let because = if op.effect() == Effect::Delete { Vec::new() } else { self.because.get(&key) };
        let id = self.plan.push_waiting(op, after, waits, because);
        self.touched.entry(key).or_default().insert(id);
        id
    }
}
