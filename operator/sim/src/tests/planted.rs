//! Bugs planted around honest ports: the harness must complain about each.

use std::sync::Arc;

use async_trait::async_trait;
use fairway_aws::{
    observed::{StackObserved, StackScope},
    stack::{StackOp, Stacks},
};
use fairway_core::{ids::StackId, plan::Bindings};
use fairway_engine::ports::{Applied, Apply, Leadership, Observe, Refusal, Term};

use super::runs::{scenario, without_faults};
use crate::{
    adapters::Process,
    faults::{Fault, Faults},
    harness::{Wiring, run},
    operator::Ports,
    sim::LOST,
};

/// The faults of the run at a position.
type FaultAt = fn(u64) -> Faults;

struct Broken(Process);

/// No check of the lease.
impl Leadership for Broken {
    fn term(&self) -> Option<Term> {
        Some(Term(self.0.number))
    }
}

/// What is swallowed or done first.
struct Swallows(Process);

#[async_trait]
impl Apply<Stacks> for Swallows {
    async fn apply(&self, unit: &StackId, op: &StackOp, bindings: &Bindings) -> Result<Applied, Refusal> {
        match Apply::<Stacks>::apply(&self.0, unit, op, bindings).await {
            Err(refusal) if refusal.failure.code == LOST => Ok(Applied::Changed),
            other => other,
        }
    }
}

/// Makes room before it makes what is new.
struct DeletesFirst(Process);

#[async_trait]
impl Apply<Stacks> for DeletesFirst {
    async fn apply(&self, unit: &StackId, op: &StackOp, bindings: &Bindings) -> Result<Applied, Refusal> {
        if matches!(op, StackOp::CreateLoadBalancer(_)) {
            let mine = |arn: &String| !arn.contains("0000000000/");
            let old: Vec<String> =
                self.0.sim.lock().aws.balancers.keys().filter(|arn| mine(arn)).cloned().collect();
            for arn in old {
                let delete = |inner: &mut crate::sim::Inner| {
                    inner.aws.delete_load_balancer(&arn).unwrap();
                    Ok(())
                };
                self.0.sim.write(self.0.number, format!("delete {arn} first"), delete).await?;
            }
        }
        Apply::<Stacks>::apply(&self.0, unit, op, bindings).await
    }
}

/// The page of target groups did not come, and what came is taken for all.
struct SeesPart(Process);

#[async_trait]
impl Observe<Stacks> for SeesPart {
    async fn observe(&self, unit: &StackId, scope: &StackScope) -> Result<StackObserved, Refusal> {
        let mut seen = Observe::<Stacks>::observe(&self.0, unit, scope).await?;
        seen.target_groups.clear();
        Ok(seen)
    }
}

/// Takes everything for ours.
struct SeesAllAsOurs(Process);

#[async_trait]
impl Observe<Stacks> for SeesAllAsOurs {
    async fn observe(&self, unit: &StackId, scope: &StackScope) -> Result<StackObserved, Refusal> {
        let everything = StackScope {
            marks: [("elbv2.k8s.aws/cluster".to_owned(), "other".to_owned())].into(),
            ..scope.clone()
        };
        let mut foreign = Observe::<Stacks>::observe(&self.0, unit, &everything).await?;
        foreign.load_balancers.values_mut().for_each(|seen| seen.tags.extend(scope.marks.clone()));
        let mut seen = Observe::<Stacks>::observe(&self.0, unit, scope).await?;
        seen.load_balancers.extend(foreign.load_balancers);
        Ok(seen)
    }
}

fn complaints(name: &str, faults: impl Fn(u64) -> Faults, wiring: Wiring) -> Vec<String> {
    let scenario = scenario(name);
    let reference = without_faults(&scenario);
    let positions = if faults(0).is_none() { 1 } else { reference.counted.0 };
    let runs = 0..positions;
    runs.map(|position| run(&scenario, faults(position), Some(&reference), wiring).problems)
        .find(|problems| !problems.is_empty())
        .unwrap_or_default()
}

#[test]
fn every_planted_bug_is_complained_about() {
    let none = |_| Faults::default();
    let lost = |position| Faults::once(Fault::Cut, position);
    let lease = |position| Faults::once(Fault::LeaseLost, position);
    let cases: [(&str, &str, FaultAt, Wiring, &str); 5] = [
        (
            "deleting first",
            "scheme-changes",
            none,
            |process| Ports {
                apply_stacks: Arc::new(DeletesFirst(process.clone())),
                ..Ports::honest(process)
            },
            "which is gone",
        ),
        (
            "no ownership check",
            "ingress-ip",
            none,
            |process| Ports {
                observe_stacks: Arc::new(SeesAllAsOurs(process.clone())),
                ..Ports::honest(process)
            },
            "not ours",
        ),
        (
            "a swallowed lost answer",
            "path-changes",
            lost,
            |process| Ports { apply_stacks: Arc::new(Swallows(process.clone())), ..Ports::honest(process) },
            "left to do",
        ),
        (
            "a partial list taken as whole",
            "ingress-ip",
            none,
            |process| Ports { observe_stacks: Arc::new(SeesPart(process.clone())), ..Ports::honest(process) },
            "leaked",
        ),
        (
            "no lease check",
            "ingress-ip",
            lease,
            |process| Ports { leadership: Arc::new(Broken(process.clone())), ..Ports::honest(process) },
            "without the lease",
        ),
    ];
    let mut missed = Vec::new();
    for (bug, name, faults, wiring, word) in cases {
        let problems = complaints(name, faults, wiring);
        eprintln!("{bug}: {}", problems.first().map_or("nothing", String::as_str));
        if !problems.iter().any(|problem| problem.contains(word)) {
            missed.push(format!("{bug}: {problems:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
