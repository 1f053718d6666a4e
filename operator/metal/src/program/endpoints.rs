//! Where a backend's pods listen.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

use fairway_core::intent::{Backend, FoundService};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};

use super::View;

const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Where pods are: slices by namespace and Service, so that a backend costs the same in a cluster of any size.
pub(super) struct Places<'a> {
    slices: BTreeMap<(&'a str, &'a str), Vec<&'a EndpointSlice>>,
    dead: &'a BTreeSet<String>,
}

impl<'a> Places<'a> {
    /// All of a cluster.
    pub(super) fn new(view: View<'a>) -> Self {
        let mut slices: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for slice in view.snapshot.endpoint_slices.values().filter(|slice| slice.address_type != "FQDN") {
            let labels = slice.metadata.labels.as_ref();
            if let Some(service) = labels.and_then(|labels| labels.get(SERVICE_NAME)) {
                let namespace = slice.metadata.namespace.as_deref().unwrap_or_default();
                slices.entry((namespace, service.as_str())).or_default().push(&**slice);
            }
        }
        Self { slices, dead: &view.peers.dead }
    }
}

/// Addresses of the endpoints that are ready; when there is none, of those that still serve while they terminate, so
/// that the last pod of a rolling update is not cut off.
///
/// Endpoints on a node that died are left out long before the API server says that they are not ready; if there are
/// no others, the API server is trusted.
pub(super) fn endpoints(
    places: &Places<'_>,
    backend: &Backend,
    service: &FoundService,
) -> BTreeSet<SocketAddr> {
    let living =
        |endpoint: &Endpoint| endpoint.node_name.as_ref().is_none_or(|node| !places.dead.contains(node));
    let choices: [&dyn Fn(&Endpoint) -> bool; 4] = [
        &|endpoint| living(endpoint) && conditions(endpoint).0,
        &|endpoint| living(endpoint) && conditions(endpoint).1,
        &|endpoint| conditions(endpoint).0,
        &|endpoint| conditions(endpoint).1,
    ];
    let found = choices.into_iter().map(|wanted| collect(places, backend, service, wanted));
    found.into_iter().find(|endpoints| !endpoints.is_empty()).unwrap_or_default()
}

/// Ready, and serving. Absent conditions mean yes, as the API says.
fn conditions(endpoint: &Endpoint) -> (bool, bool) {
    let conditions = endpoint.conditions.as_ref();
    let ready = conditions.and_then(|c| c.ready).unwrap_or(true);
    let terminating = conditions.and_then(|c| c.terminating).unwrap_or(false);
    (ready && !terminating, conditions.and_then(|c| c.serving).unwrap_or(ready))
}

fn collect(
    places: &Places<'_>,
    backend: &Backend,
    service: &FoundService,
    wanted: impl Fn(&Endpoint) -> bool,
) -> BTreeSet<SocketAddr> {
    let of_service = (backend.service.namespace.as_str(), backend.service.name.as_str());
    let slices = places.slices.get(&of_service).into_iter().flatten();
    slices
        .filter_map(|slice| Some((slice, port(slice, &service.port.name)?)))
        .flat_map(|(slice, port)| {
            slice.endpoints.iter().filter(|e| wanted(e)).flat_map(move |e| sockets(e, port))
        })
        .collect()
}

fn port(slice: &EndpointSlice, name: &str) -> Option<u16> {
    let named = |port: &&k8s_openapi::api::discovery::v1::EndpointPort| {
        port.name.as_deref().unwrap_or_default() == name
    };
    slice.ports.iter().flatten().find(named)?.port.and_then(|port| u16::try_from(port).ok())
}

fn sockets(endpoint: &Endpoint, port: u16) -> impl Iterator<Item = SocketAddr> {
    endpoint
        .addresses
        .iter()
        .filter_map(move |text| text.parse::<IpAddr>().ok())
        .map(move |ip| SocketAddr::new(ip, port))
}
