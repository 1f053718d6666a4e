//! One target group's members.

use fairway_aws::targets::{TargetsObserved, TargetsScope};

use crate::Aws;
use crate::fault::Fault;
use crate::wire;

impl Aws {
    pub(crate) async fn observe_targets(&self, scope: &TargetsScope) -> Result<TargetsObserved, Fault> {
        let members = &self.inventory.members;
        if let Some(known) = members.get(scope) {
            return Ok(known);
        }
        let mark = members.mark();
        let elb = self.elb_as(scope.role.as_ref()).await;
        let request = elb.describe_target_health().target_group_arn(&scope.target_group);
        let seen = match self.elb("DescribeTargetHealth", request.send()).await {
            Ok(answer) => wire::target::decode(answer.target_health_descriptions())?,
            Err(fault) if fault.is(&["TargetGroupNotFound"]) => return Ok(TargetsObserved::default()),
            Err(fault) => return Err(fault),
        };
        members.read(&scope.target_group, &seen, mark);
        Ok(seen)
    }
}
