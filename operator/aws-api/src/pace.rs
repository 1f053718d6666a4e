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
//! A throttle halves the lane's rate, down to one call in two seconds; each call that passes gives a twentieth back.
//! Sources: EC2 and Route 53 API throttling; defaults of AWS Load Balancer Controller.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::fault::Fault;

const SLOWEST: f64 = 0.5;

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
        self.with(lane, |bucket| bucket.learn(lane, throttled));
        answer
    }

    fn with<R>(&self, lane: Lane, act: impl FnOnce(&mut Bucket) -> R) -> R {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        act(lanes.entry(lane).or_insert_with(|| Bucket {
            tokens: lane.burst(),
            rate: lane.rate(),
            at: Instant::now(),
        }))
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
}

impl Bucket {
    /// How long to wait for a token; whoever waits has it already, so that turns are kept.
    fn take(&mut self, lane: Lane, now: Instant) -> Duration {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + gained).min(lane.burst()) - 1.0;
        self.at = now;
        if self.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-self.tokens / self.rate) }
    }

    fn learn(&mut self, lane: Lane, throttled: bool) {
        if throttled {
            self.rate = (self.rate / 2.0).max(SLOWEST);
            self.tokens = self.tokens.min(0.0);
        } else {
            self.rate = (self.rate + lane.rate() / 20.0).min(lane.rate());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(lane: Lane, at: Instant) -> Bucket {
        Bucket { tokens: lane.burst(), rate: lane.rate(), at }
    }

    #[test]
    fn a_burst_passes_and_the_rest_waits_its_turn() {
        let (lane, now) = (Lane::Route53, Instant::now());
        let mut bucket = bucket(lane, now);
        let waits: Vec<u128> = (0..7).map(|_| bucket.take(lane, now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 200, 400]);
    }

    #[test]
    fn throttles_slow_down_and_answers_speed_up_again() {
        let (lane, now) = (Lane::ElbWrite, Instant::now());
        let mut bucket = bucket(lane, now);
        for _ in 0..10 {
            bucket.learn(lane, true);
        }
        assert!((bucket.rate - SLOWEST).abs() < f64::EPSILON);
        assert!(bucket.take(lane, now) >= Duration::from_secs(2));
        for _ in 0..20 {
            bucket.learn(lane, false);
        }
        assert!((bucket.rate - lane.rate()).abs() < f64::EPSILON);
    }
}
