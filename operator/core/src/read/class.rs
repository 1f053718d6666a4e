//! Whose an Ingress or a Service is.
//!
//! Order for an Ingress: the annotation `kubernetes.io/ingress.class`, then `spec.ingressClassName`, then the one
//! default class. What is wrong with a class is the fault of nobody but the Ingresses that use it.
//! Source: AWS Load Balancer Controller 3.5, Ingress class and Service class.

use std::collections::BTreeMap;

use fairway_crds::{InClusterClassParams, IngressClassParams};
use k8s_openapi::{
    api::{
        core::v1::Service,
        networking::v1::{Ingress, IngressClass},
    },
    apimachinery::pkg::apis::meta::v1::LabelSelector,
};
use kube_core::labels::{Selector, SelectorExt as _};

use super::{ReadConfig, error::ReadError};
use crate::{
    ids::{Key, ProviderKind},
    settings::nlb,
    snapshot::Snapshot,
};

/// `spec.controller` of classes that AWS serves.
pub const AWS_CONTROLLER: &str = "ingress.k8s.aws/alb";
/// `spec.controller` of classes that Fairway's own data plane serves.
pub const IN_CLUSTER_CONTROLLER: &str = "fairway.dev/in-cluster";
/// `spec.loadBalancerClass` of Services that Fairway's own data plane serves.
pub const IN_CLUSTER_CLASS: &str = "fairway.dev/in-cluster";

/// Strongest of all ways to name the class of an Ingress.
pub const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
const DEFAULT_ANNOTATION: &str = "ingressclass.kubernetes.io/is-default-class";

/// Who serves an Ingress, and with which parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Serving<'a> {
    pub(super) provider: ProviderKind,
    pub(super) params: Params<'a>,
}

/// Parameters of a class.
#[derive(Debug, Clone, Copy)]
pub(super) enum Params<'a> {
    None,
    Aws(&'a IngressClassParams),
    /// With the name of the class that refers to them.
    InCluster(&'a str, &'a InClusterClassParams),
}

/// A class that cannot be used. `provider` is known when its controller is one of ours.
#[derive(Debug)]
pub(super) struct Unusable {
    pub(super) provider: Option<ProviderKind>,
    pub(super) error: ReadError,
}

/// `Ok(None)`: somebody else's, or nobody's.
pub(super) fn of_ingress<'a>(
    snapshot: &'a Snapshot,
    config: &ReadConfig,
    ingress: &Ingress,
) -> Result<Option<Serving<'a>>, Unusable> {
    if let Some(name) = annotated(ingress) {
        let ours = name == annotation_of_ours(config);
        return Ok(ours.then_some(Serving { provider: ProviderKind::Aws, params: Params::None }));
    }
    match ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_deref()) {
        Some(name) => match snapshot.ingress_classes.get(&Key::cluster(name)) {
            Some(class) => of_class(snapshot, class, ingress),
            None => Err(Unusable { provider: None, error: ReadError::NoClass(name.to_owned()) }),
        },
        None => of_default(snapshot, config, ingress),
    }
}

/// The class that the annotation names.
pub(super) fn annotated(ingress: &Ingress) -> Option<&str> {
    let annotations = ingress.metadata.annotations.as_ref()?;
    annotations.get(CLASS_ANNOTATION).map(String::as_str)
}

/// What that annotation says on Ingresses of ours.
pub(super) fn annotation_of_ours(config: &ReadConfig) -> &str {
    if config.ingress_class.is_empty() { "alb" } else { &config.ingress_class }
}

fn of_default<'a>(
    snapshot: &'a Snapshot,
    config: &ReadConfig,
    ingress: &Ingress,
) -> Result<Option<Serving<'a>>, Unusable> {
    let is_default = |class: &&IngressClass| {
        let annotations = class.metadata.annotations.as_ref();
        annotations.and_then(|all| all.get(DEFAULT_ANNOTATION)).is_some_and(|value| value == "true")
    };
    let defaults: Vec<&IngressClass> =
        snapshot.ingress_classes.values().map(AsRef::as_ref).filter(is_default).collect();
    match defaults.as_slice() {
        [] if config.ingress_class.is_empty() => {
            Ok(Some(Serving { provider: ProviderKind::Aws, params: Params::None }))
        }
        [] => Ok(None),
        [class] => of_class(snapshot, class, ingress),
        several => Err(Unusable {
            provider: several.iter().find_map(|class| provider(class)),
            error: ReadError::SeveralDefaults(several.iter().map(|class| name(class).to_owned()).collect()),
        }),
    }
}

fn name(class: &IngressClass) -> &str {
    class.metadata.name.as_deref().unwrap_or_default()
}

fn provider(class: &IngressClass) -> Option<ProviderKind> {
    match class.spec.as_ref().and_then(|spec| spec.controller.as_deref()) {
        Some(AWS_CONTROLLER) => Some(ProviderKind::Aws),
        Some(IN_CLUSTER_CONTROLLER) => Some(ProviderKind::InCluster),
        _ => None,
    }
}

fn of_class<'a>(
    snapshot: &'a Snapshot,
    class: &'a IngressClass,
    ingress: &Ingress,
) -> Result<Option<Serving<'a>>, Unusable> {
    let Some(provider) = provider(class) else { return Ok(None) };
    let unusable = |error| Unusable { provider: Some(provider), error };
    let params = params(snapshot, provider, class).map_err(unusable)?;
    if let Params::Aws(found) = params {
        selects(snapshot, found, ingress).map_err(unusable)?;
    }
    Ok(Some(Serving { provider, params }))
}

fn params<'a>(
    snapshot: &'a Snapshot,
    provider: ProviderKind,
    class: &'a IngressClass,
) -> Result<Params<'a>, ReadError> {
    let Some(reference) = class.spec.as_ref().and_then(|spec| spec.parameters.as_ref()) else {
        return Ok(Params::None);
    };
    let key = Key::cluster(&reference.name);
    let group = reference.api_group.as_deref().unwrap_or_default();
    let found = match (provider, group, reference.kind.as_str()) {
        (ProviderKind::Aws, "elbv2.k8s.aws", "IngressClassParams") => {
            snapshot.ingress_class_params.get(&key).map(|params| Params::Aws(params))
        }
        (ProviderKind::InCluster, "fairway.dev", "InClusterClassParams") => {
            snapshot.in_cluster_class_params.get(&key).map(|params| Params::InCluster(name(class), params))
        }
        _ => {
            let (class, kind) = (name(class).to_owned(), format!("{group}/{}", reference.kind));
            return Err(ReadError::ForeignParams { class, kind });
        }
    };
    found.ok_or_else(|| ReadError::NoParams {
        class: name(class).to_owned(),
        kind: reference.kind.clone(),
        name: reference.name.clone(),
    })
}

fn selects(snapshot: &Snapshot, params: &IngressClassParams, ingress: &Ingress) -> Result<(), ReadError> {
    let Some(selector) = &params.spec.namespace_selector else { return Ok(()) };
    let name = params.metadata.name.clone().unwrap_or_default();
    let selector = Selector::try_from(LabelSelector::clone(selector))
        .map_err(|error| ReadError::BadSelector { params: name.clone(), problem: error.to_string() })?;
    let namespace = ingress.metadata.namespace.as_deref().unwrap_or_default();
    // The API server puts this label on every namespace; manifests alone do not have it.
    let mut labels = BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), namespace.to_owned())]);
    let found = snapshot.namespaces.get(&Key::cluster(namespace));
    labels.extend(found.and_then(|found| found.metadata.labels.clone()).into_iter().flatten());
    if selector.matches(&labels) {
        Ok(())
    } else {
        Err(ReadError::NamespaceNotSelected { params: name, namespace: namespace.to_owned() })
    }
}

/// Who serves a Service, if it is one of ours.
#[must_use]
pub fn service_provider(config: &ReadConfig, service: &Service) -> Option<ProviderKind> {
    if service.metadata.deletion_timestamp.is_some() {
        return None;
    }
    match service.spec.as_ref().and_then(|spec| spec.load_balancer_class.as_deref()) {
        Some(class) if class == config.load_balancer_class => Some(ProviderKind::Aws),
        Some(IN_CLUSTER_CLASS) => Some(ProviderKind::InCluster),
        Some(_) => None,
        None => by_annotations(service).then_some(ProviderKind::Aws),
    }
}

/// The forms from before Services had classes.
fn by_annotations(service: &Service) -> bool {
    let annotation = |key: &str| {
        let all = service.metadata.annotations.as_ref()?;
        all.get(&format!("{}{key}", nlb::PREFIX)).map(String::as_str)
    };
    match annotation(nlb::TYPE.key) {
        Some("nlb-ip") => true,
        Some("external") => matches!(annotation(nlb::TARGET_TYPE.key), Some("ip" | "instance")),
        _ => false,
    }
}
