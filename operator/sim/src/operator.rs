//! One process of the operator: the contexts of every kind of unit, and one queue for all.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use fairway_aws::{
    config::{Config, Quotas},
    model::SecurityGroupRef,
    network::{Cluster, Network},
    stack::Stacks,
    targets::Targets,
};
use fairway_core::{
    evaluate::Provider,
    ids::{Key, ProviderKind, StackId},
    plan::ResourceKey,
    policy::Policy,
    read::{self, ReadConfig},
    snapshot::Snapshot,
};
use fairway_dns::{
    DnsConfig, Zones,
    provider::{ZoneUnit, ZonesConfig},
    zone::ZoneId,
};
use fairway_engine::{
    board::{Announces, Board, Dns},
    context::{Context, Memory, Sources},
    drift::DriftClock,
    plan::plan,
    ports::{Answer, Apply, Leadership, Observe, Refusal, Remember},
    queue::{Queue, Rank},
    reconcile::{Next, reconcile},
};

use crate::{
    adapters::{Loaded, Process, config},
    sim::Sim,
};

/// Upper bound between two observations of a settled unit.
pub const DRIFT_PERIOD: Duration = Duration::from_secs(4 * 3600);
const WORKERS: usize = 2;

/// Every kind of unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Members of a target group.
    Targets(Key),
    /// What stacks share.
    Network,
    /// A load balancer on AWS.
    Stack(StackId),
    /// A load balancer in the cluster.
    InCluster(StackId),
    /// A hosted zone.
    Zone(ZoneUnit),
}

/// How the installation is set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setup {
    /// Whether DNS has an owner.
    pub dns: bool,
    /// How many AWS allows, as flags say.
    pub quotas: Quotas,
}

/// Ports that a test may replace by broken ones.
pub struct Ports {
    /// Who may write.
    pub leadership: Arc<dyn Leadership>,
    /// How stacks are seen.
    pub observe_stacks: Arc<dyn Observe<Stacks>>,
    /// How stacks are changed.
    pub apply_stacks: Arc<dyn Apply<Stacks>>,
}

impl Ports {
    /// The honest ones.
    #[must_use]
    pub fn honest(process: &Process) -> Self {
        let process = Arc::new(process.clone());
        Self {
            leadership: Arc::clone(&process) as _,
            observe_stacks: Arc::clone(&process) as _,
            apply_stacks: process as _,
        }
    }
}

/// One process.
pub struct Operator {
    process: Process,
    setup: Setup,
    queue: Queue<Unit>,
    board: Arc<Board>,
    stacks: Context<Stacks>,
    in_cluster: Context<fairway_metal::stack::Stacks>,
    targets: Context<Targets>,
    network: Context<Network>,
    zones: Context<Zones>,
}

fn aws_config(setup: &Setup) -> Config {
    Config { dns: setup.dns, quotas: setup.quotas.clone(), ..config() }
}

fn zones_config(setup: &Setup) -> ZonesConfig {
    let owner = setup.dns.then(|| "demo".to_owned());
    ZonesConfig { dns: DnsConfig { owner, ..DnsConfig::default() }, read: ReadConfig::default() }
}

fn sources<P: Provider>(process: &Process, config: P::Config, observe: Arc<dyn Observe<P>>) -> Sources<P>
where
    Process: Answer<P> + Remember<P>,
{
    let process = Arc::new(process.clone());
    Sources {
        config,
        snapshots: Arc::clone(&process) as _,
        answer: Arc::clone(&process) as _,
        observe,
        remember: process as _,
        policy: Policy::default(),
    }
}

struct Shared<'a> {
    process: &'a Process,
    leadership: Arc<dyn Leadership>,
    board: Arc<Board>,
}

impl Shared<'_> {
    fn context<P: Provider>(
        &self,
        sources: Sources<P>,
        apply: Arc<dyn Apply<P>>,
        announces: Announces,
    ) -> Context<P> {
        let process = Arc::new(self.process.clone());
        Context {
            sources,
            apply,
            finalize: Arc::clone(&process) as _,
            publish: Arc::clone(&process) as _,
            leadership: Arc::clone(&self.leadership),
            clock: process as _,
            drift: DriftClock::new(DRIFT_PERIOD),
            board: Arc::clone(&self.board),
            announces,
            memory: Memory::default(),
        }
    }
}

impl Operator {
    /// A process that has just started: it remembers nothing.
    #[must_use]
    pub fn new(process: &Process, setup: Setup, ports: Ports) -> Self {
        let board = Arc::new(Board::new(ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned())));
        let zones = zone_units(process, &setup).iter().map(ToString::to_string).collect();
        board.set_dns(if setup.dns { Dns::On(zones) } else { Dns::Off });
        let shared = Shared { process, leadership: ports.leadership, board: Arc::clone(&board) };
        let all = Arc::new(process.clone());
        let config = aws_config(&setup);
        let stacks = sources(process, config.clone(), ports.observe_stacks);
        let targets = sources::<Targets>(process, config.clone(), Arc::clone(&all) as _);
        let network = sources::<Network>(process, config, Arc::clone(&all) as _);
        let zones = sources::<Zones>(process, zones_config(&setup), Arc::clone(&all) as _);
        let in_cluster = fairway_metal::stack::Config { read: ReadConfig::default() };
        let in_cluster = sources(process, in_cluster, Arc::clone(&all) as _);
        Self {
            in_cluster: shared.context(in_cluster, Arc::clone(&all) as _, Announces::LoadBalancers),
            stacks: shared.context(stacks, ports.apply_stacks, Announces::LoadBalancers),
            targets: shared.context(targets, Arc::clone(&all) as _, Announces::Nothing),
            network: shared.context(network, Arc::clone(&all) as _, Announces::BackendSecurityGroup),
            zones: shared.context(zones, all as _, Announces::Records),
            queue: Queue::new(Arc::new(Loaded(Mutex::new(process.number)))),
            board,
            process: process.clone(),
            setup,
        }
    }

    /// Looks at units until the task is dropped.
    pub async fn run(&self) {
        let watch = async {
            loop {
                self.push_all();
                tokio::select! {
                    () = self.process.sim.changed() => {}
                    () = self.board.changed() => {}
                }
            }
        };
        tokio::select! {
            () = watch => {}
            () = self.queue.work(WORKERS, |unit| self.look(unit)) => {}
        }
    }

    fn push_all(&self) {
        for unit in units(&self.process, &self.setup) {
            let rank = if matches!(unit, Unit::Targets(_)) { Rank::Membership } else { Rank::Change };
            self.queue.push(unit, rank);
        }
    }

    async fn look(&self, unit: Unit) -> Next {
        match &unit {
            Unit::Stack(unit) => reconcile(unit, &self.stacks).await,
            Unit::InCluster(unit) => reconcile(unit, &self.in_cluster).await,
            Unit::Targets(unit) => reconcile(unit, &self.targets).await,
            Unit::Network => reconcile(&Cluster, &self.network).await,
            Unit::Zone(unit) => reconcile(unit, &self.zones).await,
        }
    }

    /// What would be done now, over all units: one line an operation, and one for whatever keeps a unit from being
    /// planned.
    pub async fn plan(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for unit in units(&self.process, &self.setup) {
            match &unit {
                Unit::Stack(unit) => lines.extend(planned(unit, &self.stacks.sources).await),
                Unit::InCluster(unit) => lines.extend(planned(unit, &self.in_cluster.sources).await),
                Unit::Targets(unit) => lines.extend(planned(unit, &self.targets.sources).await),
                Unit::Network => lines.extend(planned(&Cluster, &self.network.sources).await),
                Unit::Zone(unit) => lines.extend(planned(unit, &self.zones.sources).await),
            }
        }
        lines
    }
}

async fn planned<P: Provider + 'static>(unit: &P::Unit, sources: &Sources<P>) -> Vec<String> {
    use fairway_core::plan::Operation as _;
    match plan::<P>(unit, sources).await {
        Ok(planned) => {
            let ops = planned.admitted.ops().iter();
            ops.map(|planned| format!("{unit}: {}", planned.op.describe())).collect()
        }
        Err(Refusal { failure, .. }) => vec![format!("{unit}: {}: {}", failure.code, failure.message)],
    }
}

fn zone_units(process: &Process, setup: &Setup) -> BTreeSet<ZoneUnit> {
    if !setup.dns {
        return BTreeSet::new();
    }
    let inner = process.sim.lock();
    let zones = inner.aws.zones.keys().map(|id| ZoneUnit::Hosted(ZoneId::new(id)));
    zones.collect()
}

fn units(process: &Process, setup: &Setup) -> BTreeSet<Unit> {
    let snapshot: Snapshot = process.sim.lock().cluster.objects.clone();
    let of = |stack: StackId| match stack.provider {
        ProviderKind::Aws => Unit::Stack(stack),
        ProviderKind::InCluster => Unit::InCluster(stack),
    };
    let stacks = read::stacks(&snapshot, &ReadConfig::default()).into_iter().map(of);
    let targets = snapshot.target_group_bindings.keys().cloned().map(Unit::Targets);
    let zones = zone_units(process, setup)
        .into_iter()
        .chain(setup.dns.then_some(ZoneUnit::Unassigned))
        .map(Unit::Zone);
    stacks.chain(targets).chain(zones).chain([Unit::Network]).collect()
}

/// Where a process reads and writes.
#[must_use]
pub fn process(sim: &Arc<Sim>, number: u64) -> Process {
    Process { sim: Arc::clone(sim), number }
}
