//! Whether the AWS Load Balancer Controller leads, by its Lease.
//!
//! Two controllers that write the same names undo each other's work: while its Lease is fresh, nothing of ours is
//! applied on AWS.
//!
//! | time    | seconds             | why                                                                          |
//! |---------|---------------------|------------------------------------------------------------------------------|
//! | look    | 2                   | as often as it renews: it is noticed before it has read the cluster          |
//! | lease   | the Lease's, or 15  | unchanged for so long, it has gone; by our own clock                         |
//! | skew    | 30                  | a Lease that is older by the wall clock ran out before we came               |
//!
//! Before the first look, and while no look ever succeeded, it is taken to lead.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, ResourceExt as _, api::ListParams};
use tokio::sync::watch;

use crate::error::ClusterError;

const LOOK: Duration = Duration::from_secs(2);
const LEASE: Duration = Duration::from_secs(15);
const SKEW: Duration = Duration::from_secs(30);

/// Who leads, and where its Lease is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Namespace and name of the Lease.
    pub lease: String,
    /// As the Lease says.
    pub identity: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (Lease {})", self.identity, self.lease)
    }
}

/// What is known of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// Nothing yet.
    Unknown,
    /// It leads.
    Leads(Holder),
    /// It does not, or is not installed.
    Away,
}

/// What is known, shared by whoever asks.
#[derive(Debug, Clone)]
pub struct Peer {
    known: Arc<Mutex<Known>>,
    changed: watch::Receiver<Presence>,
}

#[derive(Debug)]
struct Known {
    presence: Presence,
    /// How often it went away.
    departures: u64,
    /// When it last renewed, as it says itself: seconds since the Unix epoch.
    renewed: Option<Duration>,
}

impl Peer {
    /// A peer that nobody looks for.
    #[must_use]
    pub fn nobody() -> Self {
        let known = Known { presence: Presence::Away, departures: 0, renewed: None };
        Self { known: Arc::new(Mutex::new(known)), changed: watch::channel(Presence::Away).1 }
    }

    /// The stretch without it, counted from 0; `None` while it leads or is not known not to.
    #[must_use]
    pub fn stretch(&self) -> Option<u64> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        (known.presence == Presence::Away).then_some(known.departures)
    }

    /// What is known.
    #[must_use]
    pub fn presence(&self) -> Presence {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).presence.clone()
    }

    /// When it was last known to lead, since the Unix epoch: what was seen of AWS before, it may have changed since.
    #[must_use]
    pub fn renewed(&self) -> Option<Duration> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).renewed
    }

    /// Waits until something else is known. Never returns for a peer that nobody looks for.
    pub async fn changed(&mut self) {
        if self.changed.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// One Lease as it was last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    lease: String,
    identity: String,
    renewed: Option<Timestamp>,
    duration: Duration,
}

impl Seen {
    fn of(lease: &Lease) -> Self {
        let spec = lease.spec.clone().unwrap_or_default();
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        Self {
            lease: format!("{}/{}", lease.namespace().unwrap_or_default(), lease.name_any()),
            identity: spec.holder_identity.unwrap_or_default(),
            renewed: spec.renew_time.map(|time| time.0),
            duration: seconds.map_or(LEASE, Duration::from_secs),
        }
    }

    /// Whether it ran out so long ago that no difference of clocks explains it.
    fn long_gone(&self, now: Timestamp) -> bool {
        let age = self.renewed.map(|renewed| now.duration_since(renewed));
        age.is_none_or(|age| {
            age.as_secs() > i64::try_from((self.duration + SKEW).as_secs()).unwrap_or(i64::MAX)
        })
    }
}

/// What Leases say over time. Several namespaces may hold one of the name; any that is fresh counts.
#[derive(Debug, Default)]
struct Watched(Vec<(Seen, Option<Instant>)>);

impl Watched {
    /// Takes in what was listed, and says who leads.
    fn take(&mut self, listed: &[Lease], now: Timestamp, here: Instant) -> Presence {
        let before = std::mem::take(&mut self.0);
        self.0 = listed
            .iter()
            .map(Seen::of)
            .map(|seen| {
                let known = before.iter().find(|(known, _)| known.lease == seen.lease);
                let since = match known {
                    Some((known, since)) if *known == seen => *since,
                    None if seen.long_gone(now) => None,
                    _ => Some(here),
                };
                (seen, since)
            })
            .collect();
        let fresh = |(seen, since): &&(Seen, Option<Instant>)| {
            let within = since.is_some_and(|since| here.duration_since(since) < seen.duration);
            within && !seen.identity.is_empty()
        };
        match self.0.iter().find(fresh) {
            Some((seen, _)) => {
                Presence::Leads(Holder { lease: seen.lease.clone(), identity: seen.identity.clone() })
            }
            None => Presence::Away,
        }
    }

    fn renewed(&self) -> Option<Duration> {
        let latest = self.0.iter().filter_map(|(seen, _)| seen.renewed).max()?;
        u64::try_from(latest.as_second()).ok().map(Duration::from_secs)
    }
}

/// Looks for the peer's Lease.
pub struct Lookout {
    api: Api<Lease>,
    name: String,
    watched: Watched,
    known: Arc<Mutex<Known>>,
    changed: watch::Sender<Presence>,
}

impl Lookout {
    /// Prepares to look for the Lease `name` in every namespace; nothing is asked yet.
    #[must_use]
    pub fn new(client: &Client, name: &str) -> (Self, Peer) {
        let (sender, changed) = watch::channel(Presence::Unknown);
        let known = Known { presence: Presence::Unknown, departures: 0, renewed: None };
        let known = Arc::new(Mutex::new(known));
        let peer = Peer { known: Arc::clone(&known), changed };
        let (api, name) = (Api::all(client.clone()), name.to_owned());
        (Self { api, name, watched: Watched::default(), known, changed: sender }, peer)
    }

    /// Looks once.
    ///
    /// # Errors
    /// The API server's refusal; what was known stays known until it runs out.
    pub async fn look(&mut self) -> Result<(), ClusterError> {
        let named = ListParams::default().fields(&format!("metadata.name={}", self.name));
        let listed = self.api.list(&named).await;
        let listed = listed.map_err(|error| ClusterError::new(format!("Leases {}", self.name), error))?;
        let presence = self.watched.take(&listed.items, Timestamp::now(), Instant::now());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.renewed = self.watched.renewed();
        if known.presence != presence {
            known.departures += u64::from(presence == Presence::Away);
            known.presence = presence.clone();
            drop(known);
            self.changed.send_replace(presence);
        }
        Ok(())
    }

    /// Looks again and again until `stop` says so.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(error = %error, source = %error.source, "the peer's Lease could not be looked for");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{
        api::coordination::v1::LeaseSpec,
        apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    };

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn lease(holder: &str, renewed_ago: i64) -> Lease {
        Lease {
            metadata: ObjectMeta {
                name: Some("leader".to_owned()),
                namespace: Some("kube-system".to_owned()),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.to_owned()),
                lease_duration_seconds: Some(15),
                renew_time: Timestamp::from_second(NOW - renewed_ago).ok().map(MicroTime),
                ..LeaseSpec::default()
            }),
        }
    }

    fn leads(presence: &Presence) -> bool {
        matches!(presence, Presence::Leads(_))
    }

    #[test]
    fn a_lease_is_fresh_until_it_stays_unchanged_for_as_long_as_it_says() {
        let (now, start) = (Timestamp::from_second(NOW).unwrap_or_default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut watched = Watched::default();
        let first = watched.take(&[lease("a", 3)], now, start);
        let holder = Holder { lease: "kube-system/leader".to_owned(), identity: "a".to_owned() };
        assert_eq!(first, Presence::Leads(holder));
        assert!(leads(&watched.take(&[lease("a", 3)], now, after(14))));
        assert!(!leads(&watched.take(&[lease("a", 3)], now, after(15))), "unchanged for 15 s");
        assert!(leads(&watched.take(&[lease("a", 1)], now, after(16))), "it is back");
        assert!(!leads(&watched.take(&[lease("", 1)], now, after(17))), "it was given back");
        assert!(!leads(&watched.take(&[], now, after(18))));
    }

    #[test]
    fn what_ran_out_long_before_we_came_is_not_waited_for() {
        let (now, start) = (Timestamp::from_second(NOW).unwrap_or_default(), Instant::now());
        let seen = |ago| leads(&Watched::default().take(&[lease("a", ago)], now, start));
        assert!(!seen(46));
        assert!(seen(45), "clocks may differ by so much");
        assert!(seen(-100), "and by any amount the other way");
        let mut watched = Watched::default();
        watched.take(&[lease("a", 46)], now, start);
        assert!(leads(&watched.take(&[lease("a", 40)], now, start)), "somebody renews it");
    }

    #[test]
    fn what_was_seen_before_its_last_renewal_is_known_to_be_old() {
        let now = Timestamp::from_second(NOW).unwrap_or_default();
        let mut watched = Watched::default();
        watched.take(&[lease("a", 100), lease("a", 200)], now, Instant::now());
        assert_eq!(watched.renewed().map(|at| at.as_secs()), u64::try_from(NOW - 100).ok());
    }
}
