//! Where the proxy listens for each address and port that clients use.
//!
//! A served address is on no interface, so its connections are translated to a socket on an address of the node
//! itself. A socket keeps its port as long as its frontend is served: connections that are open stay what they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, SocketAddr, TcpListener},
};

use k8s_openapi::api::core::v1::Node;

/// Why a frontend has no socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    /// The Node object names no address of that family.
    #[error("this node has no InternalIP of the family of {0}")]
    NoAddress(IpAddr),
    /// The kernel gives no port.
    #[error("no port on {address} for {frontend}: {source}")]
    NoPort {
        /// For what.
        frontend: SocketAddr,
        /// Where.
        address: IpAddr,
        /// What the kernel said.
        source: io::Error,
    },
}

/// Addresses of the node, from its Node object.
pub(crate) fn internal_addresses(node: Option<&Node>) -> Vec<IpAddr> {
    let addresses = node.and_then(|node| node.status.as_ref()).and_then(|status| status.addresses.as_ref());
    let internal = addresses.into_iter().flatten().filter(|address| address.type_ == "InternalIP");
    internal.filter_map(|address| address.address.parse().ok()).collect()
}

/// The proxy's sockets by frontend.
#[derive(Debug, Default)]
pub(crate) struct Sockets(BTreeMap<SocketAddr, SocketAddr>);

impl Sockets {
    /// Makes these the frontends. Errors leave out what they are about.
    pub(crate) fn assign(&mut self, frontends: &BTreeSet<SocketAddr>, node: &[IpAddr]) -> Vec<SocketError> {
        self.0.retain(|frontend, socket| frontends.contains(frontend) && node.contains(&socket.ip()));
        let mut errors = Vec::new();
        for frontend in frontends {
            if !self.0.contains_key(frontend) {
                match self.choose(*frontend, node) {
                    Ok(socket) => drop(self.0.insert(*frontend, socket)),
                    Err(error) => errors.push(error),
                }
            }
        }
        errors
    }

    /// Gives a socket up that cannot be listened on; its frontend gets another one next time.
    pub(crate) fn give_up(&mut self, socket: SocketAddr) {
        self.0.retain(|_, present| *present != socket);
    }

    /// Frontends with their sockets.
    pub(crate) const fn all(&self) -> &BTreeMap<SocketAddr, SocketAddr> {
        &self.0
    }

    fn choose(&self, frontend: SocketAddr, node: &[IpAddr]) -> Result<SocketAddr, SocketError> {
        let same_family = |address: &&IpAddr| address.is_ipv4() == frontend.is_ipv4();
        let address = *node.iter().find(same_family).ok_or_else(|| SocketError::NoAddress(frontend.ip()))?;
        let no_port = |source| SocketError::NoPort { frontend, address, source };
        // The kernel knows which ports are free. It is asked again when it names one that was chosen a moment ago
        // and is not listened on yet.
        loop {
            let probe = TcpListener::bind((address, 0)).and_then(|listener| listener.local_addr());
            let socket = probe.map_err(no_port)?;
            if !self.0.values().any(|taken| *taken == socket) {
                return Ok(socket);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frontend_keeps_its_socket_until_it_goes_or_the_node_moves() {
        let local: Vec<IpAddr> = vec!["127.0.0.1".parse().unwrap()];
        let both: BTreeSet<SocketAddr> = ["192.0.2.1:80", "192.0.2.1:443"].map(|s| s.parse().unwrap()).into();
        let one: BTreeSet<SocketAddr> = both.iter().copied().take(1).collect();
        let mut sockets = Sockets::default();
        assert!(sockets.assign(&both, &local).is_empty());
        let first = sockets.all().clone();
        assert_eq!(first.values().collect::<BTreeSet<_>>().len(), 2);
        sockets.assign(&one, &local);
        assert_eq!(sockets.all().len(), 1);
        assert!(sockets.all().iter().all(|(frontend, socket)| first[frontend] == *socket));
        let six: BTreeSet<SocketAddr> = BTreeSet::from(["[2001:db8::1]:80".parse().unwrap()]);
        assert!(matches!(sockets.assign(&six, &local)[..], [SocketError::NoAddress(_)]));
        assert!(sockets.all().is_empty());
    }

    #[test]
    fn only_internal_addresses_of_the_node_are_used() {
        let node: Node = serde_json::from_value(serde_json::json!({"metadata": {"name": "n"}, "status": {"addresses": [
            {"type": "Hostname", "address": "n"}, {"type": "ExternalIP", "address": "198.51.100.1"},
            {"type": "InternalIP", "address": "10.0.0.11"}, {"type": "InternalIP", "address": "2001:db8::11"}]}}))
        .unwrap();
        let want: Vec<IpAddr> = ["10.0.0.11", "2001:db8::11"].map(|a| a.parse().unwrap()).into();
        assert_eq!(internal_addresses(Some(&node)), want);
        assert!(internal_addresses(None).is_empty());
    }
}
