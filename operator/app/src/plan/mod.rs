//! `fairway plan`, `fairway takeover`, `fairway explain` and `fairway capture`: the same evaluation as the controller's, and nothing applied.

mod capture;
mod explain;
mod live;
mod offline;
mod orphans;
mod takeover;
mod text;
mod units;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use fairway_core::{
    note::Note,
    plan::{Effect, Planned},
    policy::Withheld,
    settings::Provenance,
};
use serde::Serialize;

use crate::options::Options;
use capture::Captured;
pub(crate) use explain::{Explain, explain};
pub(crate) use orphans::{Orphans, orphans_command};
pub(crate) use takeover::{Takeover, takeover};

/// Says what would be done, and for whom.
///
/// Exit status: 0 nothing to do, 2 changes, 3 something is held, withheld or in the way, 1 error.
#[derive(Debug, Clone, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    options: Options,
    /// Objects from these files instead of the cluster: YAML or JSON, one or many a file.
    #[arg(long, short = 'f')]
    manifests: Vec<PathBuf>,
    /// Answers of the account from this file (made by `fairway capture`) instead of the account.
    #[arg(long, requires = "manifests")]
    facts: Option<PathBuf>,
    /// What exists, from this file (made by `fairway capture`). Without it, nothing is taken to exist.
    #[arg(long, requires = "manifests")]
    observed: Option<PathBuf>,
    /// Only units whose name contains this, such as `default/shop`.
    #[arg(long)]
    only: Option<String>,
    /// Form of the output.
    #[arg(long, short = 'o', value_enum, default_value = "text")]
    output: Output,
}

/// Writes down everything that decisions are made from: manifests.yaml, facts.yaml and observed.yaml.
#[derive(Debug, Clone, Args)]
pub(crate) struct Capture {
    #[command(flatten)]
    options: Options,
    /// Folder to write to; made if need be.
    #[arg(long, short = 'd', default_value = ".")]
    directory: PathBuf,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What would be done for one unit.
#[derive(Debug, Clone, Serialize)]
struct UnitPlan {
    unit: String,
    ops: Vec<OpLine>,
    withheld: Vec<Withheld>,
    notes: Vec<Note>,
    /// Finalizers that objects would get or lose; a takeover tells.
    #[serde(skip)]
    finalizers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// One operation, as it is printed.
#[derive(Debug, Clone, Serialize)]
struct OpLine {
    id: u32,
    effect: Effect,
    resource: String,
    what: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    after: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waits: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    because: Vec<Provenance>,
}

impl OpLine {
    fn of<Op: fairway_core::plan::Operation>(planned: &Planned<Op>) -> Self {
        Self {
            id: planned.id.0,
            effect: planned.op.effect(),
            resource: planned.op.resource().0,
            what: planned.op.describe(),
            details: planned.op.details(),
            after: planned.after.iter().map(|id| id.0).collect(),
            waits: planned.waits.iter().map(ToString::to_string).collect(),
            because: planned.because.clone(),
        }
    }
}

/// Plans, prints, and says in the exit status how much there is to do.
pub(crate) async fn plan(command: Plan) -> anyhow::Result<ExitCode> {
    let (mut plans, _) = if command.manifests.is_empty() {
        live::Live::open(&command.options, live::Access::Looking).await?.plan(&|_| true).await
    } else {
        let captured =
            Captured::read(&command.manifests, command.facts.as_deref(), command.observed.as_deref())?;
        offline::plan(&command.options, captured).await?
    };
    if let Some(only) = &command.only {
        plans.retain(|plan| plan.unit.contains(only.as_str()));
        anyhow::ensure!(!plans.is_empty(), "no unit's name contains {only:?}: leave --only out to see all");
    }
    let page = match command.output {
        Output::Text => text::page(&plans),
        Output::Json => serde_json::to_string_pretty(&plans)? + "\n",
    };
    std::io::stdout().write_all(page.as_bytes()).context("the plan could not be printed")?;
    Ok(status(&plans))
}

/// Captures, and says where.
pub(crate) async fn capture(command: Capture) -> anyhow::Result<ExitCode> {
    let (plans, captured) =
        live::Live::open(&command.options, live::Access::Looking).await?.plan(&|_| true).await;
    captured.write(&command.directory)?;
    let failed: Vec<&UnitPlan> = plans.iter().filter(|plan| plan.error.is_some()).collect();
    for plan in &failed {
        tracing::error!(unit = plan.unit, error = plan.error, "not captured whole");
    }
    tracing::info!(directory = %command.directory.display(), units = plans.len(), "captured");
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether somebody has to act before all is as asked.
fn is_in_the_way(note: &Note) -> bool {
    note.held || (!note.advice && note.class.warns())
}

fn status(plans: &[UnitPlan]) -> ExitCode {
    let held = |plan: &UnitPlan| !plan.withheld.is_empty() || plan.notes.iter().any(is_in_the_way);
    if plans.iter().any(|plan| plan.error.is_some()) {
        ExitCode::from(1)
    } else if plans.iter().any(held) {
        ExitCode::from(3)
    } else if plans.iter().any(|plan| !plan.ops.is_empty()) {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}
