//! Leader election by a coordination.k8s.io Lease, and the question asked before every effect.
//!
//! | time           | seconds | why                                                                             |
//! |----------------|---------|---------------------------------------------------------------------------------|
//! | lease duration | 10      | a dead leader is replaced after this, plus two retries: well within 20           |
//! | renew deadline | 7       | a leader that could not renew for so long stops writing, well before others start |
//! | retry          | 2       | between two attempts                                                             |
//!
//! [`Leadership::term`] compares a monotonic clock with the last renewal that the server confirmed: a process that was
//! paused finds, when it wakes, that its time has run out, and writes nothing.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::error::{ClusterError, status};

/// See the module's table.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// After this without renewal others may take over.
    pub lease: Duration,
    /// After this without renewal the holder stops writing.
    pub renew: Duration,
    /// Between two attempts.
    pub retry: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { lease: Duration::from_secs(10), renew: Duration::from_secs(7), retry: Duration::from_secs(2) }
    }
}

/// Whether this process leads.
#[derive(Clone)]
pub struct Leadership {
    held: Arc<Mutex<Held>>,
    changed: watch::Receiver<bool>,
}

/// What is held, and how often it was taken.
#[derive(Debug, Default)]
struct Held {
    until: Option<Instant>,
    term: u64,
}

impl Leadership {
    /// The stretch of leadership in which writing is allowed at this moment, counted from 1; `None` when it is not.
    #[must_use]
    pub fn term(&self) -> Option<u64> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.until.filter(|until| Instant::now() < *until).map(|_| held.term)
    }

    /// Returns once this process leads.
    pub async fn acquired(&mut self) {
        // The sender lives as long as the election, which never ends by itself.
        let _ = self.changed.wait_for(|leads| *leads).await;
    }
}

impl Leadership {
    /// Returns once this process does not lead any more.
    pub async fn lost(&mut self) {
        // As in `acquired`.
        let _ = self.changed.wait_for(|leads| !*leads).await;
    }
}

/// The election of one process.
pub struct Election {
    api: Api<Lease>,
    name: String,
    identity: String,
    times: Times,
    held: Arc<Mutex<Held>>,
    leads: watch::Sender<bool>,
    /// What others were last seen to hold, and when by our own clock: clocks of other machines are not trusted.
    seen: Option<(Option<String>, Option<MicroTime>, Instant)>,
}

impl Election {
    /// Prepares an election over the Lease `name`; nothing is asked yet.
    #[must_use]
    pub fn new(
        client: &Client,
        namespace: &str,
        name: &str,
        identity: &str,
        times: Times,
    ) -> (Self, Leadership) {
        let (leads, changed) = watch::channel(false);
        let held = Arc::new(Mutex::new(Held::default()));
        let leadership = Leadership { held: Arc::clone(&held), changed };
        let api = Api::namespaced(client.clone(), namespace);
        let election = Self {
            api,
            name: name.to_owned(),
            identity: identity.to_owned(),
            times,
            held,
            leads,
            seen: None,
        };
        (election, leadership)
    }

    /// Takes part until `stop` says so, and then gives the lease back so that a follower need not wait.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            let asked = Instant::now();
            match self.attempt().await {
                Ok(true) => self.hold(asked),
                Ok(false) => self.lose("another process leads"),
                Err(error) => warn!(error = %error, source = %error.source, "the lease could not be renewed"),
            }
            if !self.still_held() {
                self.lose("the lease ran out");
            }
            tokio::select! {
                () = tokio::time::sleep(self.times.retry) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        self.give_back().await;
    }

    fn hold(&self, asked: Instant) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // A lease that ran out may have been somebody else's in between: what was remembered then is worth nothing.
        let continued = held.until.is_some_and(|until| Instant::now() < until);
        held.term += u64::from(!continued);
        held.until = Some(asked + self.times.renew);
        drop(held);
        if !self.leads.send_replace(true) {
            info!(identity = %self.identity, "leading");
        }
    }

    fn still_held(&self) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.until.is_some_and(|until| Instant::now() < until)
    }

    fn lose(&self, why: &str) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).until = None;
        if self.leads.send_replace(false) {
            warn!(identity = %self.identity, why, "not leading any more");
        }
    }

    /// One attempt to take or renew. `false`: somebody else holds it.
    async fn attempt(&mut self) -> Result<bool, ClusterError> {
        let failed = |error| ClusterError::new(format!("lease {}", self.name), error);
        let Some(mut lease) = self.api.get_opt(&self.name).await.map_err(failed)? else {
            return self.create().await;
        };
        let mut spec = lease.spec.take().unwrap_or_default();
        let holder = spec.holder_identity.clone().filter(|holder| !holder.is_empty());
        let mine = holder.as_deref() == Some(self.identity.as_str());
        if !mine && holder.is_some() && !self.has_run_out(&spec) {
            return Ok(false);
        }
        if !mine {
            spec.lease_transitions = Some(spec.lease_transitions.unwrap_or(0) + 1);
            spec.acquire_time = Some(now());
        }
        lease.spec = Some(self.claim(spec));
        match self.api.replace(&self.name, &PostParams::default(), &lease).await {
            Ok(_) => Ok(true),
            // Somebody else was quicker.
            Err(error) if status(&error) == Some(409) => Ok(false),
            Err(error) => Err(ClusterError::new(format!("lease {}", self.name), error)),
        }
    }

    async fn create(&self) -> Result<bool, ClusterError> {
        let spec = LeaseSpec { acquire_time: Some(now()), lease_transitions: Some(0), ..Default::default() };
        let lease = Lease {
            metadata: ObjectMeta { name: Some(self.name.clone()), ..Default::default() },
            spec: Some(self.claim(spec)),
        };
        match self.api.create(&PostParams::default(), &lease).await {
            Ok(_) => Ok(true),
            Err(error) if status(&error) == Some(409) => Ok(false),
            Err(error) => Err(ClusterError::new(format!("lease {}", self.name), error)),
        }
    }

    fn claim(&self, spec: LeaseSpec) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(self.times.lease.as_secs()).ok(),
            renew_time: Some(now()),
            ..spec
        }
    }

    /// Whether the holder has not renewed for a whole lease, measured from when we last saw it change.
    fn has_run_out(&mut self, spec: &LeaseSpec) -> bool {
        let (holder, renewed) = (spec.holder_identity.clone(), spec.renew_time.clone());
        match &self.seen {
            Some((seen, time, since)) if *seen == holder && *time == renewed => {
                since.elapsed() >= self.times.lease
            }
            _ => {
                self.seen = Some((holder, renewed, Instant::now()));
                false
            }
        }
    }

    async fn give_back(&self) {
        let held = self.still_held();
        self.lose("stopping");
        if !held {
            return;
        }
        let Ok(Some(mut lease)) = self.api.get_opt(&self.name).await else { return };
        if let Some(spec) =
            lease.spec.as_mut().filter(|spec| spec.holder_identity.as_ref() == Some(&self.identity))
        {
            spec.holder_identity = Some(String::new());
            if let Err(error) = self.api.replace(&self.name, &PostParams::default(), &lease).await {
                warn!(error = %error, "the lease could not be given back; a follower waits until it runs out");
            }
        }
    }
}

fn now() -> MicroTime {
    MicroTime(Timestamp::now())
}
