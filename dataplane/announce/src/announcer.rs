//! The set of announced addresses, kept by a thread of its own.
//!
//! A thread of its own, because an answer that waits behind other work is a neighbour that is given up.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use fairway_sys::Interface;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

use crate::station::Running;

/// An address that is answered for on one interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Announcement {
    /// The address.
    pub address: IpAddr,
    /// The index of the interface.
    pub interface: u32,
}

/// An address that could not be announced; the others are.
#[derive(Debug, thiserror::Error)]
#[error("cannot announce {} on interface {}", announcement.address, announcement.interface)]
pub struct AnnounceError {
    /// What was asked for.
    pub announcement: Announcement,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// Numbers since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Requests and solicitations answered.
    pub answered: u64,
    /// Announcements sent without being asked.
    pub announced: u64,
    /// Packets in which another host claimed an address of ours.
    pub conflicts: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) answered: AtomicU64,
    pub(crate) announced: AtomicU64,
    pub(crate) conflicts: AtomicU64,
    pub(crate) contested: Mutex<BTreeSet<IpAddr>>,
}

pub(crate) type Counted = Arc<Counts>;

#[derive(Debug)]
struct Order {
    wanted: BTreeSet<Announcement>,
    done: oneshot::Sender<Vec<AnnounceError>>,
}

/// Answers for a set of addresses in the network namespace of the thread that started it. Dropping it stops
/// answering. Needs `CAP_NET_RAW`.
#[derive(Debug)]
pub struct Announcer {
    orders: Option<mpsc::UnboundedSender<Order>>,
    counted: Counted,
    thread: Option<JoinHandle<()>>,
}

/// How often interfaces are looked at for changes.
const REFRESH: Duration = Duration::from_secs(2);

impl Announcer {
    /// Starts with no address.
    pub fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let counted = Counted::default();
        let (orders, received) = mpsc::unbounded_channel();
        let counts = Arc::clone(&counted);
        let body = move || LocalSet::new().block_on(&runtime, run(received, counts));
        let thread = std::thread::Builder::new().name("announcer".to_owned()).spawn(body)?;
        Ok(Self { orders: Some(orders), counted, thread: Some(thread) })
    }

    /// Makes these the announced addresses. When it returns, new ones have been announced once and old ones are
    /// no longer answered for.
    pub async fn set(&self, wanted: BTreeSet<Announcement>) -> Vec<AnnounceError> {
        let all = wanted.clone();
        let (done, answer) = oneshot::channel();
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(Order { wanted, done }).is_ok());
        match answer.await {
            Ok(errors) if sent => errors,
            _ => all.into_iter().map(|announcement| failed(announcement, stopped())).collect(),
        }
    }

    /// The addresses that another host claimed since this was asked last. IPv4 only: nobody claims an IPv6 address in
    /// a packet that we hear.
    pub fn take_contested(&self) -> BTreeSet<IpAddr> {
        std::mem::take(&mut self.counted.contested.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Numbers since the start.
    pub fn counters(&self) -> Counters {
        Counters {
            answered: self.counted.answered.load(Ordering::Relaxed),
            announced: self.counted.announced.load(Ordering::Relaxed),
            conflicts: self.counted.conflicts.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.orders = None; // ends the thread's loop
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the announcer's thread panicked");
        }
    }
}

fn failed(announcement: Announcement, source: io::Error) -> AnnounceError {
    AnnounceError { announcement, source }
}

fn stopped() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the announcer has stopped")
}

async fn run(mut orders: mpsc::UnboundedReceiver<Order>, counted: Counted) {
    let mut stations: BTreeMap<u32, Running> = BTreeMap::new();
    let mut refresh = tokio::time::interval(REFRESH);
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some(order) = order else { return };
                let errors = apply(&mut stations, &order.wanted, &counted);
                // The one who asked may have given up waiting; the set is in force nevertheless.
                let _ = order.done.send(errors);
            }
            _ = refresh.tick() => follow(&mut stations),
        }
    }
}

fn apply(
    stations: &mut BTreeMap<u32, Running>,
    wanted: &BTreeSet<Announcement>,
    counted: &Counted,
) -> Vec<AnnounceError> {
    let mut by_interface: BTreeMap<u32, BTreeSet<IpAddr>> = BTreeMap::new();
    for announcement in wanted {
        by_interface.entry(announcement.interface).or_default().insert(announcement.address);
    }
    stations.retain(|index, _| by_interface.contains_key(index));
    let mut errors = Vec::new();
    for (index, addresses) in by_interface {
        match station(stations, index, counted) {
            Ok(running) => {
                let left = running.station.set(&addresses);
                errors.extend(
                    left.into_iter()
                        .map(|(address, error)| failed(Announcement { address, interface: index }, error)),
                );
            }
            Err(error) => errors.extend(addresses.into_iter().map(|address| {
                let same = io::Error::new(error.kind(), error.to_string());
                failed(Announcement { address, interface: index }, same)
            })),
        }
    }
    errors
}

fn station<'s>(
    stations: &'s mut BTreeMap<u32, Running>,
    index: u32,
    counted: &Counted,
) -> io::Result<&'s Running> {
    match stations.entry(index) {
        std::collections::btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
        std::collections::btree_map::Entry::Vacant(place) => {
            let all = fairway_sys::interfaces()?;
            let interface = all.iter().find(|interface| interface.index == index);
            let gone = || io::Error::new(io::ErrorKind::NotFound, "there is no such interface");
            Ok(place.insert(Running::start(interface.ok_or_else(gone)?, Arc::clone(counted))?))
        }
    }
}

/// Follows interfaces that come, go or change their address.
fn follow(stations: &mut BTreeMap<u32, Running>) {
    if stations.is_empty() {
        return;
    }
    let all: Vec<Interface> = match fairway_sys::interfaces() {
        Ok(all) => all,
        Err(error) => return tracing::warn!(%error, "cannot list interfaces"),
    };
    for (index, running) in stations {
        if let Some(interface) = all.iter().find(|interface| interface.index == *index) {
            running.station.refresh(interface);
        }
    }
}
