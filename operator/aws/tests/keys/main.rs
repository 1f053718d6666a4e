//! What each key does: cases of `e2e/keys`, evaluated before and after, and as if the key had no row.
//!
//! A key without a row is one that nobody knows: an annotation is spelled otherwise, a field of class parameters is left
//! out. Then nothing differs any more, so the difference is the row's doing. The same cases are applied to a real API
//! server by `e2e/scenarios/test_keys.py`, which looks at what AWS has. `docs/reference/keys.md` lists them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so do the functions that tests share"
)]

mod case;
mod page;
#[path = "../support/mod.rs"]
mod support;

use std::{collections::BTreeSet, fs, sync::LazyLock};

use case::{Case, Known, Value2};
use fairway_aws::{config::Config, facts::Certificate, stack::StackOp};
use fairway_core::read::{self, ReadConfig};
use serde_json::{Value, json};
use support::world::{Issued, World};

/// What one value comes to: the models of all stacks, and who is told why something is not done.
#[derive(Debug, PartialEq)]
struct Came {
    models: Vec<Value>,
    held: BTreeSet<String>,
}

/// One for all looks: what differs between two is a key's doing.
fn issued() -> &'static Issued {
    static ISSUED: LazyLock<Issued> = LazyLock::new(|| Issued::of("keys.example.com"));
    &ISSUED
}

/// The recorded account, with what cases name.
fn account() -> World {
    let mut world = World::recorded();
    for subnet in &mut world.subnets {
        let kind = if subnet.tags.contains_key("kubernetes.io/role/elb") { "public" } else { "private" };
        let name = format!("{kind}-{}", &subnet.zone[subnet.zone.len() - 1..]);
        let tier = match name.as_str() {
            "private-a" | "private-b" => Some("front"),
            "private-c" | "public-a" => Some("back"),
            _ => None,
        };
        subnet.tags.extend(tier.map(|tier| ("tier".to_owned(), tier.to_owned())));
        subnet.tags.insert("Name".to_owned(), name);
        subnet.ipv6_cidrs = vec!["2001:db8::/64".to_owned()];
    }
    for name in ["web-one", "web-two"] {
        world.security_groups.insert(format!("sg-{name}"), name.to_owned());
    }
    for name in ["guard", "other"] {
        world.web_acls.insert(name.to_owned(), format!("arn:{name}"));
    }
    for name in ["one", "two"] {
        let names = vec![format!("{name}.example.org")];
        world.certificates.push(Certificate { arn: format!("arn:certificate/{name}"), names, issued: true });
    }
    world.shield_advanced = true;
    world.put_tls("tls", issued());
    world.add(&json!([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}]));
    world
}

/// What `${subnet:NAME}` and its like stand for.
fn known(world: &World) -> Known {
    let subnets =
        world.subnets.iter().map(|subnet| (format!("subnet:{}", subnet.tags["Name"]), subnet.id.clone()));
    let acls = world.web_acls.iter().map(|(name, arn)| (format!("acl:{name}"), arn.clone()));
    let certificates =
        ["one", "two"].map(|name| (format!("certificate:{name}"), format!("arn:certificate/{name}")));
    let addresses =
        ["one", "two", "three", "four"].map(|name| (format!("eip:{name}"), format!("eipalloc-{name}")));
    subnets.chain(acls).chain(certificates).chain(addresses).collect()
}

fn come(case: &Case, value: Value2, masked: bool) -> Came {
    let mut world = account();
    let known = known(&world);
    world.add(&json!(case.objects(value, &known, masked)));
    let config = Config::new("demo", "us-east-1", "vpc-973af0aea18100386");
    let config = Config { request_certificates: true, ..config };
    let (mut models, mut held) = (Vec::new(), BTreeSet::new());
    for unit in read::stacks(&world.snapshot, &ReadConfig::default()) {
        let (mut evaluation, _) = world.look(&config, &unit);
        let requests = evaluation
            .plan
            .ops()
            .iter()
            .filter(|planned| matches!(planned.op, StackOp::RequestCertificate(..)));
        requests.for_each(|planned| world.apply(&planned.op));
        if world.issue() {
            (evaluation, _) = world.look(&config, &unit);
        }
        models.push(serde_json::to_value(&evaluation.model).unwrap());
        held.extend(evaluation.notes.iter().filter(|note| note.held).map(|note| note.code.clone()));
    }
    Came { models, held }
}

fn wrong(case: &Case) -> Option<String> {
    let (before, after) = (come(case, Value2::From, false), come(case, Value2::To, false));
    let (blind, blinder) = (come(case, Value2::From, true), come(case, Value2::To, true));
    if !before.held.is_empty() {
        return Some(format!("the first value is refused: {:?}", before.held));
    }
    if blind != blinder {
        return Some("differs without its row, too: something else was changed".to_owned());
    }
    match &case.refused {
        Some(reason) if after.held.contains(reason) && !blinder.held.contains(reason) => None,
        Some(reason) => Some(format!("is not refused with {reason}: {:?}", after.held)),
        None if !after.held.is_empty() => Some(format!("is refused: {:?}", after.held)),
        None if before.models == after.models => Some("makes no difference".to_owned()),
        None => None,
    }
}

#[test]
fn every_key_makes_a_difference_and_only_by_its_row() {
    let cases = case::all();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| wrong(case).map(|problem| format!("{} ({}): {problem}", case.name, case.key)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_row_that_aws_honours_has_a_case_and_every_case_a_row() {
    let problems = page::problems(&case::all());
    assert!(problems.is_empty(), "see e2e/keys/README.md:\n{}", problems.join("\n"));
}

/// `UPDATE_GOLDEN=1 cargo test -p fairway-aws --test keys` writes the page, but never where `CI` is set.
#[test]
fn the_table_of_keys_is_current() {
    let path = support::repository("docs/reference/keys.md");
    let page = page::page(&case::all());
    let is_set = |name| std::env::var_os(name).is_some();
    if is_set("UPDATE_GOLDEN") && !is_set("CI") {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), page, "run with UPDATE_GOLDEN=1");
}
