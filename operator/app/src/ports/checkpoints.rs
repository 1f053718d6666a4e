//! What is remembered of target groups: the checkpoint annotations of their TargetGroupBindings, as the peer keeps them.
//!
//! Bindings of users are told more than the peer tells: the conditions `TargetsRegistered` and, once there are rules for
//! the targets, `Ready`. Those that a stack made stay as the peer leaves them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use fairway_aws::targets::{CHECKPOINT_TIMESTAMP, Targets, checkpoint_of, made_by_a_stack};
use fairway_cluster::write::{BindingStatus, Verdict};
use fairway_core::{
    evaluate::LastGood,
    ids::{Key, Kind, ObjectRef},
    report::{Condition, Event, Failure},
};
use fairway_crds::TargetGroupBinding;
use fairway_engine::ports::{Publish as _, Record, Refusal, Remember, Remembered};
use kube::ResourceExt as _;

use super::{
    cluster::{Cluster, refused},
    networking::NETWORKING,
};

/// Condition of a binding: what is wanted is registered.
const REGISTERED: &str = "TargetsRegistered";
/// Condition of a binding: that, and traffic is let through.
const READY: &str = "Ready";

/// Reads checkpoints; they are written as operations of the plan.
pub(crate) struct Checkpoints(pub(crate) Arc<Cluster>);

impl Checkpoints {
    fn find(&self, unit: &Key) -> Option<Arc<TargetGroupBinding>> {
        self.0.watches.snapshot().target_group_bindings.get(unit).cloned()
    }

    async fn write(
        &self,
        unit: &Key,
        binding: &TargetGroupBinding,
        status: &BindingStatus,
    ) -> Result<(), Refusal> {
        let write = self.0.writer.binding_status(unit, binding, status);
        write.await.map_err(|error| refused(&error))
    }
}

#[async_trait]
impl Remember<Targets> for Checkpoints {
    async fn recall(&self, unit: &Key) -> Result<Remembered, Refusal> {
        let Some(binding) = self.find(unit) else { return Ok(Remembered::default()) };
        let written = binding.annotations().get(CHECKPOINT_TIMESTAMP).and_then(|text| text.parse().ok());
        Ok(Remembered {
            last_good: LastGood { fingerprint: checkpoint_of(&binding), ..LastGood::default() },
            observed_at: written.map(Duration::from_secs),
        })
    }

    async fn forget(&self, _: &Key) -> Result<(), Refusal> {
        // The plan's first operation empties the checkpoint.
        Ok(())
    }

    async fn record(&self, unit: &Key, record: Option<Record<'_>>) -> Result<(), Refusal> {
        let (Some(binding), Some(record)) = (self.find(unit), record) else { return Ok(()) };
        let status = BindingStatus {
            generation: Some(binding.metadata.generation.unwrap_or_default()),
            verdicts: verdicts(&binding, &record.report.ready),
        };
        self.write(unit, &binding, &status).await
    }

    async fn stumble(&self, unit: &Key, failure: &Failure) -> Result<(), Refusal> {
        let Some(binding) = self.find(unit) else { return Ok(()) };
        if failure.class.warns() {
            let about = ObjectRef::new(Kind::TargetGroupBinding, unit.clone());
            let (reason, message) = (failure.code.clone(), failure.message.clone());
            self.0.event(&Event { about, warning: true, reason, message }).await;
        }
        let (reason, message) = (failure.code.clone(), failure.message.clone());
        let verdicts = verdicts(&binding, &Condition { status: false, reason, message });
        self.write(unit, &binding, &BindingStatus { generation: None, verdicts }).await
    }
}

/// Conditions of a user's binding whose targets are so.
fn verdicts(binding: &TargetGroupBinding, registered: &Condition) -> Vec<Verdict> {
    if made_by_a_stack(binding) {
        return Vec::new();
    }
    let said = |kind, condition: &Condition| Verdict {
        kind,
        holds: condition.status,
        reason: condition.reason.clone(),
        message: condition.message.clone(),
    };
    let conditions = binding.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let networking = match conditions.iter().find(|condition| condition.type_ == NETWORKING) {
        Some(told) => Condition {
            status: told.status == "True",
            reason: told.reason.clone(),
            message: told.message.clone(),
        },
        None => Condition {
            status: false,
            reason: "Pending".to_owned(),
            message: "the rules of the targets' security groups have not been looked at yet".to_owned(),
        },
    };
    let ready = if registered.status && !networking.status { &networking } else { registered };
    vec![said(REGISTERED, registered), said(READY, ready)]
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{
        apimachinery::pkg::apis::meta::v1::{Condition as Told, Time},
        jiff::Timestamp,
    };

    use super::*;

    fn condition(status: bool, reason: &str) -> Condition {
        Condition { status, reason: reason.to_owned(), message: String::new() }
    }

    fn binding(networking: Option<(&str, &str)>) -> TargetGroupBinding {
        let mut binding = TargetGroupBinding::default();
        binding.status.get_or_insert_default().conditions = networking
            .map(|(status, reason)| Told {
                type_: NETWORKING.to_owned(),
                status: status.to_owned(),
                reason: reason.to_owned(),
                message: String::new(),
                last_transition_time: Time(Timestamp::UNIX_EPOCH),
                observed_generation: None,
            })
            .into_iter()
            .collect();
        binding
    }

    #[test]
    fn a_binding_is_ready_when_its_targets_are_registered_and_reached() {
        let (well, ill) = (condition(true, "Ready"), condition(false, "TargetGroupNotFound"));
        let cases = [
            ("all is well", Some(("True", "Ready")), &well, (true, "Ready")),
            ("nobody looked at the rules", None, &well, (false, "Pending")),
            ("there is no rule", Some(("False", "Forbidden")), &well, (false, "Forbidden")),
            ("nothing is registered", Some(("False", "Forbidden")), &ill, (false, "TargetGroupNotFound")),
        ];
        for (name, networking, registered, want) in cases {
            let told = verdicts(&binding(networking), registered);
            let ready = told.iter().find(|verdict| verdict.kind == READY).unwrap();
            assert_eq!((ready.holds, ready.reason.as_str()), want, "{name}");
            let first = told.iter().find(|verdict| verdict.kind == REGISTERED).unwrap();
            assert_eq!(first.holds, registered.status, "{name}");
        }
    }

    #[test]
    fn what_a_stack_made_stays_in_the_peers_form() {
        let mut made = binding(None);
        made.metadata.labels = Some([("ingress.k8s.aws/stack-name".to_owned(), "shop".to_owned())].into());
        assert!(verdicts(&made, &condition(true, "Ready")).is_empty());
    }
}
