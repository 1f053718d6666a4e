//! Plans against the cluster and the account. Nothing is written, unless what is left over is told to go: the lease is never
//! asked for, and so never held.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use fairway_aws::facts::Query;
use fairway_cluster::{
    lease::{Election, Times},
    peer::Peer,
    secrets::Secrets,
    watches::Watches,
    write::{Recorder, Writer},
};
use fairway_core::snapshot::Snapshot;
use kube::Client;

use super::{
    UnitPlan,
    capture::Captured,
    units::{AllSources, AwsSources, failed},
};
use crate::{
    admin::Metrics,
    options::Options,
    ports::{Cluster, Shared},
    run::{Contexts, cluster_client, network_unit},
    unit::Unit,
};

/// Listing takes seconds; a list that is refused is asked for again and again, and somebody waits for an answer.
const READING: Duration = Duration::from_secs(60);

/// What may be done to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing but looking.
    Looking,
    /// What was told to go may go.
    Deleting,
}

/// Cluster and account, ready to be planned.
pub(super) struct Live {
    pub(super) snapshot: Snapshot,
    pub(super) contexts: Contexts,
    pub(super) client: Client,
    pub(super) cluster: Shared,
}

impl Live {
    /// Reads the cluster; of the account nothing is asked yet.
    pub(super) async fn open(options: &Options, access: Access) -> anyhow::Result<Self> {
        options.check()?;
        let client = cluster_client().await?;
        client.apiserver_version().await.context("the cluster does not answer")?;
        let (_, lease) = Election::new(&client, "default", "never-taken", "plan", Times::default());
        let (watches, _changes) = Watches::start(&client);
        let cluster = Arc::new(Cluster {
            watches,
            secrets: Secrets::new(&client, options.secrets_period),
            writer: Writer::new(client.clone(), &fairway_dns::CODES),
            recorder: Recorder::new(client.clone(), "fairway", "plan"),
            lease,
            peer: Peer::nobody(),
        });
        let metrics = Metrics::new();
        metrics.calls.write_only_while(move || access == Access::Deleting);
        let contexts = Contexts::new(options, &cluster, &metrics).await?;
        tokio::time::timeout(READING, cluster.watches.ready())
            .await
            .with_context(|| format!("the cluster could not be read within {} s", READING.as_secs()))?;
        Ok(Self { snapshot: cluster.watches.snapshot(), contexts, client, cluster })
    }

    /// What would be done now, for the units that `wanted` names.
    pub(super) async fn plan(&self, wanted: &dyn Fn(&Unit) -> bool) -> (Vec<UnitPlan>, Captured) {
        let contexts = &self.contexts;
        let sources = AllSources {
            aws: contexts.aws.as_ref().map(|aws| AwsSources {
                stacks: &aws.stacks.sources,
                targets: &aws.targets.sources,
                network: &aws.network.sources,
            }),
            dns: contexts.dns.as_ref().map(|dns| &dns.sources),
            in_cluster: &contexts.in_cluster.sources,
        };
        let (mut plans, captured) = sources.plan(&self.snapshot, &contexts.read, wanted).await;
        plans.extend(wrong_account(contexts).await);
        (plans, captured)
    }
}

/// A VPC that is not there has no subnets, which a plan would take for the word of the account.
async fn wrong_account(contexts: &Contexts) -> Option<UnitPlan> {
    let answer = &contexts.aws.as_ref()?.network.sources.answer;
    let refusal = answer.answer(&network_unit(), &[Query::Vpc]).await.err()?;
    Some(failed("account", &refusal))
}
