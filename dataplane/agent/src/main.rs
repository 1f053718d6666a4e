//! The node's binary: watch, compute the node program, install it.
//!
//! Each agent watches the cluster by itself, computes what its node serves and announces, and brings the node there.
//! It needs no operator to go on, and while the API server is away it goes on with what it has.

mod admin;
mod agent;
mod certificates;
mod confirm;
mod lease;
mod liveness;
mod node;
mod options;
mod sockets;
mod translate;

use std::io::IsTerminal as _;

use anyhow::Context as _;
use clap::Parser as _;
use fairway_cluster::watches::Watches;
use fairway_l7::Proxy;
use kube::Client;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};
use tracing::info;
use tracing_subscriber::EnvFilter;

use crate::{
    agent::{Agent, Ears, Place},
    lease::OwnLease,
    liveness::Liveness,
    node::Node,
    options::Options,
};

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let filter = EnvFilter::try_new(&options.log)?;
    let terminal = std::io::stderr().is_terminal();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(terminal).with_writer(std::io::stderr);
    if options.log_json {
        subscriber.json().init();
    } else {
        subscriber.init();
    }
    // Two threads: renewing the lease never waits for a program to be computed. Requests have threads of their own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(options))
}

async fn run(options: Options) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    let client = Client::try_default().await.context("no access to the API server is configured")?;
    let listener = admin::bind(options.admin_address)
        .await
        .with_context(|| format!("{} cannot be listened on", options.admin_address))?;
    let proxy = Proxy::start(fairway_l7::Options::default()).context("the proxy cannot be started")?;
    let node = Node::start(proxy, options.default_ssl_certificate.clone()).await?;
    let (watches, changes) = Watches::start_for_nodes(&client);
    let leases = lease::follow(&client, &options.namespace);
    let (ask, questions) = mpsc::channel(1);
    tokio::spawn(admin::serve(listener, ask));
    let mut ears = Ears { changes, leases, questions, stop };

    // Names this process, so that what an earlier one on this node left is not taken for a sign of life.
    let holder = format!("{}-{}", options.node_name, jiff::Timestamp::now().as_microsecond());
    let liveness = Liveness::new(&options.node_name, &holder);
    let place = Place {
        node: options.node_name.clone(),
        read: options.read(),
        default_certificate: options.default_ssl_certificate.clone(),
    };
    let mut agent = Agent::new(place, client.clone(), watches, liveness, node);
    info!(node = options.node_name, "starting");
    if agent.begin(&mut ears).await {
        let uid = agent.node_uid();
        let lease = OwnLease::new(&client, &options.namespace, &options.node_name, &holder, uid);
        // Only now: others give addresses up to a node that lives, and this one serves them already.
        let renewing = tokio::spawn(lease.clone().renew());
        agent.follow(&mut ears).await;
        info!("stopping");
        renewing.abort();
        lease.release().await;
    }
    agent.leave(options.drain_seconds).await;
    Ok(())
}

/// Turns true at the first SIGTERM or SIGINT.
fn stop_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        sender.send_replace(true);
    });
    Ok(receiver)
}
