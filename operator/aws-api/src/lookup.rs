//! One target group, asked for at this moment: for admission, which has nothing but what is written on a binding.

use aws_sdk_elasticloadbalancingv2::types;
use fairway_aws::admission::TargetGroup;
use fairway_engine::ports::Refusal;

use crate::Aws;

/// What a binding names its target group by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// By ARN.
    Arn(&'a str),
    /// By name.
    Name(&'a str),
}

impl Aws {
    /// A target group as AWS describes it now. `None`: there is none.
    ///
    /// # Errors
    /// What AWS refused.
    pub async fn target_group(&self, named: Named<'_>) -> Result<Option<TargetGroup>, Refusal> {
        let request = self.elbv2.describe_target_groups();
        let request = match named {
            Named::Arn(arn) => request.target_group_arns(arn),
            Named::Name(name) => request.names(name),
        };
        match self.elb("DescribeTargetGroups", request.send()).await {
            Ok(answer) => Ok(answer.target_groups().first().map(read)),
            Err(fault) if fault.is(&["TargetGroupNotFound"]) => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }
}

fn read(group: &types::TargetGroup) -> TargetGroup {
    TargetGroup {
        arn: group.target_group_arn().unwrap_or_default().to_owned(),
        // What AWS leaves out is its default.
        target_type: group.target_type().map_or("instance", |kind| kind.as_str()).to_owned(),
        protocol: group.protocol().map(|protocol| protocol.as_str().to_owned()),
        ip_address_type: group.ip_address_type().map_or("ipv4", |kind| kind.as_str()).to_owned(),
        vpc: group.vpc_id().map(str::to_owned),
    }
}
