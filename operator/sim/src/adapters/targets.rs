//! The members of target groups.

use async_trait::async_trait;
use fairway_aws::targets::{
    CHECKPOINT, Health, HealthByTarget, Target, Targets, TargetsObserved, TargetsOp, TargetsScope,
    read_record, record_of, spell_record,
};
use fairway_core::{
    class::Class,
    ids::Key,
    plan::{Bindings, Operation as _},
};
use fairway_engine::ports::{Applied, Apply, Observe, Refusal};

use super::Process;
use crate::{
    sim::{Inner, refused},
    world::{self as aws, Aws, TargetRow},
};

#[async_trait]
impl Observe<Targets> for Process {
    async fn observe(&self, unit: &Key, scope: &TargetsScope) -> Result<TargetsObserved, Refusal> {
        let seen = self.sim.observe(self.number, |aws| observed(aws, scope)).await?;
        let recorded = || self.sim.lock().cluster.records.get(&record_of(unit)).map(|text| read_record(text));
        Ok(TargetsObserved { recorded: scope.record.then(recorded).flatten(), ..seen })
    }
}

fn observed(aws: &Aws, scope: &TargetsScope) -> Result<TargetsObserved, Refusal> {
    let arn = &scope.target_group;
    if !aws.target_groups.contains_key(arn) {
        return Ok(TargetsObserved::default());
    }
    let mut seen = TargetsObserved { found: true, ..TargetsObserved::default() };
    let mut told = HealthByTarget::new();
    for (row, state) in aws.target_health(arn).map_err(refused)? {
        let TargetRow { id, port, zone, .. } = row;
        let to = if state == aws::Health::Draining { &mut seen.draining } else { &mut seen.registered };
        let target = Target { id, port, zone };
        told.insert(target.to_string(), health(state));
        to.insert(target);
    }
    seen.health = scope.health.then_some(told);
    Ok(seen)
}

fn health(state: aws::Health) -> Health {
    let (state, reason) = match state {
        aws::Health::Initial => return Health::registering(),
        aws::Health::Unused => ("unused", "Target.NotInUse"),
        aws::Health::Draining => ("draining", "Target.DeregistrationInProgress"),
        aws::Health::Healthy => ("healthy", ""),
    };
    Health { state: state.to_owned(), reason: reason.to_owned(), description: String::new() }
}

#[async_trait]
impl Apply<Targets> for Process {
    async fn apply(&self, _: &Key, op: &TargetsOp, _: &Bindings) -> Result<Applied, Refusal> {
        let act = |inner: &mut Inner| match op {
            TargetsOp::Register { target_group, targets, .. } => {
                let targets = targets.iter().map(|one| (one.id.clone(), Some(one.port), one.zone.clone()));
                inner.aws.register_targets(target_group, &targets.collect::<Vec<_>>()).map_err(refused)
            }
            TargetsOp::Deregister { target_group, targets, .. } => {
                let targets = targets.iter().map(|one| (one.id.clone(), Some(one.port)));
                inner.aws.deregister_targets(target_group, &targets.collect::<Vec<_>>()).map_err(refused)
            }
            TargetsOp::Record { binding, targets } => {
                inner.cluster.write_record(&record_of(binding), Some(spell_record(targets)));
                Ok(())
            }
            TargetsOp::ForgetRecord { binding } => {
                inner.cluster.write_record(&record_of(binding), None);
                Ok(())
            }
            TargetsOp::Tell(told) => {
                inner.cluster.tell_pod(told);
                Ok(())
            }
            TargetsOp::Checkpoint { binding, checkpoint } => {
                checkpointed(inner, binding, checkpoint.as_deref())
            }
        };
        self.sim.write(self.number, op.describe(), act).await.map(|()| Applied::Changed)
    }
}

fn checkpointed(inner: &mut Inner, binding: &Key, checkpoint: Option<&str>) -> Result<(), Refusal> {
    match inner.cluster.annotate_binding(binding, CHECKPOINT, checkpoint.unwrap_or_default()) {
        true => Ok(()),
        false => Err(Refusal::new(Class::Transient, "ObjectGone", "the binding is gone")),
    }
}
