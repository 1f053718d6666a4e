//! How often AWS was called: every attempt that went onto the wire, by service and operation.
//!
//! Shape: one counter for the process, cloned into each client. It is an SDK interceptor, so the thin clients and
//! the generated ones (`config::Builder::interceptor`) count alike. A retry counts again, because AWS' rate limits
//! count it again; a call that was never sent (no credentials, no connection slot) counts nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

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

/// Counts attempts; clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct CallCounter {
    counts: Arc<Mutex<BTreeMap<Call, u64>>>,
}

impl CallCounter {
    /// What has been counted since the process began.
    pub fn snapshot(&self) -> BTreeMap<Call, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
        self.count(Call::new(metadata.service(), metadata.name()));
        Ok(())
    }
}

/// Command line names are the service id in lower case without spaces, but for this one.
fn service_name(service_id: &str) -> String {
    match service_id {
        "Elastic Load Balancing v2" => "elbv2".to_owned(),
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
            ("Resource Groups Tagging API", "resourcegroupstaggingapi"),
        ];
        for (id, want) in cases {
            assert_eq!(service_name(id), want, "{id}");
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
