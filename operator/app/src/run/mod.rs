//! `fairway run`: watch, lead, look at units, until told to stop.

mod affects;
mod contexts;
mod peer;
mod webhook;

use std::{error::Error as _, panic::resume_unwind, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Args;
use fairway_cluster::{
    lease::{Election, Times},
    peer::{Lookout, Peer},
    secrets::Secrets,
    watches::{Change, Watches},
    write::{Recorder, Writer},
};
use fairway_core::{ids::StackId, read};
use fairway_engine::{
    queue::{Queue, Rank},
    reconcile::{Next, reconcile},
};
use futures::FutureExt as _;
use kube::{Client, Config};
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::{
    admin::{Admin, Metrics},
    options::Options,
    ports::{Cluster, Randomness, Shared},
    unit::Unit,
};
pub(crate) use contexts::{Contexts, network_unit};

/// Looks that are under way at the end have so long: a look that is given up is like one whose process died, and whoever
/// runs us kills after 30 seconds.
const GRACE: Duration = Duration::from_secs(5);

/// How often the hosted zones of the account are looked for anew.
const ZONES: Duration = Duration::from_secs(300);

/// How often it is asked which Secrets are due.
const SECRETS: Duration = Duration::from_secs(5);

/// Facts that are published at nearly the same time make one look, not one each.
const TOGETHER: Duration = Duration::from_millis(100);

/// Runs the controller.
#[derive(Debug, Clone, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) webhook: webhook::WebhookOptions,
    /// Namespace of the leader election Lease.
    #[arg(long, env = "POD_NAMESPACE", default_value = "fairway-system")]
    pub(crate) leader_election_namespace: String,
    /// Name of the leader election Lease.
    #[arg(long, default_value = "fairway-leader")]
    pub(crate) leader_election_id: String,
    /// This process' name in the Lease and in events.
    #[arg(long, env = "POD_NAME", default_value_t = identity())]
    pub(crate) identity: String,
    /// Address of /metrics, /healthz and /readyz.
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub(crate) metrics_bind_addr: std::net::SocketAddr,
    /// How many units are looked at at once; one more looks at targets alone.
    #[arg(long, default_value = "8")]
    pub(crate) max_concurrent_reconciles: usize,
}

/// A client of the cluster that the environment names: a pod's own, or a kubeconfig's.
///
/// # Errors
/// One line: the library says each cause once more in its own words.
pub(crate) async fn cluster_client() -> anyhow::Result<Client> {
    let config = match Config::infer().await {
        Ok(config) => config,
        Err(error) => anyhow::bail!(
            "there is no cluster to talk to: this is no pod, and KUBECONFIG or ~/.kube/config: {}",
            error.source().map_or_else(|| error.to_string(), ToString::to_string)
        ),
    };
    Client::try_from(config).context("the cluster's configuration cannot be used")
}

fn identity() -> String {
    format!("fairway-{}", std::process::id())
}

/// Runs until SIGTERM or SIGINT, then gives the lease back.
pub(crate) async fn run(command: Run) -> anyhow::Result<()> {
    command.options.check()?;
    if command.options.aws().is_none() {
        info!("AWS is not configured: nothing is done there");
    }
    let client = cluster_client().await?;
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(async move {
        signalled().await;
        info!("stopping");
        stop.send_replace(true);
    });
    let (election, lease) = Election::new(
        &client,
        &command.leader_election_namespace,
        &command.leader_election_id,
        &command.identity,
        Times::default(),
    );
    let (lookout, peer) = lookout(&command.options, &client);
    let (watches, changes) = Watches::start(&client);
    let cluster = Arc::new(Cluster {
        watches,
        secrets: Secrets::new(&client, command.options.secrets_period),
        writer: Writer::new(client.clone(), &fairway_dns::CODES),
        recorder: Recorder::new(client.clone(), "fairway", &command.identity),
        lease: lease.clone(),
        peer: peer.clone(),
    });
    let metrics = Metrics::new();
    let (writing, unopposed) = (lease.clone(), peer.clone());
    metrics.calls.write_only_while(move || writing.term().is_some() && unopposed.stretch().is_some());
    let contexts = Arc::new(Contexts::new(&command.options, &cluster, &metrics).await?);
    let admin = Admin::bind(command.metrics_bind_addr, metrics.clone()).await?;
    let webhook = webhook::Around {
        client,
        namespace: command.leader_election_namespace,
        lease: lease.clone(),
        cluster: Arc::clone(&cluster),
        contexts: Arc::clone(&contexts),
        metrics: metrics.clone(),
        stop: stopping.clone(),
    };
    let webhook = webhook::start(&command.webhook, webhook).await?;
    let election = tokio::spawn(election.run(stopping.clone()));
    let served = tokio::spawn(admin.serve(stopping.clone()));
    let looking = lookout.map(|lookout| tokio::spawn(lookout.run(stopping.clone())));

    cluster.watches.ready().await;
    metrics.set_ready();
    info!("the cluster has been read");
    let queue = Arc::new(Queue::new(Arc::new(Randomness::default())));
    let feeding = [
        tokio::spawn(feed(Arc::clone(&queue), Arc::clone(&cluster), Arc::clone(&contexts), changes)),
        tokio::spawn(lead(Arc::clone(&queue), Arc::clone(&cluster), Arc::clone(&contexts), lease)),
        tokio::spawn(zones(Arc::clone(&queue), Arc::clone(&cluster), Arc::clone(&contexts))),
        tokio::spawn(peer::follow(
            Arc::clone(&queue),
            Arc::clone(&cluster),
            Arc::clone(&contexts),
            metrics.clone(),
        )),
        tokio::spawn(secrets(Arc::clone(&queue), Arc::clone(&cluster), Arc::clone(&contexts))),
    ];
    // A look is a task of its own: one that computes for long keeps its thread, not the others.
    let look_apart = |unit| {
        let (cluster, contexts, metrics) = (Arc::clone(&cluster), Arc::clone(&contexts), metrics.clone());
        let look = tokio::spawn(async move { look(unit, &cluster, &contexts, &metrics).await });
        AbortOnDropHandle::new(look)
            .map(|ended| ended.unwrap_or_else(|error| resume_unwind(error.into_panic())))
    };
    let working = queue.work(command.max_concurrent_reconciles, look_apart);
    tokio::select! {
        () = working => {}
        () = out_of_time(&queue, stopping) => warn!("looks that were under way are given up"),
    }
    feeding.iter().chain(&looking).for_each(tokio::task::JoinHandle::abort);
    webhook.end().await?;
    election.await.context("the election ended badly")?;
    served.await.context("the admin server ended badly")?;
    Ok(())
}

/// Lets no look begin once it is time to stop, and ends when those under way have had long enough to come to an end.
async fn out_of_time(queue: &Queue<Unit>, mut stopping: watch::Receiver<bool>) {
    // The sender lives until it has said so.
    let _ = stopping.wait_for(|stop| *stop).await;
    queue.close();
    tokio::time::sleep(GRACE).await;
}

async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            futures::select! {
                _ = terminate.recv().fuse() => {}
                _ = tokio::signal::ctrl_c().fuse() => {}
            }
        }
        Err(error) => {
            tracing::error!(error = %error, "SIGTERM cannot be waited for");
            // Without the handler, only Ctrl-C is left.
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Who says whether the peer leads; without an account to share with it, nobody asks.
fn lookout(options: &Options, client: &Client) -> (Option<Lookout>, Peer) {
    let name = &options.peer_leader_election_id;
    if options.aws().is_none() || name.is_empty() {
        return (None, Peer::nobody());
    }
    let (lookout, peer) = Lookout::new(client, name);
    (Some(lookout), peer)
}

/// One look at one unit.
async fn look(unit: Unit, cluster: &Shared, contexts: &Contexts, metrics: &Metrics) -> Next {
    if peer::in_the_way(&unit, cluster) {
        peer::hold(&unit, cluster, contexts).await;
        return Next::OnChange;
    }
    let next = match (&unit, &contexts.aws, &contexts.dns) {
        (Unit::Stack(stack), Some(aws), _) => reconcile(stack, &aws.stacks).await,
        (Unit::Targets(key), Some(aws), _) => reconcile(key, &aws.targets).await,
        (Unit::Network, Some(aws), _) => reconcile(&network_unit(), &aws.network).await,
        (Unit::InCluster(stack), _, _) => reconcile(stack, &contexts.in_cluster).await,
        (Unit::Zone(zone), _, Some(dns)) => reconcile(zone, dns).await,
        // AWS or DNS is not configured: these units are nobody's.
        _ => Next::OnChange,
    };
    metrics.looked(&unit, &next);
    next
}

/// Turns changes into units to look at.
async fn feed(
    queue: Arc<Queue<Unit>>,
    cluster: Shared,
    contexts: Arc<Contexts>,
    mut changes: mpsc::UnboundedReceiver<Change>,
) {
    while let Some(change) = changes.recv().await {
        let snapshot = cluster.watches.snapshot();
        for unit in affects::affects(&snapshot, &contexts.read, &contexts.zone_units(), &change) {
            let rank = unit.rank();
            queue.push(unit, rank);
        }
    }
}

/// Each time this process starts to lead, everything is worth a look.
async fn lead(
    queue: Arc<Queue<Unit>>,
    cluster: Shared,
    contexts: Arc<Contexts>,
    mut lease: fairway_cluster::lease::Leadership,
) {
    loop {
        lease.acquired().await;
        contexts.forget_aws().await;
        contexts.find_zones(&cluster.watches.snapshot()).await;
        let snapshot = cluster.watches.snapshot();
        push_everything(&queue, &snapshot, &contexts);
        lease.lost().await;
    }
}

fn push_everything(queue: &Queue<Unit>, snapshot: &fairway_core::snapshot::Snapshot, contexts: &Contexts) {
    for unit in everything(snapshot, contexts) {
        queue.push(unit, Rank::Resync);
    }
}

fn everything(snapshot: &fairway_core::snapshot::Snapshot, contexts: &Contexts) -> Vec<Unit> {
    let stacks = read::stacks(snapshot, &contexts.read).into_iter().map(Unit::of);
    let targets = snapshot.target_group_bindings.keys().cloned().map(Unit::Targets);
    let zones = contexts.zone_units().into_iter().map(Unit::Zone);
    stacks.chain(targets).chain(zones).chain([Unit::Network]).collect()
}

/// Secrets are not watched: those that a decision depends on are looked at now and then.
async fn secrets(queue: Arc<Queue<Unit>>, cluster: Shared, contexts: Arc<Contexts>) {
    loop {
        tokio::time::sleep(SECRETS).await;
        if cluster.lease.term().is_none() {
            continue;
        }
        let named = affects::secrets(&cluster.watches.snapshot(), &contexts.read);
        for secret in cluster.secrets.changed(&named.keys().cloned().collect()).await {
            for unit in named.get(&secret).into_iter().flatten() {
                queue.push(unit.clone(), Rank::Change);
            }
        }
    }
}

/// Hosted zones come and go; units that wait for another are looked at when it has published something.
async fn zones(queue: Arc<Queue<Unit>>, cluster: Shared, contexts: Arc<Contexts>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(ZONES) => {
                // A follower asks nothing: it looks for them when it leads.
                if cluster.lease.term().is_some() && contexts.find_zones(&cluster.watches.snapshot()).await {
                    contexts.zone_units().into_iter().for_each(|zone| queue.push(Unit::Zone(zone), Rank::Resync));
                }
            }
            () = contexts.board.changed() => {
                tokio::time::sleep(TOGETHER).await;
                // Only stacks wait for others.
                for stack in contexts.board.released().iter().filter_map(|unit| StackId::parse(unit)) {
                    queue.push(Unit::of(stack), Rank::Change);
                }
            }
        }
    }
}
