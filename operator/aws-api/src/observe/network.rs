//! What stacks share: the backend security group, and groups that carry or may carry our rules.

use fairway_aws::network::{NetworkObserved, NetworkScope};

use super::stack::bears;
use crate::Aws;
use crate::fault::Fault;

impl Aws {
    pub(crate) async fn observe_network(&self, scope: &NetworkScope) -> Result<NetworkObserved, Fault> {
        self.security_groups(|all| {
            let marked = all.values().find(|group| bears(&group.tags, &scope.backend_marks));
            let backend = marked.or_else(|| all.values().find(|group| group.name == scope.backend_name));
            let wanted = all.values().filter(|group| {
                scope.groups.contains(&group.id) || group.tags.contains_key(&scope.cluster_tag)
            });
            NetworkObserved {
                backend: backend.cloned(),
                groups: wanted.map(|group| (group.id.clone(), group.clone())).collect(),
            }
        })
        .await
    }
}
