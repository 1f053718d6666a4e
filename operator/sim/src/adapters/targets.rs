//! The members of target groups.

use async_trait::async_trait;
use fairway_aws::targets::{CHECKPOINT, Target, Targets, TargetsObserved, TargetsOp, TargetsScope};
use fairway_core::{
    class::Class,
    ids::Key,
    plan::{Bindings, Operation as _},
};
use fairway_engine::ports::{Applied, Apply, Observe, Refusal};

use super::Process;
use crate::{
    sim::refused,
    world::{Aws, Health, TargetRow},
};

#[async_trait]
impl Observe<Targets> for Process {
    async fn observe(&self, _: &Key, scope: &TargetsScope) -> Result<TargetsObserved, Refusal> {
        self.sim.observe(self.number, |aws| observed(aws, &scope.target_group)).await
    }
}

fn observed(aws: &Aws, arn: &str) -> Result<TargetsObserved, Refusal> {
    if !aws.target_groups.contains_key(arn) {
        return Ok(TargetsObserved::default());
    }
    let mut seen = TargetsObserved { found: true, ..TargetsObserved::default() };
    for (row, health) in aws.target_health(arn).map_err(refused)? {
        let TargetRow { id, port, zone, .. } = row;
        let to = if health == Health::Draining { &mut seen.draining } else { &mut seen.registered };
        to.insert(Target { id, port, zone });
    }
    Ok(seen)
}

#[async_trait]
impl Apply<Targets> for Process {
    async fn apply(&self, _: &Key, op: &TargetsOp, _: &Bindings) -> Result<Applied, Refusal> {
        let act = |inner: &mut crate::sim::Inner| match op {
            TargetsOp::Register { target_group, targets } => {
                let targets = targets.iter().map(|one| (one.id.clone(), Some(one.port), one.zone.clone()));
                inner.aws.register_targets(target_group, &targets.collect::<Vec<_>>()).map_err(refused)
            }
            TargetsOp::Deregister { target_group, targets } => {
                let targets = targets.iter().map(|one| (one.id.clone(), Some(one.port)));
                inner.aws.deregister_targets(target_group, &targets.collect::<Vec<_>>()).map_err(refused)
            }
            TargetsOp::Checkpoint { binding, checkpoint } => {
                let text = checkpoint.as_deref().unwrap_or_default();
                match inner.cluster.annotate_binding(binding, CHECKPOINT, text) {
                    true => Ok(()),
                    false => Err(Refusal::new(Class::Transient, "ObjectGone", "the binding is gone")),
                }
            }
        };
        self.sim.write(self.number, op.describe(), act).await.map(|()| Applied::Changed)
    }
}
