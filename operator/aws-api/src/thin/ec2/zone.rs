//! Availability zones. Source: EC2 API reference, DescribeAvailabilityZones.

use super::super::error::CallError;
use super::super::xml::{Decode, Element, Malformed};
use super::list::Listed;
use super::{Ec2, Select};

/// An availability zone, local zone or Wavelength zone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone {
    /// Name in this account, `eu-west-1a`.
    pub name: String,
    /// Id that means the same in every account, `euw1-az1`.
    pub id: String,
    /// `availability-zone`, `local-zone` or `wavelength-zone`.
    pub kind: String,
    /// `available`, `information`, `impaired` or `unavailable`.
    pub state: String,
}

impl Decode for Zone {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "zoneName" => self.name = child.text()?,
            "zoneId" => self.id = child.text()?,
            "zoneType" => self.kind = child.text()?,
            "zoneState" => self.state = child.text()?,
            _ => {}
        }
        Ok(())
    }
}

impl Listed for Zone {
    const ACTION: &'static str = "DescribeAvailabilityZones";
    const SET: &'static str = "availabilityZoneInfo";
    const ID_KEY: &'static str = "ZoneId";
    const PAGE: Option<u32> = None;

    fn id(&self) -> &str {
        &self.id
    }
}

impl Ec2 {
    /// The selected zones of the region, by zone id.
    pub async fn zones(&self, select: &Select) -> Result<Vec<Zone>, CallError> {
        self.list(select).await
    }
}
