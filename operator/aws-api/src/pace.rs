//! How fast AWS is called: no faster than it lets us, and slower for a while after it said no.
//!
//! | lane                            | burst | calls a second |
//! |---------------------------------|-------|----------------|
//! | elbv2 Describe…                 | 40    | 10             |
//! | elbv2 Register-/DeregisterTargets | 40  | 10             |
//! | elbv2, the rest                 | 40    | 10             |
//! | ec2 Describe…                   | 100   | 20             |
//! | ec2, the rest                   | 50    | 10             |
//! | route53                         | 5     | 5              |
//! | the rest                        | 20    | 10             |
//!
//! A throttle halves the lane's rate, down to one call in two seconds; each call that passes gives a twentieth of the
//! lane's own rate back. An account that has not refused anything for ten minutes is asked for more while calls wait for
//! their turn, up to ten times as much: what an account allows is known to nobody but itself. Route 53 is not: its limit
//! is the same for every account.
//! Sources: EC2 and Route 53 API throttling; defaults of AWS Load Balancer Controller.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::fault::Fault;

const SLOWEST: f64 = 0.5;

/// How much faster than its own rate a lane may become.
const GROWTH: f64 = 10.0;

/// For how long a refusal keeps a lane at its own rate.
const REFUSED: Duration = Duration::from_secs(600);

/// All lanes.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    lanes: Mutex<BTreeMap<Lane, Bucket>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    ElbRead,
    ElbTargets,
    ElbWrite,
    Ec2Read,
    Ec2Write,
    Route53,
    Other,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    rate: f64,
    at: Instant,
    refused: Option<Instant>,
}

impl Pace {
    /// Waits for the turn of a call, makes it, and learns from its answer.
    pub(crate) async fn call<T>(
        &self,
        service: &str,
        operation: &str,
        call: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let lane = Lane::of(service, operation);
        let wait = self.with(lane, |bucket| bucket.take(lane, Instant::now()));
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let answer = call.await;
        let throttled = matches!(&answer, Err(fault) if fault.is_throttle());
        self.with(lane, |bucket| bucket.learn(lane, throttled, Instant::now()));
        answer
    }

    fn with<R>(&self, lane: Lane, act: impl FnOnce(&mut Bucket) -> R) -> R {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        act(lanes.entry(lane).or_insert_with(|| Bucket::full(lane, Instant::now())))
    }
}

impl Lane {
    fn of(service: &str, operation: &str) -> Self {
        let read = operation.starts_with("Describe");
        match (service, operation) {
            ("elbv2", "RegisterTargets" | "DeregisterTargets") => Self::ElbTargets,
            ("elbv2", _) if read => Self::ElbRead,
            ("elbv2", _) => Self::ElbWrite,
            ("ec2", _) if read => Self::Ec2Read,
            ("ec2", _) => Self::Ec2Write,
            ("route53", _) => Self::Route53,
            _ => Self::Other,
        }
    }

    const fn burst(self) -> f64 {
        match self {
            Self::ElbRead | Self::ElbTargets | Self::ElbWrite => 40.0,
            Self::Ec2Read => 100.0,
            Self::Ec2Write => 50.0,
            Self::Route53 => 5.0,
            Self::Other => 20.0,
        }
    }

    const fn rate(self) -> f64 {
        match self {
            Self::ElbRead | Self::ElbTargets | Self::ElbWrite | Self::Ec2Write | Self::Other => 10.0,
            Self::Ec2Read => 20.0,
            Self::Route53 => 5.0,
        }
    }

    const fn growth(self) -> f64 {
        if matches!(self, Self::Route53) { 1.0 } else { GROWTH }
    }
}

impl Bucket {
    const fn full(lane: Lane, now: Instant) -> Self {
        Self { tokens: lane.burst(), rate: lane.rate(), at: now, refused: None }
    }

    /// How long to wait for a token; whoever waits has it already, so that turns are kept.
    fn take(&mut self, lane: Lane, now: Instant) -> Duration {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + gained).min(lane.burst()) - 1.0;
        self.at = now;
        if self.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-self.tokens / self.rate) }
    }

    fn learn(&mut self, lane: Lane, throttled: bool, now: Instant) {
        if throttled {
            self.rate = (self.rate.min(lane.rate()) / 2.0).max(SLOWEST);
            self.tokens = self.tokens.min(0.0);
            self.refused = Some(now);
            return;
        }
        let calm = self.refused.is_none_or(|at| now.saturating_duration_since(at) >= REFUSED);
        let growth = if calm && self.tokens <= 0.0 { lane.growth() } else { 1.0 };
        self.rate = self.rate.max((self.rate + lane.rate() / 20.0).min(lane.rate() * growth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_rest_waits_its_turn() {
        let (lane, now) = (Lane::Route53, Instant::now());
        let mut bucket = Bucket::full(lane, now);
        let waits: Vec<u128> = (0..7).map(|_| bucket.take(lane, now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 200, 400]);
    }

    #[test]
    fn throttles_slow_down_and_answers_speed_up_again() {
        let (lane, now) = (Lane::ElbWrite, Instant::now());
        let mut bucket = Bucket::full(lane, now);
        for _ in 0..10 {
            bucket.learn(lane, true, now);
        }
        assert!((bucket.rate - SLOWEST).abs() < f64::EPSILON);
        assert!(bucket.take(lane, now) >= Duration::from_secs(2));
        for _ in 0..20 {
            bucket.learn(lane, false, now);
        }
        assert!((bucket.rate - lane.rate()).abs() < f64::EPSILON);
    }

    #[test]
    fn who_is_never_refused_is_asked_for_more_while_calls_wait() {
        let (lane, now) = (Lane::ElbWrite, Instant::now());
        let mut bucket = Bucket::full(lane, now);
        bucket.learn(lane, false, now);
        assert!((bucket.rate - lane.rate()).abs() < f64::EPSILON, "nobody waits");
        bucket.tokens = -1.0;
        for _ in 0..1000 {
            bucket.learn(lane, false, now);
        }
        assert!((bucket.rate - GROWTH * lane.rate()).abs() < f64::EPSILON);
        bucket.learn(lane, true, now);
        assert!((bucket.rate - lane.rate() / 2.0).abs() < f64::EPSILON, "one refusal ends it");
        let later = now + REFUSED;
        for at in [vec![now; 1000], vec![later; 20]].concat() {
            bucket.tokens = -1.0;
            bucket.learn(lane, false, at);
        }
        assert!((bucket.rate - 2.0 * lane.rate()).abs() < 1e-6, "for ten minutes: {}", bucket.rate);
    }

    #[test]
    fn the_limit_of_route_53_is_known() {
        let (lane, now) = (Lane::Route53, Instant::now());
        let mut bucket = Bucket::full(lane, now);
        bucket.tokens = -1.0;
        bucket.learn(lane, false, now);
        assert!((bucket.rate - lane.rate()).abs() < f64::EPSILON);
    }
}
