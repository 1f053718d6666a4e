//! One look at one unit, from reading to writing: the only place that orders effects.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use fairway_core::{
    class::Class,
    evaluate::{LastGood, Provider, StatusWish},
    report::{OpResult, Outcome, Report, Requeue, StatusWrite, report},
};
use futures::FutureExt as _;

use crate::{
    board::Announces,
    context::Context,
    execute::{Executed, LeaseLost, execute},
    plan::{Planned, prepare},
    ports::{Record, Refusal, Remembered, Term, Timestamp},
};

/// Time will do; the same as after a look that waits for provisioning.
const PENDING: Duration = Duration::from_secs(5);

/// When to look at a unit again.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// When something changes: nothing of the unit is left, or somebody else leads.
    OnChange,
    /// At the latest after this long.
    Within(Duration),
    /// Nobody's fault: exponential back-off, but not before the server's hint has passed.
    Backoff(Option<Duration>),
    /// An administrator or a developer has to act: a slower back-off.
    Slow,
}

/// Why a look ended early.
enum Stop {
    LeaseLost,
    Refused(Refusal),
}

impl From<LeaseLost> for Stop {
    fn from(LeaseLost: LeaseLost) -> Self {
        Self::LeaseLost
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Moves one unit towards what the cluster asks of it.
#[tracing::instrument(skip_all, fields(unit = %unit))]
pub async fn reconcile<P: Provider + 'static>(unit: &P::Unit, ctx: &Context<P>) -> Next {
    let Some(term) = ctx.leadership.term() else { return Next::OnChange };
    let look = AssertUnwindSafe(look(unit, ctx, term)).catch_unwind().await;
    match look.unwrap_or_else(|panic| Err(Stop::Refused(panicked(panic.as_ref())))) {
        Ok(next) => next,
        Err(Stop::LeaseLost) => Next::OnChange,
        Err(Stop::Refused(refusal)) => stumble(unit, ctx, term, refusal).await,
    }
}

async fn look<P: Provider + 'static>(unit: &P::Unit, ctx: &Context<P>, term: Term) -> Result<Next, Stop> {
    let remembered = ctx.recall(unit, term).await?;
    let mut offered = remembered.clone();
    if ctx.drift.remaining(unit, remembered.observed_at, ctx.clock.now()).is_zero() {
        offered.last_good.fingerprint = None;
    }
    let planned = prepare(unit, &ctx.sources, &offered.last_good).await?;
    for (object, finalizer) in &planned.evaluation.finalizers.add {
        leads(ctx, term)?;
        ctx.finalize.add(object, finalizer).await?;
    }
    if !planned.admitted.ops().is_empty() {
        leads(ctx, term)?;
        unsettle(unit, ctx, term, &remembered).await?;
    }
    withdraw(ctx, term, &planned.evaluation.status).await?;
    let executed = execute(unit, &planned.admitted, &planned.evaluation.bindings, ctx, term).await?;
    let mut report = report(&planned.evaluation, Some(&executed.outcome));
    if ctx.memory.patience.is_over(unit, report.requeue == Requeue::Backoff) {
        report.events.append(&mut report.in_vain);
    }
    let seen = observed_at(&planned, &offered, ctx.clock.now());
    let known = report.state.as_ref().is_some_and(|state| state.fingerprint.is_some());
    for status in &report.status {
        leads(ctx, term)?;
        ctx.publish.status(status).await?;
    }
    let news = report.state.as_ref().map(|report| Record { report, observed_at: seen.filter(|_| known) });
    record(unit, ctx, term, news, &remembered).await?;
    conclude(ctx, term, &report).await?;
    post(unit, ctx, &executed.outcome, &report);
    let until_drift = ctx.drift.remaining(unit, seen, ctx.clock.now());
    Ok(next(&report, &executed, until_drift))
}

fn leads<P: Provider>(ctx: &Context<P>, term: Term) -> Result<(), LeaseLost> {
    if ctx.leadership.term() == Some(term) { Ok(()) } else { Err(LeaseLost) }
}

/// An address is withdrawn before what it points at goes.
async fn withdraw<P: Provider>(ctx: &Context<P>, term: Term, wishes: &[StatusWish]) -> Result<(), Stop> {
    for wish in wishes.iter().filter(|wish| wish.addresses.is_empty()) {
        leads(ctx, term)?;
        let write = StatusWrite { object: wish.object.clone(), addresses: Vec::new() };
        ctx.publish.status(&write).await?;
    }
    Ok(())
}

/// Takes back what others and later looks rely on, before it stops being true.
async fn unsettle<P: Provider>(
    unit: &P::Unit,
    ctx: &Context<P>,
    term: Term,
    remembered: &Remembered,
) -> Result<(), Refusal> {
    ctx.board.unsettle(&unit.to_string(), ctx.announces);
    if remembered.last_good.fingerprint.is_some() {
        ctx.sources.remember.forget(unit).await?;
    }
    let mut unsettled = remembered.clone();
    unsettled.last_good.fingerprint = None;
    ctx.memory.keep(unit, term, unsettled);
    Ok(())
}

/// Writes down what is to be known of the unit at the next look, here and elsewhere.
async fn record<P: Provider>(
    unit: &P::Unit,
    ctx: &Context<P>,
    term: Term,
    news: Option<Record<'_>>,
    recalled: &Remembered,
) -> Result<(), Stop> {
    leads(ctx, term)?;
    ctx.sources.remember.record(unit, news).await?;
    let Some(Record { report, observed_at }) = news else {
        ctx.memory.drop_unit(unit);
        return Ok(());
    };
    let last_good = LastGood {
        members: report.good.clone(),
        fingerprint: report.fingerprint.clone(),
        ..LastGood::default()
    };
    ctx.memory.keep_news(unit, term, Remembered { last_good, observed_at }, recalled);
    Ok(())
}

/// Finalizers fall last: until then, a crash leaves an object that brings the unit back.
async fn conclude<P: Provider>(ctx: &Context<P>, term: Term, report: &Report) -> Result<(), Stop> {
    for event in &report.events {
        leads(ctx, term)?;
        ctx.publish.event(event).await;
    }
    for (object, finalizer) in &report.release {
        leads(ctx, term)?;
        ctx.finalize.remove(object, finalizer).await?;
    }
    Ok(())
}

fn post<P: Provider>(unit: &P::Unit, ctx: &Context<P>, outcome: &Outcome, report: &Report) {
    let settled = outcome.results.values().all(|result| *result == OpResult::Applied);
    // A change of records whose answer was lost may have happened: only a whole pass says what is there.
    if settled || ctx.announces != Announces::Records {
        ctx.board.post(&unit.to_string(), ctx.announces, &outcome.bindings, report);
    }
}

/// A look that offered no fingerprint has seen the world as far as the unit depends on it.
fn observed_at<P: Provider>(planned: &Planned<P>, offered: &Remembered, now: Timestamp) -> Option<Timestamp> {
    let looked = planned.observed.is_some() || offered.last_good.fingerprint.is_none();
    if looked { Some(now) } else { offered.observed_at }
}

/// What the provider refused may be let through later, whoever has to act: it is tried again, slowly.
fn next(report: &Report, executed: &Executed, until_drift: Duration) -> Next {
    let failed = executed.outcome.results.values().any(|result| matches!(result, OpResult::Failed(_)));
    match report.requeue {
        Requeue::OnChange if failed => Next::Slow,
        Requeue::OnChange if report.state.is_none() => Next::OnChange,
        Requeue::OnChange => Next::Within(until_drift),
        Requeue::After(delay) => Next::Within(delay.min(until_drift)),
        Requeue::Backoff => Next::Backoff(executed.retry_after),
    }
}

/// A look that came to no evaluation: everything stays as it is, and is said to be so.
async fn stumble<P: Provider>(unit: &P::Unit, ctx: &Context<P>, term: Term, refusal: Refusal) -> Next {
    let Refusal { failure, retry_after } = refusal;
    if failure.class == Class::Bug {
        tracing::error!(code = failure.code, message = failure.message, "a look failed");
    } else {
        let class = failure.class.as_str();
        tracing::warn!(class, code = failure.code, message = failure.message, "a look failed");
    }
    // Nobody has to act on a transient failure that passes, and writing it down would be one more call to a troubled
    // server.
    let transient = failure.class == Class::Transient;
    let told = ctx.memory.patience.is_over(unit, transient) || !transient;
    if told
        && leads(ctx, term).is_ok()
        && let Err(Refusal { failure, .. }) = ctx.sources.remember.stumble(unit, &failure).await
    {
        tracing::warn!(code = failure.code, message = failure.message, "not recorded");
    }
    match failure.class {
        Class::Transient => Next::Backoff(retry_after),
        Class::Pending => Next::Within(PENDING),
        Class::Invalid | Class::Conflict | Class::Environment | Class::Bug => Next::Slow,
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Refusal {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Refusal::bug("Panic", text.unwrap_or_else(|| "a panic without a message".to_owned()))
}
