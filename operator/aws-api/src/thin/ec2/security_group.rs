//! Security groups.
//! Source: EC2 API reference, DescribeSecurityGroups, CreateSecurityGroup, DeleteSecurityGroup.

use std::collections::BTreeMap;

use super::super::error::CallError;
use super::super::query::Query;
use super::super::xml::{Decode, Element, Malformed};
use super::list::Listed;
use super::permission::{Permission, read_permissions};
use super::{Ec2, Select};

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecurityGroup {
    /// `sg-...`
    pub id: String,
    /// Name, unique in its VPC.
    pub name: String,
    /// Description; it cannot be changed.
    pub description: String,
    /// The VPC it guards.
    pub vpc_id: String,
    /// The account it belongs to.
    pub owner_id: String,
    /// What may come in, one source each.
    pub ingress: Vec<Permission>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A security group to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewSecurityGroup {
    /// Name, at most 255 characters, not `sg-...`.
    pub name: String,
    /// Description, at most 255 characters.
    pub description: String,
    /// The VPC to guard.
    pub vpc_id: String,
    /// Tags it has from its first moment.
    pub tags: BTreeMap<String, String>,
}

impl Decode for SecurityGroup {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        match name {
            "groupId" => self.id = child.text()?,
            "groupName" => self.name = child.text()?,
            "groupDescription" => self.description = child.text()?,
            "vpcId" => self.vpc_id = child.text()?,
            "ownerId" => self.owner_id = child.text()?,
            "ipPermissions" => self.ingress = read_permissions(child)?,
            "tagSet" => self.tags = child.tags()?,
            _ => {}
        }
        Ok(())
    }
}

impl Listed for SecurityGroup {
    const ACTION: &'static str = "DescribeSecurityGroups";
    const SET: &'static str = "securityGroupInfo";
    const ID_KEY: &'static str = "GroupId";
    const PAGE: Option<u32> = Some(1000);

    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Default)]
struct Created {
    id: Option<String>,
}

impl Decode for Created {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        if name == "groupId" {
            self.id = child.optional()?;
        }
        Ok(())
    }
}

impl Ec2 {
    /// The selected security groups, by id.
    pub async fn security_groups(&self, select: &Select) -> Result<Vec<SecurityGroup>, CallError> {
        self.list(select).await
    }

    /// Makes a security group and gives its id. `InvalidGroup.Duplicate` when the VPC has one of that name.
    pub async fn create_security_group(&self, group: &NewSecurityGroup) -> Result<String, CallError> {
        const ACTION: &str = "CreateSecurityGroup";
        let mut query = Query::default();
        query.put("GroupName", &group.name);
        query.put("GroupDescription", &group.description);
        query.put("VpcId", &group.vpc_id);
        if !group.tags.is_empty() {
            query.put("TagSpecification.1.ResourceType", "security-group");
            query.put_tags("TagSpecification.1.Tag", &group.tags);
        }
        let created: Created = self.call(ACTION, &query).await?;
        created.id.ok_or_else(|| self.wire.unreadable(ACTION, "the new group has no id"))
    }

    /// Deletes a security group. `DependencyViolation` while an interface or another group's rule uses it.
    pub async fn delete_security_group(&self, id: &str) -> Result<(), CallError> {
        let mut query = Query::default();
        query.put("GroupId", id);
        self.command("DeleteSecurityGroup", &query).await
    }
}
