//! Which unit is looked at next, and when again.
//!
//! | value             | unit | range                              |
//! |-------------------|------|------------------------------------|
//! | back-off          | time | 1 s doubling to 2 min, jittered    |
//! | slow back-off     | time | 10 s doubling to 5 min, jittered   |
//!
//! Guaranteed: a unit is in the queue once however often it is asked for; never looked at twice at a time; looked at
//! again when something was asked while it was being looked at. Membership comes before changes, changes before
//! resyncs; within a rank, first come first served. One worker more than is asked for looks at membership alone, so that
//! no number of slow looks keeps a new pod from its requests.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::{join, join_all};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::{ports::Dice, reconcile::Next};

const BACKOFF: Range = Range { first: Duration::from_secs(1), last: Duration::from_secs(120) };
const SLOW: Range = Range { first: Duration::from_secs(10), last: Duration::from_secs(300) };

struct Range {
    first: Duration,
    last: Duration,
}

/// What is looked at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Targets come and go every second, and each of them carries traffic.
    Membership,
    /// Somebody changed an object and is waiting.
    Change,
    /// Nobody is waiting.
    Resync,
}

/// Units in the order in which they are looked at.
pub struct Queue<U> {
    state: Mutex<State<U>>,
    wake: Notify,
    wake_reserved: Notify,
    dice: Arc<dyn Dice>,
}

struct State<U> {
    ready: BTreeMap<(Rank, u64), U>,
    place: BTreeMap<U, (Rank, u64)>,
    later: BTreeSet<(Instant, U)>,
    due: BTreeMap<U, Instant>,
    running: BTreeMap<U, Option<Rank>>,
    failures: BTreeMap<U, u32>,
    arrivals: u64,
    closed: bool,
}

impl<U: Ord + Clone> Queue<U> {
    /// An empty queue.
    #[must_use]
    pub fn new(dice: Arc<dyn Dice>) -> Self {
        let state = State {
            ready: BTreeMap::new(),
            place: BTreeMap::new(),
            later: BTreeSet::new(),
            due: BTreeMap::new(),
            running: BTreeMap::new(),
            failures: BTreeMap::new(),
            arrivals: 0,
            closed: false,
        };
        Self { state: Mutex::new(state), wake: Notify::new(), wake_reserved: Notify::new(), dice }
    }

    /// Asks for a look now. One that was due later is brought forward; one that is under way is followed by another.
    pub fn push(&self, unit: U, rank: Rank) {
        self.lock().push(unit, rank);
        self.wake_one();
    }

    /// Lets no more looks begin; [`Queue::work`] returns when those under way have ended.
    pub fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_waiters();
        self.wake_one();
    }

    /// How many units wait for a look now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().ready.len()
    }

    /// When the next look is due if nothing is pushed; `None` when none is, or one can begin now or is under way.
    #[must_use]
    pub fn quiet_until(&self) -> Option<Instant> {
        let state = self.lock();
        if !state.ready.is_empty() || !state.running.is_empty() {
            return None;
        }
        state.later.first().map(|(at, _)| *at)
    }

    /// Looks at units with so many workers, and one for membership, until the queue is closed.
    pub async fn work<F>(&self, workers: usize, look: impl Fn(U) -> F + Sync)
    where
        F: Future<Output = Next>,
    {
        let look = &look;
        let any = join_all((0..workers).map(|_| async move {
            while let Some(unit) = self.take().await {
                self.done(unit.clone(), look(unit).await);
            }
        }));
        let reserved = async {
            while let Some(unit) = self.take_membership().await {
                self.done(unit.clone(), look(unit).await);
            }
        };
        join(any, reserved).await;
    }

    async fn take(&self) -> Option<U> {
        loop {
            let wake_at = {
                let mut state = self.lock();
                if state.closed {
                    drop(state);
                    self.wake.notify_one();
                    return None;
                }
                state.ripen(Instant::now());
                if let Some(unit) = state.begin(Rank::Resync) {
                    // Another worker may have slept through the same notification.
                    if !state.ready.is_empty() {
                        self.wake.notify_one();
                    }
                    return Some(unit);
                }
                state.later.first().map(|(at, _)| *at)
            };
            match wake_at {
                None => self.wake.notified().await,
                Some(at) => tokio::select! {
                    () = self.wake.notified() => {}
                    () = sleep_until(at) => {}
                },
            }
        }
    }

    async fn take_membership(&self) -> Option<U> {
        loop {
            {
                let mut state = self.lock();
                if state.closed {
                    return None;
                }
                if let Some(unit) = state.begin(Rank::Membership) {
                    return Some(unit);
                }
            }
            self.wake_reserved.notified().await;
        }
    }

    fn done(&self, unit: U, next: Next) {
        let roll = self.dice.roll();
        self.lock().done(unit, next, roll);
        self.wake_one();
    }

    /// Who of the two finds nothing to do goes back to sleep.
    fn wake_one(&self) {
        self.wake.notify_one();
        self.wake_reserved.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State<U>> {
        // Nothing in a critical section can panic half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<U: Ord + Clone> State<U> {
    fn push(&mut self, unit: U, rank: Rank) {
        if let Some(again) = self.running.get_mut(&unit) {
            *again = Some(again.map_or(rank, |before| before.min(rank)));
            return;
        }
        self.forget_due(&unit);
        if let Some(place) = self.place.get(&unit).copied() {
            if place.0 <= rank {
                return;
            }
            self.ready.remove(&place);
        }
        let place = (rank, self.arrivals);
        self.arrivals += 1;
        self.ready.insert(place, unit.clone());
        self.place.insert(unit, place);
    }

    fn ripen(&mut self, now: Instant) {
        while let Some((at, unit)) = self.later.first().cloned() {
            if at > now {
                return;
            }
            self.push(unit, Rank::Resync);
        }
    }

    /// The first unit that waits, if it ranks so high.
    fn begin(&mut self, lowest: Rank) -> Option<U> {
        let first = self.ready.first_entry().filter(|first| first.key().0 <= lowest)?;
        let unit = first.remove();
        self.place.remove(&unit);
        self.running.insert(unit.clone(), None);
        Some(unit)
    }

    fn done(&mut self, unit: U, next: Next, roll: u64) {
        let again = self.running.remove(&unit).flatten();
        let failures = self.failures.get(&unit).copied().unwrap_or_default();
        let delay = match next {
            Next::OnChange => None,
            // Up to a tenth earlier, so that units which started together drift apart.
            Next::Within(delay) => Some(shorten(delay, 100, roll)),
            Next::Backoff(hint) => Some(BACKOFF.delay(failures, roll).max(hint.unwrap_or_default())),
            Next::Slow => Some(SLOW.delay(failures, roll)),
        };
        match next {
            Next::OnChange | Next::Within(_) => drop(self.failures.remove(&unit)),
            Next::Backoff(_) | Next::Slow => drop(self.failures.insert(unit.clone(), failures + 1)),
        }
        match (again, delay) {
            (Some(rank), _) => self.push(unit, rank),
            (None, Some(delay)) => {
                let at = Instant::now() + delay;
                self.later.insert((at, unit.clone()));
                self.due.insert(unit, at);
            }
            (None, None) => {}
        }
    }

    fn forget_due(&mut self, unit: &U) {
        if let Some(at) = self.due.remove(unit) {
            self.later.remove(&(at, unit.clone()));
        }
    }
}

impl Range {
    fn delay(&self, failures: u32, roll: u64) -> Duration {
        let full = self.first.saturating_mul(2_u32.saturating_pow(failures)).min(self.last);
        shorten(full, 500, roll)
    }
}

/// `delay` less up to so many thousandths of it.
fn shorten(delay: Duration, most: u64, roll: u64) -> Duration {
    let permille = u32::try_from(roll % (most + 1)).unwrap_or_default();
    delay - (delay / 1000).saturating_mul(permille).min(delay)
}
