//! Reads a response head and writes the head for the client.

use std::mem::MaybeUninit;

use httparse::Status;

use super::fields::{Announced, Facts, decimal, lines_end_properly, put, refusal};
use super::{Body, MAX_HEADERS, Method, Refusal};

/// What the request decides about its response.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// The request's method.
    pub method: Method,
    /// Whether the client speaks HTTP/1.0.
    pub old: bool,
    /// Whether the client's connection may be used again.
    pub persistent: bool,
    /// Whether another protocol was asked for.
    pub upgrade: bool,
}

/// A response head that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Bytes of input the head took.
    pub consumed: usize,
    /// The status; 101 is given only if an upgrade was asked for.
    pub status: u16,
    /// How the body ends on the upstream's side.
    pub body: Body,
    /// Whether the body is written to the client in chunks.
    pub chunked: bool,
    /// Whether the upstream's connection may be used again after the body.
    pub reusable: bool,
    /// Whether the client's connection may be used again after the body; the written head says so.
    pub persistent: bool,
}

/// Reads a head from `input` and appends the one for the client to `out`. Nothing if it is not complete yet.
pub fn read_response(input: &[u8], asked: &Asked, out: &mut Vec<u8>) -> Result<Option<Response>, Refusal> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut []);
    let status = httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut parsed, input, &mut headers)
        .map_err(refusal)?;
    let Status::Complete(consumed) = status else {
        return Ok(None);
    };
    if !input.get(..consumed).is_some_and(lines_end_properly) {
        return Err(Refusal::Malformed);
    }
    let facts = Facts::read(parsed.headers)?;
    let old_upstream = parsed.version == Some(0);
    let status = parsed.code.filter(|code| (100..1000).contains(code)).ok_or(Refusal::Malformed)?;
    if (status == 101 && !asked.upgrade) || (old_upstream && facts.announced == Announced::Chunked) {
        return Err(Refusal::Malformed);
    }
    let body = body_of(status, asked.method, facts.announced);
    let chunked = matches!(body, Body::Chunked | Body::UntilClose) && !asked.old;
    let open_end = matches!(body, Body::Chunked | Body::UntilClose) && asked.old;
    let persistent = asked.persistent && !open_end;
    let reusable = !facts.close && body != Body::UntilClose && (!old_upstream || facts.keep_alive);

    put_status(out, status, parsed.reason.unwrap_or_default());
    for header in parsed.headers.iter().filter(|header| !facts.ends_here(header.name)) {
        put(out, header.name, header.value);
    }
    if status == 101 {
        out.extend_from_slice(b"Connection: Upgrade\r\n");
        let protocols = parsed.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("upgrade"));
        protocols.for_each(|header| put(out, "Upgrade", header.value));
    } else if status >= 200 {
        put_framing(out, status, facts.announced, chunked);
        put_connection(out, asked.old, persistent);
    }
    out.extend_from_slice(b"\r\n");
    Ok(Some(Response { consumed, status, body, chunked, reusable, persistent }))
}

fn body_of(status: u16, method: Method, announced: Announced) -> Body {
    match announced {
        _ if status < 200 || status == 204 || status == 304 || method == Method::Head => Body::None,
        Announced::Nothing => Body::UntilClose,
        Announced::Length(length) => Body::Length(length),
        Announced::Chunked => Body::Chunked,
    }
}

pub(crate) fn put_status(out: &mut Vec<u8>, status: u16, reason: &str) {
    out.extend_from_slice(b"HTTP/1.1 ");
    decimal(out, u64::from(status));
    out.push(b' ');
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// A bodiless answer to HEAD, or 304, still tells the length that a GET would have had.
fn put_framing(out: &mut Vec<u8>, status: u16, announced: Announced, chunked: bool) {
    match announced {
        Announced::Length(length) if status != 204 => {
            out.extend_from_slice(b"Content-Length: ");
            decimal(out, length);
            out.extend_from_slice(b"\r\n");
        }
        _ if chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        _ => {}
    }
}

pub(crate) fn put_connection(out: &mut Vec<u8>, old: bool, persistent: bool) {
    match (old, persistent) {
        (_, false) => out.extend_from_slice(b"Connection: close\r\n"),
        (true, true) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
        (false, true) => {}
    }
}
