//! When a fingerprint may no longer be relied on.
//!
//! Somebody else may change what was applied. Looking costs calls, so it happens once a period, at a moment that
//! differs from unit to unit: a restart does not bring all looks together.
//!
//! | value    | unit | meaning                                        |
//! |----------|------|------------------------------------------------|
//! | `period` | time | upper bound between two observations of a unit |

use std::{
    fmt::Display,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use crate::ports::Timestamp;

/// Slow and jittered: each unit's own period is between three quarters of `period` and `period`.
#[derive(Debug, Clone, Copy)]
pub struct DriftClock {
    period: Duration,
}

impl DriftClock {
    /// A clock on which every unit is observed at least once in `period`.
    #[must_use]
    pub const fn new(period: Duration) -> Self {
        Self { period }
    }

    /// How long the fingerprint of `unit` can be relied on; zero when a check is due.
    #[must_use]
    pub fn remaining(&self, unit: &impl Display, observed_at: Option<Timestamp>, now: Timestamp) -> Duration {
        let Some(observed_at) = observed_at else { return Duration::ZERO };
        (observed_at + self.own_period(unit)).saturating_sub(now)
    }

    fn own_period(&self, unit: &impl Display) -> Duration {
        let mut hasher = DefaultHasher::new();
        unit.to_string().hash(&mut hasher);
        let quarter = self.period / 4;
        let permille = u32::try_from(hasher.finish() % 1000).unwrap_or_default();
        self.period - quarter * permille / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_unit_that_was_never_observed_is_due() {
        assert_eq!(DriftClock::new(HOUR).remaining(&"a", None, HOUR), Duration::ZERO);
    }

    #[test]
    fn every_unit_is_due_within_the_period_and_not_all_at_once() {
        let clock = DriftClock::new(HOUR);
        let left: std::collections::BTreeSet<Duration> =
            (0..100).map(|n| clock.remaining(&format!("unit-{n}"), Some(HOUR), HOUR)).collect();
        assert!(left.iter().all(|left| (HOUR * 3 / 4..=HOUR).contains(left)), "{left:?}");
        assert!(left.len() > 50, "{} different moments", left.len());
        assert_eq!(clock.remaining(&"a", Some(HOUR), HOUR * 2), Duration::ZERO);
    }
}
