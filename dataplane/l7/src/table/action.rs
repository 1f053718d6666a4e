//! What is done with a request.
//!
//! | part                | rule                                                                             |
//! |---------------------|----------------------------------------------------------------------------------|
//! | [`Upstream`]        | requests are spread in proportion to the weights, exactly over one round         |
//! | weight 0            | the endpoint gets nothing                                                        |
//! | no endpoint         | 503                                                                              |
//! | [`Redirect`]        | absent parts are taken from the request; the query is kept                       |
//! | [`FixedResponse`]   | status 200-599, body up to the caller                                            |

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::TableError;

/// What is done with a request.
#[derive(Debug)]
pub enum Action {
    /// Sent to one of these endpoints.
    Forward(Upstream),
    /// Answered with another address.
    Redirect(Redirect),
    /// Answered at once.
    Fixed(FixedResponse),
}

impl Action {
    pub(crate) fn upstream(&self) -> Option<&Upstream> {
        match self {
            Self::Forward(upstream) => Some(upstream),
            Self::Redirect(_) | Self::Fixed(_) => None,
        }
    }
}

/// One place that can serve a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its share, relative to the other endpoints of the route.
    pub weight: u16,
}

/// Where the next upstream begins its round.
static STARTS: AtomicU64 = AtomicU64::new(0);

/// Endpoints of a route with their shares.
#[derive(Debug)]
pub struct Upstream {
    /// Address and the sum of the weights up to and including it.
    upto: Vec<(SocketAddr, u64)>,
    /// Coprime to the total weight, near 0.618 of it: walking in such steps visits every unit of weight once a
    /// round and spreads equal neighbours.
    step: u64,
    turn: AtomicU64,
}

impl Upstream {
    /// Endpoints with weight 0 are left out.
    pub fn new(endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        let mut total = 0_u64;
        let used = endpoints.into_iter().filter(|endpoint| endpoint.weight > 0);
        let add = |endpoint: Endpoint| {
            total += u64::from(endpoint.weight);
            (endpoint.address, total)
        };
        let upto = used.map(add).collect();
        // Tables are rebuilt often: if each began at its first endpoint, that one would get too much.
        let turn = AtomicU64::new(STARTS.fetch_add(1, Ordering::Relaxed));
        Self { upto, step: golden_step(total), turn }
    }

    /// The endpoints that get requests.
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint> + '_ {
        let before = std::iter::once(0).chain(self.upto.iter().map(|(_, sum)| *sum));
        let weight = |sum: u64, before: u64| u16::try_from(sum - before).unwrap_or(u16::MAX);
        self.upto
            .iter()
            .zip(before)
            .map(move |(&(address, sum), before)| Endpoint { address, weight: weight(sum, before) })
    }

    /// The endpoints in the order in which the next request should try them.
    pub(crate) fn next(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        let total = self.upto.last().map_or(1, |(_, total)| *total);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let unit = (turn % total) * self.step % total;
        let first = self.upto.partition_point(|(_, sum)| *sum <= unit);
        self.upto.iter().cycle().skip(first).take(self.upto.len()).map(|(address, _)| *address)
    }
}

fn golden_step(total: u64) -> u64 {
    let wanted = (total * 618 / 1000).max(1);
    (wanted..=total).find(|&step| gcd(step, total) == 1).unwrap_or(1)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A redirect. What is absent is taken from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    code: u16,
    scheme: Option<Scheme>,
    host: Option<String>,
    port: Option<u16>,
    path: Option<String>,
}

/// The scheme of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

impl Scheme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Redirect {
    /// A redirect that keeps everything, with status 301, 302, 303, 307 or 308.
    pub fn new(code: u16) -> Result<Self, TableError> {
        match code {
            301 | 302 | 303 | 307 | 308 => {
                Ok(Self { code, scheme: None, host: None, port: None, path: None })
            }
            _ => Err(TableError::BadRedirect(code)),
        }
    }

    /// To this scheme, and to its own port unless [`Self::to_port`] says otherwise.
    #[must_use]
    pub fn to_scheme(self, scheme: Scheme) -> Self {
        Self { scheme: Some(scheme), ..self }
    }

    /// To this port.
    #[must_use]
    pub fn to_port(self, port: u16) -> Self {
        Self { port: Some(port), ..self }
    }

    /// To this host, without port.
    pub fn to_host(self, host: &str) -> Result<Self, TableError> {
        match super::host_only(host) {
            Some(whole) if whole == host && !host.is_empty() => {
                Ok(Self { host: Some(host.to_owned()), ..self })
            }
            _ => Err(TableError::BadHost(host.to_owned())),
        }
    }

    /// To this path, starting with `/`; a query in it replaces the request's.
    pub fn to_path(self, path: &str) -> Result<Self, TableError> {
        if path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Self { path: Some(path.to_owned()), ..self });
        }
        Err(TableError::BadPath(path.to_owned()))
    }

    /// The status.
    pub fn code(&self) -> u16 {
        self.code
    }

    pub(crate) fn keeps_host(&self) -> bool {
        self.host.is_none()
    }

    /// The `Location` for a request that came by `scheme` with this `Host` and target (path and query).
    pub(crate) fn location(&self, scheme: Scheme, authority: &str, target: &str) -> String {
        let asked_host = super::host_only(authority).unwrap_or_default();
        let asked_port = authority.get(asked_host.len() + 1..).and_then(|port| port.parse::<u16>().ok());
        let to = self.scheme.unwrap_or(scheme);
        let kept_port = asked_port.filter(|_| self.scheme.is_none());
        let port = self.port.or(kept_port).filter(|port| *port != to.port());
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let query = target.find('?').and_then(|at| target.get(at..)).unwrap_or_default();
        let target = match &self.path {
            None => target.to_owned(),
            Some(path) if path.contains('?') => path.clone(),
            Some(path) => format!("{path}{query}"),
        };
        let host = self.host.as_deref().unwrap_or(asked_host);
        format!("{}://{host}{port}{target}", to.name())
    }
}

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedResponse {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl FixedResponse {
    /// An answer with a status of 200-599 (not 204, 205 or 304 with a body).
    pub fn new(status: u16, content_type: &str, body: &str) -> Result<Self, TableError> {
        let bodiless = matches!(status, 204 | 205 | 304);
        if !(200..600).contains(&status) || (bodiless && !body.is_empty()) {
            return Err(TableError::BadStatus(status));
        }
        if !content_type.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return Err(TableError::BadHeaderValue(content_type.to_owned()));
        }
        Ok(Self { status, content_type: content_type.to_owned(), body: body.to_owned() })
    }
}
