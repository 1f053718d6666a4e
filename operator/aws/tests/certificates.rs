//! Certificates that a stack has of its own: from the Secrets of its Ingresses.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so do the functions that tests share"
)]

mod support;

use std::sync::Arc;

use fairway_aws::{config::Config, stack::StackOp, tags::SECRET_DIGEST};
use fairway_core::{
    ids::{Key, ProviderKind, StackId, StackKey},
    plan::Operation as _,
};
use serde_json::{Value, json};
use support::world::{Issued, World};

fn config() -> Config {
    Config::new("demo", "us-east-1", "vpc-973af0aea18100386")
}

fn unit() -> StackId {
    StackId::new(ProviderKind::Aws, StackKey::Group("shop".to_owned()))
}

/// An Ingress of the group that brings the certificate of a Secret of its name.
fn ingress(name: &str, annotations: &Value) -> Value {
    let mut all = json!({
        "alb.ingress.kubernetes.io/group.name": "shop",
        "alb.ingress.kubernetes.io/target-type": "ip",
        "fairway.dev/import-certificates": "true",
    });
    all.as_object_mut().unwrap().extend(annotations.as_object().unwrap().clone());
    let host = format!("{name}.example.com");
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"), "annotations": all},
        "spec": {
            "ingressClassName": "alb",
            "tls": [{"hosts": [&host], "secretName": name}],
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
        },
    })
}

fn world(names: &[&str]) -> World {
    let mut world = World::recorded();
    for name in names {
        world.put_tls(name, &Issued::of(&format!("{name}.example.com")));
        world.add(&json!([ingress(name, &json!({}))]));
    }
    world
}

fn listeners(world: &World) -> Vec<Vec<String>> {
    let balancers = world.observed.load_balancers.values();
    balancers.flat_map(|one| one.listeners.values()).map(|one| one.certificates.clone()).collect()
}

fn settle(world: &mut World) -> Vec<String> {
    let done = world.settle(&config(), &unit());
    done.iter().flat_map(|one| one.plan.ops()).map(|planned| planned.op.describe()).collect()
}

fn codes(world: &World) -> Vec<(String, String, bool)> {
    let (evaluation, _) = world.look(&config(), &unit());
    let notes = evaluation.notes.iter();
    notes.map(|note| (note.about.key.name.clone(), note.code.clone(), note.held)).collect()
}

#[test]
fn a_certificate_of_a_secret_is_imported_before_its_listener_needs_it() {
    let mut world = world(&["shop"]);
    let done = settle(&mut world);
    let place = |text: &str| done.iter().position(|line| line.starts_with(text)).unwrap();
    assert!(place("import the certificate of Secret default/shop") < place("create listener"), "{done:#?}");
    let made = world.observed.certificates.values().next().unwrap();
    assert_eq!(made.tags["ingress.k8s.aws/resource"], "imported/default/shop");
    assert_eq!(made.tags["elbv2.k8s.aws/cluster"], "demo");
    assert_eq!(listeners(&world), [[made.arn.clone()]]);
    assert_eq!(settle(&mut world), [] as [&str; 0]);
}

#[test]
fn a_renewal_keeps_the_arn_and_leaves_the_listener_alone() {
    let mut world = world(&["shop"]);
    settle(&mut world);
    let before = world.observed.certificates.clone();
    world.put_tls("shop", &Issued::of("shop.example.com"));
    let done = settle(&mut world);
    assert_eq!(
        done,
        [
            "import the certificate of Secret default/shop anew",
            "change tags of certificate/imported/default/shop",
        ]
    );
    assert!(before.keys().eq(world.observed.certificates.keys()), "the ARN stays");
    let digest = |all: &std::collections::BTreeMap<_, fairway_aws::observed::CertificateSeen>| {
        all.values().next().unwrap().tags[SECRET_DIGEST].clone()
    };
    assert_ne!(digest(&before), digest(&world.observed.certificates));
    assert_eq!(settle(&mut world), [] as [&str; 0]);
}

#[test]
fn a_certificate_goes_after_the_listener_has_let_go_of_it() {
    let mut world = world(&["shop", "blog"]);
    settle(&mut world);
    assert_eq!(world.observed.certificates.len(), 2);
    let others = json!({"fairway.dev/import-certificates": "false", "alb.ingress.kubernetes.io/certificate-arn": "arn:aws:iam::0:server-certificate/a"});
    world.add(&json!([ingress("blog", &others)]));
    let done = settle(&mut world);
    let last = done.last().unwrap();
    assert!(last.starts_with("delete certificate arn:aws:acm:"), "{done:#?}");
    assert_eq!(world.observed.certificates.len(), 1);
    // The same without any member: what is there goes with the load balancer, and after it.
    let all = Arc::make_mut(&mut world.snapshot.ingresses);
    for name in ["shop", "blog"] {
        let object = Arc::make_mut(all.get_mut(&Key::new("default", name)).unwrap());
        object.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
    }
    let done = settle(&mut world);
    let place = |text: &str| done.iter().position(|line| line.starts_with(text)).unwrap();
    assert!(place("delete load balancer") < place("delete certificate"), "{done:#?}");
    assert!(world.observed.certificates.is_empty());
}

#[test]
fn one_secret_of_two_members_is_one_certificate() {
    let mut world = world(&["shop"]);
    let mut other = ingress("blog", &json!({}));
    other["spec"]["tls"][0]["secretName"] = json!("shop");
    world.add(&json!([other]));
    settle(&mut world);
    assert_eq!(world.observed.certificates.len(), 1);
    assert_eq!(listeners(&world)[0].len(), 1);
}

#[test]
fn a_bad_secret_holds_its_ingress_alone_and_takes_nothing_away() {
    let mut world = world(&["shop"]);
    settle(&mut world);
    world.add(&json!([ingress("blog", &json!({}))]));
    assert_eq!(codes(&world), [("blog".to_owned(), "SecretNotFound".to_owned(), true)]);
    let mut crossed = Issued::of("blog.example.com");
    crossed.key = Issued::of("blog.example.com").key;
    world.put_tls("blog", &crossed);
    assert_eq!(codes(&world), [("blog".to_owned(), "SecretUnusable".to_owned(), true)]);
    // The neighbour is renewed all the same, though nothing may be deleted.
    world.put_tls("shop", &Issued::of("shop.example.com"));
    let done = settle(&mut world);
    assert!(done.contains(&"import the certificate of Secret default/shop anew".to_owned()), "{done:#?}");
    assert_eq!(settle(&mut world), [] as [&str; 0]);
    // What was imported stays on its listener when its Secret goes.
    let before = listeners(&world);
    world.secrets.remove(&Key::new("default", "shop")).unwrap();
    assert_eq!(settle(&mut world), [] as [&str; 0]);
    assert_eq!(listeners(&world), before);
}

#[test]
fn an_expired_certificate_is_said_and_holds_only_what_was_never_imported() {
    let mut fresh = world(&["shop"]);
    let mut world = fresh.clone();
    settle(&mut world);
    // Self-signed certificates of tests last until the year 4096.
    let later = 100_000_000_000;
    (fresh.now, world.now) = (later, later);
    assert_eq!(codes(&fresh), [("shop".to_owned(), "CertificateExpired".to_owned(), true)]);
    assert_eq!(codes(&world), [("shop".to_owned(), "CertificateExpired".to_owned(), false)]);
    assert_eq!(settle(&mut world), [] as [&str; 0]);
}

#[test]
fn what_carries_no_mark_of_ours_is_neither_renewed_nor_deleted() {
    let mut world = world(&["shop"]);
    settle(&mut world);
    let seen = world.observed.certificates.values_mut().next().unwrap();
    seen.tags.remove("elbv2.k8s.aws/cluster").unwrap();
    let foreign = seen.arn.clone();
    world.put_tls("shop", &Issued::of("shop.example.com"));
    let (evaluation, _) = world.look(&config(), &unit());
    for planned in evaluation.plan.ops() {
        assert!(
            !matches!(&planned.op, StackOp::RenewCertificate(..) | StackOp::DeleteCertificate(_)),
            "{:?}",
            planned.op
        );
    }
    settle(&mut world);
    assert!(world.observed.certificates.contains_key(&foreign));
    assert!(!listeners(&world)[0].contains(&foreign), "the listener has one that is ours");
}

#[test]
fn an_ingress_that_names_no_secret_is_told() {
    let mut world = World::recorded();
    let mut object = ingress("shop", &json!({}));
    object["spec"]["tls"] = json!([{"hosts": ["shop.example.com"]}]);
    world.add(&json!([object]));
    assert_eq!(codes(&world), [("shop".to_owned(), "NoTlsSecret".to_owned(), true)]);
}
