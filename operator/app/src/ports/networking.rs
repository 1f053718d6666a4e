//! What is told of the rules on nodes and pods: the condition `NetworkingReady` of users' TargetGroupBindings.

use std::sync::Arc;

use async_trait::async_trait;
use fairway_aws::{
    network::{Cluster as Unit, Network},
    targets::made_by_a_stack,
};
use fairway_cluster::write::{BindingStatus, Verdict};
use fairway_core::{
    ids::{Key, Kind, ObjectRef},
    report::{Condition, Failure, StateReport},
};
use fairway_crds::TargetGroupBinding;
use fairway_engine::ports::{Record, Refusal, Remember, Remembered};

use super::cluster::{Cluster, refused};

/// Condition of a binding: what it asks for in `spec.networking` is let through.
pub(crate) const NETWORKING: &str = "NetworkingReady";

/// Remembers nothing, and tells the bindings.
pub(crate) struct Networking(pub(crate) Arc<Cluster>);

#[async_trait]
impl Remember<Network> for Networking {
    async fn recall(&self, _: &Unit) -> Result<Remembered, Refusal> {
        Ok(Remembered::default())
    }

    async fn forget(&self, _: &Unit) -> Result<(), Refusal> {
        Ok(())
    }

    async fn record(&self, _: &Unit, record: Option<Record<'_>>) -> Result<(), Refusal> {
        let Some(record) = record else { return Ok(()) };
        self.tell(|key| of_report(key, record.report)).await
    }

    async fn stumble(&self, _: &Unit, failure: &Failure) -> Result<(), Refusal> {
        let (reason, message) = (failure.code.clone(), failure.message.clone());
        let condition = Condition { status: false, reason, message };
        self.tell(|_| condition.clone()).await
    }
}

impl Networking {
    async fn tell(&self, said: impl Fn(&Key) -> Condition + Send + Sync) -> Result<(), Refusal> {
        let snapshot = self.0.watches.snapshot();
        for (key, binding) in snapshot.target_group_bindings.iter() {
            if made_by_a_stack(binding) || binding.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let Condition { status: holds, reason, message } =
                if asks(binding) { said(key) } else { nothing_asked() };
            let verdict = Verdict { kind: NETWORKING, holds, reason, message };
            let status = BindingStatus { generation: None, verdicts: vec![verdict] };
            let write = self.0.writer.binding_status(key, binding, &status);
            write.await.map_err(|error| refused(&error))?;
        }
        Ok(())
    }
}

fn asks(binding: &TargetGroupBinding) -> bool {
    binding.spec.networking.as_ref().is_some_and(|networking| !networking.ingress.is_empty())
}

fn nothing_asked() -> Condition {
    let message = "spec.networking asks for nothing".to_owned();
    Condition { status: true, reason: "NotAsked".to_owned(), message }
}

/// A look names the bindings whose rules it could not decide. What failed without a name may be anybody's.
fn of_report(key: &Key, report: &StateReport) -> Condition {
    let about = ObjectRef::new(Kind::TargetGroupBinding, key.clone());
    let own = report.notes.iter().find(|note| note.about == about && !note.advice);
    match own {
        Some(note) => Condition { status: false, reason: note.code.clone(), message: note.message.clone() },
        None if report.notes.is_empty() => report.ready.clone(),
        None => Condition::ready(),
    }
}

#[cfg(test)]
mod tests {
    use fairway_core::{class::Class, note::Note, plan::Bindings};

    use super::*;

    fn report(ready: bool, noted: Option<&str>) -> StateReport {
        let note = |name: &str| Note {
            about: ObjectRef::new(Kind::TargetGroupBinding, Key::new("default", name)),
            class: Class::Pending,
            code: "NoNetworkInterface".to_owned(),
            message: "no network interface is known for 10.0.0.1".to_owned(),
            held: true,
            advice: false,
        };
        let reason = if ready { "Ready" } else { "Forbidden" }.to_owned();
        StateReport {
            ready: Condition { status: ready, reason, message: String::new() },
            notes: noted.map(note).into_iter().collect(),
            bindings: Bindings::new(),
            addresses: Vec::new(),
            plan: Vec::new(),
            fingerprint: None,
            good: Default::default(),
        }
    }

    #[test]
    fn a_binding_answers_for_its_own_rules() {
        let cases = [
            ("all is well", report(true, None), (true, "Ready")),
            ("its own interface is missing", report(false, Some("shop")), (false, "NoNetworkInterface")),
            ("another's interface is missing", report(false, Some("other")), (true, "Ready")),
            ("a call failed", report(false, None), (false, "Forbidden")),
        ];
        for (name, report, want) in cases {
            let told = of_report(&Key::new("default", "shop"), &report);
            assert_eq!((told.status, told.reason.as_str()), want, "{name}");
        }
    }
}
