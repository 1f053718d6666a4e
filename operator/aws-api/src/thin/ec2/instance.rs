//! Instances, as nodes of a cluster. Source: EC2 API reference, DescribeInstances.

use std::collections::BTreeMap;

use super::super::error::CallError;
use super::super::xml::{Decode, Element, Malformed};
use super::list::Listed;
use super::network_interface::NetworkInterface;
use super::{Ec2, Select};

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Instance {
    /// `i-...`
    pub id: String,
    /// `pending`, `running`, `shutting-down`, `terminated`, `stopping` or `stopped`.
    pub state: String,
    /// The VPC it is in; `None` once it is terminated.
    pub vpc_id: Option<String>,
    /// The subnet of its primary interface.
    pub subnet_id: Option<String>,
    /// Its availability zone.
    pub zone: Option<String>,
    /// Primary private IPv4 address.
    pub private_ip: Option<String>,
    /// Private DNS name, which is often the node's name.
    pub private_dns_name: Option<String>,
    /// Security groups of its primary interface.
    pub group_ids: Vec<String>,
    /// Its interfaces.
    pub interfaces: Vec<NetworkInterface>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Decode for Instance {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "instanceId" => self.id = child.text()?,
            "instanceState" => self.state = child.read::<Inner>()?.name,
            "vpcId" => self.vpc_id = child.optional()?,
            "subnetId" => self.subnet_id = child.optional()?,
            "placement" => self.zone = child.read::<Inner>()?.zone,
            "privateIpAddress" => self.private_ip = child.optional()?,
            "privateDnsName" => self.private_dns_name = child.optional()?,
            "groupSet" => self.group_ids = child.texts("groupId")?,
            "networkInterfaceSet" => self.interfaces = child.items()?,
            "tagSet" => self.tags = child.tags()?,
            _ => {}
        }
        Ok(())
    }
}

/// The parts of `instanceState` and of `placement` that matter.
#[derive(Default)]
struct Inner {
    name: String,
    zone: Option<String>,
}

impl Decode for Inner {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "name" => self.name = child.text()?,
            "availabilityZone" => self.zone = child.optional()?,
            _ => {}
        }
        Ok(())
    }
}

/// Instances that were started together.
#[derive(Default)]
struct Reservation {
    instances: Vec<Instance>,
}

impl Decode for Reservation {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        if name == "instancesSet" {
            self.instances = child.items()?;
        }
        Ok(())
    }
}

impl Listed for Instance {
    const ACTION: &'static str = "DescribeInstances";
    const SET: &'static str = "reservationSet";
    const ID_KEY: &'static str = "InstanceId";
    const PAGE: Option<u32> = Some(1000);

    fn id(&self) -> &str {
        &self.id
    }

    fn read_set(set: Element<'_, '_>) -> Result<Vec<Self>, Malformed> {
        let reservations: Vec<Reservation> = set.items()?;
        Ok(reservations.into_iter().flat_map(|reservation| reservation.instances).collect())
    }
}

impl Ec2 {
    /// The selected instances, by id, terminated ones included while AWS still lists them.
    pub async fn instances(&self, select: &Select) -> Result<Vec<Instance>, CallError> {
        self.list(select).await
    }
}
