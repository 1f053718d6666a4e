//! Load balancers.

use aws_sdk_elasticloadbalancingv2::types::LoadBalancerSchemeEnum;
use fairway_aws::model::{Attributes, IpAddressType, LoadBalancer, ResourceKind as _, SecurityGroupRef};
use fairway_aws::observed::LoadBalancerSeen;
use fairway_aws::stack::Subnets;
use fairway_core::plan::{Bindings, ResourceKey};
use fairway_engine::ports::Applied;
use tokio::time::Instant;

use super::{Done, Failed, addons, claim, ids};
use crate::Aws;
use crate::fault::Fault;
use crate::inventory::Balancer;
use crate::wire;

impl Aws {
    pub(super) async fn create_load_balancer(&self, spec: &LoadBalancer, ids: &Bindings) -> Done {
        let groups = ids::groups(ids, &spec.security_groups)?;
        // As for target groups: AWS answers with an existing one of equal settings.
        let region = &self.inventory.region;
        let sure =
            region.is_sure() && region.peek(|all| all.balancer_named(&spec.name).is_none()) == Some(true);
        let balancer = match self.send_create_balancer(spec, groups).await {
            // One that was just made cannot be active yet.
            Ok(made) if sure && !made.handle.ready => Balancer::made(made),
            Ok(_) => Balancer::listed(self.own_load_balancer(spec, None).await?),
            Err(fault) if fault.is(&["DuplicateLoadBalancerName"]) => {
                Balancer::listed(self.own_load_balancer(spec, Some(fault)).await?)
            }
            Err(fault) => return Err(fault.into()),
        };
        let handle = balancer.seen.handle.clone();
        region.record(move |all| {
            all.balancers.entry(balancer.seen.handle.id.clone()).or_insert_with(|| balancer.clone());
        });
        Ok(Applied::Produced { key: ResourceKey::new(LoadBalancer::KIND, &spec.name), handle })
    }

    async fn send_create_balancer(
        &self,
        spec: &LoadBalancer,
        groups: Vec<String>,
    ) -> Result<LoadBalancerSeen, Fault> {
        let request = self
            .elbv2
            .create_load_balancer()
            .name(&spec.name)
            .r#type(wire::load_balancer::encode_kind(spec.kind))
            .scheme(LoadBalancerSchemeEnum::from(spec.scheme.as_str()))
            .ip_address_type(wire::load_balancer::encode_ip(spec.ip_address_type))
            .set_subnets(spec.allocations.is_empty().then(|| spec.subnets.clone()))
            .set_subnet_mappings(wire::load_balancer::mappings(&spec.subnets, &spec.allocations))
            .set_security_groups((!groups.is_empty()).then_some(groups))
            .set_customer_owned_ipv4_pool(spec.customer_owned_pool.clone())
            .set_ipam_pools(spec.ipv4_pool.as_deref().map(addons::ipam_pools))
            .set_tags(wire::tags::encode(&spec.tags));
        let answer = self.elb("CreateLoadBalancer", request.send()).await?;
        let made = wire::required("LoadBalancers", answer.load_balancers().first())?;
        wire::required("a known kind", wire::load_balancer::decode(made, spec.tags.clone())?)
    }

    /// The load balancer that is there under this name, if it is ours.
    async fn own_load_balancer(
        &self,
        spec: &LoadBalancer,
        fault: Option<Fault>,
    ) -> Result<LoadBalancerSeen, Failed> {
        let request = self.elbv2.describe_load_balancers().names(&spec.name);
        let answer = self.elb("DescribeLoadBalancers", request.send()).await?;
        let gone =
            || fault.unwrap_or_else(|| Fault::unreadable("elbv2 DescribeLoadBalancers", "none is there"));
        let found = answer.load_balancers().first().ok_or_else(gone)?;
        let arn = wire::required("LoadBalancerArn", found.load_balancer_arn())?.to_owned();
        let tags = self.read_tags(std::slice::from_ref(&arn)).await?.remove(&arn).unwrap_or_default();
        let ours = claim::is_ours(&spec.tags, &tags);
        let seen = wire::load_balancer::decode(found, tags)?;
        if let Some(seen) = seen.clone() {
            self.inventory.region.record(move |all| {
                let listed = || Balancer::listed(seen.clone());
                all.balancers.entry(seen.handle.id.clone()).or_insert_with(listed);
            });
        }
        seen.filter(|_| ours).ok_or_else(|| claim::taken("load balancer", &spec.name).into())
    }

    pub(super) async fn set_subnets(&self, arn: &str, subnets: &Subnets) -> Done {
        let Subnets { ids, allocations } = subnets;
        let request = self
            .elbv2
            .set_subnets()
            .load_balancer_arn(arn)
            .set_subnets(allocations.is_empty().then(|| ids.clone()))
            .set_subnet_mappings(wire::load_balancer::mappings(ids, allocations));
        let answer = self.elb("SetSubnets", request.send()).await?;
        let now = wire::load_balancer::subnets(answer.availability_zones());
        let addresses = wire::load_balancer::allocations(answer.availability_zones());
        self.record_balancer(arn, move |balancer| {
            balancer.seen.subnets.clone_from(&now);
            balancer.seen.allocations.clone_from(&addresses);
        });
        Ok(Applied::Changed)
    }

    pub(super) async fn set_security_groups(
        &self,
        arn: &str,
        groups: &[SecurityGroupRef],
        ids: &Bindings,
    ) -> Done {
        let groups = ids::groups(ids, groups)?;
        let request =
            self.elbv2.set_security_groups().load_balancer_arn(arn).set_security_groups(Some(groups));
        let answer = self.elb("SetSecurityGroups", request.send()).await?;
        let now = answer.security_group_ids().to_vec();
        self.record_balancer(arn, move |balancer| balancer.seen.security_groups.clone_from(&now));
        Ok(Applied::Changed)
    }

    pub(super) async fn set_ip_address_type(&self, arn: &str, kind: IpAddressType) -> Done {
        let wire = wire::load_balancer::encode_ip(kind);
        let request = self.elbv2.set_ip_address_type().load_balancer_arn(arn).ip_address_type(wire);
        self.elb("SetIpAddressType", request.send()).await?;
        self.record_balancer(arn, move |balancer| balancer.seen.ip_address_type = kind);
        Ok(Applied::Changed)
    }

    pub(super) async fn modify_balancer_attributes(&self, arn: &str, attributes: &Attributes) -> Done {
        let request = self
            .elbv2
            .modify_load_balancer_attributes()
            .load_balancer_arn(arn)
            .set_attributes(wire::tags::encode_balancer(attributes));
        let answer = self.elb("ModifyLoadBalancerAttributes", request.send()).await?;
        let (all, now) = (wire::tags::decode_balancer(answer.attributes()), Instant::now());
        let asked = attributes.clone();
        self.record_balancer(arn, move |balancer| {
            balancer.seen.attributes.extend(asked.clone());
            balancer.seen.attributes.extend(all.clone());
            balancer.attributes = Some(now);
        });
        Ok(Applied::Changed)
    }

    pub(super) async fn delete_load_balancer(&self, arn: &str) -> Done {
        let request = self.elbv2.delete_load_balancer().load_balancer_arn(arn);
        match self.elb("DeleteLoadBalancer", request.send()).await {
            Err(fault) if !fault.is(&["LoadBalancerNotFound"]) => return Err(fault.into()),
            Ok(_) | Err(_) => {}
        }
        let arn = arn.to_owned();
        self.inventory.region.record(move |region| {
            region.balancers.remove(&arn);
        });
        Ok(Applied::Removed)
    }

    pub(super) fn record_balancer(&self, arn: &str, change: impl Fn(&mut Balancer) + Send + Sync + 'static) {
        let arn = arn.to_owned();
        self.inventory.region.record(move |region| {
            if let Some(balancer) = region.balancers.get_mut(&arn) {
                change(balancer);
            }
        });
    }
}
