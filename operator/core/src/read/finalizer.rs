//! Finalizers: how an object says which stacks were made for it.
//!
//! | provider   | own load balancer                 | in a group                               |
//! |------------|-----------------------------------|------------------------------------------|
//! | AWS        | `ingress.k8s.aws/resources`, `service.k8s.aws/resources` | `group.ingress.k8s.aws/<group>` |
//! | in-cluster | `in-cluster.fairway.dev/resources`| `group.in-cluster.fairway.dev/<group>`   |

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::ids::{Kind, ObjectRef, ProviderKind, StackId, StackKey};

const PROVIDERS: [ProviderKind; 2] = [ProviderKind::Aws, ProviderKind::InCluster];

const fn group_prefix(provider: ProviderKind) -> &'static str {
    match provider {
        ProviderKind::Aws => "group.ingress.k8s.aws/",
        ProviderKind::InCluster => "group.in-cluster.fairway.dev/",
    }
}

/// The finalizer that members of a stack carry.
#[must_use]
pub fn finalizer(stack: &StackId) -> String {
    match (&stack.key, stack.provider) {
        (StackKey::Group(group), provider) => format!("{}{group}", group_prefix(provider)),
        (StackKey::Ingress(_), ProviderKind::Aws) => "ingress.k8s.aws/resources".to_owned(),
        (StackKey::Service(_), ProviderKind::Aws) => "service.k8s.aws/resources".to_owned(),
        (_, ProviderKind::InCluster) => "in-cluster.fairway.dev/resources".to_owned(),
    }
}

/// The stacks whose finalizers an object carries.
pub(super) fn stacks(object: &ObjectRef, meta: &ObjectMeta) -> BTreeSet<StackId> {
    let finalizers = meta.finalizers.iter().flatten();
    finalizers.flat_map(|text| PROVIDERS.map(|provider| stack(object, provider, text))).flatten().collect()
}

fn stack(object: &ObjectRef, provider: ProviderKind, text: &str) -> Option<StackId> {
    let own = match object.kind {
        Kind::Ingress => StackKey::Ingress(object.key.clone()),
        Kind::Service => StackKey::Service(object.key.clone()),
        _ => return None,
    };
    let own = StackId::new(provider, own);
    if finalizer(&own) == text {
        return Some(own);
    }
    let group = text.strip_prefix(group_prefix(provider)).filter(|_| object.kind == Kind::Ingress)?;
    Some(StackId::new(provider, StackKey::Group(group.to_owned())))
}
