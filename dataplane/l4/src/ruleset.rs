//! What one node should translate.
//!
//! | service                                     | new connection to its address and port                    |
//! |---------------------------------------------|-----------------------------------------------------------|
//! | policy `Cluster`, endpoints                 | to any endpoint, from an address of the node              |
//! | policy `Local`, endpoints on this node      | to one of those, with the client's own address            |
//! | policy `Local`, endpoints elsewhere only    | dropped, another node serves it                           |
//! | no endpoints at all                         | refused (TCP reset, ICMP port unreachable)                |
//! | source outside the allowed ranges           | dropped                                                   |
//!
//! Other ports of an address that is served are refused, and a socket kept private is reached through a service only.
//! Connections that exist already keep their endpoint, whatever changes.
//! Errors: [`RulesetError`]. Source: Kubernetes Service reference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// A transport protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// Where clients connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frontend {
    /// The address.
    pub address: IpAddr,
    /// The protocol.
    pub protocol: Protocol,
    /// The port.
    pub port: u16,
}

/// Whether an endpoint runs on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On this node.
    Here,
    /// On another one.
    Elsewhere,
}

/// A place that serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether on this node.
    pub place: Place,
}

/// `externalTrafficPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrafficPolicy {
    /// All endpoints; the client's address is replaced.
    Cluster,
    /// Endpoints of this node; the client's address is kept.
    Local,
}

/// `sessionAffinity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Affinity {
    /// Each connection is spread anew.
    None,
    /// Connections of one client address go to one endpoint, the same on every node, as long as it serves. No
    /// time-out: the choice is a function of address and endpoints, not a memory.
    Client,
}

/// How one frontend is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Who serves.
    pub endpoints: BTreeSet<Endpoint>,
    /// Which of them, and with which source address.
    pub policy: TrafficPolicy,
    /// Whether clients stick.
    pub affinity: Affinity,
    /// Clients that are let in; empty: all.
    pub sources: Vec<IpNet>,
}

impl Service {
    /// The endpoints that this node sends to.
    pub(crate) fn reachable(&self) -> Vec<SocketAddr> {
        let usable =
            |endpoint: &&Endpoint| self.policy == TrafficPolicy::Cluster || endpoint.place == Place::Here;
        self.endpoints.iter().filter(usable).map(|endpoint| endpoint.address).collect()
    }
}

/// Why a service cannot be part of a ruleset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesetError {
    /// Two services with one frontend.
    #[error("{address} {protocol} port {port} is declared twice", address = .0.address, protocol = .0.protocol, port = .0.port)]
    Duplicate(Frontend),
    /// An endpoint of the other address family cannot be translated to.
    #[error("endpoint {endpoint} is not of the address family of {frontend}")]
    Family {
        /// The frontend's address.
        frontend: IpAddr,
        /// The endpoint.
        endpoint: SocketAddr,
    },
}

/// All services of one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruleset {
    services: BTreeMap<Frontend, Service>,
    private: BTreeSet<SocketAddr>,
}

impl Ruleset {
    /// Adds a service. Source ranges of the other family are kept out: they can never match. A range of everybody
    /// restricts nobody.
    pub fn add(&mut self, frontend: Frontend, mut service: Service) -> Result<(), RulesetError> {
        let v4 = frontend.address.is_ipv4();
        if let Some(other) = service.endpoints.iter().find(|endpoint| endpoint.address.is_ipv4() != v4) {
            return Err(RulesetError::Family { frontend: frontend.address, endpoint: other.address });
        }
        if self.services.contains_key(&frontend) {
            return Err(RulesetError::Duplicate(frontend));
        }
        let asked = !service.sources.is_empty();
        service.sources.retain(|range| range.addr().is_ipv4() == v4);
        if asked && service.sources.is_empty() {
            service.sources.push(nobody(v4));
        }
        service.sources = if service.sources.iter().any(|range| range.prefix_len() == 0) {
            Vec::new()
        } else {
            IpNet::aggregate(&service.sources)
        };
        self.services.insert(frontend, service);
        Ok(())
    }

    /// Lets nobody connect to a TCP socket of this node but by a service that leads to it.
    pub fn keep_private(&mut self, socket: SocketAddr) {
        self.private.insert(socket);
    }

    /// The sockets kept private, in order.
    pub fn private(&self) -> impl Iterator<Item = &SocketAddr> {
        self.private.iter()
    }

    /// The services, in order.
    pub fn services(&self) -> impl Iterator<Item = (&Frontend, &Service)> {
        self.services.iter()
    }
}

/// A range without clients: restricting a service to the other family lets nobody of this one in.
fn nobody(v4: bool) -> IpNet {
    let unspecified: IpAddr = if v4 { [0; 4].into() } else { [0_u16; 8].into() };
    IpNet::from(unspecified)
}
