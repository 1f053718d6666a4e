//! HTTP and TLS proxy over one immutable route table.
//!
//! [`RouteTable`] is what the proxy should do, as a value: listeners, hosts, paths, actions and certificates.
//! [`Proxy`] does it: one thread per core, each with its own listening sockets (`SO_REUSEPORT`), its own
//! runtime and its own pool of upstream connections. Installing a table opens and closes listening sockets and
//! swaps one pointer; a connection that is being served is never cut by it.
//!
//! What is spoken: HTTP/1.0 and HTTP/1.1 on both sides, TLS 1.2 and 1.3 towards clients, upgrades (WebSocket)
//! as tunnels. HTTP/2 is not spoken: ALPN offers `http/1.1` only, and an upgrade to `h2c` is not forwarded.
//!
//! What is refused: every message whose length two parsers could read differently (see [`codec`]).

pub mod codec;
mod counters;
mod limits;
mod server;
pub mod table;

pub use counters::{Counters, Snapshot};
pub use limits::Limits;
pub use server::{Drained, InstallError, Installed, Options, Proxy};
pub use table::{
    Action, Certificate, CertificateError, Certificates, Credential, Endpoint, FixedResponse, Forwarded,
    HostPattern, Listener, PathPattern, Protocol, Redirect, RouteTable, Scheme, TableBuilder, TableError,
    Upstream,
};
