//! Rules, as AWS answers with them.

use aws_sdk_elasticloadbalancingv2::types::Rule as Wire;
use fairway_aws::model::Tags;
use fairway_aws::observed::RuleSeen;

use super::{action, condition, required, transform};
use crate::fault::Fault;

/// Reads a rule; `None` for the default rule, which belongs to its listener.
pub(crate) fn decode(rule: &Wire, tags: Tags) -> Result<Option<RuleSeen>, Fault> {
    if rule.is_default() == Some(true) {
        return Ok(None);
    }
    let arn = required("RuleArn", rule.rule_arn())?.to_owned();
    let priority = required("Priority", rule.priority().and_then(|priority| priority.parse().ok()))?;
    let (actions, mut unknown) = action::decode(rule.actions());
    let mut conditions = Vec::new();
    for wire in rule.conditions() {
        match condition::decode(wire) {
            Ok(condition) => conditions.push(condition),
            Err(other) => unknown.push(other),
        }
    }
    let mut transforms = Vec::new();
    for wire in rule.transforms() {
        match transform::decode(wire) {
            Ok(transform) => transforms.push(transform),
            Err(other) => unknown.push(format!("transform {other}")),
        }
    }
    Ok(Some(RuleSeen { arn, priority, conditions, transforms, actions, unknown, tags }))
}
