//! Waiting for load balancers to become active: one call for all that wait.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::LoadBalancer;
use fairway_core::plan::Handle;
use tokio::time::Instant;

use crate::Aws;
use crate::fault::Fault;
use crate::wire;

/// Provisioning takes minutes: who looks more often gets what the last call brought.
const INTERVAL: Duration = Duration::from_secs(5);
/// The most ARNs that DescribeLoadBalancers takes.
const NAMED: usize = 20;

/// When states were read last.
#[derive(Default)]
pub(crate) struct Poll(tokio::sync::Mutex<Option<Instant>>);

impl Aws {
    /// How a load balancer is now that was not active when it was looked at last.
    pub(crate) async fn state_of(&self, arn: &str) -> Result<Option<Handle>, Fault> {
        let mut last = self.inventory.poll.0.lock().await;
        if last.is_none_or(|at| at.elapsed() >= INTERVAL) {
            self.read_states().await?;
            *last = Some(Instant::now());
        }
        let handle = |region: &super::Region| region.balancers.get(arn).map(|it| it.seen.handle.clone());
        Ok(self.inventory.region.peek(handle).flatten())
    }

    async fn read_states(&self) -> Result<(), Fault> {
        let waiting = self.inventory.region.peek(|region| {
            let waiting = region.balancers.values().filter(|it| !it.seen.handle.ready);
            waiting.map(|it| it.seen.handle.id.clone()).collect::<Vec<_>>()
        });
        let waiting = waiting.unwrap_or_default();
        let known = self.inventory.region.peek(|region| region.balancers.len()).unwrap_or_default();
        let page = usize::try_from(self.page).unwrap_or(1).max(1);
        // Many that wait are cheaper to find in the whole list than by their names.
        let read = if waiting.len().div_ceil(NAMED) > known.div_ceil(page) {
            self.list_balancers().await
        } else {
            self.read_named(&waiting).await
        };
        match read {
            Ok(balancers) => self.record_states(&balancers),
            Err(fault) => {
                if fault.sows_doubt() {
                    self.inventory.region.doubt();
                }
                Err(fault)
            }
        }
    }

    async fn read_named(&self, arns: &[String]) -> Result<Vec<LoadBalancer>, Fault> {
        let mut read = Vec::new();
        for part in arns.chunks(NAMED) {
            let request = self.elbv2.describe_load_balancers().set_load_balancer_arns(Some(part.to_vec()));
            let answer = self.elb("DescribeLoadBalancers", request.send()).await?;
            read.extend_from_slice(answer.load_balancers());
        }
        Ok(read)
    }

    fn record_states(&self, balancers: &[LoadBalancer]) -> Result<(), Fault> {
        let handles: Vec<Handle> =
            balancers.iter().map(wire::load_balancer::handle).collect::<Result<_, _>>()?;
        self.inventory.region.record(move |region| {
            for handle in &handles {
                if let Some(balancer) = region.balancers.get_mut(&handle.id) {
                    balancer.seen.handle.clone_from(handle);
                }
            }
        });
        Ok(())
    }
}
