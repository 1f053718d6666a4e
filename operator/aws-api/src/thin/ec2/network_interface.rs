//! Network interfaces, as those that carry pod addresses. Source: EC2 API reference, DescribeNetworkInterfaces.

use std::collections::BTreeMap;

use super::super::error::CallError;
use super::super::xml::{Decode, Element, Malformed};
use super::list::Listed;
use super::{Ec2, Select};

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkInterface {
    /// `eni-...`
    pub id: String,
    /// The VPC it is in.
    pub vpc_id: String,
    /// The subnet it is in.
    pub subnet_id: String,
    /// Its availability zone; not told for interfaces inside an instance.
    pub zone: Option<String>,
    /// Note; load balancers write `ELB app/<name>/<id>`.
    pub description: Option<String>,
    /// `interface`, `branch`, `network_load_balancer` and others.
    pub kind: Option<String>,
    /// `available`, `in-use` and states between.
    pub status: String,
    /// All private IPv4 addresses.
    pub private_ips: Vec<String>,
    /// All IPv6 addresses.
    pub ipv6_addresses: Vec<String>,
    /// IPv4 prefixes delegated to it, whose addresses pods have.
    pub ipv4_prefixes: Vec<String>,
    /// IPv6 prefixes delegated to it.
    pub ipv6_prefixes: Vec<String>,
    /// Its security groups.
    pub group_ids: Vec<String>,
    /// What it is attached to.
    pub attachment: Option<Attachment>,
    /// Tags; not told for interfaces inside an instance.
    pub tags: BTreeMap<String, String>,
}

/// How an interface hangs on an instance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// The instance; `None` when AWS itself uses the interface.
    pub instance_id: Option<String>,
    /// 0 for the primary interface.
    pub device_index: Option<i32>,
    /// `attaching`, `attached`, `detaching` or `detached`.
    pub status: String,
}

impl Decode for NetworkInterface {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "networkInterfaceId" => self.id = child.text()?,
            "vpcId" => self.vpc_id = child.text()?,
            "subnetId" => self.subnet_id = child.text()?,
            "availabilityZone" => self.zone = child.optional()?,
            "description" => self.description = child.optional()?,
            "interfaceType" => self.kind = child.optional()?,
            "status" => self.status = child.text()?,
            "privateIpAddressesSet" => self.private_ips = child.texts("privateIpAddress")?,
            "ipv6AddressesSet" => self.ipv6_addresses = child.texts("ipv6Address")?,
            "ipv4PrefixSet" => self.ipv4_prefixes = child.texts("ipv4Prefix")?,
            "ipv6PrefixSet" => self.ipv6_prefixes = child.texts("ipv6Prefix")?,
            "groupSet" => self.group_ids = child.texts("groupId")?,
            "attachment" => self.attachment = Some(child.read()?),
            "tagSet" => self.tags = child.tags()?,
            _ => {}
        }
        Ok(())
    }
}

impl Decode for Attachment {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "instanceId" => self.instance_id = child.optional()?,
            "deviceIndex" => self.device_index = Some(child.parse()?),
            "status" => self.status = child.text()?,
            _ => {}
        }
        Ok(())
    }
}

impl Listed for NetworkInterface {
    const ACTION: &'static str = "DescribeNetworkInterfaces";
    const SET: &'static str = "networkInterfaceSet";
    const ID_KEY: &'static str = "NetworkInterfaceId";
    const PAGE: Option<u32> = Some(1000);

    fn id(&self) -> &str {
        &self.id
    }
}

impl Select {
    /// Interfaces with one of these private IPv4 addresses.
    pub fn with_private_ips<I: IntoIterator<Item: Into<String>>>(self, addresses: I) -> Self {
        self.filter("addresses.private-ip-address", addresses)
    }

    /// Interfaces that have one of these security groups.
    pub fn with_groups<I: IntoIterator<Item: Into<String>>>(self, groups: I) -> Self {
        self.filter("group-id", groups)
    }

    /// Interfaces attached to one of these instances.
    pub fn attached_to<I: IntoIterator<Item: Into<String>>>(self, instances: I) -> Self {
        self.filter("attachment.instance-id", instances)
    }
}

impl Ec2 {
    /// The selected network interfaces, by id.
    pub async fn network_interfaces(&self, select: &Select) -> Result<Vec<NetworkInterface>, CallError> {
        self.list(select).await
    }
}
