//! Target groups of others, and VPCs of others.

use std::time::Duration;

use fairway_aws::facts::{BoundGroup, Role};

use super::NETWORK;
use crate::Aws;
use crate::cached::CachedBy;
use crate::fault::Fault;
use crate::thin::ec2::Select;
use crate::wire::required;

/// A group that is not there may be made at any moment; what is asked for here cannot change on one that is.
const GROUP: Duration = Duration::from_secs(30);

/// Who asks, and for what: an ARN or a name.
type Asked = (Option<Role>, String);

/// What was answered lately.
#[derive(Default)]
pub(super) struct Bound {
    groups: CachedBy<Asked, Option<BoundGroup>>,
    vpcs: CachedBy<String, Option<Vec<String>>>,
}

impl Bound {
    pub(super) fn forget(&self) {
        self.groups.forget();
        self.vpcs.forget();
    }
}

impl Aws {
    /// What cannot be changed of a target group.
    pub(super) async fn bound_group(
        &self,
        named: &str,
        role: Option<&Role>,
    ) -> Result<Option<BoundGroup>, Fault> {
        let asked = (role.cloned(), named.to_owned());
        self.answers.bound.groups.get(asked, GROUP, self.read_bound_group(named, role)).await
    }

    async fn read_bound_group(&self, named: &str, role: Option<&Role>) -> Result<Option<BoundGroup>, Fault> {
        let request = self.elb_as(role).await.describe_target_groups();
        let request =
            if named.starts_with("arn:") { request.target_group_arns(named) } else { request.names(named) };
        let answer = match self.elb("DescribeTargetGroups", request.send()).await {
            Ok(answer) => answer,
            Err(fault) if fault.is(&["TargetGroupNotFound"]) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let Some(group) = answer.target_groups().first() else { return Ok(None) };
        Ok(Some(BoundGroup {
            arn: required("TargetGroupArn", group.target_group_arn())?.to_owned(),
            target_type: required("TargetType", group.target_type())?.as_str().to_owned(),
            protocol: group.protocol().map(|protocol| protocol.as_str().to_owned()).unwrap_or_default(),
            ip_address_type: group.ip_address_type().map_or("ipv4", |family| family.as_str()).to_owned(),
            vpc: group.vpc_id().unwrap_or_default().to_owned(),
        }))
    }

    /// Address ranges of a VPC of the account or shared with it; `None`: it is not told.
    pub(super) async fn ranges_of(&self, vpc: &str) -> Result<Option<Vec<String>>, Fault> {
        let read = async {
            match self.ec2("DescribeVpcs", self.ec2.vpcs(&Select::ids([vpc]))).await {
                Ok(vpcs) => {
                    let found = vpcs.into_iter().next();
                    Ok(found.map(|vpc| [vpc.cidrs, vpc.ipv6_cidrs].concat()))
                }
                Err(fault) if fault.is(&["InvalidVpcID.NotFound"]) => Ok(None),
                Err(fault) => Err(fault),
            }
        };
        self.answers.bound.vpcs.get(vpc.to_owned(), NETWORK, read).await
    }
}
