//! What the proxy should do, as one immutable value.
//!
//! Shape: listener (address and port, plain or TLS) -> host -> path -> [`Action`].
//! A request takes the most specific host that exists (exact, then `*.rest` for one label, then any) and never
//! falls back to a less specific host; in it an exact path, then the longest prefix. If no path matches, the
//! listener's default action answers, and without one 404.
//! Errors: [`TableError`] and [`CertificateError`], found while building; a finished table has none.
//! Source: Kubernetes Ingress reference, "Path types" and "Hostname wildcards".

mod action;
mod certificate;
mod host;
mod path;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

pub use action::{Action, Endpoint, FixedResponse, Redirect, Scheme, Upstream};
pub use certificate::{Certificate, CertificateError, Certificates, Credential};
pub use host::HostPattern;
pub(crate) use host::{Hosts, host_only};
pub use path::{PathPattern, Paths, normal_path};

/// Why a table could not be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TableError {
    /// A host that is neither a name nor `*.name`.
    #[error("{0:?} is not a host name")]
    BadHost(String),
    /// A path that does not start with `/` or holds characters no path can have.
    #[error("{0:?} is not a path")]
    BadPath(String),
    /// A redirect with a status that is not a redirect.
    #[error("{0} is not a redirect status")]
    BadRedirect(u16),
    /// A fixed response with a status that is not a final one.
    #[error("{0} is not a status for a fixed response")]
    BadStatus(u16),
    /// A header value with characters that end a header.
    #[error("{0:?} cannot stand in a header")]
    BadHeaderValue(String),
    /// Two listeners with one address.
    #[error("listener {0} is declared twice")]
    DuplicateListener(SocketAddr),
    /// A route for a listener that does not exist.
    #[error("there is no listener {0}")]
    NoListener(SocketAddr),
    /// Two actions for the same listener, host and path.
    #[error("host {host} path {path} on {listener} is declared twice")]
    DuplicateRoute {
        /// The listener of both.
        listener: SocketAddr,
        /// The host of both, `*` for any.
        host: String,
        /// The path of both.
        path: String,
    },
    /// The TLS settings were not accepted.
    #[error("TLS settings were not accepted")]
    Tls(#[source] rustls::Error),
}

/// How a listener speaks.
#[derive(Debug, Clone)]
pub enum Protocol {
    /// HTTP without TLS.
    Plain,
    /// TLS with these certificates, HTTP inside.
    Tls(Certificates),
}

/// What happens to `X-Forwarded-For`, `-Proto`, `-Host` and `-Port` that a client sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Forwarded {
    /// They are dropped and replaced by what the proxy sees: a client cannot invent an address.
    #[default]
    Replace,
    /// The client address is appended, the other three are kept if present: for a trusted balancer in front.
    Append,
}

/// One address and port with its hosts.
#[derive(Debug)]
pub struct Listener {
    protocol: Protocol,
    forwarded: Forwarded,
    public_port: u16,
    hosts: Hosts<Paths<Action>>,
    default: Option<Action>,
    tls: Option<Arc<rustls::ServerConfig>>,
}

impl Listener {
    /// The action for a request, or nothing: then the answer is 404.
    ///
    /// `host` is lower case without port; `path` is normal (see [`normal_path`]).
    pub fn action(&self, host: &str, path: &[u8]) -> Option<&Action> {
        self.hosts.find(host).and_then(|paths| paths.find(path)).or(self.default.as_ref())
    }

    pub(crate) fn forwarded(&self) -> Forwarded {
        self.forwarded
    }

    pub(crate) fn public_port(&self) -> u16 {
        self.public_port
    }

    pub(crate) fn tls(&self) -> Option<&Arc<rustls::ServerConfig>> {
        self.tls.as_ref()
    }

    /// Whether requests for this host must not be served because its certificate is refused.
    pub(crate) fn refuses(&self, host: &str) -> bool {
        matches!(&self.protocol, Protocol::Tls(certificates) if certificates.refuses(host))
    }
}

/// All listeners. Immutable; built by [`TableBuilder`].
#[derive(Debug, Default)]
pub struct RouteTable {
    listeners: BTreeMap<SocketAddr, Arc<Listener>>,
}

impl RouteTable {
    /// Starts an empty table.
    pub fn builder() -> TableBuilder {
        TableBuilder::default()
    }

    /// The listener bound to `address`.
    pub fn listener(&self, address: &SocketAddr) -> Option<&Arc<Listener>> {
        self.listeners.get(address)
    }

    /// The addresses to listen on.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.listeners.keys().copied()
    }

    /// The endpoints that some route may use.
    pub fn endpoints(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        let actions = self.listeners.values().flat_map(|listener| {
            listener.hosts.values().flat_map(Paths::values).chain(listener.default.as_ref())
        });
        actions.filter_map(Action::upstream).flat_map(|upstream| upstream.endpoints().map(|e| e.address))
    }
}

/// Collects listeners and routes, checking each.
#[derive(Debug, Default)]
pub struct TableBuilder {
    listeners: BTreeMap<SocketAddr, Listener>,
}

impl TableBuilder {
    /// Declares a listener.
    pub fn listen(&mut self, address: SocketAddr, protocol: Protocol) -> Result<&mut Self, TableError> {
        if self.listeners.contains_key(&address) {
            return Err(TableError::DuplicateListener(address));
        }
        let tls = match &protocol {
            Protocol::Plain => None,
            Protocol::Tls(certificates) => Some(certificates.server_config().map_err(TableError::Tls)?),
        };
        let forwarded = Forwarded::default();
        let (hosts, public_port) = (Hosts::default(), address.port());
        let listener = Listener { protocol, forwarded, public_port, hosts, default: None, tls };
        self.listeners.insert(address, listener);
        Ok(self)
    }

    /// Adds a route. The same listener, host and path twice is an error: who wins is the caller's decision.
    pub fn route(
        &mut self,
        address: SocketAddr,
        host: &HostPattern,
        path: &PathPattern,
        action: Action,
    ) -> Result<&mut Self, TableError> {
        let paths = self.get(address)?.hosts.entry(host);
        if paths.insert(path, action).is_some() {
            let (host, path) = (host.to_string(), path.to_string());
            return Err(TableError::DuplicateRoute { listener: address, host, path });
        }
        Ok(self)
    }

    /// Sets what answers when no host or no path matches.
    pub fn default_action(&mut self, address: SocketAddr, action: Action) -> Result<&mut Self, TableError> {
        self.get(address)?.default = Some(action);
        Ok(self)
    }

    /// Sets how forwarding headers sent by clients are treated.
    pub fn forwarded(&mut self, address: SocketAddr, rule: Forwarded) -> Result<&mut Self, TableError> {
        self.get(address)?.forwarded = rule;
        Ok(self)
    }

    /// Sets the port that clients connect to, where it is translated on the way to the listener's own: upstreams
    /// are told this one (`X-Forwarded-Port`).
    pub fn public_port(&mut self, address: SocketAddr, port: u16) -> Result<&mut Self, TableError> {
        self.get(address)?.public_port = port;
        Ok(self)
    }

    /// Finishes the table.
    #[must_use]
    pub fn build(self) -> RouteTable {
        let listeners = self.listeners.into_iter().map(|(address, listener)| (address, Arc::new(listener)));
        RouteTable { listeners: listeners.collect() }
    }

    fn get(&mut self, address: SocketAddr) -> Result<&mut Listener, TableError> {
        self.listeners.get_mut(&address).ok_or(TableError::NoListener(address))
    }
}
