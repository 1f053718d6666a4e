//! VPCs and their address ranges. Source: EC2 API reference, DescribeVpcs.

use std::collections::BTreeMap;

use super::super::error::CallError;
use super::super::xml::{Decode, Element, Malformed};
use super::list::Listed;
use super::{Ec2, Select};

/// A VPC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vpc {
    /// `vpc-...`
    pub id: String,
    /// `pending` or `available`.
    pub state: String,
    /// IPv4 ranges that are associated, the primary one first.
    pub cidrs: Vec<String>,
    /// IPv6 ranges that are associated.
    pub ipv6_cidrs: Vec<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Decode for Vpc {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "vpcId" => self.id = child.text()?,
            "state" => self.state = child.text()?,
            "cidrBlock" => self.add_cidrs([child.text()?], Place::First),
            "cidrBlockAssociationSet" => self.add_cidrs(associated(child)?, Place::Last),
            "ipv6CidrBlockAssociationSet" => self.ipv6_cidrs = associated(child)?,
            "tagSet" => self.tags = child.tags()?,
            _ => {}
        }
        Ok(())
    }
}

enum Place {
    First,
    Last,
}

impl Vpc {
    /// The primary range is told twice, in a field of its own and among the associations.
    fn add_cidrs(&mut self, cidrs: impl IntoIterator<Item = String>, place: Place) {
        for cidr in cidrs {
            match place {
                Place::First => {
                    self.cidrs.retain(|known| *known != cidr);
                    self.cidrs.insert(0, cidr);
                }
                Place::Last if !self.cidrs.contains(&cidr) => self.cidrs.push(cidr),
                Place::Last => {}
            }
        }
    }
}

impl Listed for Vpc {
    const ACTION: &'static str = "DescribeVpcs";
    const SET: &'static str = "vpcSet";
    const ID_KEY: &'static str = "VpcId";
    const PAGE: Option<u32> = Some(1000);

    fn id(&self) -> &str {
        &self.id
    }
}

impl Ec2 {
    /// The selected VPCs, by id.
    pub async fn vpcs(&self, select: &Select) -> Result<Vec<Vpc>, CallError> {
        self.list(select).await
    }
}

/// The ranges of an association set that are in use, not those coming or going.
pub(super) fn associated(set: Element<'_, '_>) -> Result<Vec<String>, Malformed> {
    let all: Vec<CidrAssociation> = set.items()?;
    Ok(all.into_iter().filter(|one| one.state == "associated").map(|one| one.cidr).collect())
}

#[derive(Default)]
struct CidrAssociation {
    cidr: String,
    state: String,
}

impl Decode for CidrAssociation {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "cidrBlock" | "ipv6CidrBlock" => self.cidr = child.text()?,
            "cidrBlockState" | "ipv6CidrBlockState" => self.state = child.read::<State>()?.0,
            _ => {}
        }
        Ok(())
    }
}

#[derive(Default)]
struct State(String);

impl Decode for State {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        if name == "state" {
            self.0 = child.text()?;
        }
        Ok(())
    }
}
