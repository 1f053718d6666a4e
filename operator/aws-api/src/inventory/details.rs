//! Reading what hangs on one load balancer, and attributes.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::types::{Listener, Rule};
use fairway_aws::model::{Attributes, ListenerProtocol, LoadBalancerKind, TargetType};
use fairway_aws::observed::{BalancerTarget, ListenerSeen, LoadBalancerSeen, RuleSeen, TargetGroupSeen};
use fairway_aws::targets::TargetsScope;
use tokio::time::Instant;

use super::read::all_pages;
use super::{Balancer, Group};
use crate::Aws;
use crate::fault::Fault;
use crate::wire;

impl Aws {
    /// Fills in what is not known of a load balancer of ours.
    pub(crate) async fn complete_balancer(&self, balancer: Balancer) -> Result<LoadBalancerSeen, Fault> {
        let Balancer { mut seen, listeners, attributes } = balancer;
        let arn = seen.handle.id.clone();
        if !self.inventory.is_fresh(listeners) {
            let since = Instant::now();
            let read = self.read_listeners(&arn, seen.kind).await?;
            seen.listeners.clone_from(&read);
            self.inventory.region.record({
                let arn = arn.clone();
                move |region| {
                    if let Some(balancer) = region.balancers.get_mut(&arn) {
                        balancer.seen.listeners.clone_from(&read);
                        balancer.listeners = Some(since);
                    }
                }
            });
        }
        if !self.inventory.is_fresh(attributes) {
            let since = Instant::now();
            let request = self.elbv2.describe_load_balancer_attributes().load_balancer_arn(&arn);
            let answer = self.elb("DescribeLoadBalancerAttributes", request.send()).await?;
            let read = wire::tags::decode_balancer(answer.attributes());
            seen.attributes.clone_from(&read);
            self.inventory.region.record(move |region| {
                if let Some(balancer) = region.balancers.get_mut(&arn) {
                    balancer.seen.attributes.clone_from(&read);
                    balancer.attributes = Some(since);
                }
            });
        }
        Ok(seen)
    }

    /// Fills in what is not known of a target group of ours.
    pub(crate) async fn complete_group(&self, group: Group) -> Result<TargetGroupSeen, Fault> {
        let Group { mut seen, attributes } = group;
        if !self.inventory.is_fresh(attributes) {
            let (since, arn) = (Instant::now(), seen.arn.clone());
            let request = self.elbv2.describe_target_group_attributes().target_group_arn(&arn);
            let answer = self.elb("DescribeTargetGroupAttributes", request.send()).await?;
            let read = wire::tags::decode_group(answer.attributes());
            seen.attributes.clone_from(&read);
            self.inventory.region.record(move |region| {
                if let Some(group) = region.target_groups.get_mut(&arn) {
                    group.seen.attributes.clone_from(&read);
                    group.attributes = Some(since);
                }
            });
        }
        if seen.target_type == TargetType::Alb {
            seen.load_balancers = self.registered_balancers(&seen.arn).await?;
        }
        Ok(seen)
    }

    async fn registered_balancers(&self, group: &str) -> Result<BTreeSet<BalancerTarget>, Fault> {
        let scope = TargetsScope { target_group: group.to_owned(), role: None, health: false, record: false };
        let registered = self.observe_targets(&scope).await?.registered.into_iter();
        Ok(registered.map(|target| BalancerTarget { id: target.id, port: target.port }).collect())
    }

    async fn read_listeners(
        &self,
        balancer: &str,
        kind: LoadBalancerKind,
    ) -> Result<BTreeMap<u16, ListenerSeen>, Fault> {
        let listed: Vec<Listener> = all_pages!(
            self,
            "DescribeListeners",
            self.elbv2.describe_listeners().load_balancer_arn(balancer).page_size(self.page),
            listeners
        );
        let mut read = BTreeMap::new();
        for listener in &listed {
            let Some(mut seen) = wire::listener::decode(listener, BTreeMap::new())? else { continue };
            self.complete_listener(&mut seen, kind).await?;
            read.insert(seen.port, seen);
        }
        self.tag_listeners(&mut read).await?;
        Ok(read)
    }

    async fn complete_listener(&self, seen: &mut ListenerSeen, kind: LoadBalancerKind) -> Result<(), Fault> {
        if kind == LoadBalancerKind::Application {
            seen.rules = self.read_rules(&seen.arn).await?;
        }
        if matches!(seen.protocol, ListenerProtocol::Https | ListenerProtocol::Tls) {
            let all = all_pages!(
                self,
                "DescribeListenerCertificates",
                self.elbv2.describe_listener_certificates().listener_arn(&seen.arn).page_size(self.page),
                certificates
            );
            seen.certificates = wire::listener::certificates(&seen.certificates, &all);
        }
        // The other protocols have no attributes.
        if matches!(seen.protocol, ListenerProtocol::Http | ListenerProtocol::Https | ListenerProtocol::Tcp) {
            seen.attributes = self.read_listener_attributes(&seen.arn).await?;
        }
        Ok(())
    }

    async fn read_rules(&self, listener: &str) -> Result<Vec<RuleSeen>, Fault> {
        let listed: Vec<Rule> = all_pages!(
            self,
            "DescribeRules",
            self.elbv2.describe_rules().listener_arn(listener).page_size(self.page),
            rules
        );
        let mut rules = Vec::new();
        for rule in &listed {
            rules.extend(wire::rule::decode(rule, BTreeMap::new())?);
        }
        rules.sort_by_key(|rule| rule.priority);
        Ok(rules)
    }

    async fn read_listener_attributes(&self, listener: &str) -> Result<Attributes, Fault> {
        let request = self.elbv2.describe_listener_attributes().listener_arn(listener);
        let answer = self.elb("DescribeListenerAttributes", request.send()).await?;
        Ok(wire::tags::decode_listener(answer.attributes()))
    }

    async fn tag_listeners(&self, listeners: &mut BTreeMap<u16, ListenerSeen>) -> Result<(), Fault> {
        let arns = listeners.values().flat_map(|listener| {
            [listener.arn.clone()].into_iter().chain(listener.rules.iter().map(|rule| rule.arn.clone()))
        });
        let mut tags = self.read_tags(&arns.collect::<Vec<_>>()).await?;
        for listener in listeners.values_mut() {
            listener.tags = tags.remove(&listener.arn).unwrap_or_default();
            for rule in &mut listener.rules {
                rule.tags = tags.remove(&rule.arn).unwrap_or_default();
            }
        }
        Ok(())
    }
}
