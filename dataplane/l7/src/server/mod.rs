//! The running proxy.
//!
//! Shape: [`Proxy::install`] opens what is new, swaps the table, then closes what is gone. If one address cannot
//! be opened nothing changes and all errors are told. A connection on an address that is gone finishes its
//! request by the last table that knew the address and is then closed.
//! Listening sockets are opened with `IP_FREEBIND`: an address that the node does not have (yet) is no error.

mod answer;
mod buffer;
mod connection;
mod forward;
mod pipe;
mod pool;
mod worker;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::counters::{Counters, Snapshot};
use crate::limits::Limits;
use crate::table::RouteTable;
use worker::{Order, Shared};

/// How a proxy runs.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Threads; absent: one for each core the process may use.
    pub threads: Option<NonZeroUsize>,
    /// Time-outs and sizes.
    pub limits: Limits,
}

/// An address that could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct InstallError {
    /// The address.
    pub address: SocketAddr,
    /// What the kernel said.
    #[source]
    pub source: io::Error,
}

/// What an install changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// Addresses opened, in order.
    pub opened: Vec<SocketAddr>,
    /// Addresses closed, in order.
    pub closed: Vec<SocketAddr>,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Drained {
    /// Every connection finished.
    Complete,
    /// So many connections were cut at the deadline.
    Cut(u64),
}

/// A set of threads that serve a table. Dropping it cuts all connections; [`Proxy::drain`] lets them finish.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    workers: Vec<Worker>,
    /// Addresses listened on; locked for the whole of an install, so that two do not mix.
    listening: Mutex<Vec<SocketAddr>>,
}

#[derive(Debug)]
struct Worker {
    orders: Option<mpsc::UnboundedSender<Order>>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

/// Connections that may wait to be accepted, per thread.
const BACKLOG: i32 = 4096;
/// How often a drain looks whether it is over.
const DRAIN_LOOK: Duration = Duration::from_millis(10);

impl Proxy {
    /// Starts the threads with an empty table.
    pub fn start(options: Options) -> io::Result<Self> {
        let threads = match options.threads {
            Some(threads) => threads,
            None => std::thread::available_parallelism()?,
        };
        let shared = Arc::new(Shared::new(options.limits));
        let workers =
            (0..threads.get()).map(|number| Worker::start(number, &shared)).collect::<io::Result<_>>()?;
        Ok(Self { shared, workers, listening: Mutex::default() })
    }

    /// Makes `table` the one that is served. New sockets are opened in the network namespace of the calling
    /// thread, upstreams are dialled from the one in which the proxy was started. Blocks for some system calls per new address, not for any traffic.
    pub fn install(&self, table: Arc<RouteTable>) -> Result<Installed, Vec<InstallError>> {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted: Vec<SocketAddr> = table.addresses().collect();
        let opened: Vec<_> = wanted.iter().filter(|address| !listening.contains(address)).copied().collect();
        let closed: Vec<_> = listening.iter().filter(|address| !wanted.contains(address)).copied().collect();
        let sockets = self.open(&opened)?;
        self.shared.table.store(table);
        for (address, sockets) in sockets {
            for (worker, socket) in self.workers.iter().zip(sockets) {
                worker.order(Order::Listen(address, socket));
            }
        }
        for worker in &self.workers {
            closed.iter().for_each(|address| worker.order(Order::Unlisten(*address)));
            worker.order(Order::Sweep);
        }
        *listening = wanted;
        Ok(Installed { opened, closed })
    }

    /// The sum of all threads' counters.
    pub fn counters(&self) -> Snapshot {
        let mut sum = Snapshot::default();
        self.workers.iter().for_each(|worker| worker.counters.add_to(&mut sum));
        sum
    }

    /// Stops accepting, lets requests finish (they are told to close) and then stops the threads. Blocks.
    pub fn drain(self, deadline: Instant) -> Drained {
        self.shared.start_draining();
        self.workers.iter().for_each(|worker| worker.order(Order::Drain));
        loop {
            match self.counters().connections {
                0 => return Drained::Complete,
                open if Instant::now() >= deadline => return Drained::Cut(open),
                _ => std::thread::sleep(DRAIN_LOOK),
            }
        }
    }

    fn open(
        &self,
        addresses: &[SocketAddr],
    ) -> Result<BTreeMap<SocketAddr, Vec<TcpListener>>, Vec<InstallError>> {
        let (mut opened, mut errors) = (BTreeMap::new(), Vec::new());
        for &address in addresses {
            match self.workers.iter().map(|_| listen(address)).collect::<io::Result<Vec<_>>>() {
                Ok(sockets) => drop(opened.insert(address, sockets)),
                Err(source) => errors.push(InstallError { address, source }),
            }
        }
        if errors.is_empty() { Ok(opened) } else { Err(errors) }
    }
}

impl Worker {
    fn start(number: usize, shared: &Arc<Shared>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let counters = Arc::new(Counters::default());
        let (orders, received) = mpsc::unbounded_channel();
        let (seen, counted) = (Arc::clone(shared), Arc::clone(&counters));
        let body = move || LocalSet::new().block_on(&runtime, worker::run(seen, counted, received));
        let thread = std::thread::Builder::new().name(format!("proxy-{number}")).spawn(body)?;
        Ok(Self { orders: Some(orders), counters, thread: Some(thread) })
    }

    fn order(&self, order: Order) {
        let gone = self.orders.as_ref().is_none_or(|orders| orders.send(order).is_err());
        if gone {
            tracing::error!("a proxy thread has ended");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.orders = None; // ends the thread's loop
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a proxy thread panicked");
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
        socket.set_freebind_v6(true)?;
    } else {
        socket.set_freebind_v4(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
