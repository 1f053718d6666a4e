//! Guards of rules over time: what AWS never gives back is remembered, and a settled rule is not told again.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so do the functions that tests share"
)]

mod support;

use fairway_aws::{
    config::Config,
    model::Action,
    stack::{StackOp, Stacks},
};
use fairway_core::{
    evaluate::Evaluation,
    ids::{Key, StackId},
    plan::Operation as _,
};
use serde_json::json;
use support::world::World;

fn config() -> Config {
    Config::new("demo", "us-east-1", "vpc-973af0aea18100386")
}

fn stack() -> StackId {
    StackId::parse("aws:ingress:default/shop").unwrap()
}

/// An Ingress with two rules and a default action behind a provider.
fn guarded(secret: &str) -> serde_json::Value {
    let provider = json!({"issuer": "https://i", "authorizationEndpoint": "https://i/a", "tokenEndpoint": "https://i/t",
        "userInfoEndpoint": "https://i/u", "secretName": secret});
    let path = |path: &str| json!({"path": path, "pathType": "Exact", "backend": {"service": {"name": "web", "port": {"number": 80}}}});
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "shop", "namespace": "default", "uid": "uid-shop", "annotations": {
            "alb.ingress.kubernetes.io/target-type": "ip",
            "alb.ingress.kubernetes.io/listen-ports": r#"[{"HTTPS":443}]"#,
            "alb.ingress.kubernetes.io/auth-type": "oidc",
            "alb.ingress.kubernetes.io/auth-idp-oidc": provider.to_string()}},
        "spec": {"ingressClassName": "alb", "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}},
            "rules": [{"host": "shop.example.com", "http": {"paths": [path("/a"), path("/b")]}}]}})
}

fn settled() -> World {
    let mut world = World::recorded();
    world.snapshot.add(&guarded("oidc")).unwrap();
    assert_eq!(world.settle(&config(), &stack()).len(), 1);
    world
}

fn lines(evaluation: &Evaluation<Stacks>) -> Vec<String> {
    evaluation.plan.ops().iter().map(|planned| planned.op.describe()).collect()
}

const TOLD: [&str; 4] = [
    "modify listener k8s-default-shop-368faa866d:443",
    "modify rule k8s-default-shop-368faa866d:443:1",
    "modify rule k8s-default-shop-368faa866d:443:2",
    "remember which content was told of Secret default/oidc",
];

#[test]
fn a_settled_rule_is_not_told_its_secret_again() {
    let world = settled();
    let (evaluation, _) = world.look(&config(), &stack());
    assert_eq!(lines(&evaluation), [""; 0]);
    // As the peer leaves it: made with the same tags, and nothing is remembered of it.
    let taken_over = World { last_good: Default::default(), ..world };
    assert_eq!(lines(&taken_over.look(&config(), &stack()).0), [""; 0]);
}

#[test]
fn another_secret_is_told_to_every_rule_once() {
    let mut world = settled();
    world.put_client("oidc", "shop", "another");
    let done = world.settle(&config(), &stack());
    assert_eq!(done.iter().map(lines).collect::<Vec<_>>(), [TOLD]);

    // Cut short before it is remembered: everything is told again.
    world.put_client("oidc", "shop", "third");
    let (evaluation, _) = world.look(&config(), &stack());
    world.remember(&evaluation.bindings);
    for planned in evaluation.plan.ops().iter().take(3) {
        world.apply(&planned.op);
    }
    assert_eq!(world.settle(&config(), &stack()).iter().map(lines).collect::<Vec<_>>(), [TOLD]);
}

#[test]
fn a_secret_of_another_name_is_another_secret() {
    let mut world = settled();
    world.put_client("next", "shop", "another");
    world.snapshot.add(&guarded("next")).unwrap();
    let done = world.settle(&config(), &stack());
    let mut want = TOLD.map(str::to_owned);
    want[3] = "remember which content was told of Secret default/next".to_owned();
    assert_eq!(done.iter().map(lines).collect::<Vec<_>>(), [want]);
}

#[test]
fn another_client_is_seen_without_being_remembered() {
    let mut world = settled();
    world.last_good = Default::default();
    world.put_client("oidc", "other", "opensesame");
    let (evaluation, _) = world.look(&config(), &stack());
    assert_eq!(lines(&evaluation), &TOLD[..3]);
}

#[test]
fn what_was_told_outlives_a_secret_that_is_missing_for_a_while() {
    let mut world = settled();
    let kept = world.secrets.remove(&Key::new("default", "oidc")).unwrap();
    let (evaluation, _) = world.look(&config(), &stack());
    assert_eq!(lines(&evaluation), [""; 0], "nothing loses its guard");
    let notes: Vec<String> = evaluation.notes.iter().map(|note| note.message.clone()).collect();
    assert_eq!(notes, ["auth-idp-oidc names Secret default/oidc, which does not exist"]);
    world.remember(&evaluation.bindings);

    world.secrets.insert(Key::new("default", "oidc"), kept);
    assert_eq!(lines(&world.look(&config(), &stack()).0), [""; 0]);
    world.put_client("oidc", "shop", "another");
    assert_eq!(lines(&world.look(&config(), &stack()).0), TOLD);
}

#[test]
fn no_plan_or_state_holds_a_secret() {
    let mut world = World::recorded();
    world.snapshot.add(&guarded("oidc")).unwrap();
    let (evaluation, _) = world.look(&config(), &stack());
    let guards = evaluation.plan.ops().iter().filter(|planned| {
        matches!(&planned.op, StackOp::CreateRule(rule) if matches!(rule.actions[0], Action::Oidc(_)))
    });
    assert_eq!(guards.count(), 2);
    let text = format!(
        "{:?} {:?} {} {}",
        evaluation,
        evaluation.bindings,
        serde_json::to_string(&evaluation.plan).unwrap(),
        serde_json::to_string(&evaluation.model).unwrap()
    );
    assert!(!text.contains("opensesame"), "{text}");
}
