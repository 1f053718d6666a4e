//! What must hold after every single write, whatever went wrong.

use std::collections::BTreeSet;

use fairway_core::ids::{Kind, ObjectRef};
use fairway_dns::record::{Content, target_key};

use crate::{cluster::recorded, faults::Fault, sim::Inner};

/// How addresses of the scenarios' pool begin.
const POOL: &str = "172.30.";

/// The laws that do not hold now.
pub(crate) fn broken(inner: &Inner) -> Vec<String> {
    let mut broken = Vec::new();
    let mut hosts: BTreeSet<String> =
        inner.aws.balancers.values().map(|row| target_key(&row.dns_name)).collect();
    let states = inner.cluster.objects.states.values();
    hosts.extend(states.flat_map(|state| recorded(state)).map(|address| address.to_string()));
    // A list that lags shows a target group that has just been deleted, and a binding may be written that names it; that
    // it is put right is shown by the comparison at rest.
    if !inner.faults.injected.contains_key(&Fault::StaleRead) {
        bindings(inner, &mut broken);
    }
    statuses(inner, &hosts, &mut broken);
    records(inner, &hosts, &mut broken);
    groups(inner, &mut broken);
    broken
}

/// A TargetGroupBinding never names a target group that is gone.
fn bindings(inner: &Inner, broken: &mut Vec<String>) {
    for (key, binding) in inner.cluster.objects.target_group_bindings.iter() {
        // One that goes by a name says no more than that.
        let Some(arn) = binding.spec.target_group_arn.as_deref() else { continue };
        if !inner.aws.target_groups.contains_key(arn) {
            broken.push(format!("TargetGroupBinding {key} names {arn}, which is gone"));
        }
    }
}

/// No status shows a load balancer or an address that is gone, while its object stays.
fn statuses(inner: &Inner, hosts: &BTreeSet<String>, broken: &mut Vec<String>) {
    let objects = &inner.cluster.objects;
    let ingresses = objects.ingresses.iter().map(|(key, object)| (Kind::Ingress, key, &object.metadata));
    let services = objects.services.iter().map(|(key, object)| (Kind::Service, key, &object.metadata));
    for (kind, key, meta) in ingresses.chain(services) {
        let object = ObjectRef::new(kind, key.clone());
        for host in inner.cluster.published(&object) {
            if !hosts.contains(&target_key(&host)) && meta.deletion_timestamp.is_none() {
                broken.push(format!("the status of {object} shows {host}, which is gone"));
            }
        }
    }
}

/// No record points at a load balancer that is gone, or at an address of our pool that was given back. Foreign records
/// point where they like.
fn records(inner: &Inner, hosts: &BTreeSet<String>, broken: &mut Vec<String>) {
    for record in inner.aws.zones.values().flat_map(|zone| &zone.records) {
        for target in record.targets() {
            let ours = target.contains(".elb.") && !target.starts_with("foreign");
            if ours && !hosts.contains(&target) {
                broken.push(format!("{} {} points at {target}, which is gone", record.kind, record.name));
            }
        }
        let Content::Values { values, .. } = &record.content else { continue };
        for value in values.iter().filter(|value| value.starts_with(POOL) && !hosts.contains(*value)) {
            broken.push(format!("{} {} points at {value}, which is gone", record.kind, record.name));
        }
    }
}

/// Load balancers carry groups that exist.
fn groups(inner: &Inner, broken: &mut Vec<String>) {
    for row in inner.aws.balancers.values() {
        for group in row.security_groups.iter().filter(|group| !inner.aws.groups.contains_key(*group)) {
            broken.push(format!("load balancer {} carries {group}, which is gone", row.name));
        }
    }
}
