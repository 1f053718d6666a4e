//! Members of target groups.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::Client;
use fairway_aws::model::Registration;
use fairway_aws::targets::{Health, Target, TargetsOp};
use fairway_core::plan::Bindings;
use fairway_engine::ports::{Applied, Refusal};

use super::{Done, ids};
use crate::Aws;
use crate::wire;

/// The most targets in one request.
const CHUNK: usize = 200;

impl Aws {
    pub(crate) async fn apply_targets(&self, op: &TargetsOp) -> Result<Applied, Refusal> {
        let (group, done) = match op {
            TargetsOp::Register { target_group, role, targets } => {
                let elb = self.elb_as(role.as_ref()).await;
                (target_group, self.register(&elb, target_group, targets).await)
            }
            TargetsOp::Deregister { target_group, role, targets } => {
                let elb = self.elb_as(role.as_ref()).await;
                (target_group, self.deregister(&elb, target_group, targets).await)
            }
            other => {
                let message = format!("{other:?} is not for AWS");
                return Err(Refusal::bug("NotAnAwsOperation", message));
            }
        };
        if done.is_err() {
            // An earlier part may have been applied, whatever became of this one.
            self.inventory.members.doubt(group);
        }
        Ok(done?)
    }

    /// A load balancer as the target of a group.
    pub(super) async fn register_load_balancer(&self, target: &Registration, ids: &Bindings) -> Done {
        let group = ids::find(ids, &target.target_group)?;
        let id = ids::find(ids, &target.load_balancer)?;
        let targets = BTreeSet::from([Target { id, port: target.port, zone: None }]);
        let done = self.register(&self.elbv2, &group, &targets).await;
        if done.is_err() {
            self.inventory.members.doubt(&group);
        }
        done
    }

    async fn register(&self, elb: &Client, group: &str, targets: &BTreeSet<Target>) -> Done {
        for part in parts(targets) {
            let wire = part.iter().map(wire::target::encode).collect();
            let request = elb.register_targets().target_group_arn(group).set_targets(Some(wire));
            self.elb("RegisterTargets", request.send()).await?;
            self.inventory.members.changed(group, |seen| {
                seen.draining.retain(|target| !part.contains(target));
                seen.registered.extend(part.iter().cloned());
                // As it will be said until somebody asks.
                if let Some(health) = &mut seen.health {
                    health.extend(part.iter().map(|target| (target.to_string(), Health::registering())));
                }
            });
        }
        Ok(Applied::Changed)
    }

    async fn deregister(&self, elb: &Client, group: &str, targets: &BTreeSet<Target>) -> Done {
        for part in parts(targets) {
            let wire = part.iter().map(wire::target::encode).collect();
            let request = elb.deregister_targets().target_group_arn(group).set_targets(Some(wire));
            match self.elb("DeregisterTargets", request.send()).await {
                Err(fault) if fault.is(&["TargetGroupNotFound"]) => {
                    self.inventory.members.doubt(group);
                    return Ok(Applied::Changed);
                }
                Err(fault) => return Err(fault.into()),
                Ok(_) => self.inventory.members.changed(group, |seen| {
                    seen.registered.retain(|target| !part.contains(target));
                    seen.draining.extend(part.iter().cloned());
                }),
            }
        }
        Ok(Applied::Changed)
    }
}

fn parts(targets: &BTreeSet<Target>) -> Vec<Vec<Target>> {
    let all: Vec<Target> = targets.iter().cloned().collect();
    all.chunks(CHUNK).map(<[Target]>::to_vec).collect()
}
