//! What units publish for each other, and the waits that ask for it.
//!
//! Shape: memory only, rebuilt by looking at every unit once after a start. Until a unit has been looked at, nothing
//! is known of it, and a wait on it does not hold.
//! What a caller must not assume: that a wait which held still holds later. Operations ask immediately before they run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fairway_core::{
    ids::ObjectRef,
    plan::{Bindings, Handle, ResourceKey, Wait},
    report::Report,
};
use tokio::{sync::Notify, time::Instant};

/// A wait that does not hold for longer than this is somebody's to look at: the unit that should publish the fact is
/// stuck, and its own events say why. Longer than provisioning and DNS changes take together.
const TOO_LONG: Duration = Duration::from_secs(15 * 60);

/// What a kind of unit publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announces {
    /// Nothing that others wait for.
    Nothing,
    /// Load balancers, and the objects that are served by them.
    LoadBalancers,
    /// The shared backend security group.
    BackendSecurityGroup,
    /// Records: every handle whose key's kind is `record`, with the names and addresses it points at in `dns_name`,
    /// separated by spaces.
    Records,
}

/// Whether DNS is done by this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dns {
    /// No record is ours: none can point at anything.
    Off,
    /// These units look after all records; a record is known to be gone when all of them say so.
    On(BTreeSet<String>),
}

/// How long a wait has not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It holds: the operation may run.
    Holds,
    /// Not yet.
    Waits,
    /// Not for so long that a person should look.
    Overdue,
}

/// Facts by unit.
pub struct Board {
    backend_key: ResourceKey,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    dns: Option<Dns>,
    balancers: BTreeMap<String, Bindings>,
    served_by: BTreeMap<ObjectRef, String>,
    /// DNS names that statuses show, by unit; absent while one of them is not known.
    shown: BTreeMap<String, BTreeSet<String>>,
    backend: Option<Handle>,
    records: BTreeMap<String, BTreeSet<String>>,
    since: BTreeMap<(String, Wait), Instant>,
}

impl Board {
    /// An empty board. `backend_key` is the key under which bindings hold the shared backend security group.
    #[must_use]
    pub fn new(backend_key: ResourceKey) -> Self {
        Self { backend_key, state: Mutex::default(), changed: Notify::new() }
    }

    /// Says who looks after records. Until this is said, no record is known to be gone.
    pub fn set_dns(&self, dns: Dns) {
        self.lock().dns = Some(dns);
        self.changed.notify_one();
    }

    /// Uses a backend security group that somebody else keeps (`--backend-security-group`).
    pub fn give_backend(&self, group: Handle) {
        self.lock().backend = Some(group);
        self.changed.notify_one();
    }

    /// Returns when something was published since it last returned; for one caller at a time. Some of the units that wait
    /// may then be [`Board::released`].
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The units that were told to wait for what holds by now. Each is named once: whoever is looked at asks again.
    #[must_use]
    pub fn released(&self) -> BTreeSet<String> {
        let mut state = self.lock();
        let holding: BTreeSet<_> =
            state.since.keys().filter(|(unit, wait)| state.holds(unit, wait)).cloned().collect();
        state.since.retain(|pending, _| !holding.contains(pending));
        holding.into_iter().map(|(unit, _)| unit).collect()
    }

    /// Whether `unit` may go on.
    #[must_use]
    pub fn ask(&self, unit: &str, wait: &Wait) -> Standing {
        let mut state = self.lock();
        let pending = (unit.to_owned(), wait.clone());
        if state.holds(unit, wait) {
            state.since.remove(&pending);
            return Standing::Holds;
        }
        let since = *state.since.entry(pending).or_insert_with(Instant::now);
        if since.elapsed() > TOO_LONG { Standing::Overdue } else { Standing::Waits }
    }

    /// Adds to bindings what other units made.
    pub fn lend(&self, bindings: &mut Bindings) {
        if let Some(handle) = self.lock().backend.clone() {
            bindings.entry(self.backend_key.clone()).or_insert(handle);
        }
    }

    /// Called before a unit's first effect: what it published may stop being true at any moment now.
    pub(crate) fn unsettle(&self, unit: &str, announces: Announces) {
        if announces == Announces::Records {
            self.lock().records.remove(unit);
        }
    }

    /// Called after a look that was written down.
    pub(crate) fn post(&self, unit: &str, announces: Announces, bindings: &Bindings, report: &Report) {
        let mut state = self.lock();
        let changed = match announces {
            Announces::Nothing => false,
            Announces::LoadBalancers => state.post_balancers(unit, bindings, report),
            Announces::BackendSecurityGroup => {
                let handle = bindings.get(&self.backend_key).cloned();
                std::mem::replace(&mut state.backend, handle.clone()) != handle
            }
            Announces::Records => {
                let targets = record_targets(bindings);
                state.records.insert(unit.to_owned(), targets.clone()) != Some(targets)
            }
        };
        drop(state);
        if changed {
            self.changed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in a critical section can panic half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn holds(&self, unit: &str, wait: &Wait) -> bool {
        match wait {
            Wait::RecordsGone(name) => self.records_gone(&name.to_lowercase()),
            Wait::SuccessorLive(object) => self.served_by.get(object).is_some_and(|by| by != unit),
            Wait::AddressWithdrawn(name) => {
                self.shown.get(unit).is_some_and(|shown| !shown.contains(&name.to_lowercase()))
            }
            // Not what a look has just seen: only when it has been written into statuses may its predecessor go.
            Wait::LoadBalancerActive(key) => {
                self.balancers.values().any(|handles| handles.get(key).is_some_and(|handle| handle.ready))
            }
            Wait::BackendSecurityGroup => self.backend.is_some(),
        }
    }

    fn records_gone(&self, name: &str) -> bool {
        match &self.dns {
            None => false,
            Some(Dns::Off) => true,
            Some(Dns::On(units)) => {
                units.iter().all(|unit| self.records.get(unit).is_some_and(|targets| !targets.contains(name)))
            }
        }
    }

    fn post_balancers(&mut self, unit: &str, bindings: &Bindings, report: &Report) -> bool {
        let before = (self.balancers.get(unit).cloned(), self.served_by.clone(), self.shown.clone());
        let balancers: Bindings = bindings
            .iter()
            .filter(|(key, _)| key.0.starts_with("load-balancer/"))
            .map(|(key, handle)| (key.clone(), handle.clone()))
            .collect();
        self.balancers.insert(unit.to_owned(), balancers);
        let live = report.status.iter().filter(|write| !write.addresses.is_empty());
        let live: BTreeSet<&ObjectRef> = live.map(|write| &write.object).collect();
        self.served_by.retain(|object, by| by != unit || live.contains(object));
        for object in live {
            self.served_by.insert(object.clone(), unit.to_owned());
        }
        let addresses = report.status.iter().flat_map(|write| &write.addresses);
        let shown: BTreeSet<String> = addresses.filter_map(|address| address.hostname.clone()).collect();
        if shown.is_empty() {
            self.shown.remove(unit);
        } else {
            self.shown.insert(unit.to_owned(), shown);
        }
        before != (self.balancers.get(unit).cloned(), self.served_by.clone(), self.shown.clone())
    }
}

fn record_targets(bindings: &Bindings) -> BTreeSet<String> {
    let records = bindings.iter().filter(|(key, _)| key.0.starts_with("record/"));
    let named = records.filter_map(|(_, handle)| handle.dns_name.as_deref());
    named.flat_map(|names| names.split(' ')).map(str::to_lowercase).collect()
}
