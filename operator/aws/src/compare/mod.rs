//! What is wanted against what is there, one file a resource kind.
//!
//! The desired side is in AWS's canonical form already; what nobody asked for is not looked at. Only what carries the
//! stack's marks can be changed: [`Claimed::of`] is where ownership is decided.

pub(crate) mod action;
pub(crate) mod addons;
pub(crate) mod binding;
pub(crate) mod certificate;
pub(crate) mod listener;
pub(crate) mod load_balancer;
pub(crate) mod rule;
pub(crate) mod security_group;
pub(crate) mod tags;
pub(crate) mod target_group;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{Attributes, Tags},
    observed::{CertificateSeen, LoadBalancerSeen, SecurityGroupSeen, StackObserved, TargetGroupSeen},
    ownership::{Owned, Tagged},
};

/// What is there, told apart by whose it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claimed {
    pub(crate) security_groups: BTreeMap<String, Owned<SecurityGroupSeen>>,
    pub(crate) target_groups: BTreeMap<String, Owned<TargetGroupSeen>>,
    pub(crate) load_balancers: BTreeMap<String, Owned<LoadBalancerSeen>>,
    /// By ARN.
    pub(crate) certificates: BTreeMap<String, Owned<CertificateSeen>>,
    /// Names that belong to somebody else.
    pub(crate) foreign: Foreign,
}

/// Names that belong to somebody else, by kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Foreign {
    pub(crate) security_groups: BTreeSet<String>,
    pub(crate) target_groups: BTreeSet<String>,
    pub(crate) load_balancers: BTreeSet<String>,
}

impl Claimed {
    /// The same but for some target groups.
    pub(crate) fn without_groups(mut self, names: &BTreeSet<String>) -> Self {
        self.target_groups.retain(|name, _| !names.contains(name));
        self
    }

    /// Claims everything that carries all of `marks`.
    pub(crate) fn of(observed: &StackObserved, marks: &Tags) -> Self {
        let mut foreign = Foreign::default();
        Self {
            security_groups: claim(&observed.security_groups, marks, &mut foreign.security_groups),
            target_groups: claim(&observed.target_groups, marks, &mut foreign.target_groups),
            load_balancers: claim(&observed.load_balancers, marks, &mut foreign.load_balancers),
            // ARNs are in nobody's way.
            certificates: claim(&observed.certificates, marks, &mut BTreeSet::new()),
            foreign,
        }
    }
}

/// Splits by ownership; the names of what is not ours go to `foreign`.
pub(crate) fn claim<K: Ord + Clone, R: Tagged + Clone>(
    seen: &BTreeMap<K, R>,
    marks: &Tags,
    foreign: &mut BTreeSet<K>,
) -> BTreeMap<K, Owned<R>> {
    let mut ours = BTreeMap::new();
    for (name, resource) in seen {
        match Owned::claim(resource.clone(), marks) {
            Ok(owned) => {
                ours.insert(name.clone(), owned);
            }
            Err(_) => {
                foreign.insert(name.clone());
            }
        }
    }
    ours
}

/// Attributes that were asked for and differ.
pub(crate) fn attributes(want: &Attributes, have: &Attributes) -> Attributes {
    let differing = want.iter().filter(|(key, value)| have.get(*key) != Some(value));
    differing.map(|(key, value)| (key.clone(), value.clone())).collect()
}
