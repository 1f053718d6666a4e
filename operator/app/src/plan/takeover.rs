//! `fairway takeover`: what a first run would change in a cluster that the AWS Load Balancer Controller looks after, and
//! what of that controller would be in the way.

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _, process::ExitCode};

use anyhow::Context as _;
use clap::Args;
use fairway_cluster::{
    peer::{Lookout, Presence},
    peer_webhooks::{Webhook, peer_webhooks},
};
use fairway_core::{ids::Key, snapshot::Snapshot};
use kube::ResourceExt as _;
use serde::Serialize;

use super::{
    Output, UnitPlan,
    live::{Access, Live},
    status, text,
};
use crate::options::Options;

/// Says what a first run would change, and writes nothing. Nothing is expected.
///
/// Exit status: 0 nothing to do, 2 changes, 3 something is held, withheld or in the way, 1 error.
#[derive(Debug, Clone, Args)]
pub(crate) struct Takeover {
    #[command(flatten)]
    options: Options,
    /// Form of the output.
    #[arg(long, short = 'o', value_enum, default_value = "text")]
    output: Output,
}

/// What a first run would meet.
#[derive(Debug, Serialize)]
struct Report {
    units: Vec<UnitPlan>,
    /// Finalizers that objects would get or lose.
    finalizers: Vec<String>,
    /// Who leads, if the peer does.
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<String>,
    webhooks: Vec<Configuration>,
}

/// One webhook configuration of the peer.
#[derive(Debug, Serialize)]
struct Configuration {
    name: String,
    service: String,
    /// Whether anybody is there to be asked.
    served: bool,
    /// Resources whose writes are refused while nobody is.
    refuses: Vec<String>,
}

impl Configuration {
    fn blocks(&self) -> bool {
        !self.served && !self.refuses.is_empty()
    }
}

/// Looks, prints, and says in the exit status how much there is to do.
pub(crate) async fn takeover(command: Takeover) -> anyhow::Result<ExitCode> {
    let live = Live::open(&command.options, Access::Looking).await?;
    let webhooks = peer_webhooks(&live.client).await.context("the peer's webhooks could not be listed")?;
    let (mut lookout, peer) = Lookout::new(&live.client, &command.options.peer_leader_election_id);
    lookout.look().await.context("the peer's Lease could not be looked for")?;
    let (units, _) = live.plan(&|_| true).await;
    let report = Report {
        finalizers: units.iter().flat_map(|unit| unit.finalizers.clone()).collect(),
        units,
        leader: match peer.presence() {
            Presence::Leads(holder) => Some(holder.to_string()),
            Presence::Away | Presence::Unknown => None,
        },
        webhooks: configurations(&live.snapshot, webhooks),
    };
    let page = match command.output {
        Output::Text => page(&report),
        Output::Json => serde_json::to_string_pretty(&report)? + "\n",
    };
    std::io::stdout().write_all(page.as_bytes()).context("the report could not be printed")?;
    Ok(exit(&report))
}

/// Webhooks by their configuration.
fn configurations(snapshot: &Snapshot, webhooks: Vec<Webhook>) -> Vec<Configuration> {
    let mut found: BTreeMap<String, Configuration> = BTreeMap::new();
    for hook in webhooks {
        let one = found.entry(hook.configuration.clone()).or_insert_with(|| Configuration {
            name: hook.configuration.clone(),
            service: hook.service.to_string(),
            served: served(snapshot, &hook.service),
            refuses: Vec::new(),
        });
        if hook.fails_closed {
            one.refuses.extend(hook.resources);
            one.refuses.sort();
            one.refuses.dedup();
        }
    }
    found.into_values().collect()
}

fn served(snapshot: &Snapshot, service: &Key) -> bool {
    let of_service = |slice: &k8s_openapi::api::discovery::v1::EndpointSlice| {
        slice.namespace().as_deref() == Some(service.namespace.as_str())
            && slice.labels().get("kubernetes.io/service-name") == Some(&service.name)
    };
    let mut slices = snapshot.endpoint_slices.values().filter(|slice| of_service(slice));
    slices.any(|slice| {
        let ready = |endpoint: &k8s_openapi::api::discovery::v1::Endpoint| {
            endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true)
        };
        slice.endpoints.iter().any(ready)
    })
}

fn exit(report: &Report) -> ExitCode {
    let (planned, blocked) = (status(&report.units), report.webhooks.iter().any(Configuration::blocks));
    if planned == ExitCode::from(1) {
        planned
    } else if blocked {
        ExitCode::from(3)
    } else if planned == ExitCode::SUCCESS && !report.finalizers.is_empty() {
        ExitCode::from(2)
    } else {
        planned
    }
}

fn page(report: &Report) -> String {
    let mut page = text::units(&report.units);
    for line in &report.finalizers {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(page, "  ~ {line}");
    }
    for configuration in &report.webhooks {
        let _ = writeln!(page, "{}", webhook_line(configuration));
    }
    if let Some(leader) = &report.leader {
        let _ = writeln!(
            page,
            "The AWS Load Balancer Controller leads: {leader}. Fairway does nothing on AWS until that Lease runs out."
        );
    }
    let _ = text::summary(&mut page, &report.units);
    page
}

fn webhook_line(configuration: &Configuration) -> String {
    let Configuration { name, service, refuses, .. } = configuration;
    let what = refuses.join(", ");
    if configuration.blocks() {
        format!("! {name} is the peer's; Service {service} has no endpoints: writes of {what} are refused")
    } else if refuses.is_empty() {
        format!("{name} is the peer's; it lets through what it cannot be asked about")
    } else {
        format!("{name} is the peer's; without endpoints of Service {service}, writes of {what} are refused")
    }
}
