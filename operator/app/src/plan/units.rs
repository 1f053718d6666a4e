//! Every unit, evaluated to its end against given sources.

use std::collections::BTreeSet;

use fairway_aws::{network::Network, stack::Stacks, targets::Targets};
use fairway_core::{
    class::Class,
    evaluate::{Facts, Finalizers, Provider},
    ids::{ProviderKind, StackId},
    read::{self, ReadConfig},
    snapshot::Snapshot,
};
use fairway_dns::{
    Zones,
    provider::{self, ZoneUnit},
};
use fairway_engine::{context::Sources, plan::plan, ports::Refusal};

use super::{OpLine, UnitPlan, capture::Captured};
use crate::{run::network_unit, unit::Unit};

/// The sources of every kind of unit.
pub(super) struct AllSources<'a> {
    pub(super) aws: Option<AwsSources<'a>>,
    pub(super) dns: Option<&'a Sources<Zones>>,
    pub(super) in_cluster: &'a Sources<fairway_metal::stack::Stacks>,
}

/// Those of AWS.
pub(super) struct AwsSources<'a> {
    pub(super) stacks: &'a Sources<Stacks>,
    pub(super) targets: &'a Sources<Targets>,
    pub(super) network: &'a Sources<Network>,
}

impl AllSources<'_> {
    /// Plans all units that `wanted` names, and notes down what it was decided from.
    pub(super) async fn plan(
        &self,
        snapshot: &Snapshot,
        read: &ReadConfig,
        wanted: &dyn Fn(&Unit) -> bool,
    ) -> (Vec<UnitPlan>, Captured) {
        let (mut plans, mut captured) = (Vec::new(), Captured::of(snapshot));
        let stacks = read::stacks(snapshot, read).into_iter();
        for stack in stacks.filter(|stack| wanted(&Unit::of(stack.clone()))) {
            let (facts, seen) = (&mut captured.facts, &mut captured.observed);
            match (stack.provider, &self.aws) {
                (ProviderKind::Aws, Some(aws)) => {
                    plans.push(
                        one(&stack, aws.stacks, &mut facts.aws, |unit, observed| {
                            drop(seen.stacks.insert(unit, observed))
                        })
                        .await,
                    );
                }
                (ProviderKind::InCluster, _) => {
                    plans.push(one(&stack, self.in_cluster, &mut facts.in_cluster, |_, ()| ()).await);
                }
                (ProviderKind::Aws, None) => plans.push(unlooked(&stack)),
            }
        }
        let (facts, seen) = (&mut captured.facts, &mut captured.observed);
        if let Some(aws) = &self.aws {
            let bindings = snapshot.target_group_bindings.keys();
            for key in bindings.filter(|key| wanted(&Unit::Targets((*key).clone()))) {
                let keep = |unit, observed| drop(seen.targets.insert(unit, observed));
                plans.push(one(key, aws.targets, &mut facts.targets, keep).await);
            }
            if wanted(&Unit::Network) {
                let keep = |unit, observed| drop(seen.network.insert(unit, observed));
                plans.push(one(&network_unit(), aws.network, &mut facts.network, keep).await);
            }
        }
        if let Some(dns) = self.dns {
            match zones(dns, &mut facts.dns).await {
                Ok(zones) => {
                    for zone in zones.into_iter().filter(|zone| wanted(&Unit::Zone(zone.clone()))) {
                        let keep = |unit, observed| drop(seen.zones.insert(unit, observed));
                        plans.push(one(&zone, dns, &mut facts.dns, keep).await);
                    }
                }
                Err(refusal) => plans.push(failed("dns", &refusal)),
            }
        }
        (plans, captured)
    }
}

async fn zones(dns: &Sources<Zones>, known: &mut Facts<Zones>) -> Result<BTreeSet<ZoneUnit>, Refusal> {
    let config = &dns.config.dns;
    known.extend(dns.answer.answer(&ZoneUnit::Unassigned, &provider::queries(config)).await?);
    Ok(provider::units(config, known).unwrap_or_default())
}

async fn one<P: Provider + 'static>(
    unit: &P::Unit,
    sources: &Sources<P>,
    facts: &mut Facts<P>,
    keep: impl FnOnce(String, P::Observed),
) -> UnitPlan {
    let planned = match plan(unit, sources).await {
        Ok(planned) => planned,
        Err(refusal) => return failed(&unit.to_string(), &refusal),
    };
    facts.extend(planned.facts);
    if let Some(observed) = planned.observed {
        keep(unit.to_string(), observed);
    }
    UnitPlan {
        unit: unit.to_string(),
        ops: planned.admitted.ops().iter().map(OpLine::of).collect(),
        withheld: planned.admitted.withheld().to_vec(),
        finalizers: finalizers(&planned.evaluation.finalizers),
        notes: planned.evaluation.notes,
        error: None,
    }
}

fn finalizers(changes: &Finalizers) -> Vec<String> {
    let add = changes.add.iter().map(|(object, finalizer)| format!("add finalizer {finalizer} to {object}"));
    let remove = changes.remove.iter();
    let remove = remove.map(|(object, finalizer)| format!("remove finalizer {finalizer} from {object}"));
    add.chain(remove).collect()
}

/// A stack of an account that nobody named.
fn unlooked(stack: &StackId) -> UnitPlan {
    let message = "name the account's part with --cluster-name, --aws-region and --aws-vpc-id, as the operator's flags do";
    failed(&stack.to_string(), &Refusal::new(Class::Environment, "NoAccount", message))
}

/// A unit that could not be planned.
pub(super) fn failed(unit: &str, refusal: &Refusal) -> UnitPlan {
    let failure = &refusal.failure;
    UnitPlan {
        unit: unit.to_owned(),
        ops: Vec::new(),
        withheld: Vec::new(),
        notes: Vec::new(),
        finalizers: Vec::new(),
        error: Some(format!("{}: {}", failure.code, failure.message)),
    }
}
