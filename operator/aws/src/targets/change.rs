//! From what is registered to what should be, in an order in which it can stop after every step.
//!
//! The checkpoint is emptied before the first change and written after the last. New targets are registered before old
//! ones are taken out, unless both together would be more than the limit. In a group that other clusters use, a target
//! is recorded as ours before it is registered, and only what is recorded is taken out.

use std::collections::BTreeSet;

use fairway_core::{
    ids::Key,
    plan::{OpId, Plan},
};

use super::{Health, Target, TargetsModel, TargetsObserved, TargetsOp, gate::Gated};

/// Targets of one call.
const CHUNK: usize = 200;

/// One change of membership.
pub(super) struct Change<'a> {
    /// The binding.
    pub(super) unit: &'a Key,
    pub(super) model: &'a TargetsModel,
    pub(super) observed: &'a TargetsObserved,
    /// The checkpoint that the binding carries.
    pub(super) written: Option<&'a String>,
    /// Pods that are told about their targets.
    pub(super) gated: &'a [Gated<'a>],
    /// The most targets of a group.
    pub(super) most: usize,
}

/// What differs.
struct Difference {
    missing: BTreeSet<Target>,
    extra: BTreeSet<Target>,
    /// What has to be recorded before and after the change; `None` where nothing has to be written.
    before: Option<BTreeSet<String>>,
    after: Option<BTreeSet<String>>,
}

impl Change<'_> {
    /// The operations, in order.
    pub(super) fn plan(&self) -> Plan<TargetsOp> {
        let difference = self.difference();
        let mut plan = Plan::default();
        let changes = !(difference.missing.is_empty() && difference.extra.is_empty());
        let mut last = Vec::new();
        if changes && self.written.is_some() {
            last = vec![plan.push(self.checkpoint(None), last)];
        }
        last = self.record(&mut plan, difference.before.as_ref(), last);
        last = self.exchange(&mut plan, &difference, last);
        last = self.record(&mut plan, difference.after.as_ref(), last);
        self.tell(&mut plan, &difference.missing, &last);
        let checkpoint = self.model.checkpoint.as_ref();
        if checkpoint.is_none() && self.model.shared {
            let forget = TargetsOp::ForgetRecord { binding: self.unit.clone() };
            last = vec![plan.push(forget, last)];
        }
        if checkpoint.is_some() && (changes || checkpoint != self.written) {
            plan.push(self.checkpoint(checkpoint.cloned()), last);
        }
        plan
    }

    fn difference(&self) -> Difference {
        let (wanted, registered) = (&self.model.targets, &self.observed.registered);
        let recorded = self.observed.recorded.as_ref();
        let ours = |target: &Target| match (self.model.shared, recorded) {
            (false, _) => true,
            (true, recorded) => recorded.is_some_and(|recorded| recorded.contains(&target.to_string())),
        };
        let mut extra = without(registered, wanted);
        extra.retain(ours);
        let room = self.most.saturating_sub(registered.len() - extra.len());
        let missing: BTreeSet<Target> = without(wanted, registered).into_iter().take(room).collect();
        let stays = self.model.checkpoint.is_some();
        let (before, after) = if self.model.shared && stays { self.records(&extra) } else { (None, None) };
        Difference { missing, extra, before, after }
    }

    /// What is recorded before the change, and after it.
    fn records(&self, extra: &BTreeSet<Target>) -> (Option<BTreeSet<String>>, Option<BTreeSet<String>>) {
        let recorded = self.observed.recorded.as_ref();
        let after: BTreeSet<String> = self.model.targets.iter().map(ToString::to_string).collect();
        let during: BTreeSet<String> =
            after.iter().cloned().chain(extra.iter().map(ToString::to_string)).collect();
        let begun = recorded.is_some_and(|recorded| during.is_subset(recorded));
        let before = (!begun).then_some(during);
        let differs = before.as_ref().or(recorded) != Some(&after);
        (before, differs.then_some(after))
    }

    fn record(
        &self,
        plan: &mut Plan<TargetsOp>,
        targets: Option<&BTreeSet<String>>,
        last: Vec<OpId>,
    ) -> Vec<OpId> {
        match targets {
            None => last,
            Some(targets) => {
                let op = TargetsOp::Record { binding: self.unit.clone(), targets: targets.clone() };
                vec![plan.push(op, last)]
            }
        }
    }

    /// Registers and takes out.
    fn exchange(&self, plan: &mut Plan<TargetsOp>, difference: &Difference, last: Vec<OpId>) -> Vec<OpId> {
        let (target_group, role) = (&self.model.target_group, &self.model.role);
        let register = chunks(&difference.missing).into_iter().map(|targets| TargetsOp::Register {
            target_group: target_group.clone(),
            role: role.clone(),
            targets,
        });
        let deregister = chunks(&difference.extra).into_iter().map(|targets| TargetsOp::Deregister {
            target_group: target_group.clone(),
            role: role.clone(),
            targets,
        });
        let crowded = self.observed.registered.len() + difference.missing.len() > self.most;
        let ops: Vec<TargetsOp> =
            if crowded { deregister.chain(register).collect() } else { register.chain(deregister).collect() };
        ops.into_iter().fold(last, |last, op| vec![plan.push(op, last)])
    }

    /// Tells the pods that wait what became of their targets; nothing else waits for that.
    fn tell(&self, plan: &mut Plan<TargetsOp>, missing: &BTreeSet<Target>, last: &[OpId]) {
        for gated in self.gated {
            if let Some(told) = self.news(gated, missing).and_then(|health| gated.told(health.as_ref())) {
                plan.push(TargetsOp::Tell(told), last.to_vec());
            }
        }
    }

    /// What there is to say of a pod's target; `None`: nothing, because nobody asked AWS. `Some(None)`: AWS does not know
    /// it.
    #[expect(clippy::option_option, reason = "not asked and not known are two things")]
    fn news(&self, gated: &Gated<'_>, missing: &BTreeSet<Target>) -> Option<Option<Health>> {
        if self.model.checkpoint.is_none() {
            return gated.waits().then(|| Some(Health::unbound()));
        }
        if missing.iter().any(|target| target.to_string() == gated.target) {
            return Some(Some(Health::registering()));
        }
        self.observed.health.as_ref().map(|told| told.get(&gated.target).cloned())
    }

    /// Whether a pod will still wait for its target after the change.
    pub(super) fn leaves_pods_waiting(&self) -> bool {
        let Difference { missing, .. } = self.difference();
        let healthy = |health: Option<Health>| health.is_some_and(|health| health.is_well());
        self.gated.iter().any(|gated| match self.news(gated, &missing) {
            Some(health) => !healthy(health),
            None => gated.waits(),
        })
    }

    fn checkpoint(&self, checkpoint: Option<String>) -> TargetsOp {
        TargetsOp::Checkpoint { binding: self.unit.clone(), checkpoint }
    }
}

/// Targets of `all` that `others` do not have. AWS tells a target by id and port.
fn without(all: &BTreeSet<Target>, others: &BTreeSet<Target>) -> BTreeSet<Target> {
    let known: BTreeSet<(&str, u16)> = others.iter().map(|other| (other.id.as_str(), other.port)).collect();
    all.iter().filter(|target| !known.contains(&(target.id.as_str(), target.port))).cloned().collect()
}

fn chunks(targets: &BTreeSet<Target>) -> Vec<BTreeSet<Target>> {
    let all: Vec<Target> = targets.iter().cloned().collect();
    all.chunks(CHUNK).map(|chunk| chunk.iter().cloned().collect()).collect()
}
