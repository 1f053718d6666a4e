//! One request to an upstream and its response back.
//!
//! A request is sent a second time only if it went to a connection that had been idle in the pool, nothing of a
//! response arrived, and either its head was not sent completely or it is safe to repeat and has no body. An
//! endpoint that cannot be connected to is replaced by the next one of the route: nothing was sent to it.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::answer::Content;
use super::buffer::Buffer;
use super::connection::{Client, Fate, Stream, refuse, respond};
use super::pipe::{Pipe, PipeError};
use super::pool::{Connection, NoConnection, Wanted};
use super::worker::Core;
use crate::codec::{Asked, Body, Method, Refusal, Request, Response, read_response};
use crate::counters::bump;
use crate::table::Upstream;

/// Why no response can be passed on. No byte has been sent to the client (but perhaps 1xx answers).
#[derive(Debug)]
enum Failure {
    /// The pooled connection was closed already: the request may be sent again.
    Stale,
    /// The upstream closed or sent something that is not HTTP.
    Upstream,
    /// The upstream stayed silent.
    Silent,
    /// The client's body is malformed.
    Body(Refusal),
    /// The client left.
    Client,
}

pub(super) async fn forward<S: Stream>(
    core: &Core,
    client: &mut Client<S>,
    request: &Request,
    upstream: &Upstream,
) -> Fate {
    let limits = &core.shared.limits;
    let mut wanted = if is_repeatable(request) { Wanted::Any } else { Wanted::Checked };
    loop {
        let mut connection = match core.pool.connect(upstream, wanted, limits, &core.counters).await {
            Ok(connection) => connection,
            Err(NoConnection::NoEndpoint) => {
                return respond(core, client, request, 503, Content::Reason).await;
            }
            Err(NoConnection::Refused) => return respond(core, client, request, 502, Content::Reason).await,
            Err(NoConnection::TimedOut) => return respond(core, client, request, 504, Content::Reason).await,
        };
        match exchange(core, client, request, &mut connection).await {
            Ok(Done { fate, reusable }) => {
                if reusable {
                    core.pool.give(connection, limits);
                }
                return fate;
            }
            Err(Failure::Stale) if wanted != Wanted::Fresh => {
                bump(&core.counters.retries);
                wanted = Wanted::Fresh;
            }
            Err(Failure::Stale | Failure::Upstream) => {
                return respond(core, client, request, 502, Content::Reason).await;
            }
            Err(Failure::Silent) => return respond(core, client, request, 504, Content::Reason).await,
            Err(Failure::Body(refusal)) => return refuse(core, client, refusal.status()).await,
            Err(Failure::Client) => return Fate::Close,
        }
    }
}

fn is_repeatable(request: &Request) -> bool {
    request.body == Body::None && request.method != Method::Unsafe && !request.upgrade
}

struct Done {
    fate: Fate,
    reusable: bool,
}

async fn exchange<S: Stream>(
    core: &Core,
    client: &mut Client<S>,
    request: &Request,
    connection: &mut Connection,
) -> Result<Done, Failure> {
    let limits = &core.shared.limits;
    let moved = Cell::new(0);
    let Client { stream, buffer, head, reply } = client;
    let mut sides = Ends { client: stream, upstream: connection };
    let mut uplink = Pipe::new(head, buffer, request.body, request.body == Body::Chunked, &moved);
    let work = response_head(core, &mut uplink, &mut sides, request, reply);
    let response = guarded(limits.response, &moved, work).await.unwrap_or(Err(Failure::Silent))?;
    core.counters.answered(response.status);
    let Ends { client: stream, upstream: connection } = sides;
    let Connection { stream: server, buffer: answers, .. } = connection;
    let body = if response.status == 101 { Body::UntilClose } else { response.body };
    let mut downlink = Pipe::new(reply, answers, body, response.chunked, &moved);
    if response.status == 101 {
        bump(&core.counters.upgrades);
        let mut uplink = Pipe::new(b"", buffer, Body::UntilClose, false, &moved);
        let work = tunnel(&mut uplink, &mut downlink, stream, server);
        guarded(limits.tunnel_idle, &moved, work).await;
        return Ok(Done { fate: Fate::Close, reusable: false });
    }
    let work = poll_fn(|cx| {
        if !uplink.is_done() {
            // A client or upstream that stops the request's body early does not end the response.
            let _ = uplink.poll(cx, stream, server);
        }
        downlink.poll(cx, server, stream)
    });
    let complete = matches!(guarded(limits.body_stall, &moved, work).await, Some(Ok(())));
    let sent = uplink.is_done();
    let fate = match (complete, sent && response.persistent) {
        (false, _) => Fate::Close,
        (true, true) => Fate::Next,
        (true, false) => Fate::Linger,
    };
    Ok(Done { fate, reusable: complete && sent && response.reusable })
}

/// Both ends of an exchange.
struct Ends<'a, S> {
    client: &'a mut S,
    upstream: &'a mut Connection,
}

/// Sends the request until the head of the final response (or 101) is there and written to `reply`.
async fn response_head<S: Stream>(
    core: &Core,
    uplink: &mut Pipe<'_>,
    ends: &mut Ends<'_, S>,
    request: &Request,
    reply: &mut Vec<u8>,
) -> Result<Response, Failure> {
    let (reused, mut heard) = (ends.upstream.reused, false);
    let mut broken = false;
    loop {
        reply.clear();
        let read = poll_fn(|cx| {
            if !broken && !uplink.is_done() {
                let Connection { stream, .. } = &mut *ends.upstream;
                match uplink.poll(cx, ends.client, stream) {
                    // The upstream may have answered before it closed: its answer is still read.
                    Poll::Ready(Err(PipeError::Receiver)) => broken = true,
                    Poll::Ready(Err(PipeError::Sender)) => return Poll::Ready(Err(Failure::Client)),
                    Poll::Ready(Err(PipeError::Malformed(refusal))) => {
                        return Poll::Ready(Err(Failure::Body(refusal)));
                    }
                    Poll::Ready(Ok(())) | Poll::Pending => {}
                }
            }
            // Asked on each poll: a drain may start while the upstream thinks.
            let persistent = request.persistent && !core.shared.is_draining();
            let Request { method, old, upgrade, .. } = *request;
            let asked = Asked { method, old, persistent, upgrade };
            let Connection { stream, buffer, .. } = &mut *ends.upstream;
            poll_head(cx, stream, buffer, &asked, reply, core.shared.limits.head_bytes)
        });
        let response = match read.await {
            Ok(Some(response)) => response,
            Ok(None) => {
                let repeatable = is_repeatable(request) || !uplink.head_is_sent();
                let nothing = !heard && ends.upstream.buffer.unread().is_empty();
                return Err(if reused && nothing && repeatable { Failure::Stale } else { Failure::Upstream });
            }
            Err(failure) => return Err(failure),
        };
        heard = true;
        ends.upstream.buffer.consume(response.consumed);
        if response.status >= 200 || response.status == 101 {
            return Ok(response);
        }
        if !request.old {
            ends.client.write_all(reply).await.map_err(|_| Failure::Client)?;
            ends.client.flush().await.map_err(|_| Failure::Client)?;
        }
    }
}

/// A response head, or nothing if the upstream closed before it was complete.
fn poll_head(
    cx: &mut Context<'_>,
    stream: &mut tokio::net::TcpStream,
    buffer: &mut Buffer,
    asked: &Asked,
    reply: &mut Vec<u8>,
    limit: usize,
) -> Poll<Result<Option<Response>, Failure>> {
    loop {
        if !buffer.unread().is_empty() {
            match read_response(buffer.unread(), asked, reply) {
                Ok(Some(response)) if response.consumed <= limit => return Poll::Ready(Ok(Some(response))),
                Ok(Some(_)) | Err(_) => return Poll::Ready(Err(Failure::Upstream)),
                Ok(None) => {}
            }
        }
        match ready!(buffer.poll_fill(cx, Pin::new(&mut *stream), limit)) {
            Ok(0) => return Poll::Ready(Ok(None)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                return Poll::Ready(Err(Failure::Upstream));
            }
            Err(_) => return Poll::Ready(Ok(None)),
        }
    }
}

/// Copies both directions until both have ended or one failed.
async fn tunnel<S: Stream>(
    uplink: &mut Pipe<'_>,
    downlink: &mut Pipe<'_>,
    client: &mut S,
    server: &mut tokio::net::TcpStream,
) {
    let mut up = Direction::Open;
    let mut down = Direction::Open;
    poll_fn(|cx| {
        let alive = up.poll(cx, uplink, client, server) && down.poll(cx, downlink, server, client);
        let ended = up == Direction::Ended && down == Direction::Ended;
        if alive && !ended { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Open,
    Ending,
    Ended,
}

impl Direction {
    /// Moves what can be moved; false if an end failed, as either may at any time.
    fn poll<R: Stream, W: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        pipe: &mut Pipe<'_>,
        from: &mut R,
        to: &mut W,
    ) -> bool {
        if *self == Self::Open {
            match pipe.poll(cx, from, to) {
                Poll::Pending => return true,
                Poll::Ready(Err(_)) => return false,
                Poll::Ready(Ok(())) => *self = Self::Ending,
            }
        }
        if *self == Self::Ending {
            match Pin::new(to).poll_shutdown(cx) {
                Poll::Pending => {}
                Poll::Ready(Err(_)) => return false,
                Poll::Ready(Ok(())) => *self = Self::Ended,
            }
        }
        true
    }
}

/// Runs `work` as long as content moves: nothing if none moved for `pause`.
async fn guarded<T>(pause: Duration, moved: &Cell<u64>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    loop {
        let before = moved.get();
        match tokio::time::timeout(pause, work.as_mut()).await {
            Ok(output) => return Some(output),
            Err(_) if moved.get() == before => return None,
            Err(_) => {}
        }
    }
}
