//! HTTP/1 messages: reading heads, deciding where bodies end, and writing heads for the next hop.
//!
//! A proxy and a server that disagree about the end of a message let a client smuggle a second one. So a message
//! is refused when its length could be read in two ways:
//!
//! | seen                                                   | answer to a client | from an upstream |
//! |--------------------------------------------------------|--------------------|------------------|
//! | `Content-Length` with `Transfer-Encoding`              | 400, close         | 502              |
//! | `Content-Length` twice, as a list, signed or not digits| 400, close         | 502              |
//! | `Transfer-Encoding` other than `chunked`, or twice     | 400, close         | 502              |
//! | `Transfer-Encoding` in HTTP/1.0                        | 400, close         | 502              |
//! | a line end without carriage return, a folded header    | 400, close         | 502              |
//! | a chunk size or chunk end that is not exact            | 400, close         | connection cut   |
//! | no `Host` in HTTP/1.1, two of them, a malformed one    | 400, close         |                  |
//! | a head beyond the limit, or more than 100 headers      | 431, close         | 502              |
//!
//! Bodies are decoded and framed anew: chunk extensions and trailers are not forwarded.
//! Source: RFC 9110, RFC 9112.

mod body;
mod fields;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use body::{Body, Decoder, Next, Step};
pub use request::{Hop, Method, Request, read_request};
pub use response::{Asked, Response, read_response};
pub(crate) use response::{put_connection, put_status};

/// Headers a message may have.
pub(crate) const MAX_HEADERS: usize = 100;

/// Why a message is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not HTTP/1.0 or HTTP/1.1, or its lines do not end as they must.
    #[error("malformed message")]
    Malformed,
    /// Its length can be read in more than one way.
    #[error("ambiguous message length")]
    Length,
    /// It has more headers than are accepted.
    #[error("too many headers")]
    TooManyHeaders,
    /// It names no host, several hosts, or a malformed one.
    #[error("missing or malformed host")]
    Host,
    /// A method that a reverse proxy does not serve.
    #[error("method not served")]
    Method,
    /// A chunk is malformed.
    #[error("malformed chunk")]
    Chunk,
}

impl Refusal {
    /// The status a client gets.
    pub fn status(self) -> u16 {
        match self {
            Self::TooManyHeaders => 431,
            Self::Method => 405,
            Self::Malformed | Self::Length | Self::Host | Self::Chunk => 400,
        }
    }
}
