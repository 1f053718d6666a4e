//! Laws that hold for every zone and every set of wishes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeSet;

use common::{alias, apply, consistent, load_balancer, look, mark, name, object, values, wish, zone};
use fairway_dns::{
    DnsConfig,
    change::{Action, Group, MAX_CHARACTERS, MAX_VALUES, pack},
    compare::compare,
    config::TxtNaming,
    record::{RecordKey, RecordSet},
    registry::{Registry, Standing},
    sources::Asked,
    txt,
    wish::{Target, Targets, Wish},
};
use proptest::{collection::vec, prelude::*, sample::select};

const NAMES: [&str; 6] = [
    "example.com",
    "www.example.com",
    "a-www.example.com",
    "*.example.com",
    "any.example.com",
    "x.y.example.com",
];
const OBJECTS: [&str; 3] = ["Ingress shop/web", "Ingress shop/api", "Service shop/lb"];
const HOSTS: [&str; 2] = ["lb-1.us-east-1.elb.amazonaws.com", "lb-2.us-east-1.elb.amazonaws.com"];

fn configs() -> impl Strategy<Value = DnsConfig> {
    let affixes = vec![
        ("", "", ""),
        ("own.", "", ""),
        ("%{record_type}-own.", "", ""),
        ("", "-own", ""),
        ("", "", "any"),
    ];
    select(affixes).prop_map(|(prefix, suffix, wildcard)| DnsConfig {
        naming: TxtNaming { prefix: prefix.into(), suffix: suffix.into(), wildcard: wildcard.into() },
        ..DnsConfig::owned_by("demo")
    })
}

fn records() -> impl Strategy<Value = RecordSet> {
    prop_oneof![
        (select(&NAMES[..]), select(vec!["A", "AAAA"]), select(&HOSTS[..]))
            .prop_map(|(at, kind, host)| alias(at, kind, host, "ZELB")),
        select(&NAMES[..]).prop_map(|at| values(at, "A", 60, &["192.0.2.1"])),
        select(&NAMES[..]).prop_map(|at| values(at, "CNAME", 60, &["elsewhere.example.net"])),
        select(&NAMES[..]).prop_map(|at| values(at, "MX", 60, &["10 mail.example.com"])),
        select(&NAMES[..]).prop_map(|at| values(at, "TXT", 60, &["\"text\""])),
    ]
}

/// A zone that Route 53 could hold: some records with ownership of ours, of others, of older forms, or none.
fn zones(config: DnsConfig) -> impl Strategy<Value = Vec<RecordSet>> {
    let owned =
        (records(), select(vec!["demo", "other", ""]), select(&OBJECTS[..]), select(vec!["", "A", "CNAME"]));
    let lost = vec((select(&NAMES[..]), select(vec!["demo", "other"]), select(&OBJECTS[..])), 0..2);
    (vec(owned, 0..8), lost).prop_map(move |(owned, lost)| {
        let apex = name("example.com");
        let mut zone: Vec<RecordSet> = Vec::new();
        let mut add = |record: RecordSet| {
            let mut with = zone.clone();
            with.push(record);
            let keys: BTreeSet<RecordKey> = with.iter().map(RecordSet::key).collect();
            if keys.len() == with.len() && consistent(&with).is_ok() {
                zone = with;
            }
        };
        for (record, owner, who, older) in owned {
            let kind = if older.is_empty() { record.kind.clone() } else { common::kind(older) };
            let txt = config.naming.txt_name(&record.name, &kind, &apex);
            add(record);
            if !owner.is_empty() {
                add(mark(txt.as_str(), owner, who));
            }
        }
        for (at, owner, who) in lost {
            add(mark(config.naming.txt_name(&name(at), &common::kind("A"), &apex).as_str(), owner, who));
        }
        zone
    })
}

fn targets() -> impl Strategy<Value = Targets> {
    prop_oneof![
        (select(&HOSTS[..]), any::<bool>()).prop_map(|(host, dual)| load_balancer(host, "ZELB", dual)),
        Just(Targets::Published(vec![Target::Ip("192.0.2.1".parse().unwrap())])),
        Just(Targets::Published(vec![Target::Ip("2001:db8::1".parse().unwrap())])),
        Just(Targets::Published(vec![Target::Host(name("elsewhere.example.net"))])),
        Just(Targets::Pending),
    ]
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let one = (select(&OBJECTS[..]), select(&NAMES[..]), targets(), select(vec![None, Some(60)]), 1..3_u8);
    vec(
        one.prop_map(|(who, at, targets, ttl, day)| Wish {
            ttl,
            created: Some(format!("2025-01-0{day}T00:00:00Z")),
            ..wish(who, at, targets)
        }),
        0..6,
    )
}

fn scenes() -> impl Strategy<Value = (DnsConfig, Vec<RecordSet>, Vec<Wish>)> {
    configs().prop_flat_map(|config| (Just(config.clone()), zones(config), wishes()))
}

fn asked(wishes: &[Wish]) -> Asked {
    Asked { wishes: wishes.to_vec(), ..Asked::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every batch is one that Route 53 takes, and once all are applied there is nothing left to do; where something of
    /// ours had to go first to make room, and that was said, one more plan does the rest. So it is with ownership that
    /// could have been that of a record which went, of which a wildcard replacement makes more.
    #[test]
    fn applying_settles((config, records, wishes) in scenes()) {
        let mut records = records;
        let mut said = true;
        for pass in 0..3 {
            let plan = look(&config, &zone("example.com"), asked(&wishes), &records, &[]);
            if plan.batches.is_empty() {
                break;
            }
            let mut changes = plan.batches.iter().flat_map(|batch| batch.changes());
            let texts = changes.all(|change| change.record.kind == common::kind("TXT"));
            prop_assert!(pass < 2 && (said || texts || !config.naming.wildcard.is_empty()), "pass {pass}:\n{}", common::print(&plan));
            said = !plan.notes.is_empty();
            let after = plan.batches.iter().try_fold(records, |records, batch| apply(&records, batch));
            records = after.map_err(|error| TestCaseError::fail(format!("{error}\n{}", common::print(&plan))))?;
        }
    }

    /// What is not ours appears in no change, and what others rely on as ownership neither.
    #[test]
    fn what_is_foreign_is_in_no_change((config, records, wishes) in scenes()) {
        let apex = name("example.com");
        let registry = Registry::read("demo", &config.naming, &apex, &records);
        let ours = |record: &RecordSet| match record.kind.is_published() {
            true => matches!(registry.standing(record), Standing::Ours(_)),
            false => matches!(registry.claim(record), Standing::Ours(_)),
        };
        let foreign: BTreeSet<RecordKey> = records.iter().filter(|record| !ours(record)).map(RecordSet::key).collect();
        let plan = look(&config, &zone("example.com"), asked(&wishes), &records, &[]);
        for change in plan.batches.iter().flat_map(|batch| batch.changes()) {
            prop_assert!(!foreign.contains(&change.record.key()), "{}", change.describe());
        }
    }

    /// To a stranger everything in the zone is foreign, whatever its ownership says.
    #[test]
    fn a_stranger_changes_nothing_that_is_there((config, records, wishes) in scenes()) {
        let config = DnsConfig { owner: Some("stranger".to_owned()), ..config };
        let there: BTreeSet<RecordKey> = records.iter().map(RecordSet::key).collect();
        let plan = look(&config, &zone("example.com"), asked(&wishes), &records, &[]);
        for change in plan.batches.iter().flat_map(|batch| batch.changes()) {
            prop_assert!(!there.contains(&change.record.key()), "{}", change.describe());
        }
    }

    /// The order of records and wishes means nothing.
    #[test]
    fn order_means_nothing(
        ((config, records, wishes), shuffled) in scenes().prop_flat_map(|scene| {
            let shuffled = (Just(scene.1.clone()).prop_shuffle(), Just(scene.2.clone()).prop_shuffle());
            (Just(scene), shuffled)
        }),
    ) {
        let plan = look(&config, &zone("example.com"), asked(&wishes), &records, &[]);
        let other = look(&config, &zone("example.com"), asked(&shuffled.1), &shuffled.0, &[]);
        prop_assert_eq!(plan.model, other.model);
        prop_assert_eq!(plan.batches, other.batches);
        prop_assert_eq!(plan.notes, other.notes);
    }

    /// Objects that cannot be read lose nothing, and neither do those that Fairway does not serve.
    #[test]
    fn a_hold_deletes_nothing((config, records, _) in scenes()) {
        let labels: Vec<String> = OBJECTS.iter().map(|who| txt::resource(&object(who))).collect();
        let held = Asked { held: labels.iter().cloned().collect(), ..Asked::default() };
        let spared: Vec<&str> = labels.iter().map(String::as_str).collect();
        prop_assert!(look(&config, &zone("example.com"), held, &records, &[]).batches.is_empty());
        prop_assert!(look(&config, &zone("example.com"), Asked::default(), &records, &spared).batches.is_empty());
    }

    /// While no address is known, what is there stays.
    #[test]
    fn pending_names_keep_what_they_have((config, records, _) in scenes()) {
        let wishes: Vec<Wish> = NAMES.iter().map(|at| wish(OBJECTS[0], at, Targets::Pending)).collect();
        let plan = look(&config, &zone("example.com"), asked(&wishes), &records, &[]);
        for change in plan.batches.iter().flat_map(|batch| batch.changes()) {
            prop_assert!(!change.record.kind.is_published(), "{}", change.describe());
        }
    }
}

/// Thousands of names make batches that are full but never too full, and no name is torn apart.
#[test]
fn batches_stay_within_the_limits() {
    let config = DnsConfig::owned_by("demo");
    let wishes: Vec<Wish> = (0..3000)
        .map(|number| {
            let at = format!("{}-{number}.example.com", "n".repeat(number % 40));
            wish(OBJECTS[0], &at, load_balancer(HOSTS[0], "ZELB", number % 2 == 0))
        })
        .collect();
    let first = look(&config, &zone("example.com"), asked(&wishes), &[], &[]);
    let records = first.batches.iter().try_fold(Vec::new(), |records: Vec<RecordSet>, batch| {
        let size =
            batch.groups.iter().map(Group::size).fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
        assert!(size.0 <= MAX_VALUES && size.1 <= MAX_CHARACTERS, "{size:?}");
        let mut all = records;
        all.extend(batch.changes().into_iter().map(|change| change.record.clone()));
        Ok::<_, String>(all)
    });
    let records = records.unwrap();
    assert_eq!(
        records.len(),
        3000 * 2 + 1500 * 2,
        "an A each, an AAAA for every other, and ownership of both"
    );
    let longest = first.batches.iter().map(|batch| batch.groups.len()).max().unwrap();
    assert!(first.batches.len() <= 3000 / (longest / 2) + 1, "{} batches", first.batches.len());

    let moved: Vec<Wish> = wishes
        .into_iter()
        .map(|wish| Wish { targets: load_balancer(HOSTS[1], "ZELB", true), ..wish })
        .collect();
    let (model, _) = fairway_dns::provider::lower(
        asked(&moved),
        "demo",
        &zone("example.com"),
        &[zone("example.com")],
        &config,
    );
    let groups = compare(&model, &records, &config, &BTreeSet::new()).groups;
    for batch in pack(&model.zone, &model.apex, groups) {
        // As the API counts: both sides of a replacement.
        let (mut count, mut characters) = (0, 0);
        for change in batch.changes() {
            let times = if change.action == Action::Upsert { 2 } else { 1 };
            let (values, length) = change.record.size();
            (count, characters) = (count + values * times, characters + length * times);
        }
        assert!(
            count <= MAX_VALUES && characters <= MAX_CHARACTERS,
            "{count} values, {characters} characters"
        );
    }
}
