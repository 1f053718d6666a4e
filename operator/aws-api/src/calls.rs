//! What goes onto the wire: every attempt is counted, by service and operation, and writes go only while allowed.
//!
//! The SDK tries again by itself, also when a process that was paused wakes long after the lease was lost. So the
//! question whether to write is asked once more where nothing comes in between: before each attempt.
//!
//! Shape: one counter for the process, cloned into each client. It is an SDK interceptor, so the thin clients and
//! the generated ones (`config::Builder::interceptor`) count alike. A retry counts again, because AWS' rate limits
//! count it again; a call that was never sent (no credentials, no connection slot) counts nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// One operation of one service, as metrics and messages name it: `ec2 DescribeSubnets`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The name the service has on AWS' command line: `ec2`, `elbv2`, `route53`, `acm`, `wafv2`, `shield`.
    pub service: String,
    /// AWS' own name: `DescribeSubnets`.
    pub operation: String,
}

impl Call {
    /// Names `operation` of the service that the SDK knows as `service_id` ("Route 53").
    pub(crate) fn new(service_id: &str, operation: &str) -> Self {
        Self { service: service_name(service_id), operation: operation.to_owned() }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.service, self.operation)
    }
}

/// Counts attempts, and lets writes through only while they are allowed; clones share both.
#[derive(Clone, Default)]
pub struct CallCounter {
    counts: Arc<Mutex<BTreeMap<Call, u64>>>,
    may_write: Arc<OnceLock<Permission>>,
}

/// Whether writing is allowed at this moment.
type Permission = Box<dyn Fn() -> bool + Send + Sync>;

impl fmt::Debug for CallCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallCounter").field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl CallCounter {
    /// What has been counted since the process began.
    pub fn snapshot(&self) -> BTreeMap<Call, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on, attempts of writes fail unless `allowed` says yes at that moment. The first call decides.
    pub fn write_only_while(&self, allowed: impl Fn() -> bool + Send + Sync + 'static) {
        // A second question would only narrow what the first one guards.
        let _ = self.may_write.set(Box::new(allowed));
    }

    fn lets_through(&self, operation: &str) -> bool {
        let reads = ["Describe", "List", "Get"].iter().any(|verb| operation.starts_with(verb));
        reads || self.may_write.get().is_none_or(|allowed| allowed())
    }

    fn count(&self, call: Call) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(call).or_default() += 1;
    }
}

#[dyn_dispatch_hint]
impl Intercept for CallCounter {
    fn name(&self) -> &'static str {
        "CallCounter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let metadata = cfg.load::<Metadata>().ok_or("the operation has no name to count it by")?;
        if !self.lets_through(metadata.name()) {
            return Err("writing is not allowed any more: another process may lead".into());
        }
        self.count(Call::new(metadata.service(), metadata.name()));
        Ok(())
    }
}

/// Command line names are the service id in lower case without spaces, but for these.
fn service_name(service_id: &str) -> String {
    match service_id {
        "Elastic Load Balancing v2" => "elbv2".to_owned(),
        "WAF Regional" => "waf-regional".to_owned(),
        other => other.to_ascii_lowercase().replace(' ', ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_named_as_on_the_command_line() {
        let cases = [
            ("EC2", "ec2"),
            ("Elastic Load Balancing v2", "elbv2"),
            ("Route 53", "route53"),
            ("ACM", "acm"),
            ("WAFV2", "wafv2"),
            ("WAF Regional", "waf-regional"),
            ("Resource Groups Tagging API", "resourcegroupstaggingapi"),
        ];
        for (id, want) in cases {
            assert_eq!(service_name(id), want, "{id}");
        }
    }

    #[test]
    fn writes_go_only_while_they_are_allowed_and_reads_always() {
        let counter = CallCounter::default();
        assert!(counter.lets_through("CreateRule"), "nobody asked for a guard");
        let leads = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let asked = Arc::clone(&leads);
        counter.clone().write_only_while(move || asked.load(std::sync::atomic::Ordering::Relaxed));
        assert!(counter.lets_through("CreateRule"));
        leads.store(false, std::sync::atomic::Ordering::Relaxed);
        for write in
            ["CreateRule", "RegisterTargets", "ChangeResourceRecordSets", "AuthorizeSecurityGroupIngress"]
        {
            assert!(!counter.lets_through(write), "{write}");
        }
        for read in ["DescribeRules", "ListHostedZones", "GetWebACLForResource"] {
            assert!(counter.lets_through(read), "{read}");
        }
    }

    #[test]
    fn clones_share_one_count() {
        let counter = CallCounter::default();
        let call = Call::new("EC2", "DescribeSubnets");
        counter.clone().count(call.clone());
        counter.count(call.clone());
        assert_eq!(counter.snapshot(), BTreeMap::from([(call, 2)]));
    }
}
