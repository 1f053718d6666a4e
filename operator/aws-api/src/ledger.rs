//! A view of something on AWS that is read whole and then kept current by our own writes.
//!
//! Shape: one reader at a time, everybody else waits for what it brings. A write that is recorded while a read is
//! under way, or shortly before it, is applied to what was read as well: AWS's lists may lag behind its writes. So a
//! write that makes something must not replace it: what was read may have more.
//! The view is read again when it is older than the asker allows, and when a write left doubt about what is there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::fault::Fault;

/// How long AWS's lists may lag behind its writes.
const LAG: Duration = Duration::from_secs(20);
/// How long a write is kept: longer than any read takes, and the lag before it.
const KEPT: Duration = Duration::from_secs(180);
/// Reads that doubt may interrupt before the asker is told to come back.
const ATTEMPTS: usize = 3;

type Write<T> = Arc<dyn Fn(&mut T) + Send + Sync>;

/// The view and what is being done about it.
pub(crate) struct Ledger<T> {
    state: Mutex<State<T>>,
    reading: tokio::sync::Mutex<()>,
}

struct State<T> {
    view: Option<T>,
    read_at: Option<Instant>,
    doubts: u64,
    writes: Vec<(Instant, Write<T>)>,
}

impl<T> Default for Ledger<T> {
    fn default() -> Self {
        let state = State { view: None, read_at: None, doubts: 0, writes: Vec::new() };
        Self { state: Mutex::new(state), reading: tokio::sync::Mutex::new(()) }
    }
}

impl<T: Clone> Ledger<T> {
    /// Records what a write of ours made of AWS.
    pub(crate) fn record(&self, write: impl Fn(&mut T) + Send + Sync + 'static) {
        let now = Instant::now();
        let mut state = self.lock();
        if let Some(view) = &mut state.view {
            write(view);
        }
        state.writes.retain(|(at, _)| now.duration_since(*at) < KEPT);
        state.writes.push((now, Arc::new(write)));
    }

    /// The next look reads again.
    pub(crate) fn doubt(&self) {
        let mut state = self.lock();
        state.doubts += 1;
        state.read_at = None;
    }

    /// Nothing that was known is worth anything: others may have written.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.doubts += 1;
        state.read_at = None;
        state.view = None;
        state.writes.clear();
    }

    /// Whether the view can be relied on.
    pub(crate) fn is_sure(&self) -> bool {
        self.lock().read_at.is_some()
    }

    /// Looks at what is known, however old.
    pub(crate) fn peek<R>(&self, see: impl FnOnce(&T) -> R) -> Option<R> {
        self.lock().view.as_ref().map(see)
    }

    /// Looks at a view that is at most `max_age` old; `read` makes one, given the one before.
    pub(crate) async fn look<R, F, Reading>(
        &self,
        max_age: Duration,
        read: F,
        see: impl FnOnce(&T) -> R,
    ) -> Result<R, Fault>
    where
        F: Fn(Option<T>) -> Reading,
        Reading: Future<Output = Result<T, Fault>>,
    {
        let mut oldest = Instant::now().checked_sub(max_age);
        if self.is_fresh(oldest)
            && let Some(view) = &self.lock().view
        {
            return Ok(see(view));
        }
        let _turn = self.reading.lock().await;
        for _ in 0..=ATTEMPTS {
            if self.is_fresh(oldest)
                && let Some(view) = &self.lock().view
            {
                return Ok(see(view));
            }
            let (start, doubts, old) = {
                let state = self.lock();
                (Instant::now(), state.doubts, state.view.clone())
            };
            let view = read(old).await?;
            // However long it took, what was read for this asker is young enough.
            oldest = Some(start);
            self.settle(view, start, doubts);
        }
        Err(Fault::unreadable("inventory", "AWS kept changing while it was read"))
    }

    fn is_fresh(&self, oldest: Option<Instant>) -> bool {
        let read_at = self.lock().read_at;
        read_at.is_some_and(|at| oldest.is_none_or(|oldest| at >= oldest))
    }

    fn settle(&self, mut view: T, start: Instant, doubts: u64) {
        let mut state = self.lock();
        for (at, write) in &state.writes {
            if *at + LAG >= start {
                write(&mut view);
            }
        }
        state.view = Some(view);
        // Doubt that arose meanwhile is about something that may have been read before it happened.
        state.read_at = (state.doubts == doubts).then_some(start);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    async fn list(ledger: &Ledger<Vec<u8>>, reads: &AtomicUsize, read: &[u8]) -> Vec<u8> {
        let read = |_| async {
            reads.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(read.to_vec())
        };
        ledger.look(HOUR, read, Vec::clone).await.unwrap()
    }

    #[tokio::test]
    async fn concurrent_looks_share_one_read() {
        let (ledger, reads) = (Ledger::default(), AtomicUsize::new(0));
        let looks = (0..5).map(|_| list(&ledger, &reads, &[1]));
        let seen = futures::future::join_all(looks).await;
        assert_eq!((seen, reads.load(Ordering::SeqCst)), (vec![vec![1]; 5], 1));
    }

    #[tokio::test]
    async fn our_writes_are_seen_without_a_read_and_survive_a_read_that_lags() {
        let (ledger, reads) = (Ledger::default(), AtomicUsize::new(0));
        let put = |view: &mut Vec<u8>| {
            if !view.contains(&2) {
                view.push(2);
            }
        };
        assert_eq!(list(&ledger, &reads, &[1]).await, [1]);
        ledger.record(put);
        assert_eq!(list(&ledger, &reads, &[1]).await, [1, 2]);
        assert_eq!(reads.load(Ordering::SeqCst), 1);
        ledger.doubt();
        assert_eq!(list(&ledger, &reads, &[1]).await, [1, 2], "the list lags behind our write");
        ledger.forget();
        assert_eq!(list(&ledger, &reads, &[1]).await, [1], "another process may have undone it");
        assert_eq!(reads.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn doubt_during_a_read_makes_another() {
        let (ledger, reads) = (Ledger::<Vec<u8>>::default(), AtomicUsize::new(0));
        let read = |_| async {
            if reads.fetch_add(1, Ordering::SeqCst) == 0 {
                ledger.doubt();
            }
            Ok(vec![1])
        };
        ledger.look(HOUR, read, Vec::clone).await.unwrap();
        assert_eq!(reads.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_view_older_than_the_asker_allows_is_read_again() {
        let (ledger, reads) = (Ledger::default(), AtomicUsize::new(0));
        list(&ledger, &reads, &[1]).await;
        let read = |_| async { Ok(vec![3]) };
        assert_eq!(ledger.look(Duration::ZERO, read, Vec::clone).await.unwrap(), [3]);
    }
}
