//! One Lease a node says that its agent lives; every agent watches them all.

use std::{collections::BTreeSet, time::Duration};

use fairway_cluster::error::ClusterError;
use futures::TryStreamExt as _;
use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, OwnerReference},
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams},
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event},
    },
};
use tokio::{sync::mpsc, time::timeout};
use tracing::{debug, info, warn};

use crate::liveness::{Beat, Heard};

/// Between two renewals: three that are missing in a row make a node dead.
const RENEW: Duration = Duration::from_secs(2);
/// For one request: longer would hide that renewals fail.
const PATIENCE: Duration = Duration::from_secs(2);
/// Our own renewals come through the watch; one that is silent for so long has lost its connection.
const SILENT_WATCH: Duration = Duration::from_secs(10);
const PREFIX: &str = "fairway-agent-";
const LABEL: (&str, &str) = ("fairway.dev/lease", "agent");
const FIELD_MANAGER: &str = "fairway-agent";

/// The Lease of this node's agent.
#[derive(Clone)]
pub(crate) struct OwnLease {
    api: Api<Lease>,
    node: String,
    holder: String,
    owner: Option<OwnerReference>,
}

impl OwnLease {
    /// The Lease of `node`, held by the process `holder`; it goes with the Node `uid`.
    pub(crate) fn new(
        client: &Client,
        namespace: &str,
        node: &str,
        holder: &str,
        uid: Option<String>,
    ) -> Self {
        let owner = uid.map(|uid| OwnerReference {
            api_version: "v1".to_owned(),
            kind: "Node".to_owned(),
            name: node.to_owned(),
            uid,
            ..OwnerReference::default()
        });
        let api = Api::namespaced(client.clone(), namespace);
        Self { api, node: node.to_owned(), holder: holder.to_owned(), owner }
    }

    /// Renews for ever.
    pub(crate) async fn renew(self) {
        let mut tick = tokio::time::interval(RENEW);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            tick.tick().await;
            let result = timeout(PATIENCE, self.renew_once()).await;
            let problem = match result {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{error}: {}", error.source)),
                Err(_) => Some("the API server does not answer".to_owned()),
            };
            match &problem {
                Some(problem) if !failing => warn!(problem, "cannot say that this node lives"),
                None if failing => info!("can say again that this node lives"),
                _ => {}
            }
            failing = problem.is_some();
        }
    }

    async fn renew_once(&self) -> Result<(), ClusterError> {
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(self.name()),
                labels: Some([(LABEL.0.to_owned(), LABEL.1.to_owned())].into()),
                owner_references: self.owner.clone().map(|owner| vec![owner]),
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(self.holder.clone()),
                renew_time: Some(MicroTime(Timestamp::now())),
                ..LeaseSpec::default()
            }),
        };
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let applied = self.api.patch(&self.name(), &params, &Patch::Apply(&lease)).await;
        applied.map(drop).map_err(|error| ClusterError::new(format!("lease {}", self.name()), error))
    }

    /// Gives the Lease back: the other agents take this node's addresses over at once.
    pub(crate) async fn release(&self) {
        let deleted = timeout(PATIENCE, self.api.delete(&self.name(), &DeleteParams::default())).await;
        if !matches!(deleted, Ok(Ok(_))) {
            warn!("the lease could not be given back; others take over once it has run out");
        }
    }

    fn name(&self) -> String {
        format!("{PREFIX}{}", self.node)
    }
}

/// Watches all agents' Leases.
pub(crate) fn follow(client: &Client, namespace: &str) -> mpsc::UnboundedReceiver<Heard> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let api: Api<Lease> = Api::namespaced(client.clone(), namespace);
    tokio::spawn(async move {
        while !sender.is_closed() {
            follow_once(api.clone(), &sender).await;
        }
    });
    receiver
}

/// Until the watch falls silent. A new one lists anew.
async fn follow_once(api: Api<Lease>, sender: &mpsc::UnboundedSender<Heard>) {
    let config = watcher::Config::default().labels(&format!("{}={}", LABEL.0, LABEL.1));
    let mut events = Box::pin(kube::runtime::watcher(api, config).default_backoff());
    let mut listed = BTreeSet::new();
    loop {
        let Ok(event) = timeout(SILENT_WATCH, events.try_next()).await else { return };
        match event {
            Ok(Some(event)) => {
                if let Some(heard) = read(event, &mut listed) {
                    // Nobody listens any more only while the process is going down.
                    let _ = sender.send(heard);
                }
            }
            Ok(None) => return,
            Err(error) => debug!(%error, "the leases cannot be watched"),
        }
    }
}

fn read(event: Event<Lease>, listed: &mut BTreeSet<String>) -> Option<Heard> {
    match event {
        Event::Init => {
            listed.clear();
            None
        }
        Event::InitApply(lease) => {
            let beat = beat(&lease)?;
            listed.insert(beat.node.clone());
            Some(Heard::Beat(beat))
        }
        Event::InitDone => Some(Heard::Listed(std::mem::take(listed))),
        Event::Apply(lease) => beat(&lease).map(Heard::Beat),
        Event::Delete(lease) => beat(&lease).map(|beat| Heard::Released(beat.node)),
    }
}

fn beat(lease: &Lease) -> Option<Beat> {
    let spec = lease.spec.as_ref()?;
    Some(Beat {
        node: lease.name_any().strip_prefix(PREFIX)?.to_owned(),
        holder: spec.holder_identity.clone().unwrap_or_default(),
        renewed: spec.renew_time.as_ref().map(|time| time.0),
    })
}
