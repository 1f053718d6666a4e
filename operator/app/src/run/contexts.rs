//! The engine's contexts of one process, one a kind of unit.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fairway_aws::{
    config::{Config as AwsConfig, Quotas},
    model::SecurityGroupRef,
    network::{Cluster as NetworkUnit, Network},
    stack::Stacks,
    targets::Targets,
};
use fairway_aws_api::{Aws, TargetHealth};
use fairway_core::{evaluate::Provider, plan::ResourceKey, read::ReadConfig, snapshot::Snapshot};
use fairway_dns::{
    Zones,
    provider::{self, ZoneUnit, ZonesConfig},
};
use fairway_engine::{
    board::{Announces, Board, Dns},
    context::{Context, Memory, Sources},
    drift::DriftClock,
    ports::{Answer, Apply, Observe, Refusal, Remember},
};

use crate::{
    admin::Metrics,
    options::Options,
    ports::{
        Addresses, AwsAndCluster, Checkpoints, ClusterSecrets, Networking, Process, Shared, States,
        Unopposed, ZoneNotes,
    },
};

/// Nobody is served while this is waited for, and AWS's defaults are right for nearly everybody.
const LIMITS_TIMEOUT: Duration = Duration::from_secs(5);

/// Every context, and what they share.
pub(crate) struct Contexts {
    pub(crate) read: ReadConfig,
    pub(crate) board: Arc<Board>,
    pub(crate) aws: Option<AwsContexts>,
    pub(crate) dns: Option<Context<Zones>>,
    pub(crate) in_cluster: Context<fairway_metal::stack::Stacks>,
    zones: Mutex<BTreeSet<ZoneUnit>>,
}

/// What is looked at on AWS.
pub(crate) struct AwsContexts {
    pub(crate) stacks: Context<Stacks>,
    pub(crate) targets: Context<Targets>,
    pub(crate) network: Context<Network>,
    api: Arc<Aws>,
}

impl AwsContexts {
    /// The account itself.
    pub(crate) fn api(&self) -> &Aws {
        &self.api
    }

    /// What AWS says of the targets of a group; `None` when there is no such group.
    pub(crate) async fn target_health(
        &self,
        target_group: &str,
    ) -> Result<Option<Vec<TargetHealth>>, Refusal> {
        self.api.target_health(target_group).await
    }
}

/// The one Network unit.
pub(crate) const fn network_unit() -> NetworkUnit {
    NetworkUnit
}

impl Contexts {
    /// Wires everything. AWS is asked how much the account may have, and nothing else is called.
    pub(crate) async fn new(options: &Options, cluster: &Shared, metrics: &Metrics) -> anyhow::Result<Self> {
        let board = Arc::new(Board::new(ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned())));
        let wiring = Wiring { options, cluster, board: &board };
        let addresses = Arc::new(Addresses::new(Arc::clone(cluster)));
        let states = Arc::new(States(Arc::clone(cluster)));
        let in_cluster = fairway_metal::stack::Config { read: options.read() };
        let in_cluster = wiring.context(in_cluster, addresses, states, Announces::LoadBalancers);
        let in_cluster = Context { leadership: Arc::clone(cluster) as _, ..in_cluster };
        let api = match options.aws() {
            Some(config) => {
                let api = Aws::new(&sdk(options).await, config, &metrics.calls)?;
                let api = api.with_secrets(Arc::new(ClusterSecrets(Arc::clone(cluster))));
                Some(Arc::new(api.with_drift_period(options.drift_period)))
            }
            None => None,
        };
        options.dns().check()?;
        let dns = api.as_ref().filter(|_| options.txt_owner_id.is_some()).map(|api| wiring.dns(api));
        if dns.is_none() {
            board.set_dns(Dns::Off);
        }
        let aws = match options.aws().zip(api) {
            Some((config, api)) => {
                let quotas = quotas(options, &api).await;
                Some(wiring.aws(&AwsConfig { quotas, ..config }, api))
            }
            None => None,
        };
        Ok(Self { read: options.read(), board, aws, dns, in_cluster, zones: Mutex::default() })
    }

    /// The zones that are looked after.
    pub(crate) fn zone_units(&self) -> BTreeSet<ZoneUnit> {
        self.zones.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks for the hosted zones of the account. `true`: there are others than before.
    pub(crate) async fn find_zones(&self, _: &Snapshot) -> bool {
        let Some(dns) = &self.dns else { return false };
        let found = match hosted_zones(dns).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(
                    code = error.failure.code,
                    message = error.failure.message,
                    "hosted zones are not known"
                );
                return false;
            }
        };
        let changed = {
            let mut zones = self.zones.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *zones, found.clone()) != found
        };
        if changed {
            let hosted = found.iter().filter(|zone| matches!(zone, ZoneUnit::Hosted(_)));
            self.board.set_dns(Dns::On(hosted.map(ToString::to_string).collect()));
        }
        changed
    }

    /// Another process may have written since: what was read from AWS is worth nothing.
    pub(crate) async fn forget_aws(&self) {
        if let Some(aws) = &self.aws {
            aws.api.forget().await;
        }
    }
}

/// What flags say, over what the account was granted, over what everybody is.
async fn quotas(options: &Options, api: &Aws) -> Quotas {
    let asked = tokio::time::timeout(LIMITS_TIMEOUT, api.account_limits()).await;
    let granted = match asked {
        Ok(Ok(granted)) => granted,
        Ok(Err(Refusal { failure, .. })) => {
            let (code, message) = (failure.code, failure.message);
            tracing::warn!(
                code,
                message,
                "the account's limits are not known: AWS's defaults are counted with"
            );
            Vec::new()
        }
        Err(_) => {
            tracing::warn!("AWS does not tell the account's limits in time: its defaults are counted with");
            Vec::new()
        }
    };
    Quotas::default().raised(&granted).raised(&options.quotas)
}

async fn hosted_zones(dns: &Context<Zones>) -> Result<BTreeSet<ZoneUnit>, Refusal> {
    let config = &dns.sources.config.dns;
    let facts = dns.sources.answer.answer(&ZoneUnit::Unassigned, &provider::queries(config)).await?;
    Ok(provider::units(config, &facts).unwrap_or_default())
}

/// The SDK's own configuration: credentials, region, endpoints, by its own variables.
async fn sdk(options: &Options) -> aws_config::SdkConfig {
    let region = aws_config::Region::new(options.aws_region.clone());
    aws_config::defaults(aws_config::BehaviorVersion::latest()).region(region).load().await
}

struct Wiring<'a> {
    options: &'a Options,
    cluster: &'a Shared,
    board: &'a Arc<Board>,
}

impl Wiring<'_> {
    fn context<P, W>(
        &self,
        config: P::Config,
        world: Arc<W>,
        remember: Arc<dyn Remember<P>>,
        announces: Announces,
    ) -> Context<P>
    where
        P: Provider,
        W: Answer<P> + Observe<P> + Apply<P> + 'static,
    {
        self.split(config, Arc::clone(&world), world, remember, announces)
    }

    /// A context whose operations are applied by something else than what answers and observes.
    fn split<P, W, A>(
        &self,
        config: P::Config,
        world: Arc<W>,
        apply: Arc<A>,
        remember: Arc<dyn Remember<P>>,
        announces: Announces,
    ) -> Context<P>
    where
        P: Provider,
        W: Answer<P> + Observe<P> + 'static,
        A: Apply<P> + 'static,
    {
        let cluster = Arc::clone(self.cluster);
        let leadership = Unopposed { lease: cluster.lease.clone(), peer: cluster.peer.clone() };
        let sources = Sources {
            config,
            snapshots: Arc::clone(&cluster) as _,
            answer: Arc::clone(&world) as _,
            observe: world,
            remember,
            policy: self.options.policy(),
        };
        Context {
            sources,
            apply,
            finalize: Arc::clone(&cluster) as _,
            publish: cluster,
            leadership: Arc::new(leadership),
            clock: Arc::new(Process),
            // A look may rely on a view that is up to a quarter of the period old.
            drift: DriftClock::new(self.options.drift_period * 3 / 4),
            board: Arc::clone(self.board),
            announces,
            memory: Memory::default(),
        }
    }

    fn aws(&self, config: &fairway_aws::config::Config, api: Arc<Aws>) -> AwsContexts {
        let both = Arc::new(AwsAndCluster { aws: Arc::clone(&api), cluster: Arc::clone(self.cluster) });
        let states = Arc::new(States(Arc::clone(self.cluster)));
        let checkpoints = Arc::new(Checkpoints(Arc::clone(self.cluster)));
        let networking = Arc::new(Networking(Arc::clone(self.cluster)));
        let world = Arc::clone(&api);
        AwsContexts {
            stacks: self.split(
                config.clone(),
                Arc::clone(&world),
                Arc::clone(&both),
                states,
                Announces::LoadBalancers,
            ),
            targets: self.context(config.clone(), both, checkpoints, Announces::Nothing),
            network: self.context(config.clone(), world, networking, Announces::BackendSecurityGroup),
            api,
        }
    }

    fn dns(&self, api: &Arc<Aws>) -> Context<Zones> {
        let config = ZonesConfig { dns: self.options.dns(), read: self.options.read() };
        let notes = ZoneNotes::new(Arc::clone(self.cluster), self.options.read());
        self.context(config, Arc::clone(api), Arc::new(notes), Announces::Records)
    }
}
