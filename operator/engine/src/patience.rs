//! How often in a row looks at a unit failed by nobody's fault, and when somebody should be told of it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// With the back-off of a queue, half a minute: what lasts longer is no hiccup.
const PATIENCE: u32 = 5;

/// By unit.
pub(crate) struct Patience<U>(Mutex<BTreeMap<U, u32>>);

impl<U> Default for Patience<U> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<U: Ord + Clone> Patience<U> {
    /// Notes a look. `true`: it failed, as so many before it did.
    pub(crate) fn is_over(&self, unit: &U, failed: bool) -> bool {
        let mut all = self.lock();
        if !failed {
            all.remove(unit);
            return false;
        }
        let times = all.entry(unit.clone()).or_default();
        *times = times.saturating_add(1);
        *times >= PATIENCE
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<U, u32>> {
        // Each critical section leaves whole entries behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
