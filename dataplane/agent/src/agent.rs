//! The agent's loop: what it hears, when it computes, and in which order it acts.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use fairway_cluster::watches::{Change, Watches};
use fairway_core::{ids::Key, read::ReadConfig, snapshot::Snapshot};
use fairway_metal::{
    election::Peers,
    program::{NodeProgram, View, program},
};
use kube::Client;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tracing::{info, warn};

use crate::{
    admin::{Figures, Question},
    certificates::Certificates,
    confirm::confirm,
    liveness::{Heard, Liveness},
    node::{Node, Wanted},
    sockets::internal_addresses,
};

/// Changes within this time are taken together: a rolling update changes many objects at once.
const GATHER: Duration = Duration::from_millis(20);
/// How often what is installed is looked at: failures are tried again, new interfaces announce.
const LOOK: Duration = Duration::from_secs(2);
/// Without a renewal of our own for so long, others may have declared this node dead and taken its addresses over.
const OUT_OF_TOUCH: Duration = Duration::from_secs(5);
/// How long routes wait for a Secret that is named for the first time.
const CERTIFICATE: Duration = Duration::from_secs(1);

/// What the agent hears.
pub(crate) struct Ears {
    /// Objects changed.
    pub(crate) changes: mpsc::UnboundedReceiver<Change>,
    /// Leases.
    pub(crate) leases: mpsc::UnboundedReceiver<Heard>,
    /// Somebody asks for figures.
    pub(crate) questions: mpsc::Receiver<Question>,
    /// The process is to end.
    pub(crate) stop: watch::Receiver<bool>,
}

/// Who the agent is and how it reads.
pub(crate) struct Place {
    /// Name of the node.
    pub(crate) node: String,
    /// How objects are read.
    pub(crate) read: ReadConfig,
    /// Secret of the certificate for hosts without one.
    pub(crate) default_certificate: Option<Key>,
}

/// One node's agent.
pub(crate) struct Agent {
    place: Place,
    client: Client,
    watches: Watches,
    liveness: Liveness,
    certificates: Certificates,
    node: Node,
    peers: Peers,
    program: NodeProgram,
    addresses: Vec<IpAddr>,
    given_up: BTreeSet<IpAddr>,
    failures: Vec<String>,
    ready: bool,
}

impl Agent {
    /// An agent that has not begun.
    pub(crate) fn new(
        place: Place,
        client: Client,
        watches: Watches,
        liveness: Liveness,
        node: Node,
    ) -> Self {
        let certificates = Certificates::new(client.clone());
        Self {
            place,
            client,
            watches,
            liveness,
            certificates,
            node,
            peers: Peers::default(),
            program: NodeProgram::default(),
            addresses: Vec::new(),
            given_up: BTreeSet::new(),
            failures: Vec::new(),
            ready: false,
        }
    }

    /// The uid of this agent's Node, once the cluster has been read.
    pub(crate) fn node_uid(&self) -> Option<String> {
        let snapshot = self.watches.snapshot();
        snapshot.nodes.get(&Key::cluster(&self.place.node)).and_then(|node| node.metadata.uid.clone())
    }

    /// Waits for the cluster to be read and serves it; nothing is announced before somebody knows that we live.
    /// `false`: told to stop before.
    pub(crate) async fn begin(&mut self, ears: &mut Ears) -> bool {
        let mut read = Box::pin(self.watches.ready());
        loop {
            tokio::select! {
                () = &mut read => break,
                Some(question) = ears.questions.recv() => {
                    // Who asked may have given up waiting.
                    let _ = question.send(self.figures());
                }
                _ = ears.stop.wait_for(|stop| *stop) => return false,
            }
        }
        drop(read);
        self.compute().await;
        self.ready = true;
        info!(frontends = self.program.serve.len(), "the cluster has been read");
        true
    }

    /// Follows the cluster until told to stop.
    pub(crate) async fn follow(&mut self, ears: &mut Ears) {
        let mut due: Option<Instant> = None;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wake = due.unwrap_or_else(|| Instant::now() + LOOK);
            let news = tokio::select! {
                Some(_) = ears.changes.recv() => true,
                Some(heard) = ears.leases.recv() => self.hear(heard),
                changed = self.certificates.changed() => changed,
                Some(question) = ears.questions.recv() => {
                    // Who asked may have given up waiting.
                    let _ = question.send(self.figures());
                    false
                }
                () = sleep_until(wake), if due.is_some() => {
                    due = None;
                    self.compute().await;
                    false
                }
                _ = look.tick() => {
                    self.install(&self.watches.snapshot()).await;
                    false
                }
                _ = ears.stop.wait_for(|stop| *stop) => return,
            };
            if news && due.is_none() {
                due = Some(Instant::now() + GATHER);
            }
        }
    }

    /// Hands over what it has.
    pub(crate) async fn leave(self, drain: Duration) {
        self.node.leave(drain).await;
    }

    /// Whether who lives has changed.
    fn hear(&mut self, heard: Heard) -> bool {
        self.liveness.hear(heard, std::time::Instant::now());
        let peers = self.liveness.peers();
        if peers == self.peers {
            return false;
        }
        let died: BTreeSet<&String> = peers.dead.difference(&self.peers.dead).collect();
        info!(alive = ?peers.alive, ?died, "nodes");
        self.peers = peers;
        true
    }

    async fn compute(&mut self) {
        let snapshot = self.watches.snapshot();
        let view = View { snapshot: &snapshot, config: &self.place.read, peers: &self.peers };
        self.program = program(view, &self.place.node);
        let node = snapshot.nodes.get(&Key::cluster(&self.place.node));
        self.addresses = internal_addresses(node.map(AsRef::as_ref));
        let mut secrets = self.program.secrets.clone();
        secrets.extend(self.place.default_certificate.clone());
        self.certificates.want(&secrets);
        self.certificates.settle(CERTIFICATE).await;
        self.install(&snapshot).await;
    }

    /// While this agent is cut off from the API server and another host claims an address, that one knows more: it
    /// is left to it until our own renewals come back.
    fn give_up(&mut self) {
        let contested = self.node.announcer.take_contested();
        let in_touch = self.liveness.in_touch().is_none_or(|last| last.elapsed() < OUT_OF_TOUCH);
        if in_touch {
            self.given_up.clear();
        } else if !contested.is_subset(&self.given_up) {
            warn!(?contested, "left to another node: this one has no connection to the API server");
            self.given_up.extend(contested);
        }
    }

    async fn install(&mut self, snapshot: &Snapshot) {
        self.give_up();
        let wanted = Wanted { program: &self.program, addresses: &self.addresses, given_up: &self.given_up };
        let installed = self.node.install(wanted, &self.certificates).await;
        let mut failures = installed.failures;
        let said =
            confirm(&self.client, snapshot, &self.place.node, &self.program, &installed.answering).await;
        failures.extend(said);
        for failure in failures.iter().filter(|failure| !self.failures.contains(failure)) {
            warn!(failure, "not in force");
        }
        self.failures = failures;
    }

    fn figures(&self) -> Figures {
        Figures {
            ready: self.ready,
            proxy: self.node.proxy.counters(),
            announcer: self.node.announcer.counters(),
            announced: self.node.answering().len(),
            served: self.node.served.len(),
            alive: self.peers.alive.len(),
            dead: self.peers.dead.len(),
            certificates_missing: self.certificates.problems(),
            failures: self.failures.len(),
        }
    }
}
