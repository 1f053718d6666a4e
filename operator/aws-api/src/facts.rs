//! Answers of lowering's questions, kept for a while and asked for once by all.
//!
//! | question                       | kept for   | from                                              |
//! |--------------------------------|------------|---------------------------------------------------|
//! | VPC, subnets, zones            | 10 minutes | DescribeVpcs, DescribeSubnets, DescribeAvailabilityZones |
//! | security groups, backend group | inventory  | the VPC's list, kept current by our own writes    |
//! | prefix lists                   | 10 minutes | DescribeManagedPrefixLists                        |
//! | target groups by name          | inventory  | the region's list; DescribeTargetGroups for a name it lacks, 30 seconds |
//! | target groups of bindings      | 30 seconds | DescribeTargetGroups, in the binding's role       |
//! | other VPCs                     | 10 minutes | DescribeVpcs                                      |
//! | certificates                   | 1 minute   | ListCertificates; DescribeCertificate for many names |
//! | trust stores, web ACLs         | 1 minute   | DescribeTrustStores, ListWebACLs                  |
//! | clients, certificates to import | not at all | Secrets of the cluster                           |
//! | Shield Advanced                | 2 hours    | GetSubscriptionState                              |
//! | interfaces                     | 10 minutes | DescribeNetworkInterfaces, of new pods and nodes only |

use std::collections::BTreeMap;
use std::time::Duration;

use fairway_aws::facts::{Answer, Query, Subnet};
use fairway_aws::tags;
use fairway_engine::ports::Refusal;

use crate::Aws;
use crate::cached::{Cached, CachedBy};
use crate::fault::Fault;
use crate::observe::find;
use crate::thin::ec2::Select;

mod addons;
mod bound;
mod certificates;
mod interfaces;
mod limits;
mod prefix_lists;
mod zones;

use addons::Addons;
use bound::Bound;
use certificates::Certificates;
use interfaces::Interfaces;
use zones::Zones;

const NETWORK: Duration = Duration::from_secs(600);
/// A name that is not found may belong to a group that somebody has just made: it is looked for again after this.
const MISSES: Duration = Duration::from_secs(30);

/// What was answered lately.
#[derive(Default)]
pub(crate) struct Answers {
    vpc: Cached<Answer>,
    subnets: Cached<Vec<Subnet>>,
    interfaces: Interfaces,
    prefix_lists: CachedBy<String, Answer>,
    target_groups: CachedBy<String, Option<String>>,
    addons: Addons,
    bound: Bound,
    certificates: Certificates,
    zones: Zones,
}

impl Answers {
    pub(crate) async fn forget(&self) {
        self.vpc.forget().await;
        self.subnets.forget().await;
        self.interfaces.forget();
        self.prefix_lists.forget();
        self.target_groups.forget();
        self.addons.forget().await;
        self.bound.forget();
        self.certificates.forget().await;
        self.zones.forget();
    }
}

impl Aws {
    pub(crate) async fn fact(&self, query: &Query) -> Result<Answer, Refusal> {
        Ok(match query {
            Query::Vpc => self.answers.vpc.get(NETWORK, self.read_vpc()).await?,
            Query::Subnets => Answer::Subnets(self.answers.subnets.get(NETWORK, self.read_subnets()).await?),
            Query::SecurityGroup(text) => Answer::SecurityGroup(self.groups_called(text).await?),
            Query::PrefixList(id) => {
                self.answers.prefix_lists.get(id.clone(), NETWORK, self.read_prefix_list(id)).await?
            }
            Query::Certificates => Answer::Certificates(self.certificates().await?),
            Query::Certificate(arn) => Answer::Certificate(self.certificate(arn).await?),
            Query::Client(secret) => Answer::Client(self.client_seen(secret).await?),
            Query::TlsSecret(secret) => Answer::TlsSecret(self.tls_seen(secret).await?),
            Query::TargetGroup(name) => Answer::TargetGroup(self.target_group_called(name).await?),
            Query::TrustStore(text) => Answer::TrustStore(self.trust_store(text).await?),
            Query::WebAcl(name) => Answer::WebAcl(self.web_acl(name).await?),
            Query::ShieldAdvanced => Answer::ShieldAdvanced(self.has_shield_advanced().await?),
            Query::BackendSecurityGroup => {
                let marks = tags::backend_marks(&self.config);
                Answer::BackendSecurityGroup(self.security_groups(|all| find(all, &marks)).await?)
            }
            Query::Interfaces { addresses, instances } => {
                Answer::Interfaces(self.interfaces(addresses, instances).await?)
            }
            Query::Healthy(arn) => Answer::Healthy(self.has_healthy_target(arn).await?),
            Query::VpcOf(vpc) => Answer::VpcOf(self.ranges_of(vpc).await?),
            Query::BoundGroup { named, role } => {
                Answer::BoundGroup(self.bound_group(named, role.as_ref()).await?)
            }
        })
    }

    async fn read_vpc(&self) -> Result<Answer, Fault> {
        let select = Select::ids([&self.config.vpc]);
        let vpcs = self.ec2("DescribeVpcs", self.ec2.vpcs(&select)).await?;
        let missing = || Fault::unreadable("ec2 DescribeVpcs", format!("{} is not told", self.config.vpc));
        let vpc = vpcs.into_iter().next().ok_or_else(missing)?;
        Ok(Answer::Vpc { ipv4: vpc.cidrs, ipv6: vpc.ipv6_cidrs })
    }

    async fn read_subnets(&self) -> Result<Vec<Subnet>, Fault> {
        let select = Select::all().filter("vpc-id", [&self.config.vpc]);
        let subnets = self.ec2("DescribeSubnets", self.ec2.subnets(&select)).await?;
        let zones = self.ec2("DescribeAvailabilityZones", self.ec2.zones(&Select::all())).await?;
        let kinds: BTreeMap<String, String> = zones.into_iter().map(|zone| (zone.name, zone.kind)).collect();
        let subnet = |subnet: crate::thin::ec2::Subnet| {
            let zone_type = match &subnet.outpost_arn {
                Some(_) => "outpost".to_owned(),
                // A zone that the account has not opted into is not listed; the ordinary ones always are.
                None => kinds.get(&subnet.zone).cloned().unwrap_or_else(|| "local-zone".to_owned()),
            };
            Subnet {
                id: subnet.id,
                zone: subnet.zone,
                zone_id: subnet.zone_id,
                zone_type,
                cidr: subnet.cidr.unwrap_or_default(),
                ipv6_cidrs: subnet.ipv6_cidrs,
                free_addresses: subnet.available_addresses,
                tags: subnet.tags,
            }
        };
        Ok(subnets.into_iter().map(subnet).collect())
    }

    /// Ids of the groups with this id or `Name` tag.
    async fn groups_called(&self, text: &str) -> Result<Vec<String>, Fault> {
        let mut ids = Vec::new();
        for max_age in [self.inventory.max_age, MISSES] {
            let read = |_| self.read_security_groups();
            let found = |all: &crate::inventory::SecurityGroups| {
                let called = all.values().filter(|group| {
                    group.id == text || group.tags.get("Name").is_some_and(|name| name == text)
                });
                called.map(|group| group.id.clone()).collect()
            };
            ids = self.inventory.security_groups.look(max_age, read, found).await?;
            if !ids.is_empty() {
                break;
            }
        }
        Ok(ids)
    }

    /// The ARN of the target group with this name.
    async fn target_group_called(&self, name: &str) -> Result<Option<String>, Fault> {
        let found =
            |region: &crate::inventory::Region| region.group_named(name).map(|group| group.seen.arn.clone());
        let known = self.region(found).await?;
        if known.is_some() {
            return Ok(known);
        }
        self.answers.target_groups.get(name.to_owned(), MISSES, self.read_target_group(name)).await
    }

    /// Of a name that the list does not have, whoever made the group since is asked.
    async fn read_target_group(&self, name: &str) -> Result<Option<String>, Fault> {
        let request = self.elbv2.describe_target_groups().names(name);
        match self.elb("DescribeTargetGroups", request.send()).await {
            Ok(answer) => {
                let groups = answer.target_groups().iter();
                Ok(groups.filter_map(|group| group.target_group_arn()).map(str::to_owned).next())
            }
            Err(fault) if fault.is(&["TargetGroupNotFound"]) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}
