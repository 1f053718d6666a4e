//! One client connection: requests one after the other, each routed by the table of its moment.

use std::borrow::Cow;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::answer::{self, Content};
use super::buffer::Buffer;
use super::forward;
use super::worker::{Core, Presence};
use crate::codec::{Body, Hop, Refusal, Request, read_request};
use crate::counters::bump;
use crate::table::{Action, Listener, Scheme, host_only, normal_path};

/// A byte stream to a client.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// Where a connection came from and to.
#[derive(Debug)]
pub(super) struct Sides {
    /// The client's address as text.
    pub(super) client: String,
    /// The listener's address, as in the table.
    pub(super) listener: SocketAddr,
    /// Whether TLS is inside.
    pub(super) scheme: Scheme,
}

/// A client and what was read from it and is written to it.
#[derive(Debug)]
pub(super) struct Client<S> {
    pub(super) stream: S,
    pub(super) buffer: Buffer,
    /// The head for the upstream, of the present request.
    pub(super) head: Vec<u8>,
    /// The head, or the whole answer, for the client.
    pub(super) reply: Vec<u8>,
}

/// What becomes of a connection after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Next,
    /// Close after what was sent has been received.
    Linger,
    /// Close at once.
    Close,
}

/// How long and how much is still read from a client whose answer is complete, so that the answer arrives: a
/// close with unread input would reset the connection.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;

/// Serves a connection to its end.
pub(super) async fn serve<S: Stream>(
    core: &Core,
    stream: S,
    sides: &Sides,
    listener: Arc<Listener>,
    presence: &Presence,
) {
    let mut listener = listener;
    let mut client = Client { stream, buffer: Buffer::new(), head: Vec::new(), reply: Vec::new() };
    loop {
        presence.set_idle();
        let request = read_head(core, &mut client, sides, &listener, presence).await;
        let current = core.shared.table.load().listener(&sides.listener).map(Arc::clone);
        let last = current.is_none() || core.shared.is_draining();
        listener = current.unwrap_or(listener);
        let fate = match request {
            Ok(Some(mut request)) => {
                request.persistent &= !last;
                handle(core, &mut client, sides, &listener, &request).await
            }
            Ok(None) => Fate::Close,
            Err(status) => refuse(core, &mut client, status).await,
        };
        match fate {
            Fate::Next if core.shared.is_draining() => return linger(client.stream).await,
            Fate::Next => client.buffer.shrink(),
            Fate::Linger => return linger(client.stream).await,
            Fate::Close => {
                let _ = client.stream.shutdown().await; // the client may be gone already
                return;
            }
        }
    }
}

/// The next request head; nothing if the client left or stayed silent; a status if it must be refused.
async fn read_head<S: Stream>(
    core: &Core,
    client: &mut Client<S>,
    sides: &Sides,
    listener: &Listener,
    presence: &Presence,
) -> Result<Option<Request>, u16> {
    let limits = &core.shared.limits;
    let hop = Hop {
        client: &sides.client,
        scheme: sides.scheme.name(),
        port: listener.public_port(),
        rule: listener.forwarded(),
    };
    if client.buffer.unread().is_empty() {
        // One that was accepted while the drain began is given a moment for its request.
        let patience = if core.shared.is_draining() { LINGER } else { limits.client_idle };
        match timeout(patience, fill(client, limits.head_bytes)).await {
            Ok(Ok(count)) if count > 0 => {}
            _ => return Ok(None),
        }
    }
    presence.set_busy();
    let read = async {
        loop {
            match read_request(client.buffer.unread(), &hop, &mut client.head) {
                Ok(Some(request)) if request.consumed <= limits.head_bytes => {
                    client.buffer.consume(request.consumed);
                    return Ok(Some(request));
                }
                Ok(Some(_)) => return Err(431),
                Err(refusal) => return Err(refusal.status()),
                Ok(None) => {}
            }
            match fill(client, limits.head_bytes).await {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Err(431),
                Err(_) => return Ok(None),
            }
        }
    };
    timeout(limits.head_read, read).await.unwrap_or(Err(408))
}

async fn fill<S: Stream>(client: &mut Client<S>, limit: usize) -> io::Result<usize> {
    poll_fn(|cx| client.buffer.poll_fill(cx, Pin::new(&mut client.stream), limit)).await
}

async fn handle<S: Stream>(
    core: &Core,
    client: &mut Client<S>,
    sides: &Sides,
    listener: &Listener,
    request: &Request,
) -> Fate {
    let text = |range: &std::ops::Range<usize>| {
        client.head.get(range.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    };
    let (authority, target) = (text(&request.authority), text(&request.target));
    let host = lower(host_only(authority).unwrap_or_default());
    let raw_path = target.split('?').next().unwrap_or_default();
    let path =
        if target == "*" { Some(Cow::Borrowed(b"/".as_slice())) } else { normal_path(raw_path.as_bytes()) };
    let Some(path) = path else {
        return refuse(core, client, Refusal::Malformed.status()).await;
    };
    if listener.refuses(&host) {
        return respond(core, client, request, 421, Content::Reason).await;
    }
    match listener.action(&host, &path) {
        None => respond(core, client, request, 404, Content::Reason).await,
        Some(Action::Fixed(fixed)) => {
            respond(core, client, request, fixed.status, Content::Fixed(fixed)).await
        }
        // A request of HTTP/1.0 may name no host; then there is nowhere to send it.
        Some(Action::Redirect(redirect)) if host.is_empty() && redirect.keeps_host() => {
            refuse(core, client, Refusal::Host.status()).await
        }
        Some(Action::Redirect(redirect)) => {
            let location = redirect.location(sides.scheme, authority, target);
            respond(core, client, request, redirect.code(), Content::Location(&location)).await
        }
        Some(Action::Forward(upstream)) => forward::forward(core, client, request, upstream).await,
    }
}

fn lower(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        return Cow::Owned(host.to_ascii_lowercase());
    }
    Cow::Borrowed(host)
}

/// Answers a request without an upstream. A body that the client sends nevertheless is not read.
pub(super) async fn respond<S: Stream>(
    core: &Core,
    client: &mut Client<S>,
    request: &Request,
    status: u16,
    content: Content<'_>,
) -> Fate {
    let persistent = request.persistent && request.body == Body::None;
    answer::write(&mut client.reply, status, content, Some((request, persistent)));
    core.counters.answered(status);
    match (send(core, client).await, persistent) {
        (Err(_), _) => Fate::Close,
        (Ok(()), true) => Fate::Next,
        (Ok(()), false) => Fate::Linger,
    }
}

/// Answers something that is not an acceptable request.
pub(super) async fn refuse<S: Stream>(core: &Core, client: &mut Client<S>, status: u16) -> Fate {
    bump(&core.counters.refused);
    answer::write(&mut client.reply, status, Content::Reason, None);
    core.counters.answered(status);
    if send(core, client).await.is_err() { Fate::Close } else { Fate::Linger }
}

async fn send<S: Stream>(core: &Core, client: &mut Client<S>) -> io::Result<()> {
    let write = async {
        client.stream.write_all(&client.reply).await?;
        client.stream.flush().await
    };
    timeout(core.shared.limits.body_stall, write).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

async fn linger<S: Stream>(mut stream: S) {
    let drain = async {
        stream.shutdown().await?;
        let mut dropped = 0;
        let mut scratch = [0; 4096];
        while dropped < LINGER_BYTES {
            match stream.read(&mut scratch).await? {
                0 => break,
                count => dropped += count,
            }
        }
        io::Result::Ok(())
    };
    let _ = timeout(LINGER, drain).await; // whatever happens, the connection ends here
}
