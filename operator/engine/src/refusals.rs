//! Deletions that were refused because something else still holds on, and when each is tried again.
//!
//! Every event of the cluster brings a look, and what holds on (an interface of a load balancer that is gone, say) lets
//! go in its own time: without this, a burst of events would be a burst of calls that cannot succeed.
//!
//! | value | unit | range              |
//! |-------|------|--------------------|
//! | delay | time | 1 s doubling to 30 s |
//!
//! Guaranteed: what was refused is told again unchanged until the delay is over. Only [`Class::Pending`] waits here;
//! whatever else is refused is a reason to look again, which the queue delays.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fairway_core::{class::Class, plan::ResourceKey, report::Failure};
use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(1);
/// AWS takes minutes to let go of some interfaces; whoever waits for a finalizer should not wait much longer than that.
const LAST: Duration = Duration::from_secs(30);

/// By unit and resource.
pub(crate) struct Refusals<U>(Mutex<BTreeMap<(U, ResourceKey), Refused>>);

struct Refused {
    failure: Failure,
    delay: Duration,
    until: Instant,
}

impl<U> Default for Refusals<U> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<U: Ord + Clone> Refusals<U> {
    /// Why the deletion is not tried now.
    pub(crate) fn standing(&self, unit: &U, resource: &ResourceKey) -> Option<Failure> {
        let all = self.lock();
        let refused = all.get(&(unit.clone(), resource.clone()))?;
        (Instant::now() < refused.until).then(|| refused.failure.clone())
    }

    /// A deletion was tried.
    pub(crate) fn note(&self, unit: &U, resource: ResourceKey, failure: Option<&Failure>) {
        let (mut all, key) = (self.lock(), (unit.clone(), resource));
        let before = all.remove(&key);
        let Some(failure) = failure.filter(|failure| failure.class == Class::Pending) else { return };
        let delay = before.map_or(FIRST, |before| before.delay.saturating_mul(2).min(LAST));
        let refused = Refused { failure: failure.clone(), delay, until: Instant::now() + delay };
        all.insert(key, refused);
    }

    /// The unit is gone.
    pub(crate) fn forget(&self, unit: &U) {
        self.lock().retain(|(of, _), _| of != unit);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(U, ResourceKey), Refused>> {
        // Each critical section leaves whole entries behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
