//! One thread: its listening sockets, its runtime, its pool and its connections.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, spawn_local};
use tokio_rustls::LazyConfigAcceptor;

use super::connection::{Sides, serve};
use super::pool::Pool;
use crate::counters::{Counters, bump};
use crate::limits::Limits;
use crate::table::{Listener, RouteTable, Scheme};

/// What all threads see.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) table: ArcSwap<RouteTable>,
    pub(super) limits: Limits,
    draining: AtomicBool,
}

impl Shared {
    pub(super) fn new(limits: Limits) -> Self {
        let table = ArcSwap::from_pointee(RouteTable::default());
        Self { table, limits, draining: AtomicBool::new(false) }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(super) fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

/// What one thread owns.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) shared: Arc<Shared>,
    pub(super) counters: Arc<Counters>,
    pub(super) pool: Pool,
    open: RefCell<BTreeMap<u64, Open>>,
    serial: Cell<u64>,
}

/// An open connection, as the thread sees it.
#[derive(Debug)]
struct Open {
    idle: Rc<Cell<bool>>,
    task: AbortHandle,
}

/// Orders to a thread.
#[derive(Debug)]
pub(super) enum Order {
    Listen(SocketAddr, StdListener),
    Unlisten(SocketAddr),
    /// The table changed.
    Sweep,
    /// Idle connections are closed, busy ones after their request.
    Drain,
}

/// Old pooled connections are looked for this often.
const SWEEP: Duration = Duration::from_secs(10);
/// Pause while there is no room for another connection, or no file descriptor or memory for it.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Runs until the sender of orders is gone; connections still open then are cut.
pub(super) async fn run(
    shared: Arc<Shared>,
    counters: Arc<Counters>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let core = Rc::new(Core {
        shared,
        counters,
        pool: Pool::default(),
        open: RefCell::default(),
        serial: Cell::new(0),
    });
    let mut listening: BTreeMap<SocketAddr, oneshot::Sender<()>> = BTreeMap::new();
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        let order = tokio::select! {
            order = orders.recv() => order,
            _ = sweep.tick() => Some(Order::Sweep),
        };
        match order {
            None => return,
            Some(Order::Listen(address, socket)) => match TcpListener::from_std(socket) {
                Ok(socket) => {
                    let (stop, stopped) = oneshot::channel();
                    if let Some(door) = Door::open(&core, address) {
                        spawn_local(door.accept(socket, stopped));
                        listening.insert(address, stop);
                    }
                }
                Err(error) => {
                    tracing::error!(%address, %error, "listening socket was not accepted by the runtime")
                }
            },
            Some(Order::Unlisten(address)) => drop(listening.remove(&address)),
            Some(Order::Sweep) => core.sweep(),
            Some(Order::Drain) => {
                listening.clear();
                core.close_idle();
            }
        }
    }
}

impl Core {
    /// The next connection, once there is room for it.
    async fn accept(&self, socket: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        while self.open.borrow().len() >= self.shared.limits.connections {
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
        socket.accept().await
    }

    fn close_idle(&self) {
        let open = self.open.borrow();
        let idle: Vec<_> =
            open.values().filter(|open| open.idle.get()).map(|open| open.task.clone()).collect();
        drop(open); // a connection that ends takes itself off this list
        idle.iter().for_each(AbortHandle::abort);
    }

    fn sweep(&self) {
        let endpoints: BTreeSet<SocketAddr> = self.shared.table.load().endpoints().collect();
        self.pool.sweep(&endpoints, &self.shared.limits);
    }
}

/// A listening address, with the listener that its last connection found: one that the kernel accepted before the
/// address was given up is served by it.
#[derive(Debug)]
struct Door {
    core: Rc<Core>,
    address: SocketAddr,
    listener: Arc<Listener>,
}

impl Door {
    /// Nothing if the table has been replaced meanwhile by one without this address.
    fn open(core: &Rc<Core>, address: SocketAddr) -> Option<Self> {
        let listener = core.shared.table.load().listener(&address).map(Arc::clone)?;
        Some(Self { core: Rc::clone(core), address, listener })
    }

    /// Accepts until told to stop, and then what the kernel has accepted already.
    async fn accept(mut self, socket: TcpListener, mut stopped: oneshot::Receiver<()>) {
        loop {
            let accepted = tokio::select! {
                biased;
                _ = &mut stopped => break,
                accepted = self.core.accept(&socket) => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer),
                Err(error) if is_about_one_client(&error) => {}
                Err(error) => {
                    tracing::warn!(address = %self.address, %error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        // Asked at the kernel: the runtime may not have heard of the last ones yet.
        let Ok(socket) = socket.into_std() else { return };
        while let Ok((stream, peer)) = socket.accept() {
            if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                self.admit(stream, peer);
            }
        }
    }

    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        let core = &self.core;
        if let Some(current) = core.shared.table.load().listener(&self.address) {
            self.listener = Arc::clone(current);
        }
        bump(&core.counters.accepted);
        bump(&core.counters.connections);
        let id = core.serial.replace(core.serial.get() + 1);
        let idle = Rc::new(Cell::new(false));
        let presence = Presence { core: Rc::clone(core), id, idle: Rc::clone(&idle) };
        let scheme = if self.listener.tls().is_some() { Scheme::Https } else { Scheme::Http };
        let sides = Sides { client: peer.ip().to_canonical().to_string(), listener: self.address, scheme };
        let task = spawn_local(greet(stream, sides, Arc::clone(&self.listener), presence)).abort_handle();
        core.open.borrow_mut().insert(id, Open { idle, task });
    }
}

fn is_about_one_client(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

/// Marks a connection as idle or busy, and takes it off the books when it ends, however it ends.
#[derive(Debug)]
pub(super) struct Presence {
    core: Rc<Core>,
    id: u64,
    idle: Rc<Cell<bool>>,
}

impl Presence {
    pub(super) fn set_idle(&self) {
        self.idle.set(true);
    }

    pub(super) fn set_busy(&self) {
        self.idle.set(false);
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.core.open.borrow_mut().remove(&self.id);
        self.core.counters.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn greet(stream: TcpStream, sides: Sides, listener: Arc<Listener>, presence: Presence) {
    let core = &*presence.core;
    if stream.set_nodelay(true).is_err() {
        return; // the client has left
    }
    let Some(config) = listener.tls().map(Arc::clone) else {
        return serve(core, stream, &sides, listener, &presence).await;
    };
    let handshake = async {
        let hello = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        hello.into_stream(config).await
    };
    match tokio::time::timeout(core.shared.limits.head_read, handshake).await {
        Ok(Ok(stream)) => serve(core, stream, &sides, listener, &presence).await,
        Ok(Err(_)) | Err(_) => bump(&core.counters.handshakes_failed),
    }
}
