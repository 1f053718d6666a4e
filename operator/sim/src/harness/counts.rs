//! Counts of what is ours, by the names that scenarios use.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fairway_aws::targets::GATE;
use fairway_core::snapshot::Pod;

use crate::{cluster::recorded, dump, sim::Inner};

/// How many there are of each kind.
pub type Counts = BTreeMap<String, usize>;

pub(super) fn counts(inner: &Inner, before: &BTreeSet<String>) -> Counts {
    let ours: Vec<String> = dump::aws(&inner.aws).into_iter().filter(|line| !before.contains(line)).collect();
    let count = |start: &str| ours.iter().filter(|line| line.starts_with(start)).count();
    let registered = inner.aws.target_groups.values().map(|row| row.targets.len()).sum();
    let told = |pod: &Arc<Pod>| {
        pod.status.conditions.iter().filter(|one| one.type_.starts_with(GATE) && one.status == "True").count()
    };
    let (objects, records) = (&inner.cluster.objects, count("record"));
    Counts::from([
        ("load_balancers".to_owned(), count("load balancer")),
        ("listeners".to_owned(), count("listener")),
        ("rules".to_owned(), count("rule")),
        ("target_groups".to_owned(), count("target group")),
        ("security_groups".to_owned(), count("security group")),
        ("targets".to_owned(), registered),
        ("certificates".to_owned(), count("certificate")),
        ("records".to_owned(), records),
        ("pods_let_in".to_owned(), objects.pods.values().map(told).sum()),
        ("bindings".to_owned(), objects.target_group_bindings.len()),
        ("addresses".to_owned(), objects.states.values().map(|state| recorded(state).len()).sum()),
    ])
}
