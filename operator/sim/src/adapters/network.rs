//! What stacks share: the backend security group, and rules on the groups of nodes and pods.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use fairway_aws::{
    model::{Permission, SecurityGroupRef, Source, Tags},
    network::{Cluster, Network, NetworkObserved, NetworkOp, NetworkScope},
    observed::SecurityGroupSeen,
};
use fairway_core::plan::{Bindings, Handle, Operation as _, ResourceKey};
use fairway_engine::ports::{Applied, Apply, Observe, Refusal};

use super::{Process, id};
use crate::{
    sim::refused,
    world::{Aws, GroupRow},
};

#[async_trait]
impl Observe<Network> for Process {
    async fn observe(&self, _: &Cluster, scope: &NetworkScope) -> Result<NetworkObserved, Refusal> {
        self.sim.observe(self.number, |aws| Ok(observed(aws, scope))).await
    }
}

fn observed(aws: &Aws, scope: &NetworkScope) -> NetworkObserved {
    let marked = |tags: &Tags| scope.backend_marks.iter().all(|(key, value)| tags.get(key) == Some(value));
    let in_scope =
        |row: &&GroupRow| scope.groups.contains(&row.id) || row.tags.contains_key(&scope.cluster_tag);
    let groups = aws.groups.values().filter(in_scope).map(|row| (row.id.clone(), seen(row)));
    let backend = aws.groups.values().find(|row| marked(&row.tags) || row.name == scope.backend_name);
    NetworkObserved { backend: backend.map(seen), groups: groups.collect::<BTreeMap<_, _>>() }
}

pub(super) fn seen(row: &GroupRow) -> SecurityGroupSeen {
    SecurityGroupSeen {
        id: row.id.clone(),
        name: row.name.clone(),
        description: row.description.clone(),
        permissions: row.permissions.clone(),
        tags: row.tags.clone(),
    }
}

#[async_trait]
impl Apply<Network> for Process {
    async fn apply(&self, _: &Cluster, op: &NetworkOp, bindings: &Bindings) -> Result<Applied, Refusal> {
        let key = ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned());
        let act = |inner: &mut crate::sim::Inner| {
            let aws = &mut inner.aws;
            match op {
                NetworkOp::CreateBackend(spec) => {
                    let made = aws.create_security_group(&spec.name, &spec.description, &spec.tags);
                    let id = made.map_err(refused)?;
                    Ok(Applied::Produced { key, handle: Handle { id, ready: true, ..Handle::default() } })
                }
                NetworkOp::DeleteBackend(group) => {
                    aws.delete_security_group(&group.get().id).map_err(refused)?;
                    Ok(Applied::Removed)
                }
                NetworkOp::Authorize { group, permissions } => {
                    let permissions = substituted(permissions, bindings)?;
                    aws.authorize_ingress(group, &permissions).map_err(refused)?;
                    Ok(Applied::Changed)
                }
                NetworkOp::Revoke { group, permissions } => {
                    let permissions = substituted(permissions, bindings)?;
                    aws.revoke_ingress(group, &permissions).map_err(refused)?;
                    Ok(Applied::Changed)
                }
            }
        };
        self.sim.write(self.number, op.describe(), act).await
    }
}

fn substituted(
    permissions: &BTreeSet<Permission>,
    bindings: &Bindings,
) -> Result<BTreeSet<Permission>, Refusal> {
    let substitute = |permission: &Permission| {
        let mut permission = permission.clone();
        if permission.source == Source::Group("backend".to_owned()) {
            permission.source =
                Source::Group(id(bindings, &ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned()))?);
        }
        Ok(permission)
    };
    permissions.iter().map(substitute).collect()
}
