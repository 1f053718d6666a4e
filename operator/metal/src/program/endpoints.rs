//! Where a backend's pods listen.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use fairway_core::{
    intent::{Backend, FoundService},
    snapshot::Snapshot,
};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};

const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// Addresses of the endpoints that are ready; when there is none, of those that still serve while they terminate, so
/// that the last pod of a rolling update is not cut off.
pub(super) fn endpoints(
    snapshot: &Snapshot,
    backend: &Backend,
    service: &FoundService,
) -> BTreeSet<SocketAddr> {
    let ready = collect(snapshot, backend, service, |endpoint| conditions(endpoint).0);
    if ready.is_empty() {
        collect(snapshot, backend, service, |endpoint| conditions(endpoint).1)
    } else {
        ready
    }
}

/// Ready, and serving. Absent conditions mean yes, as the API says.
fn conditions(endpoint: &Endpoint) -> (bool, bool) {
    let conditions = endpoint.conditions.as_ref();
    let ready = conditions.and_then(|c| c.ready).unwrap_or(true);
    let terminating = conditions.and_then(|c| c.terminating).unwrap_or(false);
    (ready && !terminating, conditions.and_then(|c| c.serving).unwrap_or(ready))
}

fn collect(
    snapshot: &Snapshot,
    backend: &Backend,
    service: &FoundService,
    wanted: impl Fn(&Endpoint) -> bool,
) -> BTreeSet<SocketAddr> {
    let slices = snapshot.endpoint_slices.values().filter(|slice| belongs(slice, backend));
    slices
        .filter_map(|slice| Some((slice, port(slice, &service.port.name)?)))
        .flat_map(|(slice, port)| {
            slice.endpoints.iter().filter(|e| wanted(e)).flat_map(move |e| sockets(e, port))
        })
        .collect()
}

fn belongs(slice: &EndpointSlice, backend: &Backend) -> bool {
    let label = slice.metadata.labels.as_ref().and_then(|labels| labels.get(SERVICE_NAME));
    slice.metadata.namespace.as_deref() == Some(backend.service.namespace.as_str())
        && label == Some(&backend.service.name)
        && slice.address_type != "FQDN"
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
