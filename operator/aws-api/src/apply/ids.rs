//! Ids of what earlier operations made, or what was there.

use fairway_aws::model::{Ref, ResourceKind, SecurityGroupRef};
use fairway_core::plan::{Bindings, ResourceKey};
use fairway_engine::ports::Refusal;

/// The ARN or id behind a reference. A reference that is an ARN already stands for itself.
pub(super) fn find<K: ResourceKind>(ids: &Bindings, reference: &Ref<K>) -> Result<String, Refusal> {
    if reference.name().starts_with("arn:") {
        return Ok(reference.name().to_owned());
    }
    bound(ids, &reference.key())
}

/// The same for several, in order.
pub(super) fn all<K: ResourceKind>(ids: &Bindings, references: &[Ref<K>]) -> Result<Vec<String>, Refusal> {
    references.iter().map(|reference| find(ids, reference)).collect()
}

/// The ids of security groups, in order.
pub(super) fn groups(ids: &Bindings, groups: &[SecurityGroupRef]) -> Result<Vec<String>, Refusal> {
    let one = |group: &SecurityGroupRef| match group {
        SecurityGroupRef::Managed(group) => find(ids, group),
        SecurityGroupRef::Backend => backend(ids),
        SecurityGroupRef::Given(id) => Ok(id.clone()),
    };
    groups.iter().map(one).collect()
}

/// The id of the shared backend group.
pub(super) fn backend(ids: &Bindings) -> Result<String, Refusal> {
    bound(ids, &ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned()))
}

fn bound(ids: &Bindings, key: &ResourceKey) -> Result<String, Refusal> {
    let id = ids.get(key).map(|handle| handle.id.clone()).filter(|id| !id.is_empty());
    id.ok_or_else(|| Refusal::bug("MissingBinding", format!("nothing is known of {key}")))
}
