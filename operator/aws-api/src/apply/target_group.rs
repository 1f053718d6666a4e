//! Target groups.

use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, TargetGroupIpAddressTypeEnum, TargetTypeEnum};
use fairway_aws::model::{Attributes, HealthCheck, ResourceKind as _, TargetGroup};
use fairway_aws::observed::TargetGroupSeen;
use fairway_core::plan::{Handle, ResourceKey};
use fairway_engine::ports::Applied;
use tokio::time::Instant;

use super::{Done, Failed, claim};
use crate::Aws;
use crate::fault::Fault;
use crate::inventory::Group;
use crate::wire;

impl Aws {
    pub(super) async fn create_target_group(&self, spec: &TargetGroup) -> Done {
        // AWS answers with the existing group when one of the same settings is there. The inventory says that there
        // is none; only when it may be wrong the tags are worth a call.
        let region = &self.inventory.region;
        let sure = region.is_sure() && region.peek(|all| all.group_named(&spec.name).is_none()) == Some(true);
        let group = match self.send_create_group(spec).await {
            Ok(made) if sure => Group::made(made),
            Ok(_) => Group::listed(self.own_target_group(spec, None).await?),
            Err(fault) if fault.is(&["DuplicateTargetGroupName"]) => {
                Group::listed(self.own_target_group(spec, Some(fault)).await?)
            }
            Err(fault) => return Err(fault.into()),
        };
        let arn = group.seen.arn.clone();
        if sure && group.attributes.is_some() {
            self.inventory.members.made(&arn);
        }
        let handle = Handle { id: arn.clone(), ready: true, ..Handle::default() };
        region.record(move |all| {
            all.target_groups.entry(arn.clone()).or_insert_with(|| group.clone());
        });
        Ok(Applied::Produced { key: ResourceKey::new(TargetGroup::KIND, &spec.name), handle })
    }

    async fn send_create_group(&self, spec: &TargetGroup) -> Result<TargetGroupSeen, Fault> {
        let check = &spec.health_check;
        let request = self
            .elbv2
            .create_target_group()
            .name(&spec.name)
            .port(spec.port)
            .protocol(ProtocolEnum::from(spec.protocol.as_str()))
            .set_protocol_version(spec.protocol_version.clone())
            .vpc_id(&self.config.vpc)
            .target_type(TargetTypeEnum::from(spec.target_type.as_str()))
            .ip_address_type(TargetGroupIpAddressTypeEnum::from(spec.ip_address_type.as_str()))
            .set_target_control_port(spec.control_port)
            .health_check_enabled(true)
            .health_check_protocol(ProtocolEnum::from(check.protocol.as_str()))
            .health_check_port(&check.port)
            .set_health_check_path(check.path.clone())
            .health_check_interval_seconds(check.interval)
            .health_check_timeout_seconds(check.timeout)
            .healthy_threshold_count(check.healthy)
            .unhealthy_threshold_count(check.unhealthy)
            .set_matcher(wire::target_group::matcher(check))
            .set_tags(wire::tags::encode(&spec.tags));
        let answer = self.elb("CreateTargetGroup", request.send()).await?;
        let made = wire::required("TargetGroups", answer.target_groups().first())?;
        wire::required("a known kind", wire::target_group::decode(made, spec.tags.clone())?)
    }

    /// The group that is there under this name, if it is ours.
    async fn own_target_group(
        &self,
        spec: &TargetGroup,
        fault: Option<Fault>,
    ) -> Result<TargetGroupSeen, Failed> {
        let request = self.elbv2.describe_target_groups().names(&spec.name);
        let answer = self.elb("DescribeTargetGroups", request.send()).await?;
        let gone = || fault.unwrap_or_else(|| Fault::unreadable("elbv2 DescribeTargetGroups", "no group"));
        let found = answer.target_groups().first().ok_or_else(gone)?;
        let arn = wire::required("TargetGroupArn", found.target_group_arn())?.to_owned();
        let tags = self.read_tags(std::slice::from_ref(&arn)).await?.remove(&arn).unwrap_or_default();
        let ours = claim::is_ours(&spec.tags, &tags);
        let seen = wire::target_group::decode(found, tags)?;
        if let Some(seen) = seen.clone() {
            self.inventory.region.record(move |all| {
                let listed = || Group::listed(seen.clone());
                all.target_groups.entry(seen.arn.clone()).or_insert_with(listed);
            });
        }
        seen.filter(|_| ours).ok_or_else(|| claim::taken("target group", &spec.name).into())
    }

    pub(super) async fn modify_health_check(&self, arn: &str, check: &HealthCheck) -> Done {
        let request = self
            .elbv2
            .modify_target_group()
            .target_group_arn(arn)
            .health_check_enabled(true)
            .health_check_protocol(ProtocolEnum::from(check.protocol.as_str()))
            .health_check_port(&check.port)
            .set_health_check_path(check.path.clone())
            .health_check_interval_seconds(check.interval)
            .health_check_timeout_seconds(check.timeout)
            .healthy_threshold_count(check.healthy)
            .unhealthy_threshold_count(check.unhealthy)
            .set_matcher(wire::target_group::matcher(check));
        let answer = self.elb("ModifyTargetGroup", request.send()).await?;
        let changed = wire::required("TargetGroups", answer.target_groups().first())?;
        let check = wire::target_group::health_check(changed)?;
        self.record_group(arn, move |group| group.seen.health_check.clone_from(&check));
        Ok(Applied::Changed)
    }

    pub(super) async fn modify_group_attributes(&self, arn: &str, attributes: &Attributes) -> Done {
        let request = self
            .elbv2
            .modify_target_group_attributes()
            .target_group_arn(arn)
            .set_attributes(wire::tags::encode_group(attributes));
        let answer = self.elb("ModifyTargetGroupAttributes", request.send()).await?;
        let (all, now) = (wire::tags::decode_group(answer.attributes()), Instant::now());
        let asked = attributes.clone();
        self.record_group(arn, move |group| {
            group.seen.attributes.extend(asked.clone());
            group.seen.attributes.extend(all.clone());
            group.attributes = Some(now);
        });
        Ok(Applied::Changed)
    }

    pub(super) async fn delete_target_group(&self, arn: &str) -> Done {
        let request = self.elbv2.delete_target_group().target_group_arn(arn);
        match self.elb("DeleteTargetGroup", request.send()).await {
            Err(fault) if !fault.is(&["TargetGroupNotFound"]) => return Err(fault.into()),
            Ok(_) | Err(_) => {}
        }
        self.inventory.members.doubt(arn);
        let arn = arn.to_owned();
        self.inventory.region.record(move |region| {
            region.target_groups.remove(&arn);
        });
        Ok(Applied::Removed)
    }

    fn record_group(&self, arn: &str, change: impl Fn(&mut Group) + Send + Sync + 'static) {
        let arn = arn.to_owned();
        self.inventory.region.record(move |region| {
            if let Some(group) = region.target_groups.get_mut(&arn) {
                change(group);
            }
        });
    }
}
