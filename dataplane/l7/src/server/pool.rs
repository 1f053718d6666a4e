//! Upstream connections of one thread: idle ones to use again, and endpoints that lately refused.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::time::Instant;

use socket2::SockRef;
use tokio::net::TcpStream;

use super::buffer::Buffer;
use crate::counters::{Counters, bump};
use crate::limits::Limits;
use crate::table::Upstream;

/// A connection to an endpoint.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) address: SocketAddr,
    pub(super) stream: TcpStream,
    pub(super) buffer: Buffer,
    /// Whether it served a request before: then the endpoint may have closed it meanwhile.
    pub(super) reused: bool,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoConnection {
    NoEndpoint,
    Refused,
    TimedOut,
}

#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: RefCell<BTreeMap<SocketAddr, Vec<(Connection, Instant)>>>,
    avoided: RefCell<BTreeMap<SocketAddr, Instant>>,
}

/// Which connections may be handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Idle ones too.
    Any,
    /// Idle ones too, asked at the kernel that they are open: the request cannot be sent twice.
    Checked,
    /// A new one.
    Fresh,
}

impl Pool {
    /// A connection to the next endpoint of the route, or to the ones after it if that cannot be reached.
    pub(super) async fn connect(
        &self,
        upstream: &Upstream,
        wanted: Wanted,
        limits: &Limits,
        counters: &Counters,
    ) -> Result<Connection, NoConnection> {
        let mut failure = NoConnection::NoEndpoint;
        let (good, avoided): (Vec<_>, Vec<_>) = upstream.next().partition(|a| !self.is_avoided(*a));
        for address in good.into_iter().chain(avoided).take(limits.connect_tries.max(1)) {
            if let Some(connection) = self.take(address, wanted, limits) {
                return Ok(connection);
            }
            failure = match tokio::time::timeout(limits.connect, dial(address)).await {
                Ok(Ok(stream)) => {
                    self.avoided.borrow_mut().remove(&address);
                    return Ok(Connection { address, stream, buffer: Buffer::new(), reused: false });
                }
                Ok(Err(_)) => NoConnection::Refused,
                Err(_) => NoConnection::TimedOut,
            };
            bump(&counters.connects_failed);
            self.avoided.borrow_mut().insert(address, Instant::now() + limits.avoid);
        }
        Err(failure)
    }

    fn take(&self, address: SocketAddr, wanted: Wanted, limits: &Limits) -> Option<Connection> {
        if wanted == Wanted::Fresh {
            return None;
        }
        let mut idle = self.idle.borrow_mut();
        let connections = idle.get_mut(&address)?;
        while let Some((connection, since)) = connections.pop() {
            let young = since.elapsed() < limits.upstream_idle;
            if young && is_quiet(&connection.stream, wanted) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection whose last response is complete.
    pub(super) fn give(&self, mut connection: Connection, limits: &Limits) {
        if !connection.buffer.unread().is_empty() {
            return; // bytes that answer no request: the endpoint cannot be trusted on this connection
        }
        connection.buffer.shrink();
        connection.reused = true;
        let mut idle = self.idle.borrow_mut();
        let connections = idle.entry(connection.address).or_default();
        if connections.len() < limits.pool_per_endpoint {
            connections.push((connection, Instant::now()));
        }
    }

    /// Drops connections that nobody will ask for: too old, or their endpoint is in no route any more.
    pub(super) fn sweep(&self, endpoints: &BTreeSet<SocketAddr>, limits: &Limits) {
        self.idle.borrow_mut().retain(|address, connections| {
            connections.retain(|(_, since)| since.elapsed() < limits.upstream_idle);
            endpoints.contains(address) && !connections.is_empty()
        });
        self.avoided.borrow_mut().retain(|_, until| *until > Instant::now());
    }

    fn is_avoided(&self, address: SocketAddr) -> bool {
        let avoided = self.avoided.borrow();
        !avoided.is_empty() && avoided.get(&address).is_some_and(|until| *until > Instant::now())
    }
}

async fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Whether an idle connection is open and has nothing to say.
fn is_quiet(stream: &TcpStream, wanted: Wanted) -> bool {
    let would_block =
        |result: io::Result<usize>| result.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
    if wanted == Wanted::Checked {
        return would_block(SockRef::from(stream).peek(&mut [MaybeUninit::uninit(); 1]));
    }
    would_block(stream.try_read(&mut [0; 1]))
}
