//! The admission webhook: flags, and which pure function answers at which path.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use async_trait::async_trait;
use clap::Args;
use fairway_admission::{
    keep::Keeper,
    keyring::Terms,
    review::Review,
    server::{Judge, Server, Serving, Unanswered},
};
use fairway_aws::{
    admission::{self as aws, HoldConfig, Lookup},
    facts::{self, Query},
};
use fairway_cluster::{lease::Leadership, webhook::Webhook};
use fairway_core::{
    admission::{self, Annotations, Answer, Change},
    ids::Key,
};
use fairway_crds::TargetGroupBinding;
use fairway_engine::ports::Clock as _;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use serde::de::DeserializeOwned;
use tokio::{sync::watch, task::JoinHandle};
use tracing::{info, warn};

use super::Contexts;
use crate::{
    admin::Metrics,
    ports::{Objects, Process, Shared},
};

/// AWS is given so long to describe the target group of a new binding: less than the API server waits for the answer.
const AWS: Duration = Duration::from_secs(3);

/// Between two looks at the configurations that we stand in for.
const STAND_IN: Duration = Duration::from_secs(10);

/// How the API server's questions are answered.
#[derive(Debug, Clone, Args)]
pub(crate) struct WebhookOptions {
    /// Address where the API server's questions are answered. Without it, none is.
    #[arg(long)]
    webhook_bind_addr: Option<SocketAddr>,
    /// DNS names and addresses that the webhook is reached by: repeated or separated by commas.
    #[arg(long, value_delimiter = ',', requires = "webhook_bind_addr")]
    webhook_host: Vec<String>,
    /// Secret, beside the leader election Lease, in which the webhook's certificate is kept.
    #[arg(long, default_value = "fairway-webhook")]
    webhook_secret: String,
    /// Name of the ValidatingWebhookConfiguration and the MutatingWebhookConfiguration that are told whom to trust.
    #[arg(long)]
    webhook_configuration: Option<String>,
    /// Name of another controller's webhook configurations that we stand in for: they are made to refuse nothing.
    #[arg(long, requires = "webhook_bind_addr")]
    webhook_replaces: Option<String>,
    /// How long the webhook's certificates last, in seconds. They are replaced after two thirds of that.
    #[arg(long, default_value = "7776000", value_parser = clap::value_parser!(u64).range(20..))]
    webhook_certificate_lifetime: u64,
    /// No Ingress becomes ours by the annotation kubernetes.io/ingress.class any more.
    #[arg(long)]
    disable_ingress_class_annotation: bool,
    /// No Ingress joins or leaves a group by its annotation any more.
    #[arg(long)]
    disable_ingress_group_name_annotation: bool,
    /// Hold every pod that a load balancer reaches until it has been deregistered, not only those that ask for it.
    #[arg(long)]
    hold_all_pods: bool,
    /// Seconds that no pod is held longer for, unless it names a number itself.
    #[arg(long, default_value = "60", value_parser = clap::value_parser!(u32).range(1..=3600))]
    hold_cap: u32,
}

/// What answers are made from.
struct Bench {
    cluster: Shared,
    contexts: Arc<Contexts>,
    metrics: Metrics,
    annotations: Annotations,
    hold: HoldConfig,
}

/// The tasks of the webhook; none when it is off.
pub(super) struct Running(Vec<JoinHandle<()>>);

impl Running {
    /// Returns once all have ended.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        for task in self.0 {
            task.await.context("the webhook ended badly")?;
        }
        Ok(())
    }
}

/// What the webhook needs of the process around it.
pub(super) struct Around {
    pub(super) client: Client,
    pub(super) namespace: String,
    pub(super) lease: Leadership,
    pub(super) cluster: Shared,
    pub(super) contexts: Arc<Contexts>,
    pub(super) metrics: Metrics,
    pub(super) stop: watch::Receiver<bool>,
}

/// Binds and starts answering, if it was asked for.
pub(super) async fn start(options: &WebhookOptions, around: Around) -> anyhow::Result<Running> {
    let Some(address) = options.webhook_bind_addr else { return Ok(Running(Vec::new())) };
    let names: BTreeSet<String> = options.webhook_host.iter().cloned().collect();
    anyhow::ensure!(
        !names.is_empty(),
        "--webhook-bind-addr needs --webhook-host: what the webhook is reached by"
    );
    let Around { client, namespace, lease, cluster, contexts, metrics, stop } = around;
    let serving = Arc::new(Serving::default());
    let server = Server::bind(address, Arc::clone(&serving)).await?;
    let configuration = options.webhook_configuration.as_deref();
    let webhook = Webhook::new(&client, &namespace, &options.webhook_secret, configuration);
    let terms = Terms { names, lifetime: options.webhook_certificate_lifetime };
    let now = Arc::new(|| Process.now().as_secs());
    let standing_in = options
        .webhook_replaces
        .clone()
        .map(|name| tokio::spawn(stand_in(webhook.clone(), name, Arc::clone(&cluster), stop.clone())));
    let keeper = Keeper::new(Arc::new(Objects { webhook, lease }), terms, now, serving);
    let bench = Bench {
        cluster,
        contexts,
        metrics,
        annotations: Annotations {
            without_class: options.disable_ingress_class_annotation,
            without_group: options.disable_ingress_group_name_annotation,
        },
        hold: HoldConfig { all: options.hold_all_pods, cap: options.hold_cap },
    };
    let served = tokio::spawn(server.serve(Arc::new(bench), stop.clone()));
    Ok(Running([served, tokio::spawn(keeper.run(stop))].into_iter().chain(standing_in).collect()))
}

/// Opens another controller's configurations whenever they are closed, while this process leads and the other does not.
async fn stand_in(webhook: Webhook, name: String, cluster: Shared, mut stop: watch::Receiver<bool>) {
    loop {
        if cluster.lease.term().is_some() && cluster.peer.stretch().is_some() {
            match webhook.open(&name).await {
                Ok(opened) => opened.iter().for_each(|kind| info!(kind, name, "made to refuse nothing")),
                Err(error) => {
                    warn!(error = %error, source = %error.source, "another controller's webhooks stay closed");
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(STAND_IN) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

#[async_trait]
impl Judge for Bench {
    async fn judge(&self, path: &str, review: &Review) -> Result<Answer, Unanswered> {
        if !self.metrics.is_ready() {
            return Err(Unanswered::TooEarly);
        }
        // Nothing of the cluster is held on to while AWS is waited for: a view that is held makes each change a copy.
        let answer = match path {
            "/mutate/targetgroupbinding" => self.fill(review).await?,
            _ => self.decide(path, review)?,
        };
        self.metrics.reviewed(path, &answer);
        Ok(answer)
    }
}

impl Bench {
    fn decide(&self, path: &str, review: &Review) -> Result<Answer, Unanswered> {
        let snapshot = self.cluster.watches.snapshot();
        let read = &self.contexts.read;
        let answer = match path {
            "/validate/ingress" => {
                ask(review, |change| admission::ingress(&snapshot, read, self.annotations, change))?
            }
            "/validate/ingressclassparams" => ask(review, admission::class_params)?,
            "/validate/targetgroupbinding" => {
                ask(review, |change| aws::check(&snapshot.target_group_bindings, change))?
            }
            "/mutate/service" => ask(review, |change| admission::service(read, change))?,
            "/mutate/pod/readiness-gates" => {
                aws::readiness_gates(&snapshot, &review.namespace, &review.object::<Pod>()?)
            }
            "/mutate/pod/hold" => {
                aws::hold(&snapshot, self.hold, &review.namespace, &review.object::<Pod>()?)
            }
            _ => return Err(Unanswered::Elsewhere),
        };
        Ok(answer)
    }
}

/// Has an object judged, as it would be and as it is.
fn ask<K: DeserializeOwned>(
    review: &Review,
    judge: impl FnOnce(Change<'_, K>) -> Answer,
) -> Result<Answer, Unanswered> {
    let (new, old) = (review.object::<K>()?, review.old::<K>()?);
    Ok(judge(Change { new: &new, old: old.as_ref() }))
}

impl Bench {
    async fn fill(&self, review: &Review) -> Result<Answer, Unanswered> {
        let binding = review.object::<TargetGroupBinding>()?;
        let question =
            if review.old::<TargetGroupBinding>()?.is_some() { None } else { aws::question(&binding) };
        let Some(question) = question else { return Ok(Answer::allow()) };
        let key = Key::new(&review.namespace, binding.metadata.name.as_deref().unwrap_or_default());
        Ok(aws::fill(&binding, &self.look_up(&key, question).await))
    }

    async fn look_up(&self, binding: &Key, question: Query) -> Lookup {
        let unknown = |why: &str| Lookup::Unknown(why.to_owned());
        let Some(contexts) = &self.contexts.aws else { return unknown("AWS is not configured") };
        let questions = [question];
        let asked = contexts.targets.sources.answer.answer(binding, &questions);
        let [question] = &questions;
        match tokio::time::timeout(AWS, asked).await {
            Ok(Ok(facts)) => match facts.get(question) {
                Some(facts::Answer::BoundGroup(Some(group))) => Lookup::Found(group.clone()),
                Some(facts::Answer::BoundGroup(None)) => Lookup::Missing,
                _ => unknown("AWS was not asked"),
            },
            Ok(Err(refusal)) => Lookup::Unknown(refusal.failure.message),
            Err(_) => unknown("AWS did not answer in time"),
        }
    }
}
