//! `fairway orphans`: what carries the cluster's tags on AWS and belongs to nothing in the cluster; taken away when told.

use std::{collections::BTreeSet, fmt::Write as _, io::Write as _, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Args;
use fairway_aws::{
    network::Network,
    orphans::{Account, Living, Orphan, Removal, orphans},
    stack::Stacks,
};
use fairway_aws_api::Aws;
use fairway_cluster::peer::{Lookout, Presence};
use fairway_core::{
    class::Class,
    ids::{ProviderKind, StackId},
    plan::{Bindings, Operation as _},
    read::{self, ReadConfig},
    snapshot::Snapshot,
};
use fairway_engine::ports::{Apply, Refusal};
use serde::Serialize;
use tokio::time::Instant;

use super::{
    Output,
    live::{Access, Live},
};
use crate::{options::Options, run::network_unit};

/// Interfaces of a load balancer linger after it, and security groups are in use until they are gone.
const PATIENCE: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_secs(3);

/// Lists what carries the cluster's tags and belongs to nothing in the cluster.
///
/// Exit status: 0 there is nothing (any more), 2 there is something, 3 something stays although it was to go, 1 error.
#[derive(Debug, Clone, Args)]
pub(crate) struct Orphans {
    #[command(flatten)]
    options: Options,
    /// Delete what is listed, load balancers first. What is protected stays.
    #[arg(long)]
    delete: bool,
    /// Delete without asking any further; without it, `--delete` deletes nothing.
    #[arg(long, requires = "delete")]
    yes: bool,
    /// Only those whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Form of the output.
    #[arg(long, short = 'o', value_enum, default_value = "text")]
    output: Output,
}

/// An orphan, and what became of it.
#[derive(Debug, Serialize)]
struct Entry {
    #[serde(flatten)]
    orphan: Orphan,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Found,
    Deleted,
    Stays,
    Failed(String),
}

/// Lists, deletes when told to, prints, and says in the exit status what there is.
pub(crate) async fn orphans_command(command: Orphans) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        command.options.aws().is_some(),
        "orphans are looked for on AWS: --cluster-name, --aws-region and --aws-vpc-id say where"
    );
    let access = if command.yes { Access::Deleting } else { Access::Looking };
    let live = Live::open(&command.options, access).await?;
    let found = find(&live, &command).await.map_err(|refusal| told(&refusal))?;
    if command.yes {
        nobody_else(&live, &command.options).await?;
    }
    let mut entries = Vec::new();
    for orphan in found {
        let outcome = match (&orphan.stays, command.yes) {
            (Some(_), _) => Outcome::Stays,
            (None, false) => Outcome::Found,
            (None, true) => delete(&live, &orphan).await,
        };
        entries.push(Entry { orphan, outcome });
    }
    let page = match command.output {
        Output::Text => page(&entries, command.delete && !command.yes),
        Output::Json => serde_json::to_string_pretty(&entries)? + "\n",
    };
    std::io::stdout().write_all(page.as_bytes()).context("the list could not be printed")?;
    Ok(status(&entries, command.yes))
}

async fn find(live: &Live, command: &Orphans) -> Result<Vec<Orphan>, Refusal> {
    let (Some(api), Some(config)) = (api(live), command.options.aws()) else { return Ok(Vec::new()) };
    let living = living(&live.snapshot, &live.contexts.read);
    let astray = api.account().await?.astray(&config, &living);
    let load_balancers = api.in_full(astray.load_balancers).await?;
    let mut found = orphans(&config, &Account { load_balancers, ..astray }, &living);
    if let Some(only) = &command.only {
        found.retain(|orphan| orphan.name.contains(only.as_str()));
    }
    Ok(found)
}

fn api(live: &Live) -> Option<&Aws> {
    live.contexts.aws.as_ref().map(|aws| aws.api())
}

fn living(snapshot: &Snapshot, config: &ReadConfig) -> Living {
    let stacks = read::stacks(snapshot, config).into_iter();
    let stacks: BTreeSet<StackId> = stacks.filter(|stack| stack.provider == ProviderKind::Aws).collect();
    let bindings = snapshot.target_group_bindings.values();
    Living { stacks, bound: bindings.filter_map(|binding| binding.spec.target_group_arn.clone()).collect() }
}

/// # Errors
/// The peer leads: it may look after objects that we take for nobody's.
async fn nobody_else(live: &Live, options: &Options) -> anyhow::Result<()> {
    let (mut lookout, peer) = Lookout::new(&live.client, &options.peer_leader_election_id);
    lookout.look().await.context("the peer's Lease could not be looked for")?;
    match peer.presence() {
        Presence::Leads(holder) => anyhow::bail!(
            "the AWS Load Balancer Controller leads: {holder}; nothing is deleted beside it, for it may need what is listed"
        ),
        Presence::Away | Presence::Unknown => Ok(()),
    }
}

/// Deletes one orphan, patiently where it is still in use.
async fn delete(live: &Live, orphan: &Orphan) -> Outcome {
    let Some(api) = api(live) else { return Outcome::Found };
    for removal in &orphan.removal {
        let what = match removal {
            Removal::Stack(op) => op.describe(),
            Removal::Network(op) => op.describe(),
        };
        tracing::info!("{what}");
        let started = Instant::now();
        loop {
            // Somebody may have asked for it since it was listed.
            if wanted_again(live, orphan) {
                return Outcome::Failed("it is asked for again".to_owned());
            }
            match remove(api, orphan, removal).await {
                Ok(()) => break,
                Err(refusal) if is_passing(&refusal) && started.elapsed() < PATIENCE => {
                    let waited = started.elapsed().as_secs();
                    tracing::info!(waited, code = refusal.failure.code, "{what}: waiting");
                    tokio::time::sleep(refusal.retry_after.unwrap_or(PAUSE)).await;
                }
                Err(refusal) => {
                    let failure = refusal.failure;
                    return Outcome::Failed(format!("{}: {}", failure.code, failure.message));
                }
            }
        }
    }
    Outcome::Deleted
}

fn wanted_again(live: &Live, orphan: &Orphan) -> bool {
    let now = living(&live.cluster.watches.snapshot(), &live.contexts.read);
    match &orphan.stack {
        Some(stack) => now.stacks.contains(stack) || now.bound.contains(&orphan.id),
        None => !now.stacks.is_empty() || !now.bound.is_empty(),
    }
}

async fn remove(api: &Aws, orphan: &Orphan, removal: &Removal) -> Result<(), Refusal> {
    let none = Bindings::new();
    match (removal, &orphan.stack) {
        (Removal::Stack(op), Some(stack)) => Apply::<Stacks>::apply(api, stack, op, &none).await.map(drop),
        (Removal::Network(op), _) => Apply::<Network>::apply(api, &network_unit(), op, &none).await.map(drop),
        (Removal::Stack(_), None) => Err(Refusal::bug("NoStack", "a stack's resource without a stack")),
    }
}

fn is_passing(refusal: &Refusal) -> bool {
    matches!(refusal.failure.class, Class::Pending | Class::Transient)
}

fn told(refusal: &Refusal) -> anyhow::Error {
    anyhow::anyhow!("{}: {}", refusal.failure.code, refusal.failure.message)
}

fn status(entries: &[Entry], deleting: bool) -> ExitCode {
    let any = |wanted: fn(&Outcome) -> bool| entries.iter().any(|entry| wanted(&entry.outcome));
    if any(|outcome| matches!(outcome, Outcome::Failed(_))) {
        ExitCode::from(1)
    } else if deleting && any(|outcome| *outcome == Outcome::Stays) {
        ExitCode::from(3)
    } else if any(|outcome| matches!(outcome, Outcome::Found | Outcome::Stays)) {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

fn page(entries: &[Entry], asked_without_yes: bool) -> String {
    let mut page = String::new();
    for Entry { orphan, outcome } in entries {
        let sign = match outcome {
            Outcome::Found => "-",
            Outcome::Deleted => "deleted:",
            Outcome::Stays => "=",
            Outcome::Failed(_) => "x",
        };
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(page, "{sign} {} {} ({})", orphan.kind, orphan.name, orphan.id);
        let _ = writeln!(page, "    {}", orphan.why);
        for part in &orphan.with {
            let _ = writeln!(page, "    with {part}");
        }
        if let Some(reason) = &orphan.stays {
            let _ = writeln!(page, "    stays: {reason}");
        }
        if let Outcome::Failed(error) = outcome {
            let _ = writeln!(page, "    {error}");
        }
    }
    let count = |wanted: fn(&Outcome) -> bool| entries.iter().filter(|entry| wanted(&entry.outcome)).count();
    let deleted = count(|outcome| *outcome == Outcome::Deleted);
    if entries.is_empty() {
        page.push_str("Nothing of this cluster is left over.\n");
    } else {
        let _ = writeln!(page, "{} left over, {deleted} deleted.", entries.len() - deleted);
    }
    if asked_without_yes && !entries.is_empty() {
        page.push_str("Nothing was deleted: say --delete --yes.\n");
    }
    page
}
