//! Listener rules.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{Rule as Wire, RulePriorityPair};
use fairway_aws::model::{Rule, Tags};
use fairway_aws::observed::RuleSeen;
use fairway_aws::stack::Move;
use fairway_core::plan::{Bindings, Handle};
use fairway_engine::ports::Applied;

use super::{Done, Failed, claim, ids};
use crate::Aws;
use crate::fault::Fault;
use crate::wire;

impl Aws {
    pub(super) async fn create_rule(&self, spec: &Rule, ids: &Bindings) -> Done {
        let listener = ids::find(ids, &spec.listener)?;
        let actions = self.encode_actions(&spec.actions, ids).await?;
        let request = self
            .elbv2
            .create_rule()
            .listener_arn(&listener)
            .priority(spec.priority)
            .set_conditions(Some(spec.conditions.iter().map(wire::condition::encode).collect()))
            .set_transforms(Some(wire::transform::encode(&spec.transforms)).filter(|all| !all.is_empty()))
            .set_actions(Some(actions))
            .set_tags(wire::tags::encode(&spec.tags));
        let seen = match self.elb("CreateRule", request.send()).await {
            Ok(answer) => decoded(answer.rules().first(), spec.tags.clone())?,
            Err(fault) if fault.is(&["PriorityInUse"]) => self.own_rule(spec, &listener, fault).await?,
            Err(fault) => return Err(fault.into()),
        };
        let handle = Handle { id: seen.arn.clone(), ready: true, ..Handle::default() };
        self.record_listener(&listener, move |listener| {
            listener.rules.retain(|rule| rule.arn != seen.arn);
            listener.rules.push(seen.clone());
            listener.rules.sort_by_key(|rule| rule.priority);
        });
        Ok(Applied::Produced { key: spec.reference().key(), handle })
    }

    /// The rule that is there under this priority, if it is ours and says what is wanted: one that says something
    /// else would be taken for done.
    async fn own_rule(&self, spec: &Rule, listener: &str, fault: Fault) -> Result<RuleSeen, Failed> {
        let request = self.elbv2.describe_rules().listener_arn(listener).page_size(self.page);
        let answer = self.elb("DescribeRules", request.send()).await?;
        let priority = spec.priority.to_string();
        let found = answer.rules().iter().find(|rule| rule.priority() == Some(&priority)).ok_or(fault)?;
        let arn = wire::required("RuleArn", found.rule_arn())?.to_owned();
        let tags = self.read_tags(std::slice::from_ref(&arn)).await?.remove(&arn).unwrap_or_default();
        let stem = spec.listener.name().split(':').next().unwrap_or_default().to_owned();
        self.inventory.region.record(move |region| region.forget_balancer(&stem));
        let seen = decoded(Some(found), tags)?;
        let (mut wanted, mut there) = (spec.transforms.clone(), seen.transforms.clone());
        wanted.sort();
        there.sort();
        let same = seen.conditions == spec.conditions && wanted == there;
        if claim::is_ours(&spec.tags, &seen.tags) && same {
            Ok(seen)
        } else {
            Err(claim::taken("rule", spec.reference().name()).into())
        }
    }

    pub(super) async fn modify_rule(&self, arn: &str, spec: &Rule, ids: &Bindings) -> Done {
        let actions = self.encode_actions(&spec.actions, ids).await?;
        let request = self
            .elbv2
            .modify_rule()
            .rule_arn(arn)
            .set_conditions(Some(spec.conditions.iter().map(wire::condition::encode).collect()))
            .set_actions(Some(actions));
        // Where nothing is to be transformed, what somebody else set goes.
        let request = match wire::transform::encode(&spec.transforms) {
            none if none.is_empty() => request.reset_transforms(true),
            transforms => request.set_transforms(Some(transforms)),
        };
        let answer = self.elb("ModifyRule", request.send()).await?;
        let now = decoded(answer.rules().first(), Tags::new())?;
        let arn = arn.to_owned();
        self.inventory.region.record(move |region| {
            if let Some(rule) = region.rule(&arn) {
                rule.conditions.clone_from(&now.conditions);
                rule.transforms.clone_from(&now.transforms);
                rule.actions.clone_from(&now.actions);
                rule.unknown.clone_from(&now.unknown);
            }
        });
        Ok(Applied::Changed)
    }

    pub(super) async fn set_rule_priorities(&self, moves: &[Move]) -> Done {
        let pair = |one: &Move| {
            RulePriorityPair::builder().rule_arn(&one.rule.get().arn).priority(one.priority).build()
        };
        let request = self.elbv2.set_rule_priorities();
        let request = request.set_rule_priorities(Some(moves.iter().map(pair).collect()));
        self.elb("SetRulePriorities", request.send()).await?;
        let now: BTreeMap<String, i32> =
            moves.iter().map(|one| (one.rule.get().arn.clone(), one.priority)).collect();
        self.inventory.region.record(move |region| {
            for balancer in region.balancers.values_mut() {
                for listener in balancer.seen.listeners.values_mut() {
                    reorder(&mut listener.rules, &now);
                }
            }
        });
        Ok(Applied::Changed)
    }

    pub(super) async fn delete_rule(&self, arn: &str) -> Done {
        match self.elb("DeleteRule", self.elbv2.delete_rule().rule_arn(arn).send()).await {
            Err(fault) if !fault.is(&["RuleNotFound"]) => return Err(fault.into()),
            Ok(_) | Err(_) => {}
        }
        let arn = arn.to_owned();
        self.inventory.region.record(move |region| {
            for balancer in region.balancers.values_mut() {
                for listener in balancer.seen.listeners.values_mut() {
                    listener.rules.retain(|rule| rule.arn != arn);
                }
            }
        });
        Ok(Applied::Removed)
    }
}

fn reorder(rules: &mut [RuleSeen], now: &BTreeMap<String, i32>) {
    for rule in rules.iter_mut() {
        if let Some(priority) = now.get(&rule.arn) {
            rule.priority = *priority;
        }
    }
    rules.sort_by_key(|rule| rule.priority);
}

fn decoded(rule: Option<&Wire>, tags: Tags) -> Result<RuleSeen, Fault> {
    let rule = wire::required("Rules", rule)?;
    wire::required("a rule with a priority", wire::rule::decode(rule, tags)?)
}
