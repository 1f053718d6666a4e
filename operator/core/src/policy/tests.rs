use proptest::prelude::*;

use super::*;
use crate::toy::plans;

fn policies() -> impl Strategy<Value = Policy> {
    (prop::bool::weighted(0.1), prop::bool::weighted(0.3), prop::option::of(0..3_u32))
        .prop_map(|(freeze, no_deletes, max_deletes)| Policy { freeze, no_deletes, max_deletes })
}

proptest! {
    #[test]
    fn every_operation_is_applied_or_withheld(plan in plans(), policy in policies()) {
        let admitted = policy.admit(plan.clone());
        let mut ids: Vec<OpId> = admitted.ops().iter().map(|planned| planned.id).collect();
        prop_assert!(ids.is_sorted(), "in their order");
        ids.extend(admitted.withheld().iter().map(|withheld| withheld.op));
        ids.sort_unstable();
        prop_assert_eq!(ids, plan.ops().iter().map(|planned| planned.id).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_is_applied_that_comes_after_what_is_withheld(plan in plans(), policy in policies()) {
        let admitted = policy.admit(plan);
        let applied: BTreeSet<OpId> = admitted.ops().iter().map(|planned| planned.id).collect();
        for planned in admitted.ops() {
            prop_assert!(planned.after.is_subset(&applied));
        }
    }

    #[test]
    fn limits_are_kept(plan in plans(), policy in policies()) {
        let all = plan.ops().len();
        let admitted = policy.admit(plan);
        let deletes = admitted.ops().iter().filter(|planned| planned.op.effect() == Effect::Delete).count();
        prop_assert!(!policy.freeze || admitted.ops().is_empty());
        prop_assert!(!policy.no_deletes || deletes == 0);
        prop_assert!(policy.max_deletes.is_none_or(|max| deletes <= max as usize));
        if policy == Policy::default() {
            prop_assert_eq!(admitted.ops().len(), all);
        }
    }

    #[test]
    fn without_deletions_only_a_freeze_withholds(plan in plans(), policy in policies()) {
        let deletes = plan.ops().iter().any(|planned| planned.op.effect() == Effect::Delete);
        if !deletes && !policy.freeze {
            let admitted = policy.admit(plan);
            prop_assert_eq!(admitted.withheld(), &[]);
        }
    }
}
