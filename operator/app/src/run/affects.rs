//! Which units a change affects. Too many costs a look that finds nothing to do; too few is a bug.

use std::collections::{BTreeMap, BTreeSet};

use fairway_cluster::watches::Change;
use fairway_core::{
    ids::{Key, StackId},
    proof::Proof,
    read::{self, Candidate, ReadConfig},
    snapshot::Snapshot,
};
use fairway_crds::{LoadBalancerAddress, LoadBalancerState, TargetGroupBinding, TargetGroupBindingSpec};
use fairway_dns::provider::ZoneUnit;
use fairway_metal::announced::ANNOUNCED;
use k8s_openapi::api::networking::v1::Ingress;
use kube::ResourceExt as _;

use crate::unit::Unit;

/// Units to look at after a change.
pub(crate) fn affects(
    snapshot: &Snapshot,
    config: &ReadConfig,
    zones: &BTreeSet<ZoneUnit>,
    change: &Change,
) -> BTreeSet<Unit> {
    let mut units = BTreeSet::new();
    let stacks_of =
        |candidate: Candidate<'_>| read::stacks_of(snapshot, config, candidate).into_iter().map(Unit::of);
    match change {
        Change::Ingress { before, after } => {
            for ingress in [before, after].into_iter().flatten() {
                units.extend(stacks_of(Candidate::Ingress(ingress)));
            }
            units.insert(Unit::Network);
            units.extend(zones.iter().cloned().map(Unit::Zone));
        }
        Change::Service { key, before, after } => {
            for service in [before, after].into_iter().flatten() {
                units.extend(stacks_of(Candidate::Service(service)));
            }
            let users = snapshot.ingresses.values().filter(|ingress| uses(ingress, key));
            users.for_each(|ingress| units.extend(stacks_of(Candidate::Ingress(ingress))));
            units.extend(targets_of(snapshot, key));
            units.insert(Unit::Network);
            units.extend(zones.iter().cloned().map(Unit::Zone));
        }
        Change::Endpoints(service) => units.extend(targets_of(snapshot, service)),
        Change::Pod(pod) => {
            let slices = snapshot.endpoint_slices.values().filter(|slice| names(slice, pod));
            for service in slices.filter_map(|slice| slice.labels().get("kubernetes.io/service-name")) {
                units.extend(targets_of(snapshot, &Key::new(&pod.namespace, service)));
            }
        }
        Change::Node => {
            units.extend(snapshot.target_group_bindings.keys().cloned().map(Unit::Targets));
            units.insert(Unit::Network);
        }
        Change::Class => {
            units.extend(read::stacks(snapshot, config).into_iter().map(Unit::of));
            units.extend(zones.iter().cloned().map(Unit::Zone));
        }
        // Its labels decide which classes and pools are for the objects in it; most come and go without any.
        Change::Namespace(name) => {
            let ingresses = snapshot.ingresses.iter().filter(|(key, _)| key.namespace == *name);
            let services = snapshot.services.iter().filter(|(key, _)| key.namespace == *name);
            units.extend(ingresses.flat_map(|(_, ingress)| stacks_of(Candidate::Ingress(ingress))));
            units.extend(services.flat_map(|(_, service)| stacks_of(Candidate::Service(service))));
            if !units.is_empty() {
                units.extend(zones.iter().cloned().map(Unit::Zone));
            }
        }
        Change::Binding { key, before, after } => {
            units.insert(Unit::Targets(key.clone()));
            // With its targets, which are written down in an annotation, the security groups that they are behind change.
            units.insert(Unit::Network);
            let (before, after) = (before.as_deref(), after.as_deref());
            if before.map(asked) != after.map(asked) {
                units.extend(after.or(before).and_then(|one| owner(snapshot, config, one)).map(Unit::of));
            }
        }
        Change::State { before, after } => {
            let (before, after) = (before.as_deref(), after.as_deref());
            if before.map(addresses) != after.map(addresses) || proofs(before) != proofs(after) {
                units.extend(zones.iter().cloned().map(Unit::Zone));
            }
            // Whether a load balancer carries the security group that is shared.
            if before.and_then(served) != after.and_then(served) {
                units.insert(Unit::Network);
            }
            // To the stack, our own writes are no news. A state that went, or that an agent said something in, is.
            if after.is_none() || before.map(announced) != after.map(announced) {
                units.extend(after.or(before).and_then(read::stack_of_state).map(Unit::of));
            }
        }
    }
    units
}

/// What a stack looks at: targets that come and go are no news to it.
fn asked(binding: &TargetGroupBinding) -> (&TargetGroupBindingSpec, &BTreeMap<String, String>, bool) {
    (&binding.spec, binding.labels(), binding.metadata.deletion_timestamp.is_some())
}

fn addresses(state: &LoadBalancerState) -> &[LoadBalancerAddress] {
    state.status.as_ref().map(|status| status.addresses.as_slice()).unwrap_or_default()
}

/// The members that a load balancer is made of.
fn served(state: &LoadBalancerState) -> Option<&BTreeMap<String, String>> {
    state.status.as_ref().map(|status| &status.last_good).filter(|served| !served.is_empty())
}

fn proofs(state: Option<&LoadBalancerState>) -> Vec<Proof> {
    let status = state.and_then(|state| state.status.as_ref());
    status.into_iter().flat_map(|status| Proof::recorded(&status.arns)).collect()
}

/// What an agent says in a state.
fn announced(state: &LoadBalancerState) -> Option<(&str, &str)> {
    let conditions = state.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let said = conditions.iter().find(|condition| condition.type_ == ANNOUNCED)?;
    Some((&said.status, &said.message))
}

/// The Secrets that Ingresses name, and whom a change of each affects.
pub(crate) fn secrets(snapshot: &Snapshot, config: &ReadConfig) -> BTreeMap<Key, BTreeSet<Unit>> {
    let mut named: BTreeMap<Key, BTreeSet<Unit>> = BTreeMap::new();
    for ingress in snapshot.ingresses.values() {
        for secret in read::secrets(snapshot, ingress) {
            let stacks = read::stacks_of(snapshot, config, Candidate::Ingress(ingress));
            named.entry(secret).or_default().extend(stacks.into_iter().map(Unit::of));
        }
    }
    named
}

fn uses(ingress: &Ingress, service: &Key) -> bool {
    read::backend_services(ingress).contains(service)
}

fn targets_of(snapshot: &Snapshot, service: &Key) -> impl Iterator<Item = Unit> {
    let serves = |key: &Key, binding: &TargetGroupBinding| {
        key.namespace == service.namespace && binding.spec.service_ref.name == service.name
    };
    let bindings = snapshot.target_group_bindings.iter().filter(move |(key, binding)| serves(key, binding));
    bindings.map(|(key, _)| Unit::Targets(key.clone()))
}

fn names(slice: &k8s_openapi::api::discovery::v1::EndpointSlice, pod: &Key) -> bool {
    slice.metadata.namespace.as_deref() == Some(pod.namespace.as_str())
        && slice.endpoints.iter().any(|endpoint| {
            endpoint
                .target_ref
                .as_ref()
                .is_some_and(|target| target.name.as_deref() == Some(pod.name.as_str()))
        })
}

/// The stack that a binding was made for, by its labels. Others write the same labels: what is neither remembered nor
/// there is not ours, and a look at it would take its load balancer for one that nobody wants.
fn owner(snapshot: &Snapshot, config: &ReadConfig, binding: &TargetGroupBinding) -> Option<StackId> {
    let stack = fairway_aws::tags::labelled(binding.labels())?;
    let remembered = || snapshot.states.contains_key(&Key::cluster(&stack.state_name()));
    let there = || read::stacks(snapshot, config).contains(&stack);
    (remembered() || there()).then_some(stack)
}

#[cfg(test)]
mod tests;
