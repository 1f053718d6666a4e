//! Clock and dice of the process.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use fairway_engine::ports::{Clock, Dice, Timestamp};

/// The machine's clock.
pub(crate) struct Process;

impl Clock for Process {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the engine's clock is the machine's"
    )]
    fn now(&self) -> Timestamp {
        // A clock before 1970 makes every fingerprint due, which costs calls and nothing else.
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO)
    }
}

/// Jitter: numbers that differ between processes and calls.
#[derive(Default)]
pub(crate) struct Randomness {
    seed: RandomState,
    rolls: AtomicU64,
}

impl Dice for Randomness {
    fn roll(&self) -> u64 {
        let mut hasher = self.seed.build_hasher();
        hasher.write_u64(self.rolls.fetch_add(1, Ordering::Relaxed));
        hasher.finish()
    }
}
