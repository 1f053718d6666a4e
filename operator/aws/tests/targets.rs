//! The Targets unit: recorded checkpoints, membership, farewell.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so do the functions that tests share"
)]

mod support;

use std::sync::Arc;

use fairway_aws::{
    config::Config,
    targets::{CHECKPOINT, FINALIZER, Target, Targets, TargetsObserved, TargetsOp},
};
use fairway_core::{
    evaluate::{Evaluation, Facts, Input, LastGood, Provider as _, Step},
    ids::Key,
};
use fairway_crds::TargetGroupBinding;
use serde_json::{Value, json};
use support::{recorded, world::World};

fn slice(service: &str, ports: &Value) -> Value {
    json!([{
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": format!("{service}-1"), "namespace": "default",
                     "labels": {"kubernetes.io/service-name": service}},
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "nodeName": "node1",
                       "targetRef": {"kind": "Pod", "name": "web-68d995574f-b6rkl", "namespace": "default"}}],
        "ports": ports,
    }])
}

/// A recorded case with its TargetGroupBindings as the peer left them.
fn world(case: &str) -> (World, Vec<Key>) {
    let mut world = World::recorded();
    let objects = recorded(&format!("{case}/objects.json"));
    world.add(&objects);
    let http = json!({"name": "http", "port": 80, "protocol": "TCP"});
    let ports = match case {
        "nlb-ip" => json!([http, {"name": "dns", "port": 53, "protocol": "UDP"}]),
        "nlb-tls" => json!([{"name": "https", "port": 80}, {"name": "plain", "port": 80}]),
        _ => json!([http]),
    };
    for service in ["nlb-ip", "nlb-tls", "nlb-local"] {
        world.add(&slice(service, &ports));
    }
    let mut keys = Vec::new();
    for object in objects.as_array().unwrap().iter().filter(|one| one["kind"] == "TargetGroupBinding") {
        world.snapshot.add(object).unwrap();
        keys.push(Key::new("default", object["metadata"]["name"].as_str().unwrap()));
    }
    (world, keys)
}

fn evaluate(world: &World, key: &Key, observed: Option<&TargetsObserved>, last: &LastGood) -> Step<Targets> {
    let config = Config::new("demo", "us-east-1", "vpc-973af0aea18100386");
    let mut facts = Facts::default();
    for _ in 0..4 {
        let snapshot = &world.snapshot;
        let input = Input { unit: key, config: &config, snapshot, facts: &facts, observed, last_good: last };
        match Targets::evaluate(&input) {
            Step::NeedFacts(queries) => {
                for query in queries {
                    let answer = world.answer(&query);
                    facts.insert(query, answer);
                }
            }
            step => return step,
        }
    }
    panic!("asks for ever");
}

fn done(step: Step<Targets>) -> Evaluation<Targets> {
    match step {
        Step::Done(evaluation) => *evaluation,
        other => panic!("{other:?}"),
    }
}

fn edit(world: &mut World, key: &Key, change: impl FnOnce(&mut TargetGroupBinding)) {
    let all = Arc::make_mut(&mut world.snapshot.target_group_bindings);
    change(Arc::make_mut(all.get_mut(key).unwrap()));
}

fn registered(targets: &[(&str, u16)]) -> TargetsObserved {
    let target = |(id, port): &(&str, u16)| Target { id: (*id).to_owned(), port: *port, zone: None };
    TargetsObserved {
        registered: targets.iter().map(target).collect(),
        found: true,
        ..TargetsObserved::default()
    }
}

fn lines(evaluation: &Evaluation<Targets>) -> Vec<String> {
    use fairway_core::plan::Operation as _;
    let line = |op: &TargetsOp| match op.details().join(" ") {
        details if details.is_empty() => op.describe(),
        details => format!("{}: {details}", op.describe()),
    };
    evaluation.plan.ops().iter().map(|planned| line(&planned.op)).collect()
}

#[test]
fn recorded_checkpoints_come_out_byte_for_byte() {
    let cases = [
        ("plain-ip", 3),
        ("internal-instance", 1),
        ("group", 3),
        ("missing-backend", 1),
        ("nlb-ip", 2),
        ("nlb-instance-local", 1),
        ("nlb-tls", 2),
    ];
    for (case, count) in cases {
        let (world, keys) = world(case);
        assert_eq!(keys.len(), count, "{case}");
        for key in keys {
            let theirs = world.snapshot.target_group_bindings[&key].metadata.annotations.as_ref().unwrap()
                [CHECKPOINT]
                .clone();
            let last = LastGood { fingerprint: Some(theirs.clone()), ..LastGood::default() };
            let evaluation = done(evaluate(&world, &key, None, &last));
            assert_eq!(evaluation.fingerprint, theirs, "{case}: {key}");
            assert!(evaluation.plan.is_empty(), "{case}: nothing is done without being observed");
        }
    }
}

#[test]
fn a_drift_check_observes_and_repairs() {
    let (world, keys) = world("internal-instance");
    let key = &keys[0];
    assert!(matches!(evaluate(&world, key, None, &LastGood::default()), Step::NeedObserved(_)));
    let right = registered(&[("i-95eed21513face0f2", 31080)]);
    assert!(lines(&done(evaluate(&world, key, Some(&right), &LastGood::default()))).is_empty());
    let wrong = registered(&[("i-1", 31080)]);
    let evaluation = done(evaluate(&world, key, Some(&wrong), &LastGood::default()));
    assert_eq!(
        lines(&evaluation),
        [
            format!("empty checkpoint of {key}"),
            "register 1 target: i-95eed21513face0f2:31080".to_owned(),
            "deregister 1 target: i-1:31080".to_owned(),
            format!("write checkpoint of {key}"),
        ]
    );
}

#[test]
fn a_new_binding_gets_its_finalizer_before_its_targets() {
    let (mut world, keys) = world("plain-ip");
    edit(&mut world, &keys[0], |binding| {
        binding.metadata.annotations = None;
        binding.metadata.finalizers = None;
    });
    let evaluation = done(evaluate(&world, &keys[0], Some(&registered(&[])), &LastGood::default()));
    assert_eq!(evaluation.finalizers.add.len(), 1);
    assert_eq!(evaluation.finalizers.add[0].1, FINALIZER);
    let write = format!("write checkpoint of {}", keys[0]);
    assert_eq!(lines(&evaluation), ["register 1 target: 10.0.0.1:80".to_owned(), write]);
}

#[test]
fn defect_13_a_missing_port_keeps_what_is_registered() {
    let (mut world, keys) = world("plain-ip");
    edit(&mut world, &keys[0], |binding| {
        binding.spec.service_ref.port = k8s_openapi::apimachinery::pkg::util::intstr::IntOrString::Int(81);
    });
    let seen = registered(&[("10.0.0.1", 80)]);
    let evaluation = done(evaluate(&world, &keys[0], Some(&seen), &LastGood::default()));
    assert!(evaluation.plan.is_empty());
    let [note] = evaluation.notes.as_slice() else { panic!("{:?}", evaluation.notes) };
    assert_eq!((note.code.as_str(), note.held), ("BackendNotFound", true));
}

#[test]
fn a_missing_service_takes_its_targets_along() {
    let (mut world, keys) = world("plain-ip");
    edit(&mut world, &keys[0], |binding| binding.spec.service_ref.name = "gone".to_owned());
    let seen = registered(&[("10.0.0.1", 80)]);
    let evaluation = done(evaluate(&world, &keys[0], Some(&seen), &LastGood::default()));
    assert!(lines(&evaluation).contains(&"deregister 1 target: 10.0.0.1:80".to_owned()));
    let [note] = evaluation.notes.as_slice() else { panic!("{:?}", evaluation.notes) };
    assert_eq!((note.code.as_str(), note.held), ("BackendNotFound", false));
}

#[test]
fn defect_13_nodes_that_are_not_of_ec2_or_not_wanted_are_passed_over() {
    let (mut world, keys) = world("internal-instance");
    let node = |name: &str, provider: &str, extra: Value| {
        let mut node = json!({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {}},
            "spec": {"providerID": provider},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        node.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        node
    };
    let excluded = json!({"metadata": {"name": "excluded",
        "labels": {"node.kubernetes.io/exclude-from-external-load-balancers": ""}}});
    let tainted = json!({"spec": {"providerID": "aws:///a/i-5",
        "taints": [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]}});
    let down = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
    world.add(&json!([
        node("other-cloud", "gce://p/z/n", json!({})),
        node("fine", "aws:///us-east-1a/i-2", json!({})),
        node("excluded", "aws:///us-east-1a/i-3", excluded),
        node("down", "aws:///us-east-1a/i-4", down),
        node("tainted", "aws:///us-east-1a/i-5", tainted),
    ]));
    let evaluation = done(evaluate(&world, &keys[0], Some(&registered(&[])), &LastGood::default()));
    let ids: Vec<_> = evaluation.model.unwrap().targets.into_iter().map(|target| target.id).collect();
    assert_eq!(ids, ["i-2", "i-95eed21513face0f2"]);
}

#[test]
fn a_deleted_binding_takes_its_targets_with_it_and_then_its_finalizer() {
    let (mut world, keys) = world("plain-ip");
    let time = "2026-11-23T03:00:00Z";
    edit(&mut world, &keys[0], |binding| {
        binding.metadata.deletion_timestamp = Some(serde_json::from_value(json!(time)).unwrap());
    });
    let seen = registered(&[("10.0.0.1", 80)]);
    let evaluation = done(evaluate(&world, &keys[0], Some(&seen), &LastGood::default()));
    assert_eq!(lines(&evaluation), ["deregister 1 target: 10.0.0.1:80"]);
    assert_eq!(evaluation.finalizers.remove.len(), 1);
    assert!(evaluation.gone);
    let gone = TargetsObserved::default();
    let evaluation = done(evaluate(&world, &keys[0], Some(&gone), &LastGood::default()));
    assert!(evaluation.plan.is_empty() && evaluation.finalizers.remove.len() == 1);
}

#[test]
fn many_targets_go_in_chunks() {
    let (mut world, keys) = world("plain-ip");
    let service = world.snapshot.target_group_bindings[&keys[0]].spec.service_ref.name.clone();
    let endpoint = |n: u32| {
        json!({"addresses": [format!("10.0.{}.{}", n / 250, n % 250 + 1)], "conditions": {"ready": true},
               "targetRef": {"kind": "Pod", "name": format!("p{n}"), "namespace": "default"}})
    };
    let mut many = slice(&service, &json!([{"name": "http", "port": 80}]));
    many[0]["endpoints"] = json!((0..450).map(endpoint).collect::<Vec<_>>());
    world.add(&many);
    let evaluation = done(evaluate(&world, &keys[0], Some(&registered(&[])), &LastGood::default()));
    let sizes: Vec<usize> = evaluation
        .plan
        .ops()
        .iter()
        .filter_map(|planned| match &planned.op {
            TargetsOp::Register { targets, .. } => Some(targets.len()),
            _ => None,
        })
        .collect();
    assert_eq!(sizes, [200, 200, 50]);
}

#[test]
fn addresses_outside_the_vpc_are_registered_in_all_zones() {
    let (mut world, keys) = world("plain-ip");
    let service = world.snapshot.target_group_bindings[&keys[0]].spec.service_ref.name.clone();
    let mut outside = slice(&service, &json!([{"name": "http", "port": 80}]));
    outside[0]["endpoints"][0]["addresses"] = json!(["192.168.0.1"]);
    world.add(&outside);
    let evaluation = done(evaluate(&world, &keys[0], Some(&registered(&[])), &LastGood::default()));
    let zones: Vec<_> =
        evaluation.model.unwrap().targets.into_iter().map(|target| (target.id, target.zone)).collect();
    assert_eq!(zones, [("10.0.0.1".to_owned(), None), ("192.168.0.1".to_owned(), Some("all".to_owned()))]);
}
