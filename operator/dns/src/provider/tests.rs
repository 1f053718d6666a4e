use std::collections::BTreeMap;

use fairway_core::{
    evaluate::LastGood,
    ids::{ProviderKind, StackId, StackKey},
    plan::{Effect, Handle, Operation as _, ResourceKey},
    snapshot::Snapshot,
};
use serde_json::{Value, json};

use super::*;
use crate::{
    record::{Content, RecordType},
    zone::Visibility,
};

const OLD: &str = "k8s-old-1.us-east-1.elb.amazonaws.com";

fn ingress(name: &str, class: &str, hosts: &[&str], finalizers: &[&str]) -> Value {
    let rules: Vec<Value> = hosts.iter().map(|host| json!({"host": host})).collect();
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"namespace": "shop", "name": name, "uid": name, "finalizers": finalizers,
            "creationTimestamp": "2025-01-01T00:00:00Z"},
        "spec": {"ingressClassName": class, "rules": rules, "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
    })
}

fn class(name: &str, controller: &str) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name}, "spec": {"controller": controller}})
}

fn state(provider: ProviderKind, ingress: &str, addresses: &Value) -> Value {
    let stack = StackId::new(provider, StackKey::Ingress(fairway_core::ids::Key::new("shop", ingress)));
    json!({
        "apiVersion": "fairway.dev/v1alpha1", "kind": "LoadBalancerState", "metadata": {"name": stack.state_name()},
        "spec": {"stack": stack.to_string(), "provider": provider.as_str()},
        "status": {"addresses": addresses},
    })
}

fn snapshot(objects: &[Value]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let classes = [
        class("alb", "ingress.k8s.aws/alb"),
        class("in-cluster", "fairway.dev/in-cluster"),
        class("nginx", "example.com/nginx"),
    ];
    classes.iter().chain(objects).for_each(|object| snapshot.add(object).unwrap());
    snapshot
}

fn served(addresses: &Value) -> Vec<Value> {
    vec![
        ingress("web", "alb", &["www.example.com"], &["ingress.k8s.aws/resources"]),
        state(ProviderKind::Aws, "web", addresses),
    ]
}

fn load_balancer() -> Value {
    json!([{"hostname": OLD, "hostedZoneId": "ZELB"}])
}

fn facts() -> Facts<Zones> {
    let zone = |id: &str, name: &str| HostedZone {
        id: ZoneId::new(id),
        name: Name::observed(name),
        visibility: Visibility::Public,
        tags: BTreeMap::new(),
    };
    let mut facts = Facts::default();
    let zones = vec![zone("Z1", "example.com"), zone("Z2", "example.net")];
    facts.insert(Query::HostedZones { tags: false }, Answer::HostedZones(zones));
    facts
}

fn config() -> ZonesConfig {
    ZonesConfig { dns: DnsConfig::owned_by("demo"), read: ReadConfig::default() }
}

fn step(objects: &[Value], observed: Option<&ZoneObserved>, last_good: &LastGood) -> Step<Zones> {
    let unit = ZoneUnit::Hosted(ZoneId::new("Z1"));
    let (config, facts, snapshot) = (config(), facts(), snapshot(objects));
    Zones::evaluate(&Input {
        unit: &unit,
        config: &config,
        snapshot: &snapshot,
        facts: &facts,
        observed,
        last_good,
    })
}

fn evaluate(objects: &[Value], observed: &ZoneObserved) -> Evaluation<Zones> {
    match step(objects, Some(observed), &LastGood::default()) {
        Step::Done(evaluation) => *evaluation,
        other => panic!("{other:?}"),
    }
}

fn applied(evaluation: &Evaluation<Zones>, observed: &ZoneObserved) -> ZoneObserved {
    evaluation.plan.ops().iter().fold(observed.clone(), |zone, planned| zone.after(&planned.op))
}

fn lines(evaluation: &Evaluation<Zones>) -> Vec<String> {
    let ops = evaluation.plan.ops().iter().flat_map(|planned| planned.op.details());
    ops.filter(|line| !line.contains(" TXT ")).collect()
}

#[test]
fn without_an_owner_nothing_is_asked_and_nothing_is_done() {
    let config = ZonesConfig::default();
    let (snapshot, facts, last_good) =
        (snapshot(&served(&load_balancer())), Facts::default(), LastGood::default());
    for unit in [ZoneUnit::Hosted(ZoneId::new("Z1")), ZoneUnit::Unassigned] {
        let input = Input {
            unit: &unit,
            config: &config,
            snapshot: &snapshot,
            facts: &facts,
            observed: None,
            last_good: &last_good,
        };
        let Step::Done(evaluation) = Zones::evaluate(&input) else { panic!("asked for something") };
        assert!(evaluation.plan.is_empty() && evaluation.notes.is_empty());
    }
    assert!(queries(&config.dns).is_empty());
    assert_eq!(units(&config.dns, &facts), Some(BTreeSet::new()));
}

#[test]
fn units_are_the_zones_that_are_looked_at() {
    let mut config = config().dns;
    assert_eq!(units(&config, &Facts::default()), None, "zones are not known yet");
    config.filter.domains = vec!["example.com".to_owned()];
    let names: Vec<String> = units(&config, &facts()).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["zone:Z1", "zone:none"]);
}

#[test]
fn a_name_without_a_zone_is_told_to_its_object() {
    let objects = [ingress("web", "alb", &["www.example.org", "www.example.com"], &[])];
    let (config, facts, snapshot, last_good) = (config(), facts(), snapshot(&objects), LastGood::default());
    let unit = ZoneUnit::Unassigned;
    let input = Input {
        unit: &unit,
        config: &config,
        snapshot: &snapshot,
        facts: &facts,
        observed: None,
        last_good: &last_good,
    };
    let Step::Done(evaluation) = Zones::evaluate(&input) else { panic!("asked for something") };
    let notes: Vec<String> = evaluation.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["Ingress shop/web NoZone: no hosted zone for www.example.org"]);
}

#[test]
fn a_zone_that_is_gone_is_gone() {
    let (config, facts, snapshot, last_good) = (config(), facts(), snapshot(&[]), LastGood::default());
    let unit = ZoneUnit::Hosted(ZoneId::new("Z9"));
    let input = Input {
        unit: &unit,
        config: &config,
        snapshot: &snapshot,
        facts: &facts,
        observed: None,
        last_good: &last_good,
    };
    let Step::Done(evaluation) = Zones::evaluate(&input) else { panic!("asked for something") };
    assert!(evaluation.gone);
}

#[test]
fn a_record_follows_its_load_balancer_and_then_costs_no_look() {
    let waiting = evaluate(&served(&json!([])), &ZoneObserved::default());
    assert!(waiting.plan.is_empty(), "no address, no record");
    assert_ne!(waiting.fingerprint, "", "there is nothing whose target would have to be seen each time");

    let objects = served(&load_balancer());
    let made = evaluate(&objects, &ZoneObserved::default());
    assert_eq!(lines(&made), [format!("CREATE A www.example.com alias {OLD} (ZELB, with health)")]);
    assert_eq!(made.plan.ops()[0].because[0].to_string(), "Ingress shop/web spec.rules");

    let last_good = LastGood { fingerprint: Some(made.fingerprint.clone()), ..LastGood::default() };
    let Step::Done(settled) = step(&objects, None, &last_good) else { panic!("looked at the zone") };
    assert!(settled.plan.is_empty());
    let handle = Handle {
        id: "www.example.com".to_owned(),
        dns_name: Some(OLD.to_owned()),
        zone_id: None,
        ready: true,
    };
    assert_eq!(settled.bindings, [(ResourceKey::new("record", "www.example.com/A"), handle)].into());
    let looked = evaluate(&objects, &applied(&made, &ZoneObserved::default()));
    assert_eq!((looked.bindings, looked.fingerprint), (settled.bindings, made.fingerprint));
}

#[test]
fn what_a_batch_rebinds_is_what_is_seen_afterwards() {
    let empty = ZoneObserved::default();
    let made = evaluate(&served(&load_balancer()), &empty);
    let zone = applied(&made, &empty);
    let gone = evaluate(&[], &zone);
    assert_eq!(gone.plan.ops().iter().map(|op| op.op.effect()).collect::<Vec<_>>(), [Effect::Delete]);
    for (evaluation, before) in [(&made, &empty), (&gone, &zone)] {
        let mut bindings = evaluation.bindings.clone();
        for (key, handle) in evaluation.plan.ops().iter().flat_map(|op| op.op.rebinds()) {
            match handle {
                Some(handle) => bindings.insert(key, handle),
                None => bindings.remove(&key),
            };
        }
        let after = applied(evaluation, before);
        assert_eq!(bindings, board::handles(&config().dns, &Name::observed("example.com"), &after));
    }
    assert!(board::pointing_at(
        &config().dns,
        &Name::observed("example.com"),
        &zone,
        "DUALSTACK.K8S-old-1.us-east-1.elb.amazonaws.com."
    ));
    assert!(applied(&gone, &zone).records.is_empty());
}

#[test]
fn a_change_of_class_moves_the_name_once_the_new_address_is_there() {
    let before = served(&load_balancer());
    let zone = applied(&evaluate(&before, &ZoneObserved::default()), &ZoneObserved::default());
    let finalizers = ["ingress.k8s.aws/resources", "in-cluster.fairway.dev/resources"];
    let mut objects = vec![
        ingress("web", "in-cluster", &["www.example.com"], &finalizers),
        state(ProviderKind::Aws, "web", &load_balancer()),
    ];
    let waiting = evaluate(&objects, &zone);
    assert!(waiting.plan.is_empty(), "the old address serves until the new one is live");
    assert_eq!(
        waiting.fingerprint, "",
        "what the name points at is not in the model and has to be seen each time"
    );
    objects.push(state(ProviderKind::InCluster, "web", &json!([{"ip": "192.0.2.7"}])));
    let moved = evaluate(&objects, &zone);
    assert_eq!(lines(&moved), ["UPSERT A www.example.com 192.0.2.7 (300 s)"]);
    let after = applied(&moved, &zone);
    let pointed_at = board::targets_in_use(&config().dns, &Name::observed("example.com"), &after);
    assert_eq!(
        pointed_at.into_iter().collect::<Vec<_>>(),
        ["192.0.2.7"],
        "the new address may not go either"
    );
}

#[test]
fn a_deleted_object_gives_its_names_back_before_its_load_balancer_goes() {
    let zone =
        applied(&evaluate(&served(&load_balancer()), &ZoneObserved::default()), &ZoneObserved::default());
    let mut objects = served(&load_balancer());
    objects[0]["metadata"]["deletionTimestamp"] = json!("2025-01-02T00:00:00Z");
    assert!(evaluate(&objects, &zone).plan.is_empty(), "as long as its load balancer may have to stay");
    objects[1] = state(ProviderKind::Aws, "web", &json!([]));
    let gone = evaluate(&objects, &zone);
    assert_eq!(lines(&gone), [format!("DELETE A www.example.com alias {OLD} (ZELB, with health)")]);
}

#[test]
fn an_object_of_another_controller_keeps_what_was_made_for_it() {
    let zone =
        applied(&evaluate(&served(&load_balancer()), &ZoneObserved::default()), &ZoneObserved::default());
    let objects = [ingress("web", "nginx", &["www.example.com"], &[])];
    assert!(evaluate(&objects, &zone).plan.is_empty());
}

#[test]
fn a_foreign_record_is_looked_at_again_until_it_is_gone() {
    let record = RecordSet {
        name: Name::observed("www.example.com"),
        kind: RecordType::A,
        routing: None,
        content: Content::Values { ttl: 60, values: vec!["192.0.2.9".to_owned()] },
    };
    let held = evaluate(&served(&load_balancer()), &ZoneObserved { records: vec![record] });
    assert!(held.plan.is_empty());
    assert_eq!(held.fingerprint, "");
    assert_eq!(held.notes[0].code, "RecordConflict");
}

#[test]
fn a_name_on_a_dual_stack_load_balancer_gets_both_types() {
    let mut objects = served(&load_balancer());
    objects[0]["metadata"]["annotations"] = json!({
        "alb.ingress.kubernetes.io/ip-address-type": "dualstack",
        "external-dns.alpha.kubernetes.io/hostname": "api.example.com",
    });
    let made = evaluate(&objects, &ZoneObserved::default());
    let lines = lines(&made);
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("CREATE AAAA api.example.com alias")));
}

#[test]
fn addresses_take_the_ttl_that_was_asked_for() {
    let mut objects = vec![
        ingress("web", "in-cluster", &["www.example.com"], &[]),
        state(ProviderKind::InCluster, "web", &json!([{"ip": "192.0.2.7"}, {"ip": "2001:db8::7"}])),
    ];
    objects[0]["metadata"]["annotations"] = json!({"external-dns.kubernetes.io/ttl": "2m"});
    let made = evaluate(&objects, &ZoneObserved::default());
    assert_eq!(
        lines(&made),
        ["CREATE A www.example.com 192.0.2.7 (120 s)", "CREATE AAAA www.example.com 2001:db8::7 (120 s)"]
    );
}

#[test]
fn a_proof_is_written_once_where_the_public_sees_it_and_stays() {
    const RECORD: &str = "_a.www.example.com";
    let mut objects = served(&load_balancer());
    objects[1]["status"]["arns"] = json!({format!("proof/shop/web/{RECORD}"): "_b.acm-validations.aws"});
    let empty = ZoneObserved::default();
    let made = evaluate(&objects, &empty);
    let created = format!("CREATE CNAME {RECORD} _b.acm-validations.aws (60 s)");
    assert!(lines(&made).contains(&created), "{:?}", lines(&made));
    let zone = applied(&made, &empty);
    let texts: Vec<&RecordSet> = zone.records.iter().filter(|one| one.kind == RecordType::Txt).collect();
    assert!(!texts.is_empty() && texts.iter().all(|one| !one.name.as_str().contains("_a")), "{texts:?}");

    let looked = evaluate(&objects, &zone);
    assert!(looked.plan.is_empty() && looked.notes.is_empty(), "whoever wrote it: {:?}", looked.notes);
    let last_good = LastGood { fingerprint: Some(made.fingerprint.clone()), ..LastGood::default() };
    let Step::Done(settled) = step(&objects, None, &last_good) else { panic!("looked at the zone") };
    assert_eq!((looked.bindings, looked.fingerprint), (settled.bindings, made.fingerprint));
    let deleted = lines(&evaluate(&[], &zone));
    assert_eq!(deleted.len(), 1, "other certificates of the domain may be renewed by it: {deleted:?}");
    assert!(!deleted[0].contains(RECORD));

    let other = |value: &str| RecordSet {
        name: Name::observed(RECORD),
        kind: RecordType::Cname,
        routing: None,
        content: Content::Values { ttl: 300, values: vec![value.to_owned()] },
    };
    let in_the_way = ZoneObserved { records: vec![other("elsewhere.example.com")] };
    let held = evaluate(&objects, &in_the_way);
    assert!(!lines(&held).iter().any(|line| line.contains(RECORD)));
    assert_eq!(held.notes[0].code, "RecordConflict");

    let home = |visibility| HostedZone {
        id: ZoneId::new("Z1"),
        name: Name::observed("example.com"),
        visibility,
        tags: BTreeMap::new(),
    };
    let asked = sources::ask(&snapshot(&objects), &ReadConfig::default(), &config().dns);
    let proof = asked.wishes.iter().find(|wish| wish.proof).unwrap();
    assert_eq!(homes(proof, &[home(Visibility::Public)]).len(), 1);
    assert!(homes(proof, &[home(Visibility::Private)]).is_empty());
    let notes = unassigned(&asked, &[home(Visibility::Private)], &config().dns);
    assert_eq!(
        notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [format!("Ingress shop/web NoZone: no hosted zone for {RECORD}")]
    );
}
