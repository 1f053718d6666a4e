//! The world and the cluster together, as the operator reaches them: every call passes the faults, and after every write
//! the laws that must hold at any moment are checked.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fairway_core::class::Class;
use fairway_engine::ports::Refusal;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep},
};

use crate::{
    cluster::Cluster,
    faults::{Fault, Faults},
    invariants,
    world::{Aws, AwsError},
};

/// How long a call takes: long enough for workers to come between each other.
const LATENCY: Duration = Duration::from_millis(20);
/// How many writes a stale read may lag behind.
const LAG: usize = 3;

/// The number of a process that only looks, to see what there would be to do: it meets no faults.
pub const PROBE: u64 = u64::MAX;

/// What a run tells whoever drives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incident {
    /// The process of this number died.
    Crashed(u64),
    /// The lease went to the process of this number.
    LeaseMoved(u64),
}

/// World and cluster, shared by all processes of a run.
pub struct Sim {
    inner: Mutex<Inner>,
    begun: Instant,
    changed: Notify,
    incidents: mpsc::UnboundedSender<Incident>,
}

/// What is behind the lock.
#[derive(Debug, Default)]
pub struct Inner {
    /// AWS.
    pub aws: Aws,
    /// The cluster.
    pub cluster: Cluster,
    /// What goes wrong.
    pub faults: Faults,
    /// The process that holds the lease.
    pub leader: u64,
    /// Observations of stacks so far.
    pub observations: u64,
    /// Every write, in order.
    pub log: Vec<String>,
    /// What must never have happened.
    pub violations: Vec<String>,
    /// When something last changed, in seconds since the world began.
    pub last_change: u64,
    past: VecDeque<Aws>,
}

impl Sim {
    /// A run on a world and a cluster; incidents go to the receiver.
    #[must_use]
    pub fn new(aws: Aws, cluster: Cluster, faults: Faults) -> (Self, mpsc::UnboundedReceiver<Incident>) {
        let (incidents, receiver) = mpsc::unbounded_channel();
        let inner = Inner { aws, cluster, faults, ..Inner::default() };
        (
            Self { inner: Mutex::new(inner), begun: Instant::now(), changed: Notify::new(), incidents },
            receiver,
        )
    }

    /// Seconds since the world began.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.begun.elapsed().as_secs()
    }

    /// Everything, at the present time.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.aws.now = self.now();
        inner
    }

    /// Changes the cluster or the world from outside, as users do.
    pub fn meddle(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.lock();
        change(&mut inner);
        inner.last_change = self.now();
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Returns when the cluster changed after the call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// One write of the process `holder`.
    ///
    /// # Errors
    /// What the world refuses, or a fault.
    pub async fn write<T>(
        &self,
        holder: u64,
        what: String,
        act: impl FnOnce(&mut Inner) -> Result<T, Refusal> + Send,
    ) -> Result<T, Refusal> {
        self.must_lead(holder, &what);
        sleep(LATENCY).await;
        let (fault, result) = self.apply(what, act);
        match fault {
            Some(Fault::Crash) => {
                // A receiver that is gone means that the run is over.
                let _ = self.incidents.send(Incident::Crashed(holder));
                std::future::pending().await
            }
            Some(Fault::LostAnswer) => Err(lost()),
            _ => result,
        }
    }

    /// A write that was sent while the lease was held may still arrive; one that is sent later may not.
    fn must_lead(&self, holder: u64, what: &str) {
        let mut inner = self.lock();
        if inner.leader != holder {
            inner.violations.push(format!("process {holder} wrote without the lease: {what}"));
        }
    }

    fn apply<T>(
        &self,
        what: String,
        act: impl FnOnce(&mut Inner) -> Result<T, Refusal>,
    ) -> (Option<Fault>, Result<T, Refusal>) {
        let mut inner = self.lock();
        let fault = inner.faults.at_write();
        match fault {
            Some(Fault::Throttle) => return (fault, Err(throttled())),
            Some(Fault::Cut) => return (fault, Err(lost())),
            _ => {}
        }
        let before = inner.faults.may_be_stale().then(|| inner.aws.clone());
        let version = inner.cluster.version;
        let result = act(&mut inner);
        let now = self.now();
        inner.log.push(match &result {
            Ok(_) => format!("{now:>6} {what}"),
            Err(refusal) => format!("{now:>6} {what}: {}", refusal.failure.message),
        });
        if result.is_ok() {
            inner.last_change = now;
            inner.past.extend(before);
            if inner.past.len() > LAG {
                inner.past.pop_front();
            }
            let broken = invariants::broken(&inner);
            inner.violations.extend(broken.into_iter().map(|law| format!("after {what}: {law}")));
        }
        if fault == Some(Fault::LeaseLost) {
            inner.leader += 1;
            let _ = self.incidents.send(Incident::LeaseMoved(inner.leader));
        }
        let changed = inner.cluster.version != version;
        drop(inner);
        if changed {
            self.changed.notify_waiters();
        }
        (fault, result)
    }

    /// One observation, which may lag behind the writes before it.
    ///
    /// # Errors
    /// What the world refuses, or a fault.
    pub async fn observe<T>(
        &self,
        holder: u64,
        look: impl FnOnce(&Aws) -> Result<T, Refusal> + Send,
    ) -> Result<T, Refusal> {
        if holder == PROBE {
            return look(&self.lock().aws);
        }
        sleep(LATENCY).await;
        let mut inner = self.lock();
        match inner.faults.at_read() {
            Some(Fault::Throttle) => Err(throttled()),
            Some(Fault::StaleRead) => match inner.past.front() {
                Some(past) => {
                    let mut past = past.clone();
                    past.now = self.now();
                    look(&past)
                }
                None => look(&inner.aws),
            },
            _ => look(&inner.aws),
        }
    }

    /// One observation of what is read consistently.
    ///
    /// # Errors
    /// What the world refuses, or a fault.
    pub async fn observe_present<T>(
        &self,
        holder: u64,
        look: impl FnOnce(&Aws) -> Result<T, Refusal> + Send,
    ) -> Result<T, Refusal> {
        if holder == PROBE {
            return look(&self.lock().aws);
        }
        sleep(LATENCY).await;
        let mut inner = self.lock();
        match inner.faults.at_consistent_read() {
            Some(_) => Err(throttled()),
            None => look(&inner.aws),
        }
    }
}

fn throttled() -> Refusal {
    Refusal {
        retry_after: Some(Duration::from_secs(2)),
        ..Refusal::new(Class::Transient, "Throttled", "Rate exceeded")
    }
}

fn lost() -> Refusal {
    Refusal::new(Class::Transient, LOST, "the connection broke before the answer came")
}

/// Code of a failure after which nobody knows whether the write was done.
pub(crate) const LOST: &str = "AwsUnavailable";

/// AWS's refusals as the real adapter classes them.
pub(crate) fn refused(error: AwsError) -> Refusal {
    let class = match error.code {
        "PriorRequestNotComplete" | "WAFUnavailableEntityException" => Class::Transient,
        "DependencyViolation" | "ResourceInUse" | "ResourceInUseException" => Class::Pending,
        "ResourceNotFoundException" => Class::Transient,
        "CertificateNotFound" | "TrustStoreNotFound" | "WAFNonexistentItemException" => Class::Environment,
        code if code.ends_with("NotFound")
            || code == "PriorityInUse"
            || code.starts_with("InvalidPermission") =>
        {
            Class::Transient
        }
        code if code.contains("Duplicate") => Class::Conflict,
        "InvalidChangeBatch" => Class::Conflict,
        code if code.starts_with("TooMany") || code.ends_with("LimitExceeded") => Class::Environment,
        "OperationNotPermitted" => Class::Environment,
        _ => Class::Invalid,
    };
    Refusal::new(class, error.code, error.to_string())
}
