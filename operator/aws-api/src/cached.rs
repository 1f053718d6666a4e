//! An answer that is kept for a while; those who ask for it at one time share one call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::fault::Fault;

/// One answer.
pub(crate) struct Cached<T> {
    slot: tokio::sync::Mutex<Option<(Instant, T)>>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { slot: tokio::sync::Mutex::new(None) }
    }
}

impl<T: Clone> Cached<T> {
    /// The answer, at most `ttl` old. A failure is not kept: the next asker asks again.
    pub(crate) async fn get<F>(&self, ttl: Duration, ask: F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let mut slot = self.slot.lock().await;
        if let Some((_, answer)) = slot.as_ref().filter(|(at, _)| at.elapsed() < ttl) {
            return Ok(answer.clone());
        }
        let answer = ask.await?;
        *slot = Some((Instant::now(), answer.clone()));
        Ok(answer)
    }

    /// Drops the answer.
    pub(crate) async fn forget(&self) {
        *self.slot.lock().await = None;
    }
}

/// Answers by question. Old questions go when new ones come.
pub(crate) struct CachedBy<K, T> {
    slots: Mutex<BTreeMap<K, Slot<T>>>,
}

/// An answer, and when it was asked for last.
type Slot<T> = (Instant, Arc<Cached<T>>);

impl<K, T> Default for CachedBy<K, T> {
    fn default() -> Self {
        Self { slots: Mutex::new(BTreeMap::new()) }
    }
}

impl<K: Ord, T: Clone> CachedBy<K, T> {
    /// As [`Cached::get`], by question.
    pub(crate) async fn get<F>(&self, key: K, ttl: Duration, ask: F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        self.slot(key, ttl).get(ttl, ask).await
    }

    /// Drops one answer.
    pub(crate) fn drop(&self, key: &K) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Drops all answers.
    pub(crate) fn forget(&self) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn slot(&self, key: K, ttl: Duration) -> Arc<Cached<T>> {
        let now = Instant::now();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, (asked, _)| now.duration_since(*asked) < ttl * 2);
        let slot = slots.entry(key).or_insert_with(|| (now, Arc::default()));
        slot.0 = now;
        slot.1.clone()
    }
}
