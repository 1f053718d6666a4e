use proptest::prelude::*;

use super::*;
use crate::toy::{NAMES, ToyOp, key, op, plans};

fn keys(names: &[&str]) -> BTreeSet<ResourceKey> {
    names.iter().map(|name| key(name)).collect()
}

/// A plan of operations, each with the places of those that it comes after.
fn plan(steps: &[(ToyOp, &[u32])]) -> Plan<ToyOp> {
    let mut plan = Plan::default();
    for (op, after) in steps {
        plan.push(op.clone(), after.iter().map(|id| OpId(*id)));
    }
    plan
}

#[test]
fn references_are_proved_before_anything_runs() {
    use Effect::{Create, Delete, Modify};
    let (a, b) = (op(Create, "a", &[]), op(Create, "b", &["a"]));
    let cases = [
        (
            "what is made first can be referred to",
            plan(&[(a.clone(), &[]), (b.clone(), &[0])]),
            &[][..],
            None,
        ),
        (
            "being earlier in the list is not being first",
            plan(&[(a.clone(), &[]), (b.clone(), &[])]),
            &[],
            Some(LintError::Dangling { op: OpId(1), missing: key("a") }),
        ),
        ("what is there can be referred to", plan(&[(b.clone(), &[])]), &["a"], None),
        (
            "what nobody makes cannot",
            plan(&[(b.clone(), &[])]),
            &["c"],
            Some(LintError::Dangling { op: OpId(0), missing: key("a") }),
        ),
        (
            "order is inherited",
            plan(&[(a.clone(), &[]), (op(Create, "c", &[]), &[0]), (b.clone(), &[1])]),
            &[],
            None,
        ),
        (
            "deletions come after those that refer",
            plan(&[(op(Modify, "b", &["a"]), &[]), (op(Delete, "a", &[]), &[0])]),
            &["a", "b"],
            None,
        ),
        (
            "and not beside them",
            plan(&[(op(Modify, "b", &["a"]), &[]), (op(Delete, "a", &[]), &[])]),
            &["a", "b"],
            Some(LintError::DeletedInUse { op: OpId(1), resource: key("a"), user: OpId(0) }),
        ),
        (
            "nor before them",
            plan(&[(op(Delete, "a", &[]), &[]), (op(Modify, "b", &["a"]), &[0])]),
            &["a", "b"],
            Some(LintError::DeletedInUse { op: OpId(0), resource: key("a"), user: OpId(1) }),
        ),
        (
            "what changes is in use as well",
            plan(&[(op(Modify, "a", &[]), &[]), (op(Delete, "a", &[]), &[])]),
            &["a"],
            Some(LintError::DeletedInUse { op: OpId(1), resource: key("a"), user: OpId(0) }),
        ),
        (
            "nothing is made twice",
            plan(&[(a.clone(), &[]), (a.clone(), &[0])]),
            &[],
            Some(LintError::MadeTwice { op: OpId(1), first: OpId(0), resource: key("a") }),
        ),
    ];
    for (name, plan, existing, want) in cases {
        assert_eq!(plan.lint(&keys(existing)).err(), want, "{name}");
    }
}

#[test]
fn only_earlier_operations_can_come_before() {
    let plan = plan(&[(op(Effect::Create, "a", &[]), &[0, 1, 7]), (op(Effect::Create, "b", &[]), &[0, 1])]);
    let after: Vec<_> = plan.ops().iter().map(|planned| planned.after.clone()).collect();
    assert_eq!(after, [BTreeSet::new(), BTreeSet::from([OpId(0)])]);
}

/// Runs a plan in an order of its own, with failures, as an executor may. The first reference to nothing, if any.
fn run(
    plan: &Plan<ToyOp>,
    existing: &BTreeSet<ResourceKey>,
    order: &[usize],
    fails: &[bool],
) -> Option<OpId> {
    let (mut there, mut done) = (existing.clone(), BTreeSet::new());
    let mut waiting: Vec<&Planned<ToyOp>> = plan.ops().iter().collect();
    waiting.sort_by_key(|planned| order[planned.id.0 as usize]);
    while let Some(place) = waiting.iter().position(|planned| planned.after.is_subset(&done)) {
        let Planned { id, op, .. } = waiting.remove(place);
        if fails[id.0 as usize] {
            continue;
        }
        if !op.refers_to().is_subset(&there) {
            return Some(*id);
        }
        match op.effect() {
            Effect::Create => _ = there.insert(op.resource()),
            Effect::Delete => _ = there.remove(&op.resource()),
            Effect::Modify => {}
        }
        done.insert(*id);
    }
    None
}

fn existing() -> impl Strategy<Value = BTreeSet<ResourceKey>> {
    prop::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_map(|names| keys(&names))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_plan_that_passes_never_refers_to_nothing(
        plan in plans(),
        existing in existing(),
        order in Just((0..8).collect::<Vec<usize>>()).prop_shuffle(),
        fails in prop::collection::vec(prop::bool::weighted(0.2), 8),
    ) {
        if plan.lint(&existing).is_ok() {
            prop_assert_eq!(run(&plan, &existing, &order, &fails), None);
        }
    }

    #[test]
    fn a_dangling_reference_can_be_reached(plan in plans(), existing in existing()) {
        if let Err(LintError::Dangling { op, missing }) = plan.lint(&existing) {
            // Only what it comes after runs before it: without deletions in between, the reference is to nothing.
            let before = plan.ancestors();
            let fails: Vec<bool> = (0..8).map(|id| OpId(id) != op && !before[&op].contains(&OpId(id))).collect();
            let order: Vec<usize> = (0..8).collect();
            let found = run(&plan, &existing, &order, &fails);
            prop_assert!(found.is_some(), "{missing} is there when {op:?} runs");
        }
    }
}

#[test]
fn the_law_sees_plans_that_pass() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let strategy = (plans(), existing());
    let passing = (0..2000).filter(|_| {
        let (plan, existing) = strategy.new_tree(&mut runner).unwrap().current();
        let deletes = plan.ops().iter().any(|planned| planned.op.effect() == Effect::Delete);
        plan.ops().len() > 2 && deletes && plan.lint(&existing).is_ok()
    });
    let count = passing.count();
    assert!(count > 50, "only {count} plans with deletions pass: the law would say little");
}
