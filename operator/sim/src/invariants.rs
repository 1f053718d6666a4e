//! What must hold after every single write, whatever went wrong.

use std::collections::BTreeSet;

use fairway_aws::model::{Action, ListenerProtocol};
use fairway_core::ids::{Key, Kind, ObjectRef};
use fairway_dns::record::{Content, target_key};

use crate::{
    cluster::recorded,
    faults::Fault,
    sim::Inner,
    world::{RuleRow, targets},
};

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
        requests(inner, &mut broken);
    }
    statuses(inner, &hosts, &mut broken);
    records(inner, &hosts, &mut broken);
    groups(inner, &mut broken);
    guards(inner, &mut broken);
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

/// Nothing is requested from ACM twice: the account has so many requests a year.
fn requests(inner: &Inner, broken: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    let twice = inner.aws.requests.iter().filter(|token| !seen.insert(token.as_str()));
    broken.extend(twice.map(|token| format!("a certificate was requested twice: {token}")));
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

/// No rule that passes requests on over HTTPS is written without the guard that its Ingress asks for.
fn guards(inner: &Inner, broken: &mut Vec<String>) {
    if inner.cluster.guarded.is_empty() {
        return;
    }
    let https = |rule: &&RuleRow| {
        let listener = inner.aws.listeners.get(&rule.listener);
        listener.is_some_and(|row| row.protocol == ListenerProtocol::Https)
    };
    let guard = |action: &Action| matches!(action, Action::Cognito(_) | Action::Oidc(_) | Action::Jwt(_));
    for rule in inner.aws.rules.values().filter(https) {
        let asked = targets(&rule.actions).filter_map(|arn| guarded_since(inner, arn)).min();
        if asked.is_some_and(|since| rule.written >= since) && !rule.actions.iter().any(guard) {
            broken.push(format!("rule {} passes on without its guard", rule.arn));
        }
    }
}

/// From when on the Ingress of a target group asks for a guard.
fn guarded_since(inner: &Inner, arn: &str) -> Option<u64> {
    let resource = inner.aws.target_groups.get(arn)?.tags.get("ingress.k8s.aws/resource")?;
    let of = |key: &Key| resource.strip_prefix(&key.to_string()).is_some_and(|rest| rest.starts_with('-'));
    inner.cluster.guarded.iter().find(|(key, _)| of(key)).map(|(_, since)| *since)
}
