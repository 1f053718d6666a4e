//! What one object says for itself, before anything is made of it.

use fairway_crds::IngressClassParams;
use k8s_openapi::api::networking::v1::Ingress;

use super::{
    Candidate, ReadConfig,
    class::{self, Params},
    error::{Advice, ReadError},
    ingress,
    membership::Membership,
    params,
    written::{self, Named, Sorter},
};
use crate::{
    ids::{Key, Kind, ObjectRef, ProviderKind},
    settings::{Origin, registry::Dialect},
    snapshot::Snapshot,
};

/// An Ingress of ours, read without regard to its neighbours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What only a change of the Ingress itself can put right.
    pub faults: Vec<ReadError>,
    /// What another object can put right: a Service, a class, its parameters.
    pub waits: Vec<ReadError>,
    /// What has no effect.
    pub advice: Vec<Advice>,
}

/// Reads one Ingress. `None`: it is not ours, or it is being deleted.
#[must_use]
pub fn alone(snapshot: &Snapshot, config: &ReadConfig, found: &Ingress) -> Option<Said> {
    let candidate = Candidate::Ingress(found);
    let (errors, advice) = match candidate.membership(snapshot, config) {
        Membership::None => return None,
        Membership::Unclear { error, .. } => (vec![error], Vec::new()),
        Membership::Active(stack, serving) => {
            let reading = ingress::read(snapshot, &stack, &serving, found);
            (reading.member.err().unwrap_or_default(), reading.advice)
        }
    };
    let own = candidate.object();
    let (faults, waits) = errors.into_iter().partition(|error| is_own(error, found));
    let advice = advice.into_iter().filter(|(about, _)| *about == own).map(|(_, advice)| advice).collect();
    Some(Said { faults, waits, advice })
}

/// Whether the Ingress' annotation `kubernetes.io/ingress.class` makes it ours.
#[must_use]
pub fn is_ours_by_annotation(config: &ReadConfig, ingress: &Ingress) -> bool {
    class::annotated(ingress) == Some(class::annotation_of_ours(config))
}

/// Whether nothing but the Ingress has to change. Values of a class and of a Service are not the Ingress' own.
fn is_own(error: &ReadError, ingress: &Ingress) -> bool {
    let written = |at: &str| ingress.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(at));
    match error {
        ReadError::Value { at, .. } | ReadError::Unfaithful { at } | ReadError::Unguarded { at, .. } => {
            written(at)
        }
        ReadError::Backend { .. } | ReadError::Path { .. } | ReadError::NotInCluster { .. } => true,
        // Others name the object of a class.
        ReadError::Shape { at, .. } => at.starts_with("spec."),
        ReadError::NoClass(_)
        | ReadError::SeveralDefaults(_)
        | ReadError::NoParams { .. }
        | ReadError::ForeignParams { .. }
        | ReadError::BadSelector { .. }
        | ReadError::NamespaceNotSelected { .. }
        | ReadError::NoPort { .. }
        // A Service may say what is missing.
        | ReadError::Guard { .. }
        | ReadError::NoShare { .. } => false,
    }
}

/// What cannot be read of class parameters, whoever uses them: one sentence a problem.
#[must_use]
pub fn class_params(params: &IngressClassParams) -> Vec<String> {
    let named = Named::default();
    let sorter = Sorter {
        provider: ProviderKind::Aws,
        dialect: Dialect::Alb,
        origin: Origin::ClassParams,
        named: &named,
    };
    let name = params.metadata.name.as_deref().unwrap_or_default();
    let about = ObjectRef::new(Kind::IngressClassParams, Key::cluster(name));
    match params::read(Params::Aws(params), &sorter) {
        Err(error) => vec![error.to_string()],
        Ok(written) => {
            written::unreadable(&about, &written.entries).iter().map(ToString::to_string).collect()
        }
    }
}
