//! Ingresses as members.

mod backend;
mod guard;
mod portable;
mod route;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressBackend, IngressSpec};

pub use backend::backend_services;
pub use guard::secrets;

use super::{
    Candidate, MemberReading,
    class::Serving,
    error::{Advice, ReadError},
    finalizer, listeners, names, params,
    written::{self, Entry, Named, Sorter, Written},
};
use crate::{
    ids::{Key, ObjectRef, Port, ProviderKind, StackId},
    intent::{Ask, DnsName, HttpAsk, HttpProtocol, Listen, Member, Tls},
    settings::{Origin, Settings, alb, dns, own, registry::Dialect},
    snapshot::Snapshot,
};

/// Every path with its rule's place and host.
fn paths(spec: &IngressSpec) -> impl Iterator<Item = (usize, Option<&str>, &HTTPIngressPath)> + Clone {
    spec.rules.iter().flatten().enumerate().flat_map(|(place, rule)| {
        let host = rule.host.as_deref().filter(|host| !host.is_empty());
        rule.http.iter().flat_map(|http| &http.paths).map(move |path| (place, host, path))
    })
}

/// Hosts of rules that have no path.
fn hosts_without_routes(spec: &IngressSpec) -> Vec<String> {
    let routed: BTreeSet<usize> = paths(spec).map(|(place, ..)| place).collect();
    let idle = spec.rules.iter().flatten().enumerate().filter(|(place, _)| !routed.contains(place));
    idle.filter_map(|(_, rule)| rule.host.clone()).filter(|host| !host.is_empty()).collect()
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
    let of_rules = |entry: &&Entry| written::is_of_rules(entry);
    reader.rules = written::settings(reader.own.iter().filter(of_rules));
    let settings = written::settings(reader.class.iter().chain(&reader.own).filter(|entry| !of_rules(entry)));
    let tls = tls(&spec);
    // A value that cannot be read has been noted; what is put in its place here never leaves this function.
    let default = spec.default_backend.as_ref();
    let default = default.and_then(|backend| reader.action("spec.defaultBackend", backend));
    let ask = HttpAsk {
        listens: listens(&settings, stack.provider, &tls),
        ssl_redirect: settings.get(&alb::SSL_REDIRECT).ok().flatten().map(|port| port.value),
        routes: reader.routes(&spec),
        hosts_without_routes: hosts_without_routes(&spec),
        default_guard: default.as_ref().and_then(|action| reader.guard(action)),
        default,
        tls,
    };
    if stack.provider == ProviderKind::InCluster {
        reader.errors.extend(portable::not_served(&ask));
    }
    let Reader { object, errors, mut advice, .. } = reader;
    let beside = listeners::beside(&object, &settings, &ask.listens);
    let beside = beside.into_iter().chain(guard::nowhere(&ask));
    advice.extend(beside.map(|advice| (object.clone(), advice)));
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
    let given = settings.get(&alb::CERTIFICATE_ARN).ok().flatten().is_some_and(|arns| !arns.value.is_empty());
    let imported = settings.get(&own::IMPORT_CERTIFICATES).ok().flatten().is_some_and(|asked| asked.value);
    let requested = settings.get(&alb::CREATE_ACM_CERT).ok().flatten().is_some_and(|asked| asked.value);
    match provider {
        ProviderKind::Aws if given || imported || requested => vec![HTTPS],
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
    named: Named,
    class: Vec<Entry>,
    own: Vec<Entry>,
    /// Documents that rules are made from: part of the routes, and kept nowhere else.
    rules: Settings,
    services: BTreeMap<Key, Vec<Entry>>,
    errors: Vec<ReadError>,
    advice: Vec<(ObjectRef, Advice)>,
}

impl<'a> Reader<'a> {
    fn new(snapshot: &'a Snapshot, provider: ProviderKind, ingress: &Ingress, spec: &IngressSpec) -> Self {
        Self {
            snapshot,
            provider,
            object: Candidate::Ingress(ingress).object(),
            named: named(spec),
            class: Vec::new(),
            own: Vec::new(),
            rules: Settings::default(),
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
        for dialect in [Dialect::Alb, Dialect::Dns, Dialect::Own] {
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
        Sorter { provider: self.provider, dialect, origin, named: &self.named }
    }

    fn note(&mut self, about: &ObjectRef, written: Written) -> Vec<Entry> {
        self.advice.extend(written.advice.into_iter().map(|advice| (about.clone(), advice)));
        self.errors.extend(written.errors);
        written.entries
    }
}

/// The names that annotations of rules may speak of.
fn named(spec: &IngressSpec) -> Named {
    let name = |backend: &IngressBackend| backend.service.as_ref().map(|service| service.name.clone());
    let routed = paths(spec).map(|(.., path)| &path.backend);
    let all = routed.clone().chain(spec.default_backend.as_ref());
    Named {
        routed: routed.filter_map(name).collect(),
        actions: all.filter(|backend| backend::is_annotation(backend)).filter_map(name).collect(),
    }
}
