//! Ingresses as members.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressBackend, IngressSpec};

use super::{
    Candidate, MemberReading,
    class::Serving,
    error::{Advice, ReadError},
    finalizer, names, params, service,
    written::{self, Entry, Sorter, Written},
};
use crate::{
    ids::{Key, Kind, ObjectRef, Port, ProviderKind, StackId},
    intent::{Ask, Backend, DnsName, HttpAsk, HttpProtocol, Listen, Member, PathType, PortName, Route, Tls},
    settings::{Origin, Settings, alb, dns, registry::Dialect},
    snapshot::Snapshot,
};

/// Port name of backends that are no Service but an `actions.` annotation.
const USE_ANNOTATION: &str = "use-annotation";

/// The Services that an Ingress forwards to: when one of them changes, the Ingress has to be read again.
#[must_use]
pub fn backend_services(ingress: &Ingress) -> BTreeSet<Key> {
    let namespace = ingress.metadata.namespace.as_deref().unwrap_or_default();
    let spec = ingress.spec.as_ref();
    let routed = spec.into_iter().flat_map(|spec| paths(spec).map(|(.., path)| &path.backend));
    let default = spec.and_then(|spec| spec.default_backend.as_ref());
    let services = routed.chain(default).filter_map(|backend| backend.service.as_ref());
    services.map(|service| Key::new(namespace, &service.name)).collect()
}

/// Every path with its rule's place and host.
fn paths(spec: &IngressSpec) -> impl Iterator<Item = (usize, Option<&str>, &HTTPIngressPath)> {
    spec.rules.iter().flatten().enumerate().flat_map(|(place, rule)| {
        let host = rule.host.as_deref().filter(|host| !host.is_empty());
        rule.http.iter().flat_map(|http| &http.paths).map(move |path| (place, host, path))
    })
}

/// Reads an Ingress that is a member of `stack`.
pub(super) fn read(
    snapshot: &Snapshot,
    stack: &StackId,
    serving: &Serving<'_>,
    ingress: &Ingress,
) -> MemberReading {
    let spec = ingress.spec.clone().unwrap_or_default();
    let mut reader = Reader::new(snapshot, stack.provider, ingress, &spec);
    reader.read_own(serving, ingress);
    let settings = written::settings(reader.class.iter().chain(&reader.own));
    let tls = tls(&spec);
    // A value that cannot be read has been noted; what is put in its place here never leaves this function.
    let ask = HttpAsk {
        listens: listens(&settings, stack.provider, &tls),
        ssl_redirect: settings.get(&alb::SSL_REDIRECT).ok().flatten().map(|port| port.value),
        routes: reader.routes(&spec),
        default_backend: spec
            .default_backend
            .as_ref()
            .and_then(|backend| reader.backend("spec.defaultBackend", backend)),
        tls,
    };
    let Reader { object, errors, advice, .. } = reader;
    if !errors.is_empty() {
        return MemberReading { member: Err(errors), advice };
    }
    let member = Member {
        uid: ingress.metadata.uid.clone().unwrap_or_default(),
        finalizer: finalizer(stack),
        order: settings.get(&alb::GROUP_ORDER).ok().flatten().map_or(0, |order| order.value),
        held: false,
        hostnames: names::wanted(&settings, defined_names(&spec)),
        ask: Ask::Http(Box::new(ask)),
        settings,
        object,
    };
    MemberReading { member: Ok(member), advice }
}

/// Without the annotation: HTTPS when the member brings its own certificates, as the peer does. In the cluster,
/// certificates are those of `spec.tls`, and plain HTTP is served beside them.
fn listens(settings: &Settings, provider: ProviderKind, tls: &[Tls]) -> Vec<Listen> {
    const HTTP: Listen = Listen { port: Port::HTTP, protocol: HttpProtocol::Http };
    const HTTPS: Listen = Listen { port: Port::HTTPS, protocol: HttpProtocol::Https };
    if let Some(listens) = settings.get(&alb::LISTEN_PORTS).ok().flatten() {
        return listens.value;
    }
    let certificates = settings.get(&alb::CERTIFICATE_ARN).ok().flatten();
    match provider {
        ProviderKind::Aws if certificates.is_some_and(|arns| !arns.value.is_empty()) => vec![HTTPS],
        ProviderKind::InCluster if !tls.is_empty() => vec![HTTP, HTTPS],
        ProviderKind::Aws | ProviderKind::InCluster => vec![HTTP],
    }
}

fn tls(spec: &IngressSpec) -> Vec<Tls> {
    let read = |tls: &k8s_openapi::api::networking::v1::IngressTLS| Tls {
        hosts: tls.hosts.clone().unwrap_or_default(),
        secret: tls.secret_name.clone(),
    };
    spec.tls.iter().flatten().map(read).collect()
}

/// Names of rules and of certificates. What is no DNS name cannot be published; the API server lets none through.
fn defined_names(spec: &IngressSpec) -> Vec<DnsName> {
    let named = |from: &'static str| {
        move |host: &String| Some(DnsName { name: dns::name(host)?, from: from.to_owned() })
    };
    let rules = spec.rules.iter().flatten().filter_map(|rule| rule.host.as_ref());
    let tls = spec.tls.iter().flatten().flat_map(|tls| tls.hosts.iter().flatten());
    rules.filter_map(named("spec.rules")).chain(tls.filter_map(named("spec.tls"))).collect()
}

struct Reader<'a> {
    snapshot: &'a Snapshot,
    provider: ProviderKind,
    object: ObjectRef,
    routed: BTreeSet<String>,
    class: Vec<Entry>,
    own: Vec<Entry>,
    services: BTreeMap<Key, Vec<Entry>>,
    errors: Vec<ReadError>,
    advice: Vec<(ObjectRef, Advice)>,
}

impl<'a> Reader<'a> {
    fn new(snapshot: &'a Snapshot, provider: ProviderKind, ingress: &Ingress, spec: &IngressSpec) -> Self {
        let services = paths(spec).filter_map(|(.., path)| path.backend.service.as_ref());
        Self {
            snapshot,
            provider,
            object: Candidate::Ingress(ingress).object(),
            routed: services.map(|service| service.name.clone()).collect(),
            class: Vec::new(),
            own: Vec::new(),
            services: BTreeMap::new(),
            errors: Vec::new(),
            advice: Vec::new(),
        }
    }

    fn read_own(&mut self, serving: &Serving<'_>, ingress: &Ingress) {
        let dialect = if self.provider == ProviderKind::Aws { Dialect::Alb } else { Dialect::InCluster };
        match params::read(serving.params, &self.sorter(dialect, Origin::ClassParams)) {
            Ok(written) => self.class = self.note(&self.object.clone(), written),
            Err(error) => self.errors.push(error),
        }
        for dialect in [Dialect::Alb, Dialect::Dns] {
            let written = self.sorter(dialect, Origin::Ingress).annotations(&self.object, &ingress.metadata);
            let entries = self.note(&self.object.clone(), written);
            self.own.extend(entries);
        }
        // A backend's own values are judged with the Service's, which may be stronger.
        let own = self.class.iter().chain(&self.own).filter(written::is_of_balancer);
        let unreadable = written::unreadable(&self.object, own);
        self.errors.extend(unreadable);
    }

    fn sorter(&self, dialect: Dialect, origin: Origin) -> Sorter<'_> {
        Sorter { provider: self.provider, dialect, origin, routed: &self.routed }
    }

    fn note(&mut self, about: &ObjectRef, written: Written) -> Vec<Entry> {
        self.advice.extend(written.advice.into_iter().map(|advice| (about.clone(), advice)));
        self.errors.extend(written.errors);
        written.entries
    }

    fn routes(&mut self, spec: &IngressSpec) -> Vec<Route> {
        let mut routes = Vec::new();
        for (rule, host, path) in paths(spec) {
            let at = format!("spec.rules[{rule}] path {}", path.path.as_deref().unwrap_or_default());
            let path_type = match path.path_type.as_str() {
                "Exact" => PathType::Exact,
                "Prefix" => PathType::Prefix,
                "ImplementationSpecific" | "" => PathType::ImplementationSpecific,
                other => {
                    let problem = format!("{other} is no path type");
                    self.errors.push(ReadError::Shape { at, problem });
                    continue;
                }
            };
            if let Some(backend) = self.backend(&at, &path.backend) {
                let path = path.path.clone().unwrap_or_default();
                routes.push(Route { rule, host: host.map(str::to_owned), path_type, path, backend });
            }
        }
        routes
    }

    /// `None`: what is wrong has been noted, and the member will be held.
    fn backend(&mut self, at: &str, backend: &IngressBackend) -> Option<Backend> {
        let (name, port) = match named(at, backend) {
            Ok(named) => named,
            Err(error) => {
                self.errors.push(error);
                return None;
            }
        };
        let service = Key::new(&self.object.key.namespace, name);
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
        let written = self.sorter(Dialect::Alb, Origin::Service).annotations(&object, &found.metadata);
        self.note(&object, written)
    }
}

/// Service and port of a backend, as written.
fn named<'a>(at: &str, backend: &'a IngressBackend) -> Result<(&'a str, PortName), ReadError> {
    let refuse = |problem| ReadError::Backend { at: at.to_owned(), problem };
    let service =
        backend.service.as_ref().ok_or_else(|| refuse("a resource cannot be a backend, only a Service"))?;
    let port = service.port.as_ref().ok_or_else(|| refuse("the backend names no port"))?;
    let port = match (port.number, port.name.as_deref()) {
        (_, Some(USE_ANNOTATION)) => return Err(refuse("use-annotation is not supported yet")),
        (Some(number), _) => Port::new(number.into()).map(PortName::Number),
        (None, Some(name)) => Some(PortName::Name(name.to_owned())),
        (None, None) => None,
    };
    Ok((service.name.as_str(), port.ok_or_else(|| refuse("the backend names no port"))?))
}
