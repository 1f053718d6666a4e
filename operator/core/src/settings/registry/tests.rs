use std::{collections::BTreeSet, fs, path::Path};

use super::*;
use crate::settings::Merge;

fn all() -> impl Iterator<Item = (Dialect, &'static dyn Row)> {
    Dialect::ALL.into_iter().flat_map(|dialect| dialect.rows().iter().map(move |row| (dialect, *row)))
}

#[test]
fn every_row_is_documented_and_its_example_can_be_read() {
    for (_, row) in all() {
        assert!(row.doc().ends_with('.'), "{}: {:?}", row.key(), row.doc());
        assert!(!row.origins().is_empty(), "{}", row.key());
        assert_eq!(row.check(row.example()), Ok(()), "{}", row.key());
        assert_eq!(row.example().is_empty(), row.honoured_by().is_empty(), "{}", row.key());
    }
}

#[test]
fn no_two_rows_that_are_read_share_a_key() {
    // Values of several dialects meet in one object's settings.
    let mut keys = BTreeSet::new();
    for (_, row) in all().filter(|(_, row)| !row.honoured_by().is_empty()) {
        assert!(keys.insert(row.key()), "{}", row.key());
    }
}

#[test]
fn the_dialects_are_complete() {
    let keys = |dialect: Dialect| dialect.rows().iter().map(|row| row.key()).collect::<Vec<_>>();
    let written = keys(Dialect::Alb).into_iter().filter(|key| *key != "subnets.tags");
    let families = ["actions.", "conditions.", "transforms."];
    let (dynamic, fixed): (Vec<_>, Vec<_>) = written.partition(|key| families.contains(key));
    assert_eq!((fixed.len(), dynamic.len()), (69, 3), "as the peer counts them");
    let nlb = keys(Dialect::Nlb);
    // One of the peer's 47 keys also takes a port behind it, which is a row of its own here.
    assert_eq!(nlb.iter().filter(|key| **key != "actions.").count(), 47 + 1);
}

#[test]
fn values_that_are_united_are_maps() {
    for (_, row) in all().filter(|(_, row)| row.merge() == Merge::Union) {
        assert!(row.check("a=1,b=2").is_ok() && row.check("a").is_err(), "{}", row.key());
    }
}

#[test]
fn a_key_means_its_row() {
    let found = |dialect: Dialect, key: &str| dialect.find(key).map(Row::key);
    let cases = [
        ("a fixed key", Dialect::Alb, "scheme", Some("scheme")),
        ("another case is another key", Dialect::Alb, "Scheme", None),
        ("a member of a family", Dialect::Alb, "actions.red", Some("actions.")),
        ("a family without a tail", Dialect::Alb, "actions.", Some("actions.")),
        (
            "a fixed key before a family",
            Dialect::Nlb,
            "aws-load-balancer-target-group-attributes",
            Some("aws-load-balancer-target-group-attributes"),
        ),
        (
            "with a port behind it",
            Dialect::Nlb,
            "aws-load-balancer-target-group-attributes.80",
            Some("aws-load-balancer-target-group-attributes."),
        ),
        ("a family with a dash", Dialect::Dns, "aws-weight", Some("aws-")),
        ("nothing", Dialect::Alb, "", None),
    ];
    for (name, dialect, key, want) in cases {
        assert_eq!(found(dialect, key), want, "{name}");
    }
}

#[test]
fn a_misspelt_key_names_the_one_that_is_meant() {
    let cases = [
        ("a missing letter", Dialect::Alb, "schme", Some("scheme")),
        ("another case", Dialect::Alb, "Target-Type", Some("target-type")),
        ("a plural", Dialect::Alb, "certificate-arns", Some("certificate-arn")),
        ("another word order is too far", Dialect::Alb, "arn-of-a-certificate-to-use", None),
        ("something else", Dialect::Alb, "x", None),
        ("a field has no annotation", Dialect::Alb, "subnets.tag", None),
        ("a Service's key", Dialect::Nlb, "aws-load-balancer-schema", Some("aws-load-balancer-scheme")),
    ];
    for (name, dialect, key, want) in cases {
        assert_eq!(dialect.nearest(key), want, "{name}");
    }
}

#[test]
fn distances_are_counted_in_characters() {
    let cases = [("", "", 0), ("", "ab", 2), ("ab", "", 2), ("kitten", "sitting", 3), ("\u{e9}a", "ea", 1)];
    for (from, to, want) in cases {
        assert_eq!(distance(from, to), want, "{from} {to}");
        assert_eq!(distance(to, from), want, "{to} {from}");
    }
}

/// `UPDATE_GOLDEN=1 cargo test -p fairway-core` writes the page, but never where `CI` is set.
#[test]
fn the_reference_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/settings.md");
    let is_set = |name| std::env::var_os(name).is_some();
    if is_set("UPDATE_GOLDEN") && !is_set("CI") {
        fs::write(&path, reference_page()).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), reference_page(), "run with UPDATE_GOLDEN=1");
}
