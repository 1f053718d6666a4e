//! TargetGroupBinding objects of a stack: ours by their labels, compared with what the stack wants.

use std::collections::BTreeMap;

use fairway_core::{ids::Key, snapshot::Objects};
use fairway_crds::TargetGroupBinding;

use crate::model::Binding;

/// The stack's objects: those that carry all its labels.
pub(crate) fn of_stack<'a>(
    objects: &'a Objects<TargetGroupBinding>,
    labels: &BTreeMap<String, String>,
) -> BTreeMap<Key, &'a TargetGroupBinding> {
    objects
        .iter()
        .filter(|(_, object)| {
            let has = object.metadata.labels.as_ref();
            has.is_some_and(|has| labels.iter().all(|(key, value)| has.get(key) == Some(value)))
        })
        .map(|(key, object)| (key.clone(), object.as_ref()))
        .collect()
}

/// Whether the object is of the target group of this name: an ARN contains it.
pub(crate) fn names(object: &TargetGroupBinding, target_group: &str) -> bool {
    let arn = object.spec.target_group_arn.as_deref().unwrap_or_default();
    arn.contains(&format!(":targetgroup/{target_group}/"))
}

/// Whether the object is as wanted. Without an ARN or a group id, what the object names is taken for right as long as it
/// can be.
pub(crate) fn as_wanted(
    want: &Binding,
    object: &TargetGroupBinding,
    arn: Option<&str>,
    backend_group: Option<&str>,
) -> bool {
    let named = object.spec.target_group_arn.as_deref().unwrap_or_default();
    let arn = match arn {
        Some(arn) => arn,
        None if names(object, want.target_group.name()) => named,
        None => return false,
    };
    let networking = object.spec.networking.iter().flat_map(|networking| &networking.ingress);
    let mut groups = networking.flat_map(|entry| &entry.from).filter_map(|peer| peer.security_group.as_ref());
    let backend_group = backend_group.or_else(|| groups.next().map(|group| group.group_id.as_str()));
    object.metadata.deletion_timestamp.is_none() && want.spec(arn, backend_group) == object.spec
}
