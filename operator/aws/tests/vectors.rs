//! What the peer really made, against what a plan makes of an empty account.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so do the functions that tests share"
)]

mod support;

use fairway_aws::{config::Config, model::Condition, stack::Stacks};
use fairway_core::{
    evaluate::Evaluation,
    ids::{Key, ProviderKind, StackId, StackKey},
};
use serde_json::{Value, json};
use support::{recorded, world::World};

fn config() -> Config {
    Config::new("demo", "us-east-1", "vpc-973af0aea18100386")
}

fn stack(key: StackKey) -> StackId {
    StackId::new(ProviderKind::Aws, key)
}

fn ingress(name: &str) -> StackId {
    stack(StackKey::Ingress(Key::new("default", name)))
}

fn service(name: &str) -> StackId {
    stack(StackKey::Service(Key::new("default", name)))
}

/// What the world cannot know: defaults of AWS, targets, and what another unit makes.
fn comparable(mut aws: Value, ours: &Value) -> Value {
    aws.as_object_mut().unwrap().remove("records");
    let groups = aws["securityGroups"].as_object_mut().unwrap();
    groups.retain(|name, _| name != "nodes" && name != support::dump::BACKEND_NAME);
    for group in groups.values_mut() {
        for rule in group["ingress"].as_array_mut().unwrap() {
            *rule = serde_json::from_str(rule.as_str().unwrap()).unwrap();
        }
    }
    for kind in ["loadBalancers", "targetGroups"] {
        for (name, value) in aws[kind].as_object_mut().unwrap() {
            value.as_object_mut().unwrap().remove("targets");
            let asked = ours[kind][name]["attributes"].as_object().cloned().unwrap_or_default();
            let all = value["attributes"].as_object_mut().unwrap();
            all.retain(|key, _| asked.contains_key(key));
        }
    }
    drop_stickiness(&mut aws);
    aws
}

/// AWS shows `TargetGroupStickinessConfig` where nothing was asked for.
fn drop_stickiness(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("TargetGroupStickinessConfig").is_some_and(|shown| shown["Enabled"] == false) {
                map.remove("TargetGroupStickinessConfig");
            }
            map.values_mut().for_each(drop_stickiness);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_stickiness),
        _ => {}
    }
}

fn sorted_ingress(mut value: Value) -> Value {
    for group in value["securityGroups"].as_object_mut().unwrap().values_mut() {
        group["ingress"].as_array_mut().unwrap().sort_by_key(ToString::to_string);
    }
    value
}

/// TargetGroupBindings as the recorded ones, with names for ids.
fn bindings(objects: &[Value], backend: &str) -> Vec<Value> {
    let mut all: Vec<Value> = objects
        .iter()
        .filter(|object| object["kind"] == "TargetGroupBinding")
        .map(|object| {
            let arn = object["spec"]["targetGroupARN"].as_str().unwrap();
            let name = arn.split('/').nth(1).unwrap().to_owned();
            let mut spec = object["spec"].clone();
            spec["targetGroupARN"] = json!(name);
            let text = spec.to_string().replace(backend, "backend");
            json!({
                "name": object["metadata"]["name"], "namespace": object["metadata"]["namespace"],
                "labels": object["metadata"]["labels"],
                "spec": serde_json::from_str::<Value>(&text).unwrap(),
            })
        })
        .collect();
    all.sort_by_key(|object| object["name"].to_string());
    all
}

fn reproduce(case: &str, unit: &StackId) -> (World, Evaluation<Stacks>) {
    let mut world = World::recorded();
    let objects = recorded(&format!("{case}/objects.json"));
    world.add(&json!(support::classes(case)));
    world.add(&objects);
    let mut done = world.settle(&config(), unit);
    assert_eq!(done.len(), 1, "{case}: one plan is enough");
    let ours = sorted_ingress(world.dump());
    let theirs = sorted_ingress(comparable(recorded(&format!("{case}/aws.json")), &ours));
    for kind in ["loadBalancers", "securityGroups", "targetGroups"] {
        assert_eq!(
            serde_json::to_string_pretty(&ours[kind]).unwrap(),
            serde_json::to_string_pretty(&theirs[kind]).unwrap(),
            "{case}: {kind}"
        );
    }
    let recorded_objects = objects.as_array().unwrap();
    let text = objects.to_string();
    let backend = text.split("\"groupID\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let ours: Vec<Value> = world
        .snapshot
        .target_group_bindings
        .values()
        .map(|object| serde_json::to_value(object.as_ref()).unwrap())
        .collect();
    assert_eq!(
        bindings(&ours, support::world::BACKEND),
        bindings(recorded_objects, backend),
        "{case}: bindings"
    );
    check_objects(case, recorded_objects, &done[0]);
    (world, done.remove(0))
}

/// Finalizers and the ports of the status.
fn check_objects(case: &str, objects: &[Value], evaluation: &Evaluation<Stacks>) {
    for object in objects.iter().filter(|object| !object["metadata"]["finalizers"].is_null()) {
        let (kind, name) = (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
        if kind == "TargetGroupBinding" {
            continue;
        }
        let own = |about: &fairway_core::ids::ObjectRef| {
            about.kind.as_str() == kind && about.key == Key::new("default", name)
        };
        let added = evaluation.finalizers.add.iter().filter(|(about, _)| own(about));
        let added: Vec<Value> = added.map(|(_, finalizer)| json!(finalizer)).collect();
        assert_eq!(json!(added), object["metadata"]["finalizers"], "{case}: {name}");
        let wish = evaluation.status.iter().find(|wish| own(&wish.object)).unwrap();
        let ports: Vec<Value> = wish.addresses[0]
            .ports
            .iter()
            .map(|(port, protocol)| json!({"port": port, "protocol": protocol}))
            .collect();
        assert_eq!(json!(ports), object["status"]["loadBalancer"]["ingress"][0]["ports"], "{case}: {name}");
    }
}

/// Changes each leaf of a recorded case, one at a time.
fn leaves_count(case: &str, unit: &StackId, leaves: &[&str]) {
    let mut world = World::recorded();
    world.add(&recorded(&format!("{case}/objects.json")));
    world.settle(&config(), unit);
    let ours = sorted_ingress(world.dump());
    let mut recorded = recorded(&format!("{case}/aws.json"));
    assert_eq!(sorted_ingress(comparable(recorded.clone(), &ours)), ours, "{case}");
    for leaf in leaves {
        let place = recorded.pointer_mut(leaf).unwrap_or_else(|| panic!("{case} has no {leaf}"));
        let before = std::mem::replace(place, json!("changed"));
        assert_ne!(sorted_ingress(comparable(recorded.clone(), &ours)), ours, "{case}: {leaf}");
        *recorded.pointer_mut(leaf).unwrap() = before;
    }
}

#[test]
fn a_leaf_that_differs_is_seen() {
    let leaves = [
        "/loadBalancers/k8s-default-plain-9f3d6c191c/listeners/80~1HTTP/rules/0/priority",
        "/loadBalancers/k8s-default-plain-9f3d6c191c/tags/ingress.k8s.aws~1stack",
        "/targetGroups/k8s-default-web-4b31e29d96/HealthCheckPath",
        "/securityGroups/k8s-default-plain-23556813c9/description",
    ];
    leaves_count("plain-ip", &ingress("plain"), &leaves);
}

#[test]
fn a_leaf_of_an_action_or_a_condition_that_differs_is_seen() {
    let rules = |case: &str, leaf: &str| format!("/loadBalancers/{case}/listeners/80~1HTTP/rules/{leaf}");
    let actions = [
        "0/actions/0/RedirectConfig/StatusCode",
        "0/actions/0/RedirectConfig/Port",
        "1/actions/0/FixedResponseConfig/MessageBody",
        "2/actions/0/ForwardConfig/TargetGroups/1/Weight",
        "2/actions/0/ForwardConfig/TargetGroups/1/TargetGroupArn",
        "2/actions/0/ForwardConfig/TargetGroupStickinessConfig/DurationSeconds",
    ];
    let actions = actions.map(|leaf| rules(&only_balancer("actions"), leaf));
    leaves_count("actions", &ingress("acts"), &actions.each_ref().map(String::as_str));
    let conditions = [
        "0/conditions/0/HttpHeaderConfig/HttpHeaderName",
        "0/conditions/0/HttpHeaderConfig/Values/0",
        "0/conditions/1/HttpRequestMethodConfig/Values/0",
        "0/conditions/2/QueryStringConfig/Values/0/Key",
        "0/conditions/4/PathPatternConfig/Values/0",
    ];
    let conditions = conditions.map(|leaf| rules(&only_balancer("conditions"), leaf));
    leaves_count("conditions", &ingress("conds"), &conditions.each_ref().map(String::as_str));
}

/// The name of a case's load balancer.
fn only_balancer(case: &str) -> String {
    let aws = recorded(&format!("{case}/aws.json"));
    aws["loadBalancers"].as_object().unwrap().keys().next().unwrap().clone()
}

#[test]
fn plain_ip() {
    let _ = reproduce("plain-ip", &ingress("plain"));
}

#[test]
fn internal_instance() {
    let _ = reproduce("internal-instance", &ingress("inst"));
}

#[test]
fn group() {
    let _ = reproduce("group", &stack(StackKey::Group("shop".to_owned())));
}

#[test]
fn missing_backend() {
    let (_, evaluation) = reproduce("missing-backend", &ingress("miss"));
    let note = evaluation.notes.first().expect("the missing Service is told");
    assert!(note.message.contains("nosuch"), "{note}");
}

#[test]
fn nlb_ip() {
    let _ = reproduce("nlb-ip", &service("nlb-ip"));
}

#[test]
fn nlb_instance_local() {
    let _ = reproduce("nlb-instance-local", &service("nlb-local"));
}

#[test]
fn nlb_tls() {
    let _ = reproduce("nlb-tls", &service("nlb-tls"));
}

#[test]
fn cidrs_tags_attributes() {
    let _ = reproduce("cidrs-tags-attributes", &ingress("attrs"));
}

#[test]
fn class_params() {
    let _ = reproduce("class-params", &stack(StackKey::Group("teamlb".to_owned())));
}

#[test]
fn https_redirect_discovery() {
    let _ = reproduce("https-redirect-discovery", &ingress("tls"));
}

#[test]
fn actions() {
    let _ = reproduce("actions", &ingress("acts"));
}

#[test]
fn conditions() {
    let _ = reproduce("conditions", &ingress("conds"));
}

/// AWS refuses the one rule that the peer asks for, and its stack has none. Divided, it works.
#[test]
fn too_many_values_are_divided() {
    let mut world = World::recorded();
    world.add(&recorded("too-many-values/objects.json"));
    let done = world.settle(&config(), &ingress("many"));
    assert_eq!(done.len(), 1, "one plan is enough");
    assert!(done[0].notes.is_empty(), "{:?}", done[0].notes);
    let listener = &world.observed.load_balancers.values().next().unwrap().listeners[&80];
    let rules: Vec<&[Condition]> = listener.rules.iter().map(|rule| rule.conditions.as_slice()).collect();
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let rule = |values: &[&str]| {
        vec![
            Condition::HttpHeader { name: "X-A".to_owned(), values: texts(values) },
            Condition::HostHeader(texts(&["m.example.com"])),
            Condition::PathPattern(texts(&["/c", "/c/*"])),
        ]
    };
    assert_eq!(rules, [rule(&["1"]), rule(&["2", "3"])]);
    assert!(listener.rules.windows(2).all(|pair| pair[0].actions == pair[1].actions));
}
