//! Backends of an Ingress: Services, and the annotations that some of them stand for.

use std::collections::BTreeSet;

use k8s_openapi::api::networking::v1::{Ingress, IngressBackend};

use super::{Reader, paths};
use crate::{
    ids::{Key, Kind, ObjectRef, Port, ProviderKind},
    intent::{Action, Answer, Backend, PortName, Share, Split, Target},
    read::{
        error::{Advice, ReadError},
        service,
        written::{self, Entry},
    },
    settings::{
        Origin, Settings, alb,
        documents::action::{self, Destination, Document, Forward},
        registry::Dialect,
    },
};

/// Port name of backends that are no Service but an `actions.` annotation.
const USE_ANNOTATION: &str = "use-annotation";

/// Whether a backend stands for an annotation.
pub(super) fn is_annotation(backend: &IngressBackend) -> bool {
    let port = backend.service.as_ref().and_then(|service| service.port.as_ref());
    port.is_some_and(|port| port.name.as_deref() == Some(USE_ANNOTATION))
}

/// The Services that an Ingress forwards to: when one of them changes, the Ingress has to be read again.
#[must_use]
pub fn backend_services(ingress: &Ingress) -> BTreeSet<Key> {
    let namespace = ingress.metadata.namespace.as_deref().unwrap_or_default();
    let spec = ingress.spec.as_ref();
    let routed = spec.into_iter().flat_map(|spec| paths(spec).map(|(.., path)| &path.backend));
    let default = spec.and_then(|spec| spec.default_backend.as_ref());
    let names = routed.chain(default).flat_map(|backend| services(ingress, backend));
    names.map(|name| Key::new(namespace, &name)).collect()
}

/// Names of the Services that one backend means. An annotation that cannot be read means none.
fn services(ingress: &Ingress, backend: &IngressBackend) -> BTreeSet<String> {
    let Some(service) = &backend.service else { return BTreeSet::new() };
    if !is_annotation(backend) {
        return BTreeSet::from([service.name.clone()]);
    }
    let key = annotation(&service.name);
    let text = ingress.metadata.annotations.as_ref().and_then(|all| all.get(&key));
    let document = text.and_then(|text| action::parse(text).ok());
    document.iter().flat_map(Document::services).map(str::to_owned).collect()
}

fn annotation(name: &str) -> String {
    format!("{}{}{name}", alb::PREFIX, alb::ACTIONS.key)
}

/// What is answered in place of an annotation that is not there, as the peer does.
pub(super) fn no_action() -> Answer {
    Answer {
        status: 503,
        content_type: Some("text/plain".to_owned()),
        body: Some("Backend action does not exist".to_owned()),
    }
}

impl Reader<'_> {
    /// What a backend means. `None`: what is wrong has been noted, and the member will be held.
    pub(super) fn action(&mut self, at: &str, backend: &IngressBackend) -> Option<Action> {
        match named(at, backend) {
            Ok(Backed::Service(name, port)) => {
                let service = Key::new(&self.object.key.namespace, name);
                self.backend(service, port).map(Action::Service)
            }
            Ok(Backed::Annotation(name)) => self.annotated(name),
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn annotated(&mut self, name: &str) -> Option<Action> {
        // A document that cannot be read was noted with the other values of the Ingress.
        let document = self.rules.member(&alb::ACTIONS, name).ok()?;
        let Some(document) = document else {
            self.advice.push((self.object.clone(), Advice::NoAction(annotation(name))));
            return Some(Action::Answer(no_action()));
        };
        match document.value {
            Document::Redirect(redirect) => Some(Action::Redirect(redirect)),
            Document::Answer(answer) => Some(Action::Answer(answer)),
            Document::Forward(forward) => self.forward(name, forward),
        }
    }

    fn forward(&mut self, name: &str, forward: Forward) -> Option<Action> {
        let several = forward.tuples.len() > 1;
        let mut shares = Vec::new();
        for tuple in forward.tuples {
            let target = match tuple.to {
                Destination::Group(group) => Some(Target::Group(group)),
                Destination::Service(service, port) => {
                    let service = Key::new(&self.object.key.namespace, &service);
                    // A share that is answered with 503 would fail some requests for good, and one that is left out
                    // would give the others more than was asked for.
                    if several && !self.snapshot.services.contains_key(&service) {
                        self.errors.push(ReadError::NoShare { at: annotation(name), service });
                        None
                    } else {
                        self.backend(service, port).map(Target::Service)
                    }
                }
            };
            shares.push(target.map(|target| Share { weight: tuple.weight, target }));
        }
        let mut shares = shares.into_iter().collect::<Option<Vec<Share>>>()?;
        // All of it is all of it, whatever it is called; AWS is told what was written.
        let is_said = |weight: u16| weight != 1 && self.provider == ProviderKind::Aws;
        match (shares.pop(), forward.stickiness) {
            (Some(Share { target: Target::Service(backend), weight }), None)
                if shares.is_empty() && !is_said(weight) =>
            {
                Some(Action::Service(backend))
            }
            (last, stickiness) => {
                shares.extend(last);
                Some(Action::Split(Split { shares, stickiness }))
            }
        }
    }

    fn backend(&mut self, service: Key, port: PortName) -> Option<Backend> {
        let settings = self.backend_settings(&service);
        let found = match self.snapshot.services.get(&service).map(|found| service::find(found, &port)) {
            None => {
                self.advice.push((self.object.clone(), Advice::NoService(service.clone())));
                None
            }
            Some(Ok(found)) => Some(found),
            Some(Err(error)) => {
                self.errors.push(error);
                return None;
            }
        };
        Some(Backend { service, port, found, settings })
    }

    fn backend_settings(&mut self, service: &Key) -> Settings {
        if !self.services.contains_key(service) {
            let entries = self.service_entries(service);
            self.services.insert(service.clone(), entries);
        }
        let of_service = self.services.get(service).into_iter().flatten();
        let entries = self.class.iter().chain(of_service).chain(&self.own).filter(written::is_of_backend);
        let entries: Vec<&Entry> = entries.collect();
        let settings = written::settings(entries.iter().copied());
        let unreadable = written::unreadable(&self.object, entries);
        let new = unreadable.into_iter().filter(|error| !self.errors.contains(error));
        let new: Vec<ReadError> = new.collect();
        self.errors.extend(new);
        settings
    }

    fn service_entries(&mut self, service: &Key) -> Vec<Entry> {
        let Some(found) = self.snapshot.services.get(service) else { return Vec::new() };
        let object = ObjectRef::new(Kind::Service, service.clone());
        let read = |dialect| self.sorter(dialect, Origin::Service).annotations(&object, &found.metadata);
        let written = [Dialect::Alb, Dialect::Own].map(read);
        written.into_iter().flat_map(|written| self.note(&object, written)).collect()
    }
}

/// What a backend names.
enum Backed<'a> {
    Service(&'a str, PortName),
    Annotation(&'a str),
}

/// A backend, as written.
fn named<'a>(at: &str, backend: &'a IngressBackend) -> Result<Backed<'a>, ReadError> {
    let refuse = |problem| ReadError::Backend { at: at.to_owned(), problem };
    let service =
        backend.service.as_ref().ok_or_else(|| refuse("a resource cannot be a backend, only a Service"))?;
    if is_annotation(backend) {
        return Ok(Backed::Annotation(&service.name));
    }
    let port = service.port.as_ref().ok_or_else(|| refuse("the backend names no port"))?;
    let port = match (port.number, port.name.as_deref()) {
        (Some(number), _) => Port::new(number.into()).map(PortName::Number),
        (None, Some(name)) => Some(PortName::Name(name.to_owned())),
        (None, None) => None,
    };
    Ok(Backed::Service(&service.name, port.ok_or_else(|| refuse("the backend names no port"))?))
}
