//! Which rules nodes and pods need, from the networking of all TargetGroupBindings.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use fairway_core::{
    class::{Class, Classified},
    evaluate::Facts,
    ids::{Key, Kind, ObjectRef},
    note::Note,
    settings::Provenance,
    snapshot::Snapshot,
};
use fairway_crds::{NetworkingIngressRule, NetworkingPort, TargetGroupBinding};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Network, RULE_DESCRIPTION};
use crate::{
    config::Config,
    endpoints::{self, Endpoint, Slices, Unknown},
    facts::{Interface, Query},
    model::{Permission, Source},
    targets::{self, BoundError},
};

const ALL_PORTS: (u16, u16) = (0, u16::MAX);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RulesError {
    #[error("{0}; rules on nodes and pods are kept")]
    Targets(Unknown),
    #[error("{0}; rules on nodes and pods are kept")]
    Bound(BoundError),
    #[error("no network interface is known for {0}; no rule of load balancers is taken away")]
    NoInterface(String),
    #[error("interface {interface} has {count} security groups with tag {tag}, one is needed")]
    Ambiguous { interface: String, tag: String, count: usize },
    #[error("port {0} in spec.networking is not known as a number")]
    UnknownPort(String),
    #[error(
        "{needed} rules in security group {group} are needed with it, and {most} is the most (quota {quota}); \
         none is added"
    )]
    LimitExceeded { group: String, needed: usize, most: usize, quota: &'static str },
}

impl Classified for RulesError {
    fn class(&self) -> Class {
        match self {
            Self::Targets(_) | Self::UnknownPort(_) => Class::Invalid,
            Self::Bound(error) => error.class(),
            Self::NoInterface(_) => Class::Pending,
            Self::Ambiguous { .. } | Self::LimitExceeded { .. } => Class::Environment,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Targets(_) => "BackendNotFound",
            Self::Bound(error) => error.code(),
            Self::NoInterface(_) => "NoNetworkInterface",
            Self::Ambiguous { .. } => "AmbiguousSecurityGroup",
            Self::UnknownPort(_) => "UnknownPort",
            Self::LimitExceeded { .. } => "LimitExceeded",
        }
    }
}

/// A binding that asks for rules, and its targets.
pub(super) struct Asking<'a> {
    about: ObjectRef,
    object: Cow<'a, TargetGroupBinding>,
    endpoints: BTreeSet<Endpoint>,
    instances: bool,
}

impl Asking<'_> {
    /// Where it asks.
    pub(super) fn provenance(&self) -> Provenance {
        Provenance { object: self.about.clone(), key: "spec.networking".to_owned() }
    }

    /// Whether a stack made it: then its source is the shared group.
    pub(super) fn made_by_a_stack(&self) -> bool {
        targets::made_by_a_stack(&self.object)
    }
}

/// Every binding that asks for rules and whose targets are known, and what is wrong with the others.
///
/// # Errors
/// What has to be known first.
pub(super) fn asking<'a>(
    snapshot: &'a Snapshot,
    facts: &Facts<Network>,
) -> Result<(Vec<Asking<'a>>, Vec<Note>), Vec<Query>> {
    let (mut asking, mut notes, mut queries) = (Vec::new(), Vec::new(), Vec::new());
    let slices = Slices::of(snapshot);
    for (key, object) in snapshot.target_group_bindings.iter() {
        let wants = object.spec.networking.as_ref().is_some_and(|wanted| !wanted.ingress.is_empty());
        if object.metadata.deletion_timestamp.is_some() || !wants {
            continue;
        }
        let about = ObjectRef::new(Kind::TargetGroupBinding, key.clone());
        match whole(object, facts) {
            Ok(Ok(object)) => match endpoints::of(snapshot, &slices, &object) {
                Ok(endpoints) => {
                    let instances = object.spec.target_type.as_deref() == Some("instance");
                    asking.push(Asking { about, object, endpoints, instances });
                }
                // Nothing is behind a Service that is gone.
                Err(Unknown::NoService(_)) => {}
                Err(error) => notes.push(Note::hold(&about, &RulesError::Targets(error))),
            },
            Ok(Err(query)) => queries.push(query),
            Err(error) => notes.push(Note::hold(&about, &RulesError::Bound(error))),
        }
    }
    if queries.is_empty() { Ok((asking, notes)) } else { Err(queries) }
}

/// The binding with everything said, or the question whose answer says it.
fn whole<'a>(
    object: &'a TargetGroupBinding,
    facts: &Facts<Network>,
) -> Result<Result<Cow<'a, TargetGroupBinding>, Query>, BoundError> {
    let query = targets::group_query(&object.spec)?;
    Ok(targets::filled(object, facts.get(&query))?.ok_or(query))
}

/// Addresses and instances whose interfaces have to be known.
pub(super) fn wanted_interfaces(asking: &[Asking<'_>]) -> (Vec<String>, Vec<String>) {
    let ids = |instances: bool| -> Vec<String> {
        let of_kind = asking.iter().filter(|one| one.instances == instances);
        let ids: BTreeSet<String> =
            of_kind.flat_map(|one| &one.endpoints).map(|endpoint| endpoint.id.clone()).collect();
        ids.into_iter().collect()
    };
    (ids(false), ids(true))
}

/// Ports that a source may reach, by group, protocol and source.
#[derive(Default)]
struct Spans(BTreeMap<Door, BTreeSet<(u16, u16)>>);

/// Group, protocol, source.
type Door = (String, &'static str, Source);

/// The rules, by group. Notes say what could not be decided; then nothing may be revoked.
pub(super) fn rules(
    config: &Config,
    snapshot: &Snapshot,
    asking: &[Asking<'_>],
    interfaces: &[Interface],
) -> (BTreeMap<String, BTreeSet<Permission>>, Vec<Note>) {
    let (mut spans, mut notes) = (Spans::default(), BTreeSet::new());
    let carriers = Carriers::of(interfaces);
    for one in asking {
        let mut groups = BTreeSet::new();
        for endpoint in &one.endpoints {
            match carriers.group_of(config, endpoint, one.instances) {
                Ok(group) => {
                    groups.insert(group);
                }
                Err(error) => {
                    notes.insert(Note::hold(&one.about, &error));
                }
            }
        }
        for entry in one.object.spec.networking.iter().flat_map(|wanted| &wanted.ingress) {
            if let Err(error) = spans.add(snapshot, one, entry, &groups) {
                notes.insert(Note::hold(&one.about, &error));
            }
        }
    }
    (spans.permissions(config), notes.into_iter().collect())
}

/// Bindings with a target that carries this group.
pub(super) fn asked_by(
    config: &Config,
    asking: &[Asking<'_>],
    interfaces: &[Interface],
    group: &str,
) -> Vec<Provenance> {
    let carriers = Carriers::of(interfaces);
    let carries = |one: &Asking<'_>| {
        let mut groups =
            one.endpoints.iter().map(|endpoint| carriers.group_of(config, endpoint, one.instances));
        groups.any(|of| of.is_ok_and(|of| of == group))
    };
    asking.iter().filter(|one| carries(one)).map(Asking::provenance).collect()
}

impl Spans {
    fn add(
        &mut self,
        snapshot: &Snapshot,
        one: &Asking<'_>,
        entry: &NetworkingIngressRule,
        groups: &BTreeSet<String>,
    ) -> Result<(), RulesError> {
        for port in &ports(entry) {
            let protocol = if port.protocol.as_deref() == Some("UDP") { "udp" } else { "tcp" };
            let spans = numbers(snapshot, one, port)?;
            for (group, source) in groups.iter().flat_map(|group| sources(entry).map(move |one| (group, one)))
            {
                self.0.entry((group.clone(), protocol, source)).or_default().extend(&spans);
            }
        }
        Ok(())
    }

    fn permissions(self, config: &Config) -> BTreeMap<String, BTreeSet<Permission>> {
        let mut all: BTreeMap<String, BTreeSet<Permission>> = BTreeMap::new();
        for ((group, protocol, source), spans) in self.0 {
            let restricted = config.restricted_ports && matches!(source, Source::Group(_));
            let spans: Vec<(u16, u16)> = if restricted {
                let from = spans.iter().map(|span| span.0).min();
                let to = spans.iter().map(|span| span.1).max();
                from.zip(to).into_iter().collect()
            } else {
                spans.into_iter().collect()
            };
            all.entry(group).or_default().extend(spans.into_iter().map(|(from, to)| Permission {
                protocol: protocol.to_owned(),
                from: Some(i32::from(from)),
                to: Some(i32::from(to)),
                source: source.clone(),
                description: RULE_DESCRIPTION.to_owned(),
            }));
        }
        all
    }
}

/// Ports of an entry. One without ports is for every TCP port, as its documentation has always said.
fn ports(entry: &NetworkingIngressRule) -> Vec<NetworkingPort> {
    if entry.ports.is_empty() { vec![NetworkingPort::default()] } else { entry.ports.clone() }
}

fn sources(entry: &NetworkingIngressRule) -> impl Iterator<Item = Source> + '_ {
    entry.from.iter().filter_map(|peer| match (&peer.security_group, &peer.ip_block) {
        (Some(group), _) => Some(Source::Group(group.group_id.clone())),
        (None, Some(block)) if block.cidr.contains(':') => Some(Source::Cidr6(block.cidr.clone())),
        (None, Some(block)) => Some(Source::Cidr(block.cidr.clone())),
        (None, None) => None,
    })
}

/// A port as numbers: named ones are those that the binding's own endpoints listen on.
fn numbers(
    snapshot: &Snapshot,
    one: &Asking<'_>,
    port: &NetworkingPort,
) -> Result<BTreeSet<(u16, u16)>, RulesError> {
    let unknown = || RulesError::UnknownPort(port.port.as_ref().map(endpoints::spelled).unwrap_or_default());
    match &port.port {
        None => Ok(BTreeSet::from([ALL_PORTS])),
        Some(IntOrString::Int(number)) => {
            let number = u16::try_from(*number).map_err(|_| unknown())?;
            Ok(BTreeSet::from([(number, number)]))
        }
        Some(IntOrString::String(name)) => {
            let reference = &one.object.spec.service_ref;
            let service = snapshot.services.get(&Key::new(&one.about.key.namespace, &reference.name));
            let service_port = service.and_then(|service| endpoints::service_port(service, &reference.port));
            let target = service_port.and_then(|port| port.target_port.as_ref());
            if target.is_some_and(|target| endpoints::spelled(target) == *name) {
                Ok(one.endpoints.iter().map(|endpoint| (endpoint.port, endpoint.port)).collect())
            } else {
                Err(unknown())
            }
        }
    }
}

/// Interfaces by what they carry: a cluster has thousands of either.
struct Carriers<'a> {
    by_address: BTreeMap<&'a str, &'a Interface>,
    by_instance: BTreeMap<&'a str, Vec<&'a Interface>>,
}

impl<'a> Carriers<'a> {
    fn of(interfaces: &'a [Interface]) -> Self {
        let mut carriers = Self { by_address: BTreeMap::new(), by_instance: BTreeMap::new() };
        for interface in interfaces {
            for address in &interface.addresses {
                carriers.by_address.entry(address).or_insert(interface);
            }
            if let Some(instance) = &interface.instance {
                carriers.by_instance.entry(instance).or_default().push(interface);
            }
        }
        carriers
    }

    /// The group that carries the rules for one target: the only one of its interface, else the only one that is tagged
    /// for the cluster.
    fn group_of(&self, config: &Config, endpoint: &Endpoint, instance: bool) -> Result<String, RulesError> {
        let interface = if instance {
            self.of_instance(endpoint)
        } else {
            self.by_address.get(endpoint.id.as_str()).copied()
        };
        let interface = interface.ok_or_else(|| RulesError::NoInterface(endpoint.id.clone()))?;
        if let [group] = interface.groups.as_slice() {
            return Ok(group.id.clone());
        }
        let tag = format!("kubernetes.io/cluster/{}", config.cluster);
        let tagged: Vec<_> = interface.groups.iter().filter(|group| group.tags.contains_key(&tag)).collect();
        match tagged.as_slice() {
            [group] => Ok(group.id.clone()),
            _ => Err(RulesError::Ambiguous { interface: interface.id.clone(), tag, count: tagged.len() }),
        }
    }

    /// The primary interface of an instance: the one with the node's own address, else the first.
    fn of_instance(&self, endpoint: &Endpoint) -> Option<&'a Interface> {
        let own = self.by_instance.get(endpoint.id.as_str())?;
        let address = endpoint.node_address.as_ref();
        let primary =
            address.and_then(|address| own.iter().find(|interface| interface.addresses.contains(address)));
        primary.or_else(|| own.first()).copied()
    }
}
