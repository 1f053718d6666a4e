//! The node: what it serves, translates and announces, brought to a program part by part.
//!
//! | step                          | if it fails                                                              |
//! |-------------------------------|--------------------------------------------------------------------------|
//! | stop answering for what is lost | it is announced by two for a moment                                    |
//! | the proxy listens and routes  | its last table stays                                                     |
//! | connections are translated    | the last rules stay                                                      |
//! | answer for what is owned      | that address is not answered for; the others are                         |
//!
//! An address is answered for only once all its ports are served by what is in force. Failures are told and tried
//! again; installing what is in force already costs next to nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use fairway_announce::{Announcement, Announcer, interfaces_for};
use fairway_core::ids::Key;
use fairway_l4::{InstallError, Installer, Ruleset};
use fairway_l7::{Drained, Proxy};
use fairway_metal::{
    announced::Since,
    program::{NodeProgram, Serve},
};
use fairway_sys::Interface;
use tracing::info;

use crate::{certificates::Certificates, sockets::Sockets, translate};

/// How long neighbours may still send here after others have begun to answer.
const HANDOVER: Duration = Duration::from_secs(1);

/// What a node is told to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The program.
    pub(crate) program: &'a NodeProgram,
    /// Addresses of the node itself.
    pub(crate) addresses: &'a [IpAddr],
    /// Addresses that are left to another node although the program names them.
    pub(crate) given_up: &'a BTreeSet<IpAddr>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Installed {
    /// Addresses that are answered for.
    pub(crate) answering: BTreeMap<IpAddr, Since>,
    /// What failed, one sentence each.
    pub(crate) failures: Vec<String>,
}

/// The kernel and the proxy of this node.
pub(crate) struct Node {
    pub(crate) proxy: Proxy,
    rules: Installer,
    pub(crate) announcer: Announcer,
    sockets: Sockets,
    default_certificate: Option<Key>,
    routed: Option<Routed>,
    ruleset: Option<Ruleset>,
    /// Frontends that are translated to a socket that listens.
    pub(crate) served: BTreeSet<SocketAddr>,
    announced: BTreeSet<Announcement>,
}

/// What the proxy's table was made from.
#[derive(Debug, PartialEq, Eq)]
struct Routed {
    serve: BTreeMap<SocketAddr, Serve>,
    sockets: BTreeMap<SocketAddr, SocketAddr>,
    epoch: u64,
    problems: Vec<String>,
}

impl Node {
    /// A node that serves nothing. Rules that an earlier process left, whose sockets are gone, are removed.
    pub(crate) async fn start(proxy: Proxy, default_certificate: Option<Key>) -> Result<Self, StartError> {
        let rules = Installer::default();
        rules.remove().await.map_err(StartError::Rules)?;
        let announcer = Announcer::start().map_err(StartError::Announcer)?;
        Ok(Self {
            proxy,
            rules,
            announcer,
            sockets: Sockets::default(),
            default_certificate,
            routed: None,
            ruleset: None,
            served: BTreeSet::new(),
            announced: BTreeSet::new(),
        })
    }

    /// Brings the node to what is wanted, as far as it goes.
    pub(crate) async fn install(&mut self, wanted: Wanted<'_>, certificates: &Certificates) -> Installed {
        let program = wanted.program;
        let mine =
            |address: &IpAddr| program.announce.contains_key(address) && !wanted.given_up.contains(address);
        let kept = |announcement: &&Announcement| mine(&announcement.address);
        let kept: BTreeSet<Announcement> = self.announced.iter().filter(kept).copied().collect();
        let mut failures = self.announce(kept).await;
        let frontends: BTreeSet<SocketAddr> = program.serve.keys().copied().collect();
        let errors = self.sockets.assign(&frontends, wanted.addresses);
        failures.extend(errors.iter().map(ToString::to_string));
        failures.extend(self.route(&program.serve, certificates));
        failures.extend(self.translate().await);
        let before: BTreeSet<IpAddr> = self.answering();
        match fairway_sys::interfaces() {
            Ok(interfaces) => {
                let (mut announcements, nowhere) = self.announcements(program, &interfaces);
                announcements.retain(|announcement| mine(&announcement.address));
                failures.extend(nowhere);
                failures.extend(self.announce(announcements).await);
            }
            Err(error) => failures.push(format!("interfaces cannot be listed: {error}")),
        }
        let since = |address: IpAddr| if before.contains(&address) { Since::Before } else { Since::Now };
        let answering = self.answering().into_iter().map(|address| (address, since(address)));
        Installed { answering: answering.collect(), failures }
    }

    /// Addresses that are answered for.
    pub(crate) fn answering(&self) -> BTreeSet<IpAddr> {
        self.announced.iter().map(|announcement| announcement.address).collect()
    }

    /// Hands over and ends: stops answering, lets connections finish, and takes the rules away.
    pub(crate) async fn leave(mut self, drain: Duration) {
        let deadline = Instant::now() + drain;
        if !self.announced.is_empty() {
            let _ = self.announce(BTreeSet::new()).await;
            tokio::time::sleep(HANDOVER.min(drain)).await;
        }
        let Self { proxy, rules, .. } = self;
        match tokio::task::spawn_blocking(move || proxy.drain(deadline)).await {
            Ok(Drained::Complete) => info!("every connection has ended"),
            Ok(Drained::Cut(connections)) => info!(connections, "connections were cut at the deadline"),
            Err(error) => tracing::error!(%error, "the proxy did not stop"),
        }
        if let Err(error) = rules.remove().await {
            tracing::error!(%error, "the rules stay in the kernel");
        }
    }

    fn route(&mut self, serve: &BTreeMap<SocketAddr, Serve>, certificates: &Certificates) -> Vec<String> {
        let sockets = self.sockets.all();
        let epoch = certificates.epoch();
        if let Some(routed) = &self.routed
            && (&routed.serve, &routed.sockets, routed.epoch) == (serve, sockets, epoch)
        {
            return routed.problems.clone();
        }
        let (table, problems) =
            translate::table(serve, sockets, certificates, self.default_certificate.as_ref());
        let installed = self.proxy.install(Arc::new(table));
        match installed {
            Ok(installed) => {
                info!(
                    frontends = serve.len(),
                    opened = installed.opened.len(),
                    closed = installed.closed.len(),
                    "routes installed"
                );
                let routed = Routed {
                    serve: serve.clone(),
                    sockets: sockets.clone(),
                    epoch,
                    problems: problems.clone(),
                };
                self.routed = Some(routed);
                problems
            }
            Err(errors) => {
                errors.iter().for_each(|error| self.sockets.give_up(error.address));
                errors.iter().map(|error| format!("{error}: {}", error.source)).collect()
            }
        }
    }

    async fn translate(&mut self) -> Vec<String> {
        let Some(routed) = &self.routed else { return Vec::new() };
        let (ruleset, problems) = translate::ruleset(&routed.serve, &routed.sockets);
        if self.ruleset.as_ref() != Some(&ruleset) {
            if let Err(error) = self.rules.install(&ruleset).await {
                return vec![error.to_string()];
            }
            self.served = ruleset.services().map(|(at, _)| SocketAddr::new(at.address, at.port)).collect();
            self.ruleset = Some(ruleset);
        }
        problems
    }

    /// What is announced where, of the program, as far as it is served.
    fn announcements(
        &self,
        program: &NodeProgram,
        all: &[Interface],
    ) -> (BTreeSet<Announcement>, Vec<String>) {
        let (mut found, mut failures) = (BTreeSet::new(), Vec::new());
        for (address, announcement) in &program.announce {
            let ports = program.serve.keys().filter(|frontend| frontend.ip() == *address);
            if let Some(missing) = ports.into_iter().find(|frontend| !self.served.contains(frontend)) {
                failures.push(format!("{address} is not announced: {missing} is not served"));
                continue;
            }
            let allowed = |interface: &&Interface| {
                announcement.interfaces.as_ref().is_none_or(|names| names.contains(&interface.name))
            };
            let allowed: Vec<Interface> = all.iter().filter(allowed).cloned().collect();
            let interfaces = interfaces_for(*address, &allowed);
            if interfaces.is_empty() {
                failures.push(format!("{address} is not announced: no interface may announce it"));
            }
            found.extend(
                interfaces.into_iter().map(|interface| Announcement { address: *address, interface }),
            );
        }
        (found, failures)
    }

    async fn announce(&mut self, wanted: BTreeSet<Announcement>) -> Vec<String> {
        if wanted == self.announced {
            return Vec::new();
        }
        let errors = self.announcer.set(wanted.clone()).await;
        self.announced = wanted;
        for error in &errors {
            self.announced.remove(&error.announcement);
        }
        info!(addresses = ?self.answering(), "answering");
        errors.iter().map(|error| format!("{error}: {}", error.source)).collect()
    }
}

/// Why nothing can be served at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The packet filter.
    #[error("rules of an earlier process cannot be removed")]
    Rules(#[source] InstallError),
    /// The announcer.
    #[error("the announcer cannot be started")]
    Announcer(#[source] io::Error),
}
