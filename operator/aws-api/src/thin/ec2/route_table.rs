//! Route tables, which tell public subnets from private ones. Source: EC2 API reference, DescribeRouteTables.

use std::collections::BTreeMap;

use super::super::error::CallError;
use super::super::xml::{Decode, Element, Malformed};
use super::list::Listed;
use super::{Ec2, Select};

/// A route table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteTable {
    /// `rtb-...`
    pub id: String,
    /// The VPC it belongs to.
    pub vpc_id: String,
    /// Where packets go.
    pub routes: Vec<Route>,
    /// Which subnets it rules.
    pub associations: Vec<Association>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Route {
    /// IPv4 range, IPv6 range or prefix list.
    pub destination: String,
    /// `igw-...`, `vgw-...` or `local`; `None` when it leads to something other than a gateway.
    pub gateway_id: Option<String>,
    /// `active` or `blackhole`.
    pub state: String,
}

/// What a route table rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Association {
    /// The subnet; `None` for the main association.
    pub subnet_id: Option<String>,
    /// Whether it rules all subnets that have no association of their own.
    pub main: bool,
}

impl Decode for RouteTable {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "routeTableId" => self.id = child.text()?,
            "vpcId" => self.vpc_id = child.text()?,
            "routeSet" => self.routes = child.items()?,
            "associationSet" => self.associations = child.items()?,
            "tagSet" => self.tags = child.tags()?,
            _ => {}
        }
        Ok(())
    }
}

impl Decode for Route {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "destinationCidrBlock" | "destinationIpv6CidrBlock" | "destinationPrefixListId" => {
                if let Some(destination) = child.optional()? {
                    self.destination = destination;
                }
            }
            "gatewayId" => self.gateway_id = child.optional()?,
            "state" => self.state = child.text()?,
            _ => {}
        }
        Ok(())
    }
}

impl Decode for Association {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "subnetId" => self.subnet_id = child.optional()?,
            "main" => self.main = child.parse()?,
            _ => {}
        }
        Ok(())
    }
}

impl Listed for RouteTable {
    const ACTION: &'static str = "DescribeRouteTables";
    const SET: &'static str = "routeTableSet";
    const ID_KEY: &'static str = "RouteTableId";
    const PAGE: Option<u32> = Some(100);

    fn id(&self) -> &str {
        &self.id
    }
}

impl Ec2 {
    /// The selected route tables, by id.
    pub async fn route_tables(&self, select: &Select) -> Result<Vec<RouteTable>, CallError> {
        self.list(select).await
    }
}
