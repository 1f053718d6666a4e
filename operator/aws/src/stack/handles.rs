//! Handles of what is there already, by the keys that plans use.

use fairway_core::plan::{Bindings, Handle, ResourceKey};

use crate::{
    compare::Claimed,
    model::{
        Binding, Listener, LoadBalancer, Ref, ResourceKind as _, Rule, SecurityGroup, SecurityGroupRef,
        TargetGroup,
    },
    observed::StackObserved,
};

/// Everything of the stack that exists, and the shared backend group.
pub(super) fn of<'a>(
    claimed: &Claimed,
    observed: &StackObserved,
    objects: impl Iterator<Item = &'a fairway_core::ids::Key>,
) -> Bindings {
    let mut handles = Bindings::new();
    let there = |id: &str| Handle { id: id.to_owned(), ready: true, ..Handle::default() };
    let groups = claimed.security_groups.iter();
    handles.extend(
        groups.map(|(name, group)| (ResourceKey::new(SecurityGroup::KIND, name), there(&group.get().id))),
    );
    let groups = claimed.target_groups.iter();
    handles.extend(
        groups.map(|(name, group)| (ResourceKey::new(TargetGroup::KIND, name), there(&group.get().arn))),
    );
    for (name, balancer) in &claimed.load_balancers {
        handles.insert(ResourceKey::new(LoadBalancer::KIND, name), balancer.get().handle.clone());
        for (port, listener) in &balancer.get().listeners {
            let reference: Ref<Listener> = Ref::new(format!("{name}:{port}"));
            handles.insert(reference.key(), there(&listener.arn));
            handles.extend(listener.rules.iter().map(|rule| {
                let reference: Ref<Rule> = Ref::new(format!("{name}:{port}:{}", rule.priority));
                (reference.key(), there(&rule.arn))
            }));
        }
    }
    handles.extend(objects.map(|key| {
        let reference: Ref<Binding> = Ref::new(key.to_string());
        (reference.key(), there(&key.to_string()))
    }));
    handles.extend(
        observed
            .backend_security_group
            .iter()
            .map(|id| (ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned()), there(id))),
    );
    handles
}
