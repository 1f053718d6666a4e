//! What a TargetGroupBinding's targets are, by the cluster alone: pods behind its Service, or nodes.
//!
//! | target type | who                                                                                |
//! |-------------|------------------------------------------------------------------------------------|
//! | `ip`        | endpoints of pods that are ready, or whose containers are, on a ready node         |
//! | `instance`  | ready nodes of EC2 that carry no label or taint against it, at the node port       |
//!
//! Nodes of unknown condition, and what runs on them, count only when nothing better is there. A node that is no
//! instance of EC2 is passed over.
//!
//! Errors: a Service or a port that is not there is no empty list. Whoever asks keeps what is registered.
//! Source: AWS Load Balancer Controller 3.5, TargetGroupBinding.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    ids::Key,
    snapshot::{Pod, Snapshot},
};
use fairway_crds::TargetGroupBinding;
use k8s_openapi::{
    api::{
        core::v1::{Node, Service, ServicePort},
        discovery::v1::{Endpoint as SliceEndpoint, EndpointSlice},
    },
    apimachinery::pkg::{apis::meta::v1::ObjectMeta, util::intstr::IntOrString},
};
use kube_core::{Selector, SelectorExt as _};

/// One place that can be registered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Endpoint {
    /// Instance id or pod address.
    pub(crate) id: String,
    pub(crate) port: u16,
    /// Creation of the Pod or Node, Unix milliseconds.
    pub(crate) created: i64,
    /// For nodes, the address that its primary interface has.
    pub(crate) node_address: Option<String>,
    /// For pods, which.
    pub(crate) pod: Option<Key>,
}

/// Why the targets are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unknown {
    #[error("Service {0} does not exist")]
    NoService(Key),
    #[error("Service {service} has no port {port}")]
    NoPort { service: Key, port: String },
    #[error("port {port} of Service {service} has no node port")]
    NoNodePort { service: Key, port: String },
    #[error("spec.nodeSelector cannot be read: {0}")]
    BadSelector(String),
}

/// Labels whose mere presence keeps a node out.
const EXCLUDED: [&str; 3] = [
    "node.kubernetes.io/exclude-from-external-load-balancers",
    "alpha.service-controller.kubernetes.io/exclude-balancer",
    "node-role.kubernetes.io/master",
];

/// The slices of a cluster by namespace and name of their Service: whoever looks at many bindings goes over them once.
pub(crate) struct Slices<'a>(BTreeMap<(&'a str, &'a str), Vec<&'a EndpointSlice>>);

impl<'a> Slices<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot) -> Self {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (key, slice) in snapshot.endpoint_slices.iter() {
            let labels = slice.metadata.labels.as_ref();
            if let Some(service) = labels.and_then(|labels| labels.get("kubernetes.io/service-name")) {
                all.entry((key.namespace.as_str(), service.as_str())).or_default().push(slice.as_ref());
            }
        }
        Self(all)
    }

    fn behind<'b>(&'b self, service: &'b Key, family: &'b str) -> impl Iterator<Item = &'b EndpointSlice> {
        let found = self.0.get(&(service.namespace.as_str(), service.name.as_str()));
        found.into_iter().flatten().copied().filter(move |slice| slice.address_type == family)
    }
}

/// The endpoints of a binding, each once.
pub(crate) fn of(
    snapshot: &Snapshot,
    slices: &Slices<'_>,
    binding: &TargetGroupBinding,
) -> Result<BTreeSet<Endpoint>, Unknown> {
    let namespace = binding.metadata.namespace.as_deref().unwrap_or_default();
    let key = Key::new(namespace, &binding.spec.service_ref.name);
    let service = snapshot.services.get(&key).ok_or_else(|| Unknown::NoService(key.clone()))?;
    let port = service_port(service, &binding.spec.service_ref.port);
    let written = || spelled(&binding.spec.service_ref.port);
    let port = port.ok_or_else(|| Unknown::NoPort { service: key.clone(), port: written() })?;
    if binding.spec.target_type.as_deref() == Some("instance") {
        let node_port = port.node_port.and_then(|port| u16::try_from(port).ok());
        let node_port =
            node_port.ok_or_else(|| Unknown::NoNodePort { service: key.clone(), port: written() })?;
        nodes(snapshot, binding, node_port)
    } else {
        let family = binding.spec.ip_address_type.as_deref();
        let family = if family == Some("ipv6") { "IPv6" } else { "IPv4" };
        Ok(pods(snapshot, &key, port, slices.behind(&key, family)))
    }
}

/// The port of a Service that a reference names, by number or by name.
pub(crate) fn service_port<'a>(service: &'a Service, reference: &IntOrString) -> Option<&'a ServicePort> {
    let ports = service.spec.as_ref()?.ports.as_ref()?;
    ports.iter().find(|port| match reference {
        IntOrString::Int(number) => port.port == *number,
        IntOrString::String(name) => port.name.as_ref() == Some(name),
    })
}

pub(crate) fn spelled(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    }
}

/// Unix milliseconds; 0 when the object was never created.
fn created(meta: &ObjectMeta) -> i64 {
    meta.creation_timestamp.as_ref().map_or(0, |time| time.0.as_millisecond())
}

fn pods<'a>(
    snapshot: &Snapshot,
    service: &Key,
    port: &ServicePort,
    slices: impl Iterator<Item = &'a EndpointSlice>,
) -> BTreeSet<Endpoint> {
    let (mut sure, mut unsure) = (BTreeSet::new(), BTreeSet::new());
    for slice in slices {
        let number = slice.ports.iter().flatten().find(|candidate| {
            candidate.name.as_deref().unwrap_or_default() == port.name.as_deref().unwrap_or_default()
        });
        let Some(number) = number.and_then(|port| u16::try_from(port.port?).ok()) else { continue };
        for endpoint in &slice.endpoints {
            let Some(key) = pod_of(service, endpoint) else { continue };
            let pod = snapshot.pods.get(&key).map(AsRef::as_ref);
            let chosen = match standing(snapshot, endpoint, pod) {
                Standing::In => &mut sure,
                Standing::Perhaps => &mut unsure,
                Standing::Out => continue,
            };
            chosen.extend(endpoint.addresses.iter().map(|address| Endpoint {
                id: address.clone(),
                port: number,
                created: pod.map_or(0, |pod| created(&pod.metadata)),
                node_address: None,
                pod: Some(key.clone()),
            }));
        }
    }
    if sure.is_empty() { unsure } else { sure }
}

fn pod_of(service: &Key, endpoint: &SliceEndpoint) -> Option<Key> {
    let target = endpoint.target_ref.as_ref().filter(|target| target.kind.as_deref() == Some("Pod"))?;
    Some(Key::new(target.namespace.as_deref().unwrap_or(&service.namespace), target.name.as_deref()?))
}

enum Standing {
    In,
    /// On a node of unknown condition.
    Perhaps,
    Out,
}

fn standing(snapshot: &Snapshot, endpoint: &SliceEndpoint, pod: Option<&Pod>) -> Standing {
    let conditions = endpoint.conditions.as_ref();
    if conditions.and_then(|conditions| conditions.ready).unwrap_or(true) {
        return Standing::In;
    }
    let terminating = conditions.and_then(|conditions| conditions.terminating).unwrap_or(false);
    // Pods that wait for nothing but a readiness gate of their load balancer have to be registered to become ready.
    let containers_ready = pod
        .and_then(|pod| pod.condition("ContainersReady"))
        .is_some_and(|condition| condition.status == "True");
    if terminating || !containers_ready {
        return Standing::Out;
    }
    let node = endpoint.node_name.as_deref().and_then(|name| snapshot.nodes.get(&Key::cluster(name)));
    match node.map(|node| ready(node)) {
        Some("True") => Standing::In,
        Some("Unknown") => Standing::Perhaps,
        _ => Standing::Out,
    }
}

/// `True`, `False` or `Unknown`.
fn ready(node: &Node) -> &str {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready = conditions.into_iter().flatten().find(|condition| condition.type_ == "Ready");
    ready.map_or("Unknown", |condition| condition.status.as_str())
}

fn nodes(
    snapshot: &Snapshot,
    binding: &TargetGroupBinding,
    port: u16,
) -> Result<BTreeSet<Endpoint>, Unknown> {
    let selector = match &binding.spec.node_selector {
        Some(selector) => {
            Selector::try_from(selector.clone()).map_err(|error| Unknown::BadSelector(error.to_string()))?
        }
        None => Selector::default(),
    };
    let (mut sure, mut unsure) = (BTreeSet::new(), BTreeSet::new());
    for node in snapshot.nodes.values() {
        let labels = node.metadata.labels.clone().unwrap_or_default();
        let Some(id) = instance(node).filter(|_| suitable(node) && selector.matches(&labels)) else {
            continue;
        };
        let chosen = match ready(node) {
            "True" => &mut sure,
            "Unknown" => &mut unsure,
            _ => continue,
        };
        chosen.insert(Endpoint {
            id,
            port,
            created: created(&node.metadata),
            node_address: internal_address(node),
            pod: None,
        });
    }
    Ok(if sure.is_empty() { unsure } else { sure })
}

fn suitable(node: &Node) -> bool {
    let labels = node.metadata.labels.iter().flatten();
    let refused = labels.into_iter().any(|(key, value)| {
        EXCLUDED.contains(&key.as_str()) || (key == "eks.amazonaws.com/compute-type" && value == "fargate")
    });
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    let leaving = taints.into_iter().flatten().any(|taint| {
        taint.key == "ToBeDeletedByClusterAutoscaler"
            || (taint.key == "karpenter.sh/disrupted" && taint.effect == "NoSchedule")
    });
    !refused && !leaving
}

/// `aws:///us-east-1a/i-0123` is instance `i-0123`.
fn instance(node: &Node) -> Option<String> {
    let id = node.spec.as_ref()?.provider_id.as_deref()?;
    let last = id.strip_prefix("aws://")?.rsplit('/').next()?;
    last.starts_with("i-").then(|| last.to_owned())
}

fn internal_address(node: &Node) -> Option<String> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    let internal = addresses.iter().find(|address| address.type_ == "InternalIP")?;
    Some(internal.address.clone())
}
