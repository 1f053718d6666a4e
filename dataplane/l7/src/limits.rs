//! How long and how much the proxy waits for and accepts.
//!
//! | field              | unit    | default | when it is exceeded                                |
//! |--------------------|---------|---------|----------------------------------------------------|
//! | `head_bytes`       | bytes   | 32768   | 431 to a client, 502 for an upstream                |
//! | `head_read`        | time    | 15 s    | 408 and close; also bounds the TLS handshake        |
//! | `client_idle`      | time    | 75 s    | close, between two requests of one connection       |
//! | `connect`          | time    | 2 s     | next endpoint, at last 504                          |
//! | `connect_tries`    | count   | 3       | endpoints tried for one request                     |
//! | `response`         | time    | 60 s    | 504, from request sent to response head             |
//! | `body_stall`       | time    | 60 s    | close, when no byte of a body moved either way      |
//! | `tunnel_idle`      | time    | 1 h     | close, when no byte of an upgraded connection moved |
//! | `upstream_idle`    | time    | 60 s    | a pooled upstream connection is dropped             |
//! | `pool_per_endpoint`| count   | 64      | further idle upstream connections are closed        |
//! | `connections`      | count   | 16384   | per thread; further ones wait to be accepted        |
//! | `avoid`            | time    | 2 s     | an endpoint that refused is tried last for so long  |

use std::time::Duration;

/// Time-outs and sizes, equal for all listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest request or response head, start line included.
    pub head_bytes: usize,
    /// From the first byte of a request to the end of its head.
    pub head_read: Duration,
    /// Between two requests on one connection.
    pub client_idle: Duration,
    /// For one attempt to connect to an endpoint.
    pub connect: Duration,
    /// How many endpoints are tried when connecting fails.
    pub connect_tries: usize,
    /// From the request being sent to the head of the response.
    pub response: Duration,
    /// Longest pause inside a body.
    pub body_stall: Duration,
    /// Longest pause in an upgraded connection.
    pub tunnel_idle: Duration,
    /// How long an unused upstream connection is kept.
    pub upstream_idle: Duration,
    /// Idle upstream connections kept per endpoint and thread.
    pub pool_per_endpoint: usize,
    /// Client connections open at once, per thread: a flood must not use up the file descriptors that upstream
    /// connections need.
    pub connections: usize,
    /// How long an endpoint that could not be connected to is tried last.
    pub avoid: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 32 * 1024,
            head_read: Duration::from_secs(15),
            client_idle: Duration::from_secs(75),
            connect: Duration::from_secs(2),
            connect_tries: 3,
            response: Duration::from_secs(60),
            body_stall: Duration::from_secs(60),
            tunnel_idle: Duration::from_secs(3600),
            upstream_idle: Duration::from_secs(60),
            pool_per_endpoint: 64,
            connections: 16 * 1024,
            avoid: Duration::from_secs(2),
        }
    }
}
