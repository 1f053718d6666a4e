//! The ports and the memory of one kind of unit, put together.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fairway_core::{
    evaluate::{LastGood, Provider},
    policy::Policy,
};

use crate::{
    board::{Announces, Board},
    drift::DriftClock,
    patience::Patience,
    ports::{
        Answer, Apply, Clock, Finalize, Leadership, Observe, Publish, Refusal, Remember, Remembered,
        Snapshots, Term,
    },
    refusals::Refusals,
};

/// What evaluating to the end needs; writes nothing.
pub struct Sources<P: Provider> {
    /// Names, defaults, identity.
    pub config: P::Config,
    /// The cluster.
    pub snapshots: Arc<dyn Snapshots>,
    /// Facts.
    pub answer: Arc<dyn Answer<P>>,
    /// What is there.
    pub observe: Arc<dyn Observe<P>>,
    /// What was recorded last.
    pub remember: Arc<dyn Remember<P>>,
    /// What may be applied.
    pub policy: Policy,
}

/// What a look at a unit needs.
pub struct Context<P: Provider> {
    /// The reading half.
    pub sources: Sources<P>,
    /// One operation.
    pub apply: Arc<dyn Apply<P>>,
    /// Finalizers.
    pub finalize: Arc<dyn Finalize>,
    /// Events and statuses.
    pub publish: Arc<dyn Publish>,
    /// Whether to write at all.
    pub leadership: Arc<dyn Leadership>,
    /// Wall-clock time.
    pub clock: Arc<dyn Clock>,
    /// When fingerprints run out.
    pub drift: DriftClock,
    /// Shared by all kinds of units.
    pub board: Arc<Board>,
    /// What units of this kind publish on the board.
    pub announces: Announces,
    /// Own writes, which a watch may not have brought back yet.
    pub memory: Memory<P>,
}

/// What this process recorded last of each unit in the present term, and what it was refused.
///
/// A watch lags behind writes. Without this, a change that is taken back quickly would be compared with the
/// fingerprint from before the change, and what was applied in between would stay.
pub struct Memory<P: Provider> {
    units: Mutex<BTreeMap<P::Unit, (Term, Remembered)>>,
    pub(crate) refusals: Refusals<P::Unit>,
    pub(crate) patience: Patience<P::Unit>,
}

impl<P: Provider> Default for Memory<P> {
    fn default() -> Self {
        Self {
            units: Mutex::new(BTreeMap::new()),
            refusals: Refusals::default(),
            patience: Patience::default(),
        }
    }
}

impl<P: Provider> Memory<P> {
    pub(crate) fn keep(&self, unit: &P::Unit, term: Term, remembered: Remembered) {
        self.lock().insert(unit.clone(), (term, remembered));
    }

    /// Keeps what was recorded, unless it is what was recalled and nothing of this term is kept: then no write of ours is
    /// on its way back, and the unit is remembered elsewhere already.
    pub(crate) fn keep_news(&self, unit: &P::Unit, term: Term, recorded: Remembered, recalled: &Remembered) {
        let kept = self.lock().get(unit).is_some_and(|(kept_in, _)| *kept_in == term);
        let (new, old) = (&recorded.last_good, &recalled.last_good);
        let same = (&new.members, &new.fingerprint, recorded.observed_at)
            == (&old.members, &old.fingerprint, recalled.observed_at);
        if kept || !same {
            self.keep(unit, term, recorded);
        }
    }

    pub(crate) fn drop_unit(&self, unit: &P::Unit) {
        self.lock().remove(unit);
        self.refusals.forget(unit);
        self.patience.is_over(unit, false);
    }

    fn overlay(&self, unit: &P::Unit, term: Term, recorded: Remembered) -> Remembered {
        match self.lock().get(unit) {
            Some((kept_in, kept)) if *kept_in == term => Remembered {
                last_good: LastGood {
                    members: kept.last_good.members.clone(),
                    fingerprint: kept.last_good.fingerprint.clone(),
                    ..recorded.last_good
                },
                observed_at: kept.observed_at,
            },
            _ => recorded,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<P::Unit, (Term, Remembered)>> {
        // Each critical section is one map call, which a panic cannot leave half done.
        self.units.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Provider> Context<P> {
    pub(crate) async fn recall(&self, unit: &P::Unit, term: Term) -> Result<Remembered, Refusal> {
        let recorded = self.sources.remember.recall(unit).await?;
        Ok(self.memory.overlay(unit, term, recorded))
    }
}
