//! Security groups of the VPC and what they let in.

use std::collections::BTreeSet;

use fairway_aws::model::{Permission, ResourceKind as _, SecurityGroup, SecurityGroupRef, Source};
use fairway_aws::observed::SecurityGroupSeen;
use fairway_core::plan::{Bindings, Handle, ResourceKey};
use fairway_engine::ports::{Applied, Refusal};

use super::{Done, claim, ids};
use crate::Aws;
use crate::fault::Fault;
use crate::thin::ec2::{NewSecurityGroup, Select};
use crate::wire;

impl Aws {
    pub(super) async fn create_security_group(&self, spec: &SecurityGroup) -> Done {
        let key = ResourceKey::new(SecurityGroup::KIND, &spec.name);
        self.make_security_group(spec, key).await
    }

    pub(super) async fn make_security_group(&self, spec: &SecurityGroup, key: ResourceKey) -> Done {
        let request = NewSecurityGroup {
            name: spec.name.clone(),
            description: spec.description.clone(),
            vpc_id: self.config.vpc.clone(),
            tags: spec.tags.clone(),
        };
        let group = match self.ec2("CreateSecurityGroup", self.ec2.create_security_group(&request)).await {
            Ok(id) => SecurityGroupSeen {
                id,
                name: spec.name.clone(),
                description: spec.description.clone(),
                permissions: BTreeSet::new(),
                tags: spec.tags.clone(),
            },
            Err(fault) if fault.is(&["InvalidGroup.Duplicate"]) => {
                self.own_security_group(spec, fault).await?
            }
            Err(fault) => return Err(fault.into()),
        };
        let handle = Handle { id: group.id.clone(), ready: true, ..Handle::default() };
        self.inventory.security_groups.record(move |groups| {
            groups.entry(group.id.clone()).or_insert_with(|| group.clone());
        });
        Ok(Applied::Produced { key, handle })
    }

    /// The group that is there already under this name, if it is ours.
    async fn own_security_group(
        &self,
        spec: &SecurityGroup,
        fault: Fault,
    ) -> Result<SecurityGroupSeen, super::Failed> {
        let select = Select::all().filter("vpc-id", [&self.config.vpc]).filter("group-name", [&spec.name]);
        let found = self.ec2("DescribeSecurityGroups", self.ec2.security_groups(&select)).await?;
        let group = wire::security_group::decode(found.into_iter().next().ok_or(fault)?);
        let seen = group.clone();
        self.inventory.security_groups.record(move |groups| {
            groups.entry(seen.id.clone()).or_insert_with(|| seen.clone());
        });
        if claim::is_ours(&spec.tags, &group.tags) {
            Ok(group)
        } else {
            Err(claim::taken("security group", &spec.name).into())
        }
    }

    pub(super) async fn authorize(
        &self,
        id: &str,
        permissions: &BTreeSet<Permission>,
        ids: &Bindings,
    ) -> Done {
        let mut wanted = resolved(permissions, ids)?;
        if let Err(fault) = self.send_authorize(id, &wanted).await {
            if !fault.is(&["InvalidPermission.Duplicate"]) {
                return Err(fault.into());
            }
            // AWS applied none of the request because some of it is there already.
            let have = self.read_permissions(id, fault).await?;
            wanted.retain(|permission| !have.iter().any(|other| same(permission, other)));
            self.send_authorize(id, &wanted).await?;
        }
        self.record_permissions(id, move |have| {
            have.retain(|other| !wanted.iter().any(|permission| same(permission, other)));
            have.extend(wanted.iter().cloned());
        });
        Ok(Applied::Changed)
    }

    pub(super) async fn revoke(&self, id: &str, permissions: &BTreeSet<Permission>, ids: &Bindings) -> Done {
        let mut unwanted = resolved(permissions, ids)?;
        if let Err(fault) = self.send_revoke(id, &unwanted).await {
            if fault.is(&["InvalidGroup.NotFound"]) {
                self.inventory.security_groups.doubt();
                return Ok(Applied::Changed);
            }
            if !fault.is(&["InvalidPermission.NotFound"]) {
                return Err(fault.into());
            }
            // AWS applied none of the request because some of it is gone already.
            let have = self.read_permissions(id, fault).await?;
            unwanted = have.into_iter().filter(|other| unwanted.iter().any(|one| same(one, other))).collect();
            self.send_revoke(id, &unwanted).await?;
        }
        self.record_permissions(id, move |have| {
            have.retain(|other| !unwanted.iter().any(|permission| same(permission, other)));
        });
        Ok(Applied::Changed)
    }

    pub(super) async fn delete_security_group(&self, id: &str) -> Done {
        match self.ec2("DeleteSecurityGroup", self.ec2.delete_security_group(id)).await {
            Err(fault) if !fault.is(&["InvalidGroup.NotFound", "InvalidGroupId.NotFound"]) => {
                return Err(fault.into());
            }
            Ok(()) | Err(_) => {}
        }
        let id = id.to_owned();
        self.inventory.security_groups.record(move |groups| {
            groups.remove(&id);
        });
        Ok(Applied::Removed)
    }

    async fn send_authorize(&self, id: &str, permissions: &BTreeSet<Permission>) -> Result<(), Fault> {
        let wire: Vec<_> = permissions.iter().map(wire::security_group::encode_permission).collect();
        if wire.is_empty() {
            return Ok(());
        }
        self.ec2("AuthorizeSecurityGroupIngress", self.ec2.authorize_ingress(id, &wire)).await
    }

    async fn send_revoke(&self, id: &str, permissions: &BTreeSet<Permission>) -> Result<(), Fault> {
        let wire: Vec<_> = permissions.iter().map(wire::security_group::encode_permission).collect();
        if wire.is_empty() {
            return Ok(());
        }
        self.ec2("RevokeSecurityGroupIngress", self.ec2.revoke_ingress(id, &wire)).await
    }

    async fn read_permissions(&self, id: &str, fault: Fault) -> Result<BTreeSet<Permission>, Fault> {
        let select = Select::ids([id]);
        let found = self.ec2("DescribeSecurityGroups", self.ec2.security_groups(&select)).await?;
        let group = wire::security_group::decode(found.into_iter().next().ok_or(fault)?);
        let read = group.permissions.clone();
        self.record_permissions(id, move |have| have.clone_from(&read));
        Ok(group.permissions)
    }

    fn record_permissions(
        &self,
        id: &str,
        change: impl Fn(&mut BTreeSet<Permission>) + Send + Sync + 'static,
    ) {
        let id = id.to_owned();
        self.inventory.security_groups.record(move |groups| {
            if let Some(group) = groups.get_mut(&id) {
                change(&mut group.permissions);
            }
        });
    }
}

/// The permissions with the id of the shared backend group in place of its word.
fn resolved(permissions: &BTreeSet<Permission>, ids: &Bindings) -> Result<BTreeSet<Permission>, Refusal> {
    let one = |permission: &Permission| match &permission.source {
        Source::Group(id) if id == "backend" || id == SecurityGroupRef::BACKEND_KEY => {
            Ok(Permission { source: Source::Group(ids::backend(ids)?), ..permission.clone() })
        }
        _ => Ok(permission.clone()),
    };
    permissions.iter().map(one).collect()
}

/// The description is not part of a permission's identity.
fn same(one: &Permission, other: &Permission) -> bool {
    (&one.protocol, one.from, one.to, &one.source) == (&other.protocol, other.from, other.to, &other.source)
}
