//! Subnets. Source: EC2 API reference, DescribeSubnets.

use std::collections::BTreeMap;

use super::super::error::CallError;
use super::super::xml::{Decode, Element, Malformed};
use super::list::Listed;
use super::{Ec2, Select};

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subnet {
    /// `subnet-...`
    pub id: String,
    /// The VPC it is part of.
    pub vpc_id: String,
    /// Name of its availability zone, `eu-west-1a`.
    pub zone: String,
    /// Id of its availability zone, `euw1-az1`, which means the same in every account.
    pub zone_id: String,
    /// `pending`, `available`, or a failure.
    pub state: String,
    /// IPv4 range; `None` in an IPv6-only subnet.
    pub cidr: Option<String>,
    /// IPv6 ranges that are associated.
    pub ipv6_cidrs: Vec<String>,
    /// IPv4 addresses that are free.
    pub available_addresses: u32,
    /// The Outpost it lies on.
    pub outpost_arn: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Decode for Subnet {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "subnetId" => self.id = child.text()?,
            "vpcId" => self.vpc_id = child.text()?,
            "availabilityZone" => self.zone = child.text()?,
            "availabilityZoneId" => self.zone_id = child.text()?,
            "state" => self.state = child.text()?,
            "cidrBlock" => self.cidr = child.optional()?,
            "ipv6CidrBlockAssociationSet" => self.ipv6_cidrs = super::vpc::associated(child)?,
            "availableIpAddressCount" => self.available_addresses = child.parse()?,
            "outpostArn" => self.outpost_arn = child.optional()?,
            "tagSet" => self.tags = child.tags()?,
            _ => {}
        }
        Ok(())
    }
}

impl Listed for Subnet {
    const ACTION: &'static str = "DescribeSubnets";
    const SET: &'static str = "subnetSet";
    const ID_KEY: &'static str = "SubnetId";
    const PAGE: Option<u32> = Some(1000);

    fn id(&self) -> &str {
        &self.id
    }
}

impl Ec2 {
    /// The selected subnets, by id.
    pub async fn subnets(&self, select: &Select) -> Result<Vec<Subnet>, CallError> {
        self.list(select).await
    }
}
