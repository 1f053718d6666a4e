//! What goes wrong, and when: at given positions, or at random from a seed.
//!
//! Writes and reads are counted apart, from 0. A run with the same faults is the same run.

use std::collections::BTreeMap;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The write is done, and then the process dies with all that it remembered.
    Crash,
    /// The call is refused and nothing is done.
    Throttle,
    /// The write is done, and the caller never hears of it.
    LostAnswer,
    /// The connection breaks before the write is done; to the caller it is the same as a lost answer.
    Cut,
    /// The observation shows the world as it was a few writes ago.
    StaleRead,
    /// The write is done, and then the lease passes to another process, while this one goes on.
    LeaseLost,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Crash, Self::Throttle, Self::LostAnswer, Self::Cut, Self::StaleRead, Self::LeaseLost];

    const AT_WRITES: [Self; 5] = [Self::Crash, Self::Throttle, Self::LostAnswer, Self::Cut, Self::LeaseLost];
    const AT_READS: [Self; 2] = [Self::Throttle, Self::StaleRead];

    /// Whether it happens when something is written, or read.
    #[must_use]
    pub const fn at_writes(self) -> bool {
        !matches!(self, Self::StaleRead)
    }
}

/// Which faults a run has.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    scripted: BTreeMap<(bool, u64), Fault>,
    random: Option<Random>,
    writes: u64,
    reads: u64,
    /// What was injected so far.
    pub injected: BTreeMap<Fault, u64>,
}

/// Faults at random.
#[derive(Debug, Clone)]
struct Random {
    state: u64,
    left: u32,
}

impl Faults {
    /// One fault at one position among the writes (or, for a stale read, among the observations).
    #[must_use]
    pub fn once(fault: Fault, position: u64) -> Self {
        Self { scripted: BTreeMap::from([((fault.at_writes(), position), fault)]), ..Self::default() }
    }

    /// Up to `most` faults at random positions.
    #[must_use]
    pub fn random(seed: u64, most: u32) -> Self {
        Self { random: Some(Random { state: seed, left: most }), ..Self::default() }
    }

    /// Whether nothing goes wrong.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.scripted.is_empty() && self.random.is_none()
    }

    /// How many writes and reads there were.
    #[must_use]
    pub const fn counted(&self) -> (u64, u64) {
        (self.writes, self.reads)
    }

    /// Whether what was to go wrong has: all that a script says has happened. Runs with random faults or with none always
    /// come to the end of their scenario.
    #[must_use]
    pub fn are_over(&self) -> bool {
        let past =
            |(at_write, position): &(bool, u64)| *position < if *at_write { self.writes } else { self.reads };
        !self.scripted.is_empty() && self.scripted.keys().all(past)
    }

    /// Whether an observation may still show the world as it was: only then is it worth keeping how it was.
    #[must_use]
    pub fn may_be_stale(&self) -> bool {
        let scripted = |((_, position), fault): (&(bool, u64), &Fault)| {
            *fault == Fault::StaleRead && *position >= self.reads
        };
        self.scripted.iter().any(scripted) || self.random.as_ref().is_some_and(|random| random.left > 0)
    }

    pub(crate) fn at_write(&mut self) -> Option<Fault> {
        let position = self.writes;
        self.writes += 1;
        self.decide((true, position), &Fault::AT_WRITES)
    }

    pub(crate) fn at_read(&mut self) -> Option<Fault> {
        let position = self.reads;
        self.reads += 1;
        self.decide((false, position), &Fault::AT_READS)
    }

    /// A read that shows what was written before it can still be refused.
    pub(crate) fn at_consistent_read(&mut self) -> Option<Fault> {
        let fault = self.random.as_mut()?.decide(&[Fault::Throttle]);
        self.count(fault)
    }

    fn decide(&mut self, place: (bool, u64), kinds: &[Fault]) -> Option<Fault> {
        let fault = self.scripted.get(&place).copied().or_else(|| self.random.as_mut()?.decide(kinds));
        self.count(fault)
    }

    fn count(&mut self, fault: Option<Fault>) -> Option<Fault> {
        if let Some(fault) = fault {
            *self.injected.entry(fault).or_default() += 1;
        }
        fault
    }
}

impl Random {
    /// One call in eight goes wrong while there are faults left.
    fn decide(&mut self, kinds: &[Fault]) -> Option<Fault> {
        let roll = mix(&mut self.state);
        if self.left == 0 || !roll.is_multiple_of(8) {
            return None;
        }
        self.left -= 1;
        let kind = usize::try_from(mix(&mut self.state) % kinds.len() as u64).unwrap_or_default();
        kinds.get(kind).copied()
    }
}

/// SplitMix64: the next of a sequence that its seed decides.
pub(crate) fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
