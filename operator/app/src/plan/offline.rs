//! Plans from files: neither a cluster nor an account is needed.
//!
//! A fact that the files do not hold is an error that names it. What is not observed is taken not to exist.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use fairway_aws::targets::checkpoint_of;
use fairway_core::{
    class::Class,
    evaluate::{Facts, LastGood, Provider},
    ids::Key,
    report::Failure,
    snapshot::Snapshot,
};
use fairway_dns::provider::ZonesConfig;
use fairway_engine::{
    context::Sources,
    ports::{Answer, Observe, Record, Refusal, Remember, Remembered, Snapshots},
};

use super::{
    UnitPlan,
    capture::Captured,
    units::{AllSources, AwsSources},
};
use crate::options::Options;

/// What would be done if the world were as the files say.
pub(super) async fn plan(options: &Options, captured: Captured) -> anyhow::Result<(Vec<UnitPlan>, Captured)> {
    options.check()?;
    let Captured { snapshot, facts, observed } = captured;
    let aws = options.aws();
    let wiring = Wiring { options, snapshot: &snapshot };
    let stacks = aws.clone().map(|config| wiring.sources(config, facts.aws, observed.stacks));
    let targets = aws.clone().map(|config| wiring.sources(config, facts.targets, observed.targets));
    let network = aws.map(|config| wiring.sources(config, facts.network, observed.network));
    let zones = ZonesConfig { dns: options.dns(), read: options.read() };
    let dns = options.txt_owner_id.as_ref().map(|_| wiring.sources(zones, facts.dns, observed.zones));
    let in_cluster = fairway_metal::stack::Config { read: options.read() };
    let in_cluster = wiring.sources(in_cluster, facts.in_cluster, BTreeMap::new());
    let sources = AllSources {
        aws: match (&stacks, &targets, &network) {
            (Some(stacks), Some(targets), Some(network)) => Some(AwsSources { stacks, targets, network }),
            _ => None,
        },
        dns: dns.as_ref(),
        in_cluster: &in_cluster,
    };
    Ok(sources.plan(&snapshot, &options.read(), &|_| true).await)
}

struct Wiring<'a> {
    options: &'a Options,
    snapshot: &'a Snapshot,
}

impl Wiring<'_> {
    fn sources<P>(
        &self,
        config: P::Config,
        facts: Facts<P>,
        observed: BTreeMap<String, P::Observed>,
    ) -> Sources<P>
    where
        P: Provider + Send + Sync + 'static,
        P::Observed: Default,
    {
        let files = Arc::new(Files::<P> { snapshot: self.snapshot.clone(), facts, observed });
        Sources {
            config,
            snapshots: Arc::clone(&files) as _,
            answer: Arc::clone(&files) as _,
            observe: Arc::clone(&files) as _,
            remember: files,
            policy: self.options.policy(),
        }
    }
}

/// One kind of unit, as files have it.
struct Files<P: Provider> {
    snapshot: Snapshot,
    facts: Facts<P>,
    observed: BTreeMap<String, P::Observed>,
}

impl<P: Provider + Send + Sync> Snapshots for Files<P> {
    fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }
}

#[async_trait]
impl<P: Provider + Send + Sync> Answer<P> for Files<P> {
    async fn answer(&self, _: &P::Unit, queries: &[P::Query]) -> Result<Facts<P>, Refusal> {
        let mut facts = Facts::default();
        for query in queries {
            let answer = self.facts.get(query).ok_or_else(|| {
                Refusal::new(Class::Environment, "FactMissing", format!("the account's answer to {query:?} is needed: give --facts, which `fairway capture` makes"))
            })?;
            facts.insert(query.clone(), answer.clone());
        }
        Ok(facts)
    }
}

#[async_trait]
impl<P: Provider + Send + Sync> Observe<P> for Files<P>
where
    P::Observed: Default,
{
    async fn observe(&self, unit: &P::Unit, _: &P::Scope) -> Result<P::Observed, Refusal> {
        Ok(self.observed.get(&unit.to_string()).cloned().unwrap_or_default())
    }
}

#[async_trait]
impl<P: Provider + Send + Sync> Remember<P> for Files<P> {
    async fn recall(&self, unit: &P::Unit) -> Result<Remembered, Refusal> {
        Ok(Remembered { last_good: remembered(&self.snapshot, &unit.to_string()), observed_at: None })
    }

    async fn forget(&self, _: &P::Unit) -> Result<(), Refusal> {
        Ok(())
    }

    async fn record(&self, _: &P::Unit, _: Option<Record<'_>>) -> Result<(), Refusal> {
        Ok(())
    }

    async fn stumble(&self, _: &P::Unit, _: &Failure) -> Result<(), Refusal> {
        Ok(())
    }
}

/// What the state of a stack says, or the checkpoint of a binding.
fn remembered(snapshot: &Snapshot, unit: &str) -> LastGood {
    let state = snapshot.states.values().find(|state| state.spec.stack == unit);
    let (namespace, name) = unit.split_once('/').unwrap_or_default();
    let binding = snapshot.target_group_bindings.get(&Key::new(namespace, name));
    match (state, binding) {
        (None, Some(binding)) => LastGood { fingerprint: checkpoint_of(binding), ..LastGood::default() },
        (state, _) => LastGood::of(state.and_then(|state| state.status.as_ref())),
    }
}
