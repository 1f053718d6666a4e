//! Members of target groups, by ARN.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fairway_aws::targets::{HealthByTarget, TargetsObserved, TargetsScope};
use tokio::time::Instant;

/// What is registered where.
pub(crate) struct Members {
    max_age: Duration,
    /// Health changes by itself, members do not.
    health_age: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    groups: BTreeMap<String, (TargetsObserved, Instant)>,
    writes: u64,
}

/// Tells whether somebody wrote while a read was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u64);

impl Members {
    /// Nothing is known; what is read is relied on for so long.
    pub(crate) fn new(max_age: Duration, health_age: Duration) -> Self {
        Self { max_age, health_age, state: Mutex::default() }
    }

    /// How long health is relied on.
    pub(crate) const fn health_age(&self) -> Duration {
        self.health_age
    }

    /// The members of a group, with their health if that is asked for, if they are known and not too old.
    pub(crate) fn get(&self, scope: &TargetsScope) -> Option<TargetsObserved> {
        let state = self.lock();
        let (seen, since) = state.groups.get(&scope.target_group)?;
        let most = if scope.health { self.max_age.min(self.health_age) } else { self.max_age };
        let health = seen.health.as_ref().filter(|_| scope.health);
        let asked = || TargetsObserved { health: health.cloned(), ..seen.clone() };
        (since.elapsed() <= most).then(asked)
    }

    /// Taken before a read.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.lock().writes)
    }

    /// What a read brought. It is not kept when a write came in between: the read may have missed it.
    pub(crate) fn read(&self, group: &str, seen: &TargetsObserved, mark: Mark) {
        let mut state = self.lock();
        if state.writes == mark.0 {
            state.groups.insert(group.to_owned(), (seen.clone(), Instant::now()));
        }
    }

    /// A group that was just made has no members.
    pub(crate) fn made(&self, group: &str) {
        let health = Some(HealthByTarget::new());
        let empty = TargetsObserved { found: true, health, ..TargetsObserved::default() };
        let mut state = self.lock();
        state.writes += 1;
        state.groups.insert(group.to_owned(), (empty, Instant::now()));
    }

    /// Records a change of ours.
    pub(crate) fn changed(&self, group: &str, change: impl FnOnce(&mut TargetsObserved)) {
        let mut state = self.lock();
        state.writes += 1;
        if let Some((seen, _)) = state.groups.get_mut(group) {
            change(seen);
        }
    }

    /// The next look reads.
    pub(crate) fn doubt(&self, group: &str) {
        let mut state = self.lock();
        state.writes += 1;
        state.groups.remove(group);
    }

    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.writes += 1;
        state.groups.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
