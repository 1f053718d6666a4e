//! Reading whole lists. A list that was not read to its end is an error.
//!
//! Whose a load balancer or target group is, its tags say, and of those DescribeTags gives 20 at once. Where there are
//! many, most are somebody else's, and the tagging API, which gives 100, says of which: it lags, but what we make has our
//! tags from the start, so that what is listed with others alone is not ours.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, TargetGroup};
use fairway_aws::model::Tags;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{Balancer, Group, Region, SecurityGroups};
use crate::Aws;
use crate::fault::Fault;
use crate::thin::ec2::Select;
use crate::wire;

/// The most ARNs that DescribeTags takes.
const TAGGED: usize = 20;
/// More ARNs than this, and the tagging API is asked first.
const MANY: usize = 100;
/// What the tagging API calls load balancers and target groups.
const TYPES: [&str; 2] = ["elasticloadbalancing:loadbalancer", "elasticloadbalancing:targetgroup"];
/// In keys of tags that load balancer controllers of Kubernetes write.
const CONTROLLERS: [&str; 2] = ["k8s.aws/", "kubernetes.io/"];
/// Requests in flight for one list of tags; the pace decides how fast they go.
const PARALLEL: usize = 4;
/// What is deleted between the list and its tags makes AWS refuse the tags of nineteen others.
const ATTEMPTS: usize = 3;

/// Follows markers to the end of a list of Elastic Load Balancing.
macro_rules! all_pages {
    ($aws:expr, $operation:literal, $request:expr, $items:ident) => {{
        let mut all = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let page = $aws.elb($operation, $request.set_marker(marker.clone()).send()).await?;
            all.extend_from_slice(page.$items());
            let next = page.next_marker().filter(|next| !next.is_empty()).map(str::to_owned);
            if next.is_none() {
                break all;
            }
            if next == marker {
                let call = concat!("elbv2 ", $operation);
                return Err($crate::fault::Fault::unreadable(call, "its next page is the same page"));
            }
            marker = next;
        }
    }};
}
pub(crate) use all_pages;

impl Aws {
    /// Load balancers and target groups of the region. What `old` knows of the parts of those that are still there
    /// is kept.
    pub(crate) async fn read_region(&self, old: Option<Region>) -> Result<Region, Fault> {
        let mut attempt = 1;
        loop {
            match self.read_region_once(old.as_ref()).await {
                Err(fault)
                    if attempt < ATTEMPTS && fault.is(&["LoadBalancerNotFound", "TargetGroupNotFound"]) =>
                {
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    async fn read_region_once(&self, old: Option<&Region>) -> Result<Region, Fault> {
        let balancers = self.list_balancers().await?;
        let groups = self.list_target_groups().await?;
        let arns = balancers.iter().filter_map(LoadBalancer::load_balancer_arn);
        let arns: Vec<String> =
            arns.chain(groups.iter().filter_map(TargetGroup::target_group_arn)).map(str::to_owned).collect();
        let mut tags = self.tagged_by_others(&arns).await;
        let unknown: Vec<String> = arns.into_iter().filter(|arn| !tags.contains_key(arn)).collect();
        tags.extend(self.read_tags(&unknown).await?);
        let mut of = |arn: Option<&str>| arn.and_then(|arn| tags.remove(arn)).unwrap_or_default();
        let mut region = Region::default();
        for balancer in &balancers {
            if let Some(seen) = wire::load_balancer::decode(balancer, of(balancer.load_balancer_arn()))? {
                region.balancers.insert(seen.handle.id.clone(), Balancer::listed(seen));
            }
        }
        for group in &groups {
            if let Some(seen) = wire::target_group::decode(group, of(group.target_group_arn()))? {
                region.target_groups.insert(seen.arn.clone(), Group::listed(seen));
            }
        }
        if let Some(old) = old {
            region.keep_parts(old);
        }
        Ok(region)
    }

    pub(super) async fn list_balancers(&self) -> Result<Vec<LoadBalancer>, Fault> {
        let all = all_pages!(
            self,
            "DescribeLoadBalancers",
            self.elbv2.describe_load_balancers().page_size(self.page),
            load_balancers
        );
        Ok(all)
    }

    async fn list_target_groups(&self) -> Result<Vec<TargetGroup>, Fault> {
        let all = all_pages!(
            self,
            "DescribeTargetGroups",
            self.elbv2.describe_target_groups().page_size(self.page),
            target_groups
        );
        Ok(all)
    }

    /// Tags of those that no controller has made. Nothing where it is not worth a call or not allowed: it saves calls.
    async fn tagged_by_others(&self, arns: &[String]) -> BTreeMap<String, Tags> {
        if arns.len() <= MANY {
            return BTreeMap::new();
        }
        let found = match self.thin("tagging", "GetResources", self.tagging.resources(&[], &TYPES)).await {
            Ok(found) => found,
            Err(fault) => {
                tracing::debug!(%fault, "tags are read with DescribeTags alone");
                return BTreeMap::new();
            }
        };
        let controllers = |tags: &Tags| {
            tags.keys().any(|key| CONTROLLERS.iter().any(|controller| key.contains(controller)))
        };
        let others = found.into_iter().filter(|found| !found.tags.is_empty() && !controllers(&found.tags));
        others.map(|found| (found.arn, found.tags)).collect()
    }

    /// Tags by ARN.
    pub(crate) async fn read_tags(&self, arns: &[String]) -> Result<BTreeMap<String, Tags>, Fault> {
        let parts = arns.chunks(TAGGED).map(|part| self.read_some_tags(part.to_vec()));
        let parts: Vec<Vec<(String, Tags)>> =
            stream::iter(parts.collect::<Vec<_>>()).buffer_unordered(PARALLEL).try_collect().await?;
        let tags: BTreeMap<String, Tags> = parts.into_iter().flatten().collect();
        match arns.iter().find(|arn| !tags.contains_key(*arn)) {
            None => Ok(tags),
            Some(arn) => Err(Fault::unreadable("elbv2 DescribeTags", format!("nothing is said of {arn}"))),
        }
    }

    async fn read_some_tags(&self, arns: Vec<String>) -> Result<Vec<(String, Tags)>, Fault> {
        let request = self.elbv2.describe_tags().set_resource_arns(Some(arns));
        let answer = self.elb("DescribeTags", request.send()).await?;
        let one = |described: &aws_sdk_elasticloadbalancingv2::types::TagDescription| {
            Some((described.resource_arn()?.to_owned(), wire::tags::decode(described.tags())))
        };
        Ok(answer.tag_descriptions().iter().filter_map(one).collect())
    }

    /// Security groups of the VPC.
    pub(crate) async fn read_security_groups(&self) -> Result<SecurityGroups, Fault> {
        let select = Select::all().filter("vpc-id", [&self.config.vpc]);
        let groups = self.ec2("DescribeSecurityGroups", self.ec2.security_groups(&select)).await?;
        let groups = groups.into_iter().map(wire::security_group::decode);
        Ok(groups.map(|group| (group.id.clone(), group)).collect())
    }
}

impl Region {
    fn keep_parts(&mut self, old: &Self) {
        for (arn, balancer) in &mut self.balancers {
            if let Some(known) = old.balancers.get(arn) {
                balancer.listeners = known.listeners;
                balancer.attributes = known.attributes;
                balancer.seen.listeners.clone_from(&known.seen.listeners);
                balancer.seen.attributes.clone_from(&known.seen.attributes);
            }
        }
        for (arn, group) in &mut self.target_groups {
            if let Some(known) = old.target_groups.get(arn) {
                group.attributes = known.attributes;
                group.seen.attributes.clone_from(&known.seen.attributes);
            }
        }
    }
}
