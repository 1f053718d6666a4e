//! AWS as the engine sees it: one value a process.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_acm as acm;
use aws_sdk_elasticloadbalancingv2 as elbv2;
use aws_sdk_route53 as route53;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use fairway_aws::config::Config;
use futures::future::BoxFuture;

use crate::calls::CallCounter;
use crate::facts::Answers;
use crate::fault::Fault;
use crate::inventory::{Inventory, MAX_AGE};
use crate::pace::Pace;
use crate::roles::Roles;
use crate::secrets::{NoSecrets, Secrets};
use crate::thin::ec2::Ec2;
use crate::thin::{CallError, SetupError, Shield, Tagging, WafClassic, WafV2};

/// As for the thin clients.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(60);
/// The most that the lists of Elastic Load Balancing give at once.
const PAGE: i32 = 400;

/// One account in one region, as the engine's ports: it answers, observes and applies for every kind of unit.
///
/// What it knows is shared by all units and kept current by what it applies itself. [`Aws::forget`] when another
/// process may have written, that is at each new term of leadership.
pub struct Aws {
    pub(crate) config: Config,
    pub(crate) elbv2: elbv2::Client,
    pub(crate) roles: Roles,
    pub(crate) acm: acm::Client,
    pub(crate) route53: route53::Client,
    pub(crate) ec2: Ec2,
    pub(crate) wafv2: WafV2,
    pub(crate) waf_classic: WafClassic,
    pub(crate) shield: Shield,
    pub(crate) tagging: Tagging,
    pub(crate) pace: Pace,
    pub(crate) inventory: Inventory,
    pub(crate) answers: Answers,
    pub(crate) page: i32,
    pub(crate) secrets: Arc<dyn Secrets>,
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Aws").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Aws {
    /// Clients for the region, credentials and endpoints of `sdk`, counting into `calls`.
    ///
    /// # Errors
    /// When `sdk` has no region or no source of credentials.
    pub fn new(sdk: &SdkConfig, config: Config, calls: &CallCounter) -> Result<Self, SetupError> {
        let sdk = with_limits(sdk);
        // A look at pods that wait comes once a period: it is to see news, and what our own writes set off is not.
        let health_age = Duration::from_secs(config.health_period) * 2 / 3;
        Ok(Self {
            config,
            elbv2: elbv2::Client::from_conf(
                elbv2::config::Builder::from(&sdk).interceptor(calls.clone()).build(),
            ),
            roles: Roles::new(&sdk, calls),
            acm: acm::Client::from_conf(acm::config::Builder::from(&sdk).interceptor(calls.clone()).build()),
            route53: route53::Client::from_conf(
                route53::config::Builder::from(&sdk).interceptor(calls.clone()).build(),
            ),
            ec2: Ec2::new(&sdk, calls)?,
            wafv2: WafV2::new(&sdk, calls)?,
            waf_classic: WafClassic::new(&sdk, calls)?,
            shield: Shield::new(&sdk, calls)?,
            tagging: Tagging::new(&sdk, calls)?,
            pace: Pace::default(),
            inventory: Inventory::new(MAX_AGE).with_health_age(health_age),
            answers: Answers::default(),
            page: PAGE,
            secrets: Arc::new(NoSecrets),
        })
    }

    /// The same, with Secrets that AWS may be told. Without, there are none.
    #[must_use]
    pub fn with_secrets(self, secrets: Arc<dyn Secrets>) -> Self {
        Self { secrets, ..self }
    }

    /// The same, for when drift is to be seen within `period`: a view is never older than a quarter of it.
    #[must_use]
    pub fn with_drift_period(self, period: Duration) -> Self {
        let inventory = Inventory::new(MAX_AGE.min(period / 4));
        let health_age = self.inventory.members.health_age();
        Self { inventory: inventory.with_health_age(health_age), ..self }
    }

    /// The same, asking for `page` resources at a time (1-400) where lists have pages.
    #[must_use]
    pub fn with_page_size(self, page: i32) -> Self {
        Self { page, ..self }
    }

    /// Drops everything that is known: the next look and the next question read AWS again.
    pub async fn forget(&self) {
        self.inventory.forget();
        self.answers.forget().await;
    }

    /// One call of Elastic Load Balancing, in its turn.
    pub(crate) fn elb<'a, T, E>(
        &'a self,
        operation: &'static str,
        sent: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Fault>>
    where
        T: Send + 'a,
        E: ProvideErrorMetadata + std::error::Error + Send + 'static,
    {
        self.call("elbv2", operation, sent)
    }

    /// One call of a generated client, in its turn. Boxed: such a call is many kilobytes, and an operation has
    /// several.
    pub(crate) fn call<'a, T, E>(
        &'a self,
        service: &'static str,
        operation: &'static str,
        sent: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Fault>>
    where
        T: Send + 'a,
        E: ProvideErrorMetadata + std::error::Error + Send + 'static,
    {
        let sent = Box::pin(sent);
        let answer =
            async move { sent.await.map_err(|e| Fault::of_sdk(format!("{service} {operation}"), e)) };
        Box::pin(self.pace.call(service, operation, answer))
    }

    /// One call of EC2, in its turn.
    pub(crate) fn ec2<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        sent: impl Future<Output = Result<T, CallError>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Fault>> {
        self.thin("ec2", operation, sent)
    }

    /// One call of a thin client, in its turn.
    pub(crate) fn thin<'a, T: Send + 'a>(
        &'a self,
        service: &'static str,
        operation: &'static str,
        sent: impl Future<Output = Result<T, CallError>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Fault>> {
        let sent = Box::pin(sent);
        Box::pin(self.pace.call(service, operation, async move { sent.await.map_err(Fault::from) }))
    }
}

/// Time limits and retries, where `sdk` sets none.
fn with_limits(sdk: &SdkConfig) -> SdkConfig {
    let ours = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let timeouts = match sdk.timeout_config() {
        None => ours,
        Some(theirs) => {
            let mut merged = theirs.clone();
            merged.take_defaults_from(&ours);
            merged
        }
    };
    let retry = sdk.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
    sdk.to_builder().timeout_config(timeouts).retry_config(retry).build()
}
