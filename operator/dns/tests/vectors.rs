//! Zones that external-dns v0.22 wrote: read, and taken over without a change.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod common;

use common::{apply, load_balancer, look, name, object, weighted, zone};
use fairway_core::plan::Effect;
use fairway_dns::{
    DnsConfig,
    change::Action,
    config::TxtNaming,
    name::Name,
    record::{Alias, Content, RecordSet, RecordType},
    sources::Asked,
    wish::{Target, Targets, Wish},
};
use serde_json::Value;

/// The hosts and zones of the load balancers that the objects had in their status.
const A: (&str, &str) = ("k8s-x-1234.us-east-1.elb.amazonaws.com", "Z35SXDOTRQ7X7K");
const T: (&str, &str) = ("k8s-y-abcd.elb.eu-west-1.amazonaws.com", "Z2IFOLAFXWLO4F");

fn records(run: &str) -> Vec<RecordSet> {
    let path = format!("{}/../../e2e/vectors/external-dns-0.22/{run}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["records"].as_array().unwrap().iter().map(record).collect()
}

fn record(set: &Value) -> RecordSet {
    let content = match set.get("AliasTarget") {
        Some(alias) => Content::Alias(Alias {
            target: name(alias["DNSName"].as_str().unwrap()),
            zone_id: alias["HostedZoneId"].as_str().unwrap().to_owned(),
            evaluate_target_health: alias["EvaluateTargetHealth"].as_bool().unwrap(),
        }),
        None => Content::Values {
            ttl: u32::try_from(set["TTL"].as_u64().unwrap()).unwrap(),
            values: set["ResourceRecords"]
                .as_array()
                .unwrap()
                .iter()
                .map(|value| value["Value"].as_str().unwrap().to_owned())
                .collect(),
        },
    };
    let routing = set.get("SetIdentifier").and_then(Value::as_str);
    RecordSet {
        name: name(set["Name"].as_str().unwrap()),
        kind: RecordType::from(set["Type"].as_str().unwrap().to_owned()),
        routing: routing.map(|id| weighted(id, u8::try_from(set["Weight"].as_u64().unwrap()).unwrap())),
        content,
    }
}

/// What the objects of `in.yaml` ask for, with the addresses that they had.
fn wishes() -> Vec<Wish> {
    let ips = || {
        let ips = ["192.0.2.10", "2001:db8::10"];
        Targets::Published(ips.map(|ip| Target::Ip(ip.parse().unwrap())).to_vec())
    };
    let mut wishes = Vec::new();
    for host in ["tls.example.com", "app.example.com", "*.wild.example.com", "example.com", "outside.test"] {
        wishes.push(Wish {
            ttl: Some(60),
            ..common::wish("Ingress dns/a", host, load_balancer(A.0, A.1, false))
        });
    }
    wishes.push(common::wish("Ingress dns/b", "ip.example.com", ips()));
    for host in ["svc.example.com", "svc2.example.com"] {
        let targets = Targets::Published(vec![Target::Host(name("other.lb.test"))]);
        wishes.push(Wish {
            routing: Some(weighted("blue", 100)),
            ..common::wish("Service dns/s", host, targets)
        });
    }
    let nlb = common::wish("Service dns/t", "nlb.example.com", load_balancer(T.0, T.1, false));
    wishes.push(Wish { evaluate_target_health: false, ..nlb });
    wishes
}

fn config(prefix: &str, suffix: &str, wildcard: &str) -> DnsConfig {
    let naming = TxtNaming { prefix: prefix.into(), suffix: suffix.into(), wildcard: wildcard.into() };
    let mut config = DnsConfig { naming, ..DnsConfig::owned_by("demo") };
    config.filter.domains = vec!["example.com".to_owned()];
    config
}

fn runs() -> [(&'static str, DnsConfig); 5] {
    [
        ("default", config("", "", "")),
        ("prefix", config("_own.", "", "")),
        ("prefix-type", config("%{record_type}-dns-", "", "")),
        ("suffix", config("", "-own", "")),
        ("wildcard", config("", "", "any")),
    ]
}

#[test]
fn zones_of_external_dns_are_taken_over_without_a_change() {
    for (run, config) in runs() {
        let asked = Asked { wishes: wishes(), ..Asked::default() };
        let look = look(&config, &zone("example.com"), asked, &records(run), &[]);
        assert!(look.batches.is_empty(), "{run}: {}", common::print(&look));
        // external-dns leaves an apex unowned; that is said, and adopted by nobody.
        let told: Vec<String> = look.notes.iter().map(ToString::to_string).collect();
        let apex = "Ingress dns/a RecordConflict: A example.com is there already and not owned by us; it is left alone";
        assert_eq!(told, [apex], "{run}");
    }
}

#[test]
fn what_nobody_asks_for_any_more_goes_whole_and_nothing_else_does() {
    for (run, config) in runs() {
        let before = records(run);
        let look = look(&config, &zone("example.com"), Asked::default(), &before, &[]);
        let after = look.batches.iter().try_fold(before, |records, batch| {
            assert_eq!(batch.effect, Effect::Delete, "{run}");
            apply(&records, batch)
        });
        let left: Vec<String> =
            after.unwrap().iter().map(|set| format!("{} {}", set.kind, set.name)).collect();
        assert_eq!(left, ["A example.com", "AAAA example.com"], "{run}: only the unowned apex stays");
    }
}

#[test]
fn a_wrong_affix_owns_nothing() {
    let look =
        look(&config("other.", "", ""), &zone("example.com"), Asked::default(), &records("default"), &[]);
    assert!(look.batches.is_empty());
}

/// The peer was told to prefer CNAMEs; Fairway prefers aliases. The names move in one batch and never vanish.
#[test]
fn preferred_cnames_become_aliases_in_place() {
    let before = records("prefer-cname");
    let asked = Asked { wishes: wishes(), ..Asked::default() };
    let look = look(&config("", "", ""), &zone("example.com"), asked.clone(), &before, &[]);
    let names = |effect: Effect| -> Vec<&Name> {
        let batches = look.batches.iter().filter(|batch| batch.effect == effect);
        batches.flat_map(|batch| &batch.groups).map(|group| &group.name).collect()
    };
    let changed = [
        name("*.wild.example.com"),
        name("app.example.com"),
        name("nlb.example.com"),
        name("tls.example.com"),
    ];
    assert_eq!(names(Effect::Modify), changed.iter().collect::<Vec<_>>());
    assert_eq!(names(Effect::Create), [&name("example.com")]);
    let after = look.batches.iter().try_fold(before, |records, batch| apply(&records, batch)).unwrap();
    let again = common::look(&config("", "", ""), &zone("example.com"), asked, &after, &[]);
    assert!(again.batches.is_empty(), "{}", common::print(&again));
}

/// Encrypted ownership is not read yet: such a zone looks foreign, and is left alone.
#[test]
fn encrypted_ownership_is_nobodys() {
    let asked = Asked { wishes: wishes(), ..Asked::default() };
    let look = look(&config("", "", ""), &zone("example.com"), asked, &records("encrypted"), &[]);
    let about: std::collections::BTreeSet<_> = look.notes.iter().map(|note| note.about.clone()).collect();
    let all = ["Ingress dns/a", "Ingress dns/b", "Service dns/s", "Service dns/t"].map(object);
    assert_eq!(about, all.into());
    let touched =
        look.batches.iter().flat_map(|batch| batch.changes()).any(|change| change.action != Action::Create);
    assert!(!touched, "{}", common::print(&look));
}
