//! How AWS judges targets: for people, and before a rule lets go of those it had.

use aws_sdk_elasticloadbalancingv2::types::{TargetHealthDescription, TargetHealthStateEnum};
use fairway_engine::ports::Refusal;
use serde::Serialize;

use crate::Aws;

/// One registered target and AWS's word on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetHealth {
    /// `address:port` or `instance:port`.
    pub target: String,
    /// Such as `healthy`, `initial`, `unhealthy`, `draining`, `unused`.
    pub state: String,
    /// AWS's reason and description, when it gives one.
    pub reason: Option<String>,
}

impl Aws {
    /// What AWS says of each target of a group at this moment. `None`: there is no such group.
    ///
    /// # Errors
    /// What AWS refused.
    pub async fn target_health(&self, target_group: &str) -> Result<Option<Vec<TargetHealth>>, Refusal> {
        let request = self.elbv2.describe_target_health().target_group_arn(target_group);
        match self.elb("DescribeTargetHealth", request.send()).await {
            Ok(answer) => Ok(Some(answer.target_health_descriptions().iter().map(read).collect())),
            Err(fault) if fault.is(&["TargetGroupNotFound"]) => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Whether AWS finds a target of the group healthy.
    pub(crate) async fn has_healthy_target(&self, target_group: &str) -> Result<bool, Refusal> {
        let targets = self.target_health(target_group).await?.unwrap_or_default();
        Ok(targets.iter().any(|target| target.state == TargetHealthStateEnum::Healthy.as_str()))
    }
}

fn read(one: &TargetHealthDescription) -> TargetHealth {
    let target = one.target();
    let id = target.and_then(|target| target.id()).unwrap_or_default();
    let port = target.and_then(|target| target.port()).map(|port| format!(":{port}")).unwrap_or_default();
    let health = one.target_health();
    let reason = health.and_then(|health| health.reason()).map(|reason| reason.as_str());
    let words: Vec<&str> = reason.into_iter().chain(health.and_then(|health| health.description())).collect();
    TargetHealth {
        target: format!("{id}{port}"),
        state: health.and_then(|health| health.state()).map_or("unknown", |state| state.as_str()).to_owned(),
        reason: (!words.is_empty()).then(|| words.join(": ")),
    }
}
