//! Security groups: names, permissions, who keeps them in use.

use std::collections::BTreeSet;

use fairway_aws::model::{Permission, Source, Tags};

use super::{Answered, Aws, refuse, tag, unless};

/// Inbound rules per group.
const MOST_RULES: usize = 60;

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// `sg-…`.
    pub id: String,
    /// `GroupName`.
    pub name: String,
    /// Fixed at creation.
    pub description: String,
    /// One source each.
    pub permissions: BTreeSet<Permission>,
    /// Tags.
    pub tags: Tags,
}

impl GroupRow {
    pub(crate) fn new(id: &str, name: &str, description: &str, tags: Tags) -> Self {
        let (id, name, description) = (id.to_owned(), name.to_owned(), description.to_owned());
        Self { id, name, description, permissions: BTreeSet::new(), tags }
    }
}

/// The description of a permission is not part of its identity.
fn same(one: &Permission, other: &Permission) -> bool {
    (&one.protocol, one.from, one.to, &one.source) == (&other.protocol, other.from, other.to, &other.source)
}

impl Aws {
    /// CreateSecurityGroup: not idempotent.
    ///
    /// # Errors
    /// `InvalidGroup.Duplicate`, `InvalidParameterValue`.
    pub fn create_security_group(&mut self, name: &str, description: &str, tags: &Tags) -> Answered<String> {
        unless(
            description.is_ascii() && name.is_ascii(),
            "InvalidParameterValue",
            "only ASCII characters are allowed",
        )?;
        unless(!self.groups.values().any(|group| group.name == name), "InvalidGroup.Duplicate", name)?;
        tag::check(tags)?;
        let id = format!("sg-{:017x}", 0x1000 + self.next());
        self.groups.insert(id.clone(), GroupRow::new(&id, name, description, tags.clone()));
        Ok(id)
    }

    /// DeleteSecurityGroup.
    ///
    /// # Errors
    /// `InvalidGroup.NotFound`; `DependencyViolation` while an interface carries it or another group refers to it.
    pub fn delete_security_group(&mut self, id: &str) -> Answered<()> {
        self.group(id)?;
        let referred = self.groups.values().filter(|group| group.id != id).any(|group| {
            group.permissions.iter().any(|permission| permission.source == Source::Group(id.to_owned()))
        });
        unless(
            !referred && !self.groups_in_use().contains(id),
            "DependencyViolation",
            "resource has a dependent object",
        )?;
        self.groups.remove(id);
        Ok(())
    }

    /// AuthorizeSecurityGroupIngress: all or none.
    ///
    /// # Errors
    /// `InvalidGroup.NotFound`, `InvalidPermission.Duplicate`, `RulesPerSecurityGroupLimitExceeded`.
    pub fn authorize_ingress(&mut self, id: &str, permissions: &BTreeSet<Permission>) -> Answered<()> {
        for permission in permissions {
            if let Source::Group(source) = &permission.source {
                self.group(source)?;
            }
        }
        let group = self.group_mut(id)?;
        let duplicate = permissions.iter().any(|new| group.permissions.iter().any(|have| same(have, new)));
        unless(!duplicate, "InvalidPermission.Duplicate", "the specified rule already exists")?;
        let within = group.permissions.len() + permissions.len() <= MOST_RULES;
        unless(within, "RulesPerSecurityGroupLimitExceeded", "the maximum number of rules has been reached")?;
        group.permissions.extend(permissions.iter().cloned());
        Ok(())
    }

    /// RevokeSecurityGroupIngress: all or none.
    ///
    /// # Errors
    /// `InvalidGroup.NotFound`, `InvalidPermission.NotFound`.
    pub fn revoke_ingress(&mut self, id: &str, permissions: &BTreeSet<Permission>) -> Answered<()> {
        let group = self.group_mut(id)?;
        let known = permissions.iter().all(|gone| group.permissions.iter().any(|have| same(have, gone)));
        unless(known, "InvalidPermission.NotFound", "the specified rule does not exist")?;
        group.permissions.retain(|have| !permissions.iter().any(|gone| same(have, gone)));
        Ok(())
    }

    /// One group by id.
    ///
    /// # Errors
    /// `InvalidGroup.NotFound`.
    pub fn group(&self, id: &str) -> Answered<&GroupRow> {
        self.groups.get(id).map_or_else(|| refuse("InvalidGroup.NotFound", id), Ok)
    }

    pub(super) fn group_mut(&mut self, id: &str) -> Answered<&mut GroupRow> {
        self.groups.get_mut(id).map_or_else(|| refuse("InvalidGroup.NotFound", id), Ok)
    }
}
