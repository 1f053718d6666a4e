//! Which stack an object is a member of now.

use k8s_openapi::api::{core::v1::Service, networking::v1::Ingress};

use super::{
    ReadConfig,
    class::{self, Params, Serving, Unusable},
    error::ReadError,
    finalizer, key,
};
use crate::{
    ids::{Kind, ObjectRef, ProviderKind, StackId, StackKey},
    settings::alb,
    snapshot::Snapshot,
};

/// Where an object belongs.
pub(super) enum Membership<'a> {
    /// It is a member of this stack.
    Active(StackId, Serving<'a>),
    /// It is being deleted, or somebody else's.
    None,
    /// It is ours, or was, and where it belongs cannot be read. `home` is where that is reported when it belongs
    /// nowhere yet; otherwise the stacks whose finalizers it carries keep it.
    Unclear { home: Option<StackId>, error: ReadError },
}

impl Membership<'_> {
    pub(super) fn home(&self) -> Option<&StackId> {
        match self {
            Self::Active(stack, _) => Some(stack),
            Self::None => None,
            Self::Unclear { home, .. } => home.as_ref(),
        }
    }
}

pub(super) fn of_service(config: &ReadConfig, service: &Service) -> Membership<'static> {
    match class::service_provider(config, service) {
        Some(provider) => Membership::Active(
            StackId::new(provider, StackKey::Service(key(&service.metadata))),
            Serving { provider, params: Params::None },
        ),
        None => Membership::None,
    }
}

pub(super) fn of_ingress<'a>(
    snapshot: &'a Snapshot,
    config: &ReadConfig,
    ingress: &Ingress,
) -> Membership<'a> {
    if ingress.metadata.deletion_timestamp.is_some() {
        return Membership::None;
    }
    let serving = match class::of_ingress(snapshot, config, ingress) {
        Ok(Some(serving)) => serving,
        Ok(None) => return Membership::None,
        Err(Unusable { provider, error }) => return unclear(ingress, provider, error),
    };
    match stack_key(&serving, ingress) {
        Ok(key) => Membership::Active(StackId::new(serving.provider, key), serving),
        Err(error) => unclear(ingress, Some(serving.provider), error),
    }
}

fn unclear(ingress: &Ingress, provider: Option<ProviderKind>, error: ReadError) -> Membership<'static> {
    let key = key(&ingress.metadata);
    let held = finalizer::stacks(&ObjectRef::new(Kind::Ingress, key.clone()), &ingress.metadata);
    match provider.filter(|_| held.is_empty()) {
        Some(provider) => {
            Membership::Unclear { home: Some(StackId::new(provider, StackKey::Ingress(key))), error }
        }
        // A class that nobody knows, on an Ingress that never was ours, is none of our business.
        None if held.is_empty() => Membership::None,
        None => Membership::Unclear { home: None, error },
    }
}

fn stack_key(serving: &Serving<'_>, ingress: &Ingress) -> Result<StackKey, ReadError> {
    let of_class = match serving.params {
        Params::Aws(params) => {
            params.spec.group.as_ref().map(|group| (group.name.as_str(), "spec.group.name"))
        }
        Params::None | Params::InCluster(..) => None,
    };
    let annotation = format!("{}{}", alb::PREFIX, alb::GROUP_NAME.key);
    let annotations = ingress.metadata.annotations.as_ref();
    let written = annotations.and_then(|all| all.get(&annotation)).map(String::as_str);
    match of_class.or_else(|| written.map(|name| (name, annotation.as_str()))) {
        Some((name, at)) => alb::group_name(name).map(StackKey::Group).map_err(|problem| ReadError::Value {
            at: at.to_owned(),
            value: name.to_owned(),
            problem,
        }),
        None => Ok(StackKey::Ingress(key(&ingress.metadata))),
    }
}
