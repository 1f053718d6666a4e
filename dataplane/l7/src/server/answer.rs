//! Answers that the proxy gives itself.

use crate::codec::{Method, Request, put_connection, put_status};
use crate::table::FixedResponse;

/// What is written besides the status.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    /// The reason phrase as text.
    Reason,
    /// A `Location`, and the reason phrase as text.
    Location(&'a str),
    /// The author's own.
    Fixed(&'a FixedResponse),
}

/// Writes an answer. Without a request (it was malformed) the connection is closed.
pub(super) fn write(out: &mut Vec<u8>, status: u16, content: Content<'_>, request: Option<(&Request, bool)>) {
    let line = format!("{status} {}\n", reason(status));
    let (content_type, body) = match content {
        Content::Fixed(fixed) => (fixed.content_type.as_str(), fixed.body.as_str()),
        Content::Reason | Content::Location(_) => ("text/plain", line.as_str()),
    };
    out.clear();
    put_status(out, status, reason(status));
    if let Content::Location(location) = content {
        header(out, "Location", location);
    }
    if !matches!(status, 204 | 304) {
        if !content_type.is_empty() {
            header(out, "Content-Type", content_type);
        }
        header(out, "Content-Length", &body.len().to_string());
    }
    let (old, persistent) = request.map_or((false, false), |(request, persistent)| (request.old, persistent));
    put_connection(out, old, persistent);
    out.extend_from_slice(b"\r\n");
    if request.is_none_or(|(request, _)| request.method != Method::Head) {
        out.extend_from_slice(body.as_bytes());
    }
}

fn header(out: &mut Vec<u8>, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => match status / 100 {
            2 => "Success",
            3 => "Redirection",
            4 => "Client Error",
            _ => "Server Error",
        },
    }
}
