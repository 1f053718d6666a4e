//! Plans against the cluster and the account. Nothing is written: the lease is never asked for, and so never held.

use std::sync::Arc;

use anyhow::Context as _;
use fairway_cluster::{
    lease::{Election, Times},
    watches::Watches,
    write::{Recorder, Writer},
};
use kube::Client;

use super::{
    UnitPlan,
    capture::Captured,
    units::{AllSources, AwsSources},
};
use crate::{admin::Metrics, options::Options, ports::Cluster, run::Contexts};

/// What would be done now.
pub(super) async fn plan(options: &Options) -> anyhow::Result<(Vec<UnitPlan>, Captured)> {
    let client = Client::try_default().await.context("the cluster's configuration could not be read")?;
    let (_, lease) = Election::new(&client, "default", "never-taken", "plan", Times::default());
    let (watches, _changes) = Watches::start(&client);
    let cluster = Arc::new(Cluster {
        watches,
        writer: Writer::new(client.clone()),
        recorder: Recorder::new(client, "fairway", "plan"),
        lease,
    });
    let contexts = Contexts::new(options, &cluster, &Metrics::new()).await?;
    cluster.watches.ready().await;
    let sources = AllSources {
        aws: contexts.aws.as_ref().map(|aws| AwsSources {
            stacks: &aws.stacks.sources,
            targets: &aws.targets.sources,
            network: &aws.network.sources,
        }),
        dns: contexts.dns.as_ref().map(|dns| &dns.sources),
        in_cluster: &contexts.in_cluster.sources,
    };
    Ok(sources.plan(&cluster.watches.snapshot(), &contexts.read).await)
}
