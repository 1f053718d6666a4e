use proptest::prelude::*;

use super::*;
use crate::model::Source;

const QUOTAS: [(Quota, usize); 2] = [(Quota::SecurityGroupRules, 3), (Quota::SecurityGroups, 4)];

type Groups = BTreeMap<usize, BTreeSet<Permission>>;

fn permission(source: u8) -> Permission {
    Permission {
        protocol: "tcp".to_owned(),
        from: Some(80),
        to: Some(80),
        source: Source::Cidr(format!("10.0.{source:03}.0/24")),
        description: String::new(),
    }
}

fn some(sources: impl IntoIterator<Item = u8>) -> BTreeSet<Permission> {
    sources.into_iter().map(permission).collect()
}

fn groups(of: &[&[u8]]) -> Groups {
    (1..).zip(of).map(|(number, sources)| (number, some(sources.iter().copied()))).collect()
}

fn over(want: &BTreeSet<Permission>, have: &Groups, frozen: bool) -> Result<Spread, LowerError> {
    let (quotas, entries) = (Quotas::default().raised(&QUOTAS), BTreeMap::new());
    spread(want, have, Room { quotas: &quotas, entries: &entries, frozen })
}

#[test]
fn permissions_stay_where_they_are_and_new_ones_go_where_there_is_room() {
    /// What is wanted, what is there by group, what comes of it, and whether that is all.
    type Case<'a> = (&'a str, &'a [u8], &'a [&'a [u8]], &'a [&'a [u8]], bool);
    let cases: [Case<'_>; 9] = [
        ("all fit the first", &[1, 2, 3], &[], &[&[1, 2, 3]], true),
        ("what does not goes into a second", &[1, 2, 3, 4], &[], &[&[1, 2, 3], &[4]], true),
        ("one more moves no other", &[0, 1, 2, 3, 4], &[&[1, 2, 3], &[4]], &[&[1, 2, 3], &[0, 4]], true),
        ("one less neither", &[1, 2, 4, 5], &[&[1, 2], &[4, 5]], &[&[1, 2], &[4, 5]], true),
        ("a group that is not needed goes", &[1, 2, 3], &[&[1, 2], &[3]], &[&[1, 2, 3]], true),
        ("not before there is room", &[1, 2, 4], &[&[1, 2, 3], &[4]], &[&[1, 2], &[4]], false),
        ("what is new comes before what goes", &[1, 2, 4], &[&[1, 2, 3]], &[&[1, 2], &[4]], false),
        ("of two places, the first", &[1, 2, 3, 4], &[&[1, 2, 3], &[3, 4]], &[&[1, 2, 3], &[4]], true),
        ("more than fits stays", &[1, 2, 3, 4, 5], &[&[1, 2, 3, 4]], &[&[1, 2, 3, 4], &[5]], true),
    ];
    for (name, want, have, wanted, settled) in cases {
        let want = some(want.iter().copied());
        let wanted = Spread { groups: groups(wanted), settled };
        assert_eq!(over(&want, &groups(have), false).unwrap(), wanted, "{name}");
    }
}

#[test]
fn without_another_group_to_be_had_what_is_new_waits_for_what_goes() {
    let full = groups(&[&[1, 2, 3], &[4, 5, 6], &[7, 8, 9]]);
    let first = over(&some([1, 2, 3, 4, 5, 6, 7, 8, 10]), &full, false).unwrap();
    assert_eq!(first, Spread { groups: groups(&[&[1, 2, 3], &[4, 5, 6], &[7, 8]]), settled: false });
    let second = over(&some([1, 2, 3, 4, 5, 6, 7, 8, 10]), &first.groups, false).unwrap();
    assert_eq!(second, Spread { groups: groups(&[&[1, 2, 3], &[4, 5, 6], &[7, 8, 10]]), settled: true });
}

#[test]
fn what_does_not_fit_is_refused_with_the_numbers() {
    let error = over(&some(0..10), &Groups::new(), false).unwrap_err();
    let said = "10 permissions in its 3 security groups are needed with it, and 9 is the most (quota security-group-rules)";
    assert_eq!(error.to_string(), said);
}

#[test]
fn while_nothing_may_be_taken_away_no_group_goes() {
    let have = groups(&[&[1, 2], &[3], &[4]]);
    let spread = over(&some([1, 2, 3]), &have, true).unwrap();
    assert_eq!(spread, Spread { groups: groups(&[&[1, 2], &[3], &[]]), settled: true });
}

#[test]
fn a_prefix_list_counts_as_often_as_it_may_have_entries() {
    let list = |id: &str| Permission { source: Source::PrefixList(id.to_owned()), ..permission(0) };
    let entries = BTreeMap::from([("pl-1".to_owned(), 2), ("pl-2".to_owned(), 2), ("pl-3".to_owned(), 4)]);
    let quotas = Quotas::default().raised(&QUOTAS);
    let room = Room { quotas: &quotas, entries: &entries, frozen: false };
    let spread = |lists: &[&str]| spread(&lists.iter().map(|id| list(id)).collect(), &Groups::new(), room);
    let two = spread(&["pl-1", "pl-2"]).unwrap();
    assert_eq!(two.groups.values().map(BTreeSet::len).collect::<Vec<_>>(), [1, 1]);
    assert!(spread(&["pl-3"]).is_err(), "one group cannot hold it");
}

proptest! {
    /// Whatever was there, looks end with each wanted permission in one group; none is ever over its quota, and none
    /// that is wanted is in no group for a moment, unless every group is full.
    #[test]
    fn looks_settle_with_each_permission_in_one_group(
        before in proptest::collection::btree_set(0..12_u8, 0..=9),
        after in proptest::collection::btree_set(0..12_u8, 0..=9),
    ) {
        let mut have = Groups::new();
        for want in [some(before), some(after)] {
            let mut settled = false;
            for _ in 0..6 {
                let spread = over(&want, &have, false).unwrap();
                for (number, wanted) in &spread.groups {
                    let there = have.get(number).cloned().unwrap_or_default();
                    prop_assert!(there.union(wanted).count() <= 3, "{number}: {there:?} and {wanted:?}");
                }
                (settled, have) = (spread.settled, spread.groups);
                if settled {
                    break;
                }
            }
            prop_assert!(settled);
            let all: Vec<&Permission> = have.values().flatten().collect();
            prop_assert_eq!(all.len(), want.len());
            prop_assert_eq!(all.into_iter().cloned().collect::<BTreeSet<_>>(), want.clone());
            prop_assert_eq!(over(&want, &have, false).unwrap(), Spread { groups: have.clone(), settled: true });
        }
    }
}
