//! Operations in order, the lease before each.
//!
//! An operation runs when all in its `after` were applied and its waits hold. One that fails takes those that come
//! after it with it, and nothing else: independent branches go on.

use std::{collections::BTreeMap, time::Duration};

use fairway_core::{
    class::Class,
    evaluate::Provider,
    plan::{Bindings, Effect, OpId, Operation as _, Planned, Wait},
    policy::Admitted,
    report::{Failure, OpResult, Outcome},
};

use crate::{
    board::Standing,
    context::Context,
    ports::{Applied, Term},
};

/// The lease passed to somebody else, or may have: nothing more may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseLost;

/// What became of a plan, and how long the server asked to be left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// By operation.
    pub outcome: Outcome,
    /// The longest hint.
    pub retry_after: Option<Duration>,
}

/// Applies what was admitted.
///
/// # Errors
/// [`LeaseLost`] as soon as the term is over, whatever was applied until then.
pub async fn execute<P: Provider + 'static>(
    unit: &P::Unit,
    admitted: &Admitted<P::Op>,
    existing: &Bindings,
    ctx: &Context<P>,
    term: Term,
) -> Result<Executed, LeaseLost> {
    let mut run = Run { unit, ctx, bindings: existing.clone(), results: BTreeMap::new(), retry_after: None };
    for planned in admitted.ops() {
        let result = match run.obstacle(planned) {
            Some(obstacle) => obstacle,
            None if ctx.leadership.term() != Some(term) => return Err(LeaseLost),
            None => run.apply(planned).await,
        };
        run.results.insert(planned.id, result);
    }
    let outcome =
        Outcome { results: run.results, bindings: run.bindings, withheld: admitted.withheld().to_vec() };
    Ok(Executed { outcome, retry_after: run.retry_after })
}

struct Run<'a, P: Provider> {
    unit: &'a P::Unit,
    ctx: &'a Context<P>,
    bindings: Bindings,
    results: BTreeMap<OpId, OpResult>,
    retry_after: Option<Duration>,
}

impl<P: Provider + 'static> Run<'_, P> {
    /// Why the operation cannot run now.
    fn obstacle(&mut self, planned: &Planned<P::Op>) -> Option<OpResult> {
        let applied = |id| self.results.get(id) == Some(&OpResult::Applied);
        if !planned.after.iter().all(applied) {
            return Some(OpResult::Skipped);
        }
        self.ctx.board.lend(&mut self.bindings);
        let unit = self.unit.to_string();
        let waits = planned.waits.iter().find_map(|wait| match self.ctx.board.ask(&unit, wait) {
            Standing::Holds => None,
            Standing::Waits => Some(OpResult::Waiting(wait.clone())),
            Standing::Overdue => Some(OpResult::Failed(overdue(wait))),
        });
        waits.or_else(|| self.refused_lately(&planned.op))
    }

    fn refused_lately(&self, op: &P::Op) -> Option<OpResult> {
        let deletes = op.effect() == Effect::Delete;
        let standing = || self.ctx.memory.refusals.standing(self.unit, &op.resource());
        deletes.then(standing).flatten().map(OpResult::Failed)
    }

    async fn apply(&mut self, planned: &Planned<P::Op>) -> OpResult {
        let op = planned.op.describe();
        let applied = self.ctx.apply.apply(self.unit, &planned.op, &self.bindings).await;
        if planned.op.effect() == Effect::Delete {
            let failure = applied.as_ref().err().map(|refusal| &refusal.failure);
            self.ctx.memory.refusals.note(self.unit, planned.op.resource(), failure);
        }
        match applied {
            Ok(applied) => {
                tracing::info!(op, "applied");
                self.bind(&planned.op, applied);
                OpResult::Applied
            }
            Err(refusal) => {
                let failure = refusal.failure;
                tracing::warn!(
                    op,
                    class = failure.class.as_str(),
                    code = failure.code,
                    message = failure.message,
                    "refused"
                );
                self.retry_after = self.retry_after.max(refusal.retry_after);
                OpResult::Failed(failure)
            }
        }
    }

    fn bind(&mut self, op: &P::Op, applied: Applied) {
        for (key, handle) in op.rebinds() {
            match handle {
                Some(handle) => self.bindings.insert(key, handle),
                None => self.bindings.remove(&key),
            };
        }
        if let Applied::Produced { key, handle } = applied {
            self.bindings.insert(key, handle);
        } else if op.effect() == Effect::Delete {
            self.bindings.remove(&op.resource());
        }
    }
}

fn overdue(wait: &Wait) -> Failure {
    Failure {
        class: Class::Environment,
        code: "WaitedTooLong".to_owned(),
        message: format!("still waits until {wait}"),
    }
}
