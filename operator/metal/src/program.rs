//! What one node announces, listens on and routes: computed by every agent from the objects it watches.
//!
//! Shape: one [`NodeProgram`] a look, whole; who installs it compares it with what is installed. Every node serves
//! every address (the node that owns it may change at any moment); only the owner answers for it.
//! Certificates are named, not held: the agent reads the Secrets that are named here and no others.

mod endpoints;
mod routes;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

use fairway_core::{
    evaluate::LastGood,
    ids::{Key, ProviderKind, StackId},
    read::{self, ReadConfig},
    snapshot::Snapshot,
};
use ipnet::IpNet;
use serde::Serialize;

use endpoints::Places;
pub(crate) use routes::servable_path;

use crate::{
    clients,
    election::{self, Peers},
    stack::{leavers, recorded},
};

/// What one node does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NodeProgram {
    /// Addresses that this node answers for.
    pub announce: BTreeMap<IpAddr, Announcement>,
    /// What is served, by address and port.
    pub serve: BTreeMap<SocketAddr, Serve>,
    /// Secrets whose certificates are served.
    pub secrets: BTreeSet<Key>,
}

/// An address that this node answers for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Announcement {
    /// Whose it is: the agent says in this stack's state that it answers.
    pub stack: StackId,
    /// `None`: on every interface.
    pub interfaces: Option<BTreeSet<String>>,
}

/// One port of one address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Serve {
    /// Whether TLS is terminated.
    pub tls: bool,
    /// Clients that are let in; empty: all.
    pub sources: BTreeSet<IpNet>,
    /// Certificates by host; an empty host is the one for names that no other matches.
    pub certificates: Vec<Certificate>,
    /// The first that matches best decides; no two have the same host and path.
    pub routes: Vec<Route>,
    /// What is done when no route matches.
    pub default: Option<Action>,
}

/// A certificate for a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Certificate {
    /// Exact, `*.rest`, or empty.
    pub host: String,
    /// Where it is.
    pub secret: Key,
}

/// Where requests for a host and path go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Exact or `*.rest`; `None` is every host.
    pub host: Option<String>,
    /// How the path is matched.
    pub path: Path,
    /// What is done.
    pub action: Action,
}

/// A path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Path {
    /// The whole path.
    Exact(String),
    /// Element by element.
    Prefix(String),
}

/// What is done with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Passed on to one of these; none is a 503.
    Forward(BTreeSet<SocketAddr>),
    /// Sent to HTTPS on this port.
    RedirectToTls(u16),
    /// Answered with this status.
    Status(u16),
}

/// What a program is computed from.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The cluster.
    pub snapshot: &'a Snapshot,
    /// How objects are read.
    pub config: &'a ReadConfig,
    /// Which nodes are there.
    pub peers: &'a Peers,
}

/// The program of `node`.
#[must_use]
pub fn program(view: View<'_>, node: &str) -> NodeProgram {
    let mut program = NodeProgram::default();
    let places = Places::new(view);
    for state in view.snapshot.states.values() {
        let Some(stack) =
            read::stack_of_state(state).filter(|stack| stack.provider == ProviderKind::InCluster)
        else {
            continue;
        };
        let arns = state.status.iter().flat_map(|status| status.arns.keys());
        for address in recorded(arns.map(String::as_str)) {
            announce(&mut program, view, node, &stack, address);
            serve(&mut program, view, &places, &stack, address);
        }
    }
    program
}

fn announce(program: &mut NodeProgram, view: View<'_>, node: &str, stack: &StackId, address: IpAddr) {
    let candidates = election::candidates(view.snapshot, address);
    if election::owner(&candidates, &view.peers.alive, address) == Some(node) {
        let interfaces = candidates.nodes.get(node).cloned().flatten();
        program.announce.insert(address, Announcement { stack: stack.clone(), interfaces });
    }
}

fn serve(program: &mut NodeProgram, view: View<'_>, places: &Places<'_>, stack: &StackId, address: IpAddr) {
    let snapshot = view.snapshot;
    // What the operator kept of members that cannot be read at the moment: they go on being served.
    let state = snapshot.states.get(&Key::cluster(&stack.state_name()));
    let remembered = LastGood::of(state.and_then(|state| state.status.as_ref()));
    let (mut intent, _) = read::intent(snapshot, view.config, stack, &remembered);
    if intent.members.is_empty() {
        intent.members = leavers(&intent, &remembered).into_values().collect();
    }
    let (intent, _) = clients::agree(intent, &remembered);
    for (port, serve) in routes::serve(places, &intent) {
        program.secrets.extend(serve.certificates.iter().map(|certificate| certificate.secret.clone()));
        program.serve.insert(SocketAddr::new(address, port), serve);
    }
}

#[cfg(test)]
mod tests;
