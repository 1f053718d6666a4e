//! Numbers of one proxy, counted per thread and summed on reading.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one worker thread; only that thread writes them, so relaxed order is enough.
#[derive(Debug, Default)]
#[repr(align(128))] // two threads' counters never share a cache line (or a prefetched pair of them)
pub struct Counters {
    pub(crate) answers: [AtomicU64; 5],
    pub(crate) refused: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) handshakes_failed: AtomicU64,
    pub(crate) connects_failed: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) upgrades: AtomicU64,
}

/// The sum over all threads at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Final answers given, by class: 1xx (upgrades), 2xx, 3xx, 4xx, 5xx.
    pub answers: [u64; 5],
    /// Requests refused as malformed (also counted as 4xx).
    pub refused: u64,
    /// Client connections open now.
    pub connections: u64,
    /// Client connections accepted so far.
    pub accepted: u64,
    /// TLS handshakes that did not succeed.
    pub handshakes_failed: u64,
    /// Attempts to connect to an endpoint that failed.
    pub connects_failed: u64,
    /// Requests sent again because a pooled connection turned out to be closed.
    pub retries: u64,
    /// Connections turned into tunnels.
    pub upgrades: u64,
}

pub(crate) fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn answered(&self, status: u16) {
        if let Some(class) = self.answers.get(usize::from(status / 100).wrapping_sub(1)) {
            bump(class);
        }
    }

    pub(crate) fn add_to(&self, sum: &mut Snapshot) {
        for (to, from) in sum.answers.iter_mut().zip(&self.answers) {
            *to += from.load(Ordering::Relaxed);
        }
        for (to, from) in [
            (&mut sum.refused, &self.refused),
            (&mut sum.connections, &self.connections),
            (&mut sum.accepted, &self.accepted),
            (&mut sum.handshakes_failed, &self.handshakes_failed),
            (&mut sum.connects_failed, &self.connects_failed),
            (&mut sum.retries, &self.retries),
            (&mut sum.upgrades, &self.upgrades),
        ] {
            *to += from.load(Ordering::Relaxed);
        }
    }
}
