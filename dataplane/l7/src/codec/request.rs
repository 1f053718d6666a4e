//! Reads a request head and writes the head for the upstream.

use std::mem::MaybeUninit;
use std::ops::Range;

use httparse::{Header, Status};

use super::fields::{Announced, Facts, decimal, lines_end_properly, put, refusal, tokens};
use super::{Body, MAX_HEADERS, Refusal};
use crate::table::{Forwarded, host_only};

/// What the method means for the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The response has no body.
    Head,
    /// GET, OPTIONS, TRACE: asking twice does no harm.
    Safe,
    /// Any other.
    Unsafe,
}

/// What is told to the upstream about the client's side.
#[derive(Debug, Clone, Copy)]
pub struct Hop<'a> {
    /// The client's address as text.
    pub client: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The port the client came to.
    pub port: u16,
    /// What happens to forwarding headers sent by the client.
    pub rule: Forwarded,
}

/// A request head that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Bytes of input the head took.
    pub consumed: usize,
    /// What the method means.
    pub method: Method,
    /// Where path and query stand in the written head.
    pub target: Range<usize>,
    /// Where the value of `Host` stands in the written head; empty if there was none.
    pub authority: Range<usize>,
    /// How the body ends.
    pub body: Body,
    /// Whether the client speaks HTTP/1.0.
    pub old: bool,
    /// Whether the client wants to keep the connection.
    pub persistent: bool,
    /// Whether the client asks for another protocol (and the head written says so).
    pub upgrade: bool,
}

/// Reads a head from `input` and writes the one for the upstream to `out`. Nothing if it is not complete yet.
pub fn read_request(input: &[u8], hop: &Hop<'_>, out: &mut Vec<u8>) -> Result<Option<Request>, Refusal> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut []);
    let status = parsed.parse_with_uninit_headers(input, &mut headers).map_err(refusal)?;
    let Status::Complete(consumed) = status else {
        return Ok(None);
    };
    if !input.get(..consumed).is_some_and(lines_end_properly) {
        return Err(Refusal::Malformed);
    }
    let method_name = parsed.method.unwrap_or_default();
    let facts = Facts::read(parsed.headers)?;
    let old = parsed.version == Some(0);
    let body = match facts.announced {
        Announced::Nothing => Body::None,
        Announced::Length(length) => Body::Length(length),
        Announced::Chunked if old => return Err(Refusal::Length),
        Announced::Chunked => Body::Chunked,
    };
    let line = Line::read(method_name, parsed.path.unwrap_or_default())?;
    let host = line.authority.map_or_else(|| host_header(parsed.headers, old), Ok)?;
    host_only(host).ok_or(Refusal::Host)?;
    let upgrade = upgrade_of(parsed.headers, &facts, body).filter(|_| !old);

    out.clear();
    out.extend_from_slice(method_name.as_bytes());
    out.push(b' ');
    let target = append(out, line.target);
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    let authority = append(out, host);
    out.extend_from_slice(b"\r\n");
    put_headers(out, parsed.headers, &facts, hop);
    put_forwarded(out, parsed.headers, hop, host);
    put_framing(out, body, upgrade);
    let persistent = !facts.close && (!old || facts.keep_alive);
    let method = line.method;
    let upgrade = upgrade.is_some();
    Ok(Some(Request { consumed, method, target, authority, body, old, persistent, upgrade }))
}

struct Line<'a> {
    method: Method,
    target: &'a str,
    /// The host of an absolute target; it wins over the header.
    authority: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn read(method: &str, target: &'a str) -> Result<Self, Refusal> {
        let kind = match method {
            "HEAD" => Method::Head,
            "GET" | "OPTIONS" | "TRACE" => Method::Safe,
            "CONNECT" => return Err(Refusal::Method),
            _ => Method::Unsafe,
        };
        if target.contains('#') {
            return Err(Refusal::Malformed);
        }
        if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
            return Ok(Self { method: kind, target, authority: None });
        }
        let (scheme, rest) = target.split_once("://").ok_or(Refusal::Malformed)?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(Refusal::Malformed);
        }
        let cut = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(cut).ok_or(Refusal::Malformed)?;
        match (authority, target) {
            ("", _) => Err(Refusal::Host),
            (_, target) if target.starts_with('?') => Err(Refusal::Malformed),
            (authority, "") => Ok(Self { method: kind, target: "/", authority: Some(authority) }),
            (authority, target) => Ok(Self { method: kind, target, authority: Some(authority) }),
        }
    }
}

fn append(out: &mut Vec<u8>, text: &str) -> Range<usize> {
    let from = out.len();
    out.extend_from_slice(text.as_bytes());
    from..out.len()
}

fn host_header<'h>(headers: &[Header<'h>], old: bool) -> Result<&'h str, Refusal> {
    let mut hosts = headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => std::str::from_utf8(host.value.trim_ascii()).map_err(|_| Refusal::Host),
        (None, None) if old => Ok(""),
        _ => Err(Refusal::Host),
    }
}

/// The protocol asked for. `h2c` is not passed on: what follows would be requests that no route has seen.
fn upgrade_of<'h>(headers: &[Header<'h>], facts: &Facts<'_>, body: Body) -> Option<&'h [u8]> {
    if !facts.upgrade_named || body != Body::None {
        return None;
    }
    let mut named = headers.iter().filter(|header| header.name.eq_ignore_ascii_case("upgrade"));
    let value = named.next().filter(|_| named.next().is_none())?.value;
    let http2 = tokens(value).any(|token| token.to_ascii_lowercase().starts_with(b"h2"));
    (!http2 && !value.is_empty()).then_some(value)
}

fn is_forwarding(name: &str) -> bool {
    match name.len() {
        9 => name.eq_ignore_ascii_case("forwarded"),
        15 => name.eq_ignore_ascii_case("x-forwarded-for"),
        16 => name.eq_ignore_ascii_case("x-forwarded-host") || name.eq_ignore_ascii_case("x-forwarded-port"),
        17 => name.eq_ignore_ascii_case("x-forwarded-proto"),
        _ => false,
    }
}

fn put_headers(out: &mut Vec<u8>, headers: &[Header<'_>], facts: &Facts<'_>, hop: &Hop<'_>) {
    let replaced = |name: &str| match hop.rule {
        Forwarded::Replace => is_forwarding(name),
        Forwarded::Append => name.eq_ignore_ascii_case("x-forwarded-for"),
    };
    for header in headers {
        let name = header.name;
        if !name.eq_ignore_ascii_case("host") && !facts.ends_here(name) && !replaced(name) {
            put(out, name, header.value);
        }
    }
}

fn put_forwarded(out: &mut Vec<u8>, headers: &[Header<'_>], hop: &Hop<'_>, host: &str) {
    let append = hop.rule == Forwarded::Append;
    let sent =
        |name: &'static str| headers.iter().filter(move |h| append && h.name.eq_ignore_ascii_case(name));
    out.extend_from_slice(b"X-Forwarded-For: ");
    for earlier in sent("x-forwarded-for") {
        out.extend_from_slice(earlier.value);
        out.extend_from_slice(b", ");
    }
    out.extend_from_slice(hop.client.as_bytes());
    out.extend_from_slice(b"\r\n");
    if sent("x-forwarded-proto").next().is_none() {
        put(out, "X-Forwarded-Proto", hop.scheme.as_bytes());
    }
    if !host.is_empty() && sent("x-forwarded-host").next().is_none() {
        put(out, "X-Forwarded-Host", host.as_bytes());
    }
    if sent("x-forwarded-port").next().is_none() {
        out.extend_from_slice(b"X-Forwarded-Port: ");
        decimal(out, u64::from(hop.port));
        out.extend_from_slice(b"\r\n");
    }
}

fn put_framing(out: &mut Vec<u8>, body: Body, upgrade: Option<&[u8]>) {
    match body {
        Body::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            decimal(out, length);
            out.extend_from_slice(b"\r\n");
        }
        Body::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        Body::None | Body::UntilClose => {}
    }
    if let Some(protocol) = upgrade {
        out.extend_from_slice(b"Connection: Upgrade\r\n");
        put(out, "Upgrade", protocol);
    }
    out.extend_from_slice(b"\r\n");
}
