//! What does not fit a load balancer is held before AWS refuses half of it.
//!
//! | counted                 | per            | default | quota                    |
//! |-------------------------|----------------|---------|--------------------------|
//! | rules, defaults not     | load balancer  | 100     | `rules`                  |
//! | target groups           | load balancer  | 100     | `target-groups`          |
//! | listeners               | load balancer  | 50      | `listeners`              |
//! | certificates, default not | listener     | 25      | `certificates`           |
//! | permissions             | security group | 60      | `security-group-rules`   |
//! | security groups         | load balancer  | 5       | `security-groups`        |
//!
//! One security group is the cluster's shared one; permissions are spread over the others. A prefix list counts as often as
//! it may have entries.
//!
//! Values of a rule are divided over several rules, and a forward to too many target groups is refused when it is read.
//!
//! Whole members are held: those that are new or changed first, the last in the group's order before the others. What is
//! applied is not thrown out to make room for what is new.
//! Source: Elastic Load Balancing and VPC quotas.

use std::collections::BTreeMap;

use fairway_core::ids::ObjectRef;

use super::LowerError;
use crate::config::{Quota, Quotas};

/// What a load balancer has only so many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limited {
    Rules,
    TargetGroups,
    Listeners,
    Certificates(u16),
    Permissions,
}

impl Limited {
    const fn quota(self) -> Quota {
        match self {
            Self::Rules => Quota::Rules,
            Self::TargetGroups => Quota::TargetGroups,
            Self::Listeners => Quota::Listeners,
            Self::Certificates(_) => Quota::Certificates,
            Self::Permissions => Quota::SecurityGroupRules,
        }
    }

    fn most(self, quotas: &Quotas) -> usize {
        let each = quotas.most(self.quota());
        match self {
            // The default certificate is not counted, and every listener with certificates has one.
            Self::Certificates(_) => each + 1,
            Self::Permissions => each * quotas.managed_security_groups(),
            Self::Rules | Self::TargetGroups | Self::Listeners => each,
        }
    }

    fn error(self, needed: usize, quotas: &Quotas) -> LowerError {
        let what = match self {
            Self::Rules => "rules on the load balancer".to_owned(),
            Self::TargetGroups => "target groups on the load balancer".to_owned(),
            Self::Listeners => "listeners on the load balancer".to_owned(),
            Self::Certificates(port) => format!("certificates on port {port}, the default one included"),
            Self::Permissions => format!("permissions in {}", security_groups(quotas)),
        };
        LowerError::LimitExceeded { what, needed, most: self.most(quotas), quota: self.quota().as_str() }
    }
}

/// What one member needs: things by what is limited. Equal things of several members count once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs(BTreeMap<(Limited, String), usize>);

impl Needs {
    pub(crate) fn add(&mut self, limited: Limited, thing: impl Into<String>) {
        self.add_weighing(limited, thing, 1);
    }

    /// A thing that counts as several.
    pub(crate) fn add_weighing(&mut self, limited: Limited, thing: impl Into<String>, weight: usize) {
        self.0.insert((limited, thing.into()), weight);
    }
}

/// A member in the group's order.
pub(crate) struct Claimant {
    pub(crate) object: ObjectRef,
    pub(crate) needs: Needs,
    /// Whether it is as it was when everything fitted.
    pub(crate) settled: bool,
}

/// Who cannot be served, and what each lacks.
pub(crate) fn excess(quotas: &Quotas, claimants: &[Claimant]) -> Vec<(ObjectRef, LowerError)> {
    let mut users: BTreeMap<&(Limited, String), usize> = BTreeMap::new();
    let mut counts: BTreeMap<Limited, usize> = BTreeMap::new();
    for (thing, weight) in claimants.iter().flat_map(|claimant| &claimant.needs.0) {
        let users = users.entry(thing).or_default();
        *users += 1;
        if *users == 1 {
            *counts.entry(thing.0).or_default() += weight;
        }
    }
    let mut refused = Vec::new();
    for settled in [false, true] {
        for claimant in claimants.iter().rev().filter(|claimant| claimant.settled == settled) {
            let own: Vec<&(Limited, String)> =
                claimant.needs.0.keys().filter(|thing| users.get(*thing) == Some(&1)).collect();
            let over =
                |limited: &Limited| counts.get(limited).is_some_and(|count| *count > limited.most(quotas));
            let Some(limited) = own.iter().map(|(limited, _)| *limited).find(|limited| over(limited)) else {
                continue;
            };
            let needed = counts.get(&limited).copied().unwrap_or_default();
            refused.push((claimant.object.clone(), limited.error(needed, quotas)));
            for (thing, weight) in &claimant.needs.0 {
                let left = users.get_mut(thing).map(|users| {
                    *users -= 1;
                    *users
                });
                if left == Some(0)
                    && let Some(count) = counts.get_mut(&thing.0)
                {
                    *count -= weight;
                }
            }
        }
    }
    refused
}

/// Those that permissions are spread over.
pub(crate) fn security_groups(quotas: &Quotas) -> String {
    match quotas.managed_security_groups() {
        1 => "its security group".to_owned(),
        number => format!("its {number} security groups"),
    }
}

#[cfg(test)]
mod tests {
    use fairway_core::ids::{Key, Kind};

    use super::*;

    fn object(name: &str) -> ObjectRef {
        ObjectRef::new(Kind::Ingress, Key::new("default", name))
    }

    /// A member with so many rules, and certificates on port 443.
    fn claimant(name: &str, rules: usize, certificates: &[&str], settled: bool) -> Claimant {
        let mut needs = Needs::default();
        (0..rules).for_each(|rule| needs.add(Limited::Rules, format!("{name}:{rule}")));
        certificates.iter().for_each(|arn| needs.add(Limited::Certificates(443), *arn));
        Claimant { object: object(name), needs, settled }
    }

    fn refused(claimants: &[Claimant]) -> Vec<String> {
        let quotas = Quotas::default().raised(&[(Quota::Rules, 10), (Quota::Certificates, 2)]);
        excess(&quotas, claimants).into_iter().map(|(object, _)| object.key.name).collect()
    }

    #[test]
    fn the_last_that_do_not_fit_are_held_and_the_rest_proceeds() {
        let new = |name, rules| claimant(name, rules, &[], false);
        let cases: [(&str, Vec<Claimant>, &[&str]); 5] = [
            ("all fit", vec![new("a", 5), new("b", 5)], &[]),
            ("the last is one too many", vec![new("a", 5), new("b", 5), new("c", 1)], &["c"]),
            ("the last two are", vec![new("a", 9), new("b", 2), new("c", 2)], &["c", "b"]),
            ("one that needs nothing more stays", vec![new("a", 11), new("b", 0)], &["a"]),
            (
                "what is applied stays, wherever it stands",
                vec![new("new", 6), claimant("old", 6, &[], true)],
                &["new"],
            ),
        ];
        for (name, claimants, wanted) in cases {
            assert_eq!(refused(&claimants), wanted, "{name}");
        }
    }

    #[test]
    fn what_members_share_counts_once_and_frees_nothing() {
        let with = |name, certificates: &[&str]| claimant(name, 0, certificates, false);
        assert_eq!(
            refused(&[with("a", &["1", "2", "3"]), with("b", &["1", "2"]), with("c", &["3"])]),
            [""; 0]
        );
        assert_eq!(
            refused(&[with("a", &["1", "2"]), with("b", &["3", "4"]), with("c", &["1", "2"])]),
            ["b"],
            "holding the last would free nothing"
        );
    }

    #[test]
    fn the_numbers_are_named() {
        let quotas = Quotas::default().raised(&[(Quota::Rules, 10)]);
        let found = excess(&quotas, &[claimant("a", 10, &[], false), claimant("b", 3, &[], false)]);
        let (_, error) = found.first().unwrap();
        let said = "13 rules on the load balancer are needed with it, and 10 is the most (quota rules)";
        assert_eq!(error.to_string(), said);
    }
}
