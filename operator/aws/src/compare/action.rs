//! Actions and conditions in the form in which they can be compared.
//!
//! Target groups of a forward are a set; a weight means nothing when there is one; stickiness that nobody asks for is
//! off. Conditions are a set by field, the order of their values counts; transforms are a set by type.

use std::collections::BTreeMap;

use crate::{
    model::{Action, Forward},
    stack::secrets::looks_like,
};

/// Whether `have` does what `want` asks.
pub(crate) fn same_actions(want: &[Action], have: &[Action]) -> bool {
    want.len() == have.len() && want.iter().zip(have).all(|(want, have)| same_action(want, have))
}

/// Whether both are the same, whatever their order.
pub(crate) fn same_set<T: Ord>(want: &[T], have: &[T]) -> bool {
    let sorted = |all| {
        let mut sorted: Vec<&T> = Vec::from_iter(all);
        sorted.sort();
        sorted
    };
    sorted(want) == sorted(have)
}

fn same_action(want: &Action, have: &Action) -> bool {
    match (want, have) {
        (Action::Forward(want), Action::Forward(have)) => {
            want.stickiness == have.stickiness && shares(want) == shares(have)
        }
        // What is seen says nothing of the secret, unless it is known to be another.
        (Action::Oidc(want), Action::Oidc(have)) => {
            looks_like(want, have) && (have.secret.is_none() || have.secret == want.secret)
        }
        _ => want == have,
    }
}

/// Shares by target group; that of a single one is all.
pub(crate) fn shares(forward: &Forward) -> BTreeMap<&str, i32> {
    let single = forward.targets.len() == 1;
    let weight = |weight| if single { 1 } else { weight };
    forward.targets.iter().map(|target| (target.target_group.name(), weight(target.weight))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Condition, Ref, WeightedTarget};

    fn forward(targets: &[(&str, i32)], stickiness: Option<i32>) -> Action {
        let target =
            |(name, weight): &(&str, i32)| WeightedTarget { target_group: Ref::new(*name), weight: *weight };
        Action::Forward(Forward { targets: targets.iter().map(target).collect(), stickiness })
    }

    #[test]
    fn only_what_was_asked_for_makes_a_difference() {
        let cases = [
            ("a single weight", forward(&[("a", 1)], None), forward(&[("a", 100)], None), true),
            ("order", forward(&[("a", 1), ("b", 2)], None), forward(&[("b", 2), ("a", 1)], None), true),
            ("weights", forward(&[("a", 1), ("b", 2)], None), forward(&[("a", 2), ("b", 2)], None), false),
            ("unasked stickiness is off", forward(&[("a", 1)], None), forward(&[("a", 1)], Some(60)), false),
            ("asked stickiness", forward(&[("a", 1)], Some(30)), forward(&[("a", 1)], Some(60)), false),
            ("another group", forward(&[("a", 1)], None), forward(&[("b", 1)], None), false),
        ];
        for (what, want, have, same) in cases {
            assert_eq!(same_actions(&[want], &[have]), same, "{what}");
        }
    }

    #[test]
    fn fields_are_a_set_and_values_a_list() {
        let host = Condition::HostHeader(vec!["a".to_owned()]);
        let path = |values: &[&str]| {
            Condition::PathPattern(values.iter().map(|value| (*value).to_owned()).collect())
        };
        assert!(same_set(&[host.clone(), path(&["/a"])], &[path(&["/a"]), host]));
        assert!(!same_set(&[path(&["/a", "/b"])], &[path(&["/b", "/a"])]));
    }
}
