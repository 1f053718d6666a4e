//! `fairway explain`: why there is no address, why a rule is not there, why a target is unhealthy.
//!
//! Shape: a [`Story`] is put together from the same evaluation as the controller's, from the object's and its stack's
//! status, and from what AWS says of its targets; then it is told.

mod story;
mod tell;

use std::{io::Write as _, process::ExitCode};

use anyhow::Context as _;
use clap::Args;
use fairway_aws::tags;
use fairway_core::{
    ids::{Key, Kind, ObjectRef, StackId},
    read::{self, Candidate},
};
use kube::ResourceExt as _;

use super::{
    Output, UnitPlan,
    live::{Access, Live},
};
use crate::{options::Options, unit::Unit};
use story::{Group, Story};

/// Says of one object what was read, decided and is to do, and whose move it is.
///
/// Exit status: 0 nothing to do, 2 something to do, 3 something is held, withheld or in the way, 1 error.
#[derive(Debug, Clone, Args)]
pub(crate) struct Explain {
    /// `ingress/NAME` or `service/NAME`.
    #[arg(value_parser = kind_and_name)]
    object: (Kind, String),
    /// Namespace of the object.
    #[arg(long, short = 'n', default_value = "default")]
    namespace: String,
    #[command(flatten)]
    options: Options,
    /// Form of the output.
    #[arg(long, short = 'o', value_enum, default_value = "text")]
    output: Output,
}

fn kind_and_name(text: &str) -> Result<(Kind, String), String> {
    let wrong = || format!("{text:?} is neither ingress/NAME nor service/NAME");
    let (kind, name) = text.split_once('/').ok_or_else(wrong)?;
    let kind = match kind {
        "ingress" | "ingresses" | "ing" => Kind::Ingress,
        "service" | "services" | "svc" => Kind::Service,
        _ => return Err(wrong()),
    };
    if name.is_empty() { Err(wrong()) } else { Ok((kind, name.to_owned())) }
}

/// Explains, prints, and says in the exit status how much there is to do.
pub(crate) async fn explain(command: Explain) -> anyhow::Result<ExitCode> {
    let live = Live::open(&command.options, Access::Looking).await?;
    let (kind, name) = command.object;
    let object = ObjectRef::new(kind, Key::new(&command.namespace, &name));
    let candidate = find(&live, &object).with_context(|| format!("there is no {object}"))?;
    let stacks = read::stacks_of(&live.snapshot, &live.contexts.read, candidate);
    let bindings = bindings(&live, &stacks);
    let (plans, _) = live
        .plan(&|unit| match unit {
            Unit::Stack(stack) | Unit::InCluster(stack) => stacks.contains(stack),
            Unit::Targets(key) => bindings.contains(key),
            Unit::Zone(_) => !stacks.is_empty(),
            Unit::Network => false,
        })
        .await;
    let groups = groups(&live, &bindings).await;
    let story = Story::of(&live.snapshot, &live.contexts.read, candidate, &plans, groups);
    let page = match command.output {
        Output::Text => tell::page(&story),
        Output::Json => serde_json::to_string_pretty(&story)? + "\n",
    };
    std::io::stdout().write_all(page.as_bytes()).context("the explanation could not be printed")?;
    Ok(super::status(&story.units))
}

fn find<'a>(live: &'a Live, object: &ObjectRef) -> Option<Candidate<'a>> {
    match object.kind {
        Kind::Ingress => live.snapshot.ingresses.get(&object.key).map(|found| Candidate::Ingress(found)),
        _ => live.snapshot.services.get(&object.key).map(|found| Candidate::Service(found)),
    }
}

/// TargetGroupBindings of the stacks, by the labels that name one.
fn bindings(live: &Live, stacks: &std::collections::BTreeSet<StackId>) -> Vec<Key> {
    let marks: Vec<_> = stacks.iter().map(tags::labels).collect();
    let all = live.snapshot.target_group_bindings.iter();
    all.filter(|(_, binding)| {
        let labels = binding.labels();
        marks.iter().any(|marks| marks.iter().all(|(key, value)| labels.get(key) == Some(value)))
    })
    .map(|(key, _)| key.clone())
    .collect()
}

/// What AWS says of the targets behind each binding.
async fn groups(live: &Live, bindings: &[Key]) -> Vec<Group> {
    let Some(aws) = &live.contexts.aws else { return Vec::new() };
    let mut groups = Vec::new();
    for key in bindings {
        let Some(spec) = live.snapshot.target_group_bindings.get(key).map(|binding| &binding.spec) else {
            continue;
        };
        let health = aws.target_health(spec.target_group_arn.as_deref().unwrap_or_default()).await;
        let (targets, problem) = match health {
            Ok(Some(targets)) => (targets, None),
            Ok(None) => (Vec::new(), Some("the target group does not exist".to_owned())),
            Err(refusal) => (Vec::new(), Some(refusal.failure.message)),
        };
        groups.push(Group {
            binding: key.to_string(),
            service: format!("{}/{}", key.namespace, spec.service_ref.name),
            targets,
            problem,
        });
    }
    groups
}

/// Whether a plan speaks of the object: an operation that was asked for by it, or a note about it.
fn concerns(plan: &UnitPlan, object: &ObjectRef) -> bool {
    let asked = plan.ops.iter().flat_map(|op| &op.because).any(|from| from.object == *object);
    asked || plan.error.is_some() || plan.notes.iter().any(|note| note.about == *object)
}
