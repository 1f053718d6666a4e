//! One stack: everything that carries its marks or bears one of its names.

use std::collections::BTreeMap;

use fairway_aws::model::{Action, Ref, Tags};
use fairway_aws::observed::{LoadBalancerSeen, StackObserved, StackScope};
use fairway_aws::tags;

use crate::Aws;
use crate::fault::Fault;
use crate::inventory::{Balancer, Group, Region, SecurityGroups};

impl Aws {
    pub(crate) async fn observe_stack(&self, scope: &StackScope) -> Result<StackObserved, Fault> {
        let (balancers, groups) = self.region(|region| in_scope(region, scope)).await?;
        let backend = tags::backend_marks(&self.config);
        let mut seen = self
            .security_groups(|all| StackObserved {
                security_groups: all
                    .values()
                    .filter(|group| {
                        bears(&group.tags, &scope.marks) || scope.names.security_groups.contains(&group.name)
                    })
                    .map(|group| (group.name.clone(), group.clone()))
                    .collect(),
                backend_security_group: find(all, &backend),
                ..StackObserved::default()
            })
            .await?;
        if let Some(recorded) = &scope.certificates {
            seen.certificates = self.certificates_of(&scope.marks, recorded).await?;
        }
        let mut names = BTreeMap::new();
        for group in groups {
            let ours = bears(&group.seen.tags, &scope.marks);
            let group = if ours { self.complete_group(group).await? } else { group.seen };
            names.insert(group.arn.clone(), group.name.clone());
            seen.target_groups.insert(group.name.clone(), group);
        }
        for balancer in balancers {
            let ours = bears(&balancer.seen.tags, &scope.marks);
            // One that nobody asks for any more may be protected by now, or not any more.
            let unwanted = !scope.kinds.contains(&balancer.seen.kind);
            let attributes = balancer.attributes.filter(|_| !unwanted);
            let balancer = Balancer { attributes, ..balancer };
            let mut balancer = if ours { self.look_at(balancer).await? } else { balancer.seen };
            if ours {
                balancer.addons = self.addons_of(&balancer.handle.id, &scope.addons).await?;
            }
            name_targets(&mut balancer, &names);
            seen.load_balancers.insert(balancer.name.clone(), balancer);
        }
        Ok(seen)
    }

    /// Looks at load balancers and target groups of the region.
    pub(crate) async fn region<R>(&self, see: impl FnOnce(&Region) -> R) -> Result<R, Fault> {
        self.inventory.region.look(self.inventory.max_age, |old| self.read_region(old), see).await
    }

    /// Looks at the VPC's security groups.
    pub(crate) async fn security_groups<R>(
        &self,
        see: impl FnOnce(&SecurityGroups) -> R,
    ) -> Result<R, Fault> {
        let read = |_| self.read_security_groups();
        self.inventory.security_groups.look(self.inventory.max_age, read, see).await
    }

    async fn look_at(&self, balancer: Balancer) -> Result<LoadBalancerSeen, Fault> {
        let mut seen = self.complete_balancer(balancer).await?;
        if !seen.handle.ready
            && let Some(handle) = self.state_of(&seen.handle.id).await?
        {
            seen.handle = handle;
        }
        Ok(seen)
    }
}

/// The id of the group that bears these marks; the first when somebody made another.
pub(crate) fn find(groups: &SecurityGroups, marks: &Tags) -> Option<String> {
    groups.values().find(|group| bears(&group.tags, marks)).map(|group| group.id.clone())
}

/// Whether something carries all of the marks.
pub(crate) fn bears(tags: &Tags, marks: &Tags) -> bool {
    !marks.is_empty() && marks.iter().all(|(key, value)| tags.get(key) == Some(value))
}

fn in_scope(region: &Region, scope: &StackScope) -> (Vec<Balancer>, Vec<Group>) {
    let balancers = region.balancers.values().filter(|balancer| {
        bears(&balancer.seen.tags, &scope.marks) || scope.names.load_balancers.contains(&balancer.seen.name)
    });
    let groups = region.target_groups.values().filter(|group| {
        bears(&group.seen.tags, &scope.marks) || scope.names.target_groups.contains(&group.seen.name)
    });
    (balancers.cloned().collect(), groups.cloned().collect())
}

/// Target groups of the stack are referred to by name, all others stay ARNs.
fn name_targets(balancer: &mut LoadBalancerSeen, names: &BTreeMap<String, String>) {
    for listener in balancer.listeners.values_mut() {
        name_actions(&mut listener.default_actions, names);
        for rule in &mut listener.rules {
            name_actions(&mut rule.actions, names);
        }
    }
}

fn name_actions(actions: &mut [Action], names: &BTreeMap<String, String>) {
    for action in actions {
        let Action::Forward(forward) = action else { continue };
        for target in &mut forward.targets {
            if let Some(name) = names.get(target.target_group.name()) {
                target.target_group = Ref::new(name.clone());
            }
        }
    }
}
