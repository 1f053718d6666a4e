//! Evaluate to the end, admit, lint: everything up to the first effect. `fairway plan` stops here.

use std::collections::BTreeSet;

use fairway_core::{
    evaluate::{Evaluation, Facts, Input, LastGood, MAX_ROUNDS, Provider, Step},
    policy::{Admitted, Policy},
};

use crate::{context::Sources, ports::Refusal};

/// What would be done now.
#[must_use]
#[derive(Debug)]
pub struct Planned<P: Provider> {
    /// What is wanted, and what there is to say.
    pub evaluation: Evaluation<P>,
    /// The part of its plan that may be applied.
    pub admitted: Admitted<P::Op>,
    /// Answers that were asked for on the way; `fairway capture` writes them down.
    pub facts: Facts<P>,
    /// What was observed on the way; `None` when a fingerprint made that unnecessary.
    pub observed: Option<P::Observed>,
}

/// Plans one unit and applies nothing. The fingerprint is not relied on, so that the plan says what is.
///
/// # Errors
/// What a source refused; a plan that fails its lint or lookups that do not settle are `Class::Bug`.
pub async fn plan<P: Provider + 'static>(
    unit: &P::Unit,
    sources: &Sources<P>,
) -> Result<Planned<P>, Refusal> {
    let recorded = sources.remember.recall(unit).await?;
    let last_good = LastGood { fingerprint: None, ..recorded.last_good };
    prepare(unit, sources, &last_good).await
}

pub(crate) async fn prepare<P: Provider + 'static>(
    unit: &P::Unit,
    sources: &Sources<P>,
    last_good: &LastGood,
) -> Result<Planned<P>, Refusal> {
    let snapshot = sources.snapshots.snapshot();
    let (mut facts, mut observed) = (Facts::default(), None);
    for _ in 0..MAX_ROUNDS {
        let input = Input {
            unit,
            config: &sources.config,
            snapshot: &snapshot,
            facts: &facts,
            observed: observed.as_ref(),
            last_good,
        };
        match P::evaluate(&input) {
            Step::NeedFacts(queries) => facts.extend(sources.answer.answer(unit, &queries).await?),
            Step::NeedObserved(scope) => observed = Some(sources.observe.observe(unit, &scope).await?),
            Step::Done(evaluation) => {
                let admitted = admit(&evaluation, &sources.policy)?;
                return Ok(Planned { evaluation: *evaluation, admitted, facts, observed });
            }
        }
    }
    Err(Refusal::bug("LookupsDidNotSettle", format!("{unit} still asks after {MAX_ROUNDS} rounds")))
}

fn admit<P: Provider>(evaluation: &Evaluation<P>, policy: &Policy) -> Result<Admitted<P::Op>, Refusal> {
    let existing: BTreeSet<_> = evaluation.bindings.keys().cloned().collect();
    match evaluation.plan.lint(&existing) {
        Ok(()) => Ok(policy.admit(evaluation.plan.clone())),
        Err(error) => Err(Refusal::bug("UnsafePlan", error.to_string())),
    }
}
