//! Certificates that a stack requests from ACM for the hosts of its Ingresses.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so do the functions that tests share"
)]

mod support;

use std::{collections::BTreeSet, sync::Arc};

use fairway_aws::{
    config::Config,
    observed::{CertificateKind, CertificateSeen, Issuance, RequestSeen},
    stack::StackOp,
};
use fairway_core::{
    class::Class,
    ids::{Key, ProviderKind, StackId, StackKey},
    note::Note,
    plan::Operation as _,
};
use serde_json::{Value, json};
use support::world::World;

const AUTHORITY: &str = "arn:aws:acm-pca:us-east-1:0:certificate-authority/a";

fn config() -> Config {
    let config = Config::new("demo", "us-east-1", "vpc-973af0aea18100386");
    Config { request_certificates: true, dns: true, ..config }
}

fn unit() -> StackId {
    StackId::new(ProviderKind::Aws, StackKey::Group("shop".to_owned()))
}

/// An Ingress of the group that has a certificate requested for its hosts.
fn ingress(name: &str, hosts: &[&str], annotations: &Value) -> Value {
    let mut all = json!({
        "alb.ingress.kubernetes.io/group.name": "shop",
        "alb.ingress.kubernetes.io/target-type": "ip",
        "alb.ingress.kubernetes.io/create-acm-cert": "true",
    });
    all.as_object_mut().unwrap().extend(annotations.as_object().unwrap().clone());
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    let rules: Vec<Value> =
        hosts.iter().map(|host| json!({"host": host, "http": {"paths": paths}})).collect();
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"), "annotations": all},
        "spec": {"ingressClassName": "alb", "rules": rules},
    })
}

fn plain() -> Value {
    json!({"alb.ingress.kubernetes.io/create-acm-cert": "false"})
}

fn world(objects: &[Value]) -> World {
    let mut world = World::recorded();
    world.add(&Value::Array(objects.to_vec()));
    world
}

fn settle(world: &mut World) -> Vec<String> {
    let done = world.settle(&config(), &unit());
    done.iter().flat_map(|one| one.plan.ops()).map(|planned| planned.op.describe()).collect()
}

fn notes(world: &World) -> Vec<Note> {
    world.look(&config(), &unit()).0.notes
}

fn codes(world: &World) -> Vec<(String, String, bool)> {
    let notes = notes(world);
    notes.iter().map(|note| (note.about.key.name.clone(), note.code.clone(), note.held)).collect()
}

fn pending(name: &str) -> Vec<(String, String, bool)> {
    vec![(name.to_owned(), "CertificatePending".to_owned(), true)]
}

fn requests(world: &mut World) -> Vec<&mut RequestSeen> {
    let all = world.observed.certificates.values_mut();
    all.filter_map(|seen| match &mut seen.kind {
        CertificateKind::Requested(request) => Some(request),
        CertificateKind::Imported => None,
    })
    .collect()
}

/// Names of the certificates of listeners, port by port.
fn served(world: &World) -> Vec<(u16, Vec<BTreeSet<String>>)> {
    let names = |arn: &String| world.observed.certificates[arn].request().unwrap().names.clone();
    let balancers = world.observed.load_balancers.values();
    let listeners = balancers.flat_map(|one| one.listeners.values());
    listeners.map(|one| (one.port, one.certificates.iter().map(names).collect())).collect()
}

fn hosts(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_certificate_is_requested_and_its_listener_comes_once_it_is_issued() {
    let mut world = world(&[ingress("shop", &["www.example.com", "*.example.com"], &json!({}))]);
    assert_eq!(settle(&mut world), ["request a certificate for *.example.com, www.example.com of Amazon"]);
    assert_eq!(codes(&world), pending("shop"));
    assert!(
        world.look(&config(), &unit()).0.status.is_empty(),
        "no address is published of what is not there"
    );
    let made = world.observed.certificates.values().next().unwrap();
    assert_eq!(
        made.tags["ingress.k8s.aws/resource"],
        // sha256 of `default/shop`
        "amazon_issued/wildcard.example.com-5be479ca"
    );
    assert_eq!(made.tags["elbv2.k8s.aws/cluster"], "demo");
    world.issue();
    let done = settle(&mut world);
    assert!(done.iter().any(|line| line.starts_with("create listener")), "{done:#?}");
    assert_eq!(served(&world), [(443, vec![hosts(&["*.example.com", "www.example.com"])])]);
    assert_eq!((codes(&world), settle(&mut world)), (vec![], vec![]));
}

#[test]
fn a_private_authority_is_asked_where_one_is_known() {
    let asked = json!({"alb.ingress.kubernetes.io/acm-pca-arn": AUTHORITY});
    let none = json!({"alb.ingress.kubernetes.io/acm-pca-arn": ""});
    let default = Config { default_authority: Some("arn:default".to_owned()), ..config() };
    let cases = [
        (&asked, config(), AUTHORITY, "private/"),
        (&json!({}), default.clone(), "arn:default", "private/"),
        (&asked, default.clone(), AUTHORITY, "private/"),
        (&none, default, "Amazon", "amazon_issued/"),
    ];
    for (annotations, config, issuer, resource) in cases {
        let mut world = world(&[ingress("shop", &["www.example.com"], annotations)]);
        let done = world.settle(&config, &unit());
        let lines: Vec<String> = done[0].plan.ops().iter().map(|planned| planned.op.describe()).collect();
        assert_eq!(lines, [format!("request a certificate for www.example.com of {issuer}")]);
        let made = world.observed.certificates.values().next().unwrap();
        assert!(made.tags["ingress.k8s.aws/resource"].starts_with(resource), "{:?}", made.tags);
    }
}

#[test]
fn plain_listeners_and_neighbours_go_on_while_a_certificate_is_awaited() {
    let ports = json!({"alb.ingress.kubernetes.io/listen-ports": r#"[{"HTTP":80},{"HTTPS":443}]"#});
    let mut world = world(&[ingress("blog", &["blog.example.com"], &plain())]);
    settle(&mut world);
    world.add(&json!([ingress("shop", &["shop.example.com"], &ports)]));
    settle(&mut world);
    assert_eq!(codes(&world), pending("shop"));
    assert_eq!(served(&world), [(80, vec![])]);
    assert_eq!(rules(&world), 2);
    // The neighbour grows and shrinks meanwhile.
    world.add(&json!([ingress("blog", &["blog.example.com", "news.example.com"], &plain())]));
    settle(&mut world);
    assert_eq!(rules(&world), 3);
    world.add(&json!([ingress("blog", &["news.example.com"], &plain())]));
    settle(&mut world);
    assert_eq!(rules(&world), 2);
    world.issue();
    settle(&mut world);
    assert_eq!(served(&world), [(80, vec![]), (443, vec![hosts(&["shop.example.com"])])]);
    assert_eq!(codes(&world), []);
}

fn rules(world: &World) -> usize {
    let balancers = world.observed.load_balancers.values();
    balancers.flat_map(|one| one.listeners.values()).map(|one| one.rules.len()).sum()
}

#[test]
fn plain_listeners_that_redirect_wait_for_what_they_redirect_to() {
    let asked = json!({
        "alb.ingress.kubernetes.io/listen-ports": r#"[{"HTTP":80},{"HTTPS":443}]"#,
        "alb.ingress.kubernetes.io/ssl-redirect": "443",
    });
    let mut world = world(&[ingress("shop", &["shop.example.com"], &asked)]);
    settle(&mut world);
    assert!(world.observed.load_balancers.is_empty(), "nothing is served in the clear");
    world.issue();
    settle(&mut world);
    assert_eq!(served(&world).len(), 2);
}

#[test]
fn a_member_is_served_as_it_was_until_the_certificate_for_its_new_hosts_is_there() {
    let mut world = world(&[ingress("shop", &["a.example.com"], &json!({}))]);
    settle(&mut world);
    world.issue();
    settle(&mut world);
    world.add(&json!([ingress("shop", &["a.example.com", "b.example.com"], &json!({}))]));
    assert_eq!(settle(&mut world), ["request a certificate for a.example.com, b.example.com of Amazon"]);
    assert_eq!(served(&world), [(443, vec![hosts(&["a.example.com"])])]);
    assert_eq!((rules(&world), codes(&world)), (1, pending("shop")));
    world.issue();
    let done = settle(&mut world);
    let place = |text: &str| done.iter().position(|line| line.starts_with(text)).unwrap();
    assert!(place("modify listener") < place("delete certificate"), "{done:#?}");
    assert_eq!(served(&world), [(443, vec![hosts(&["a.example.com", "b.example.com"])])]);
    assert_eq!((rules(&world), world.observed.certificates.len(), codes(&world)), (2, 1, vec![]));
}

#[test]
fn what_nobody_awaits_any_more_goes_and_nothing_else() {
    let mut world = world(&[ingress("shop", &["a.example.com"], &json!({}))]);
    settle(&mut world);
    world.issue();
    settle(&mut world);
    for other in ["b.example.com", "c.example.com"] {
        world.add(&json!([ingress("shop", &[other], &json!({}))]));
        settle(&mut world);
        assert_eq!(served(&world), [(443, vec![hosts(&["a.example.com"])])]);
        assert_eq!(world.observed.certificates.len(), 2, "the one that serves and the one that comes");
    }
    world.add(&json!([ingress("shop", &["a.example.com"], &json!({}))]));
    settle(&mut world);
    assert_eq!((world.observed.certificates.len(), codes(&world)), (1, vec![]));
}

#[test]
fn a_certificate_of_another_is_neither_taken_nor_deleted() {
    let mut world = world(&[ingress("shop", &["a.example.com"], &json!({}))]);
    settle(&mut world);
    world.issue();
    let mut foreign = world.observed.certificates.values().next().unwrap().clone();
    foreign.arn = "arn:aws:acm:us-east-1:0:certificate/theirs".to_owned();
    foreign.tags.insert("elbv2.k8s.aws/cluster".to_owned(), "other".to_owned());
    world.observed.certificates.clear();
    world.observed.certificates.insert(foreign.arn.clone(), foreign.clone());
    world.last_good.resources.insert("certificate/x".to_owned(), foreign.arn.clone());
    settle(&mut world);
    assert_eq!(world.observed.certificates.len(), 2, "one of our own is requested beside it");
    world.issue();
    settle(&mut world);
    let balancer = world.observed.load_balancers.values().next().unwrap();
    assert!(!balancer.listeners[&443].certificates.contains(&foreign.arn));
    world.add(&json!([ingress("shop", &["a.example.com"], &plain())]));
    settle(&mut world);
    assert!(world.observed.certificates.keys().eq([&foreign.arn]));
}

/// The peer's certificate has the same tag and content: it serves from the first look.
#[test]
fn a_certificate_of_the_peer_is_taken_over() {
    let mut world = world(&[ingress("shop", &["a.example.com"], &json!({}))]);
    settle(&mut world);
    world.issue();
    world.last_good = fairway_core::evaluate::LastGood::default();
    let done = settle(&mut world);
    assert!(
        !done.iter().any(|line| line.contains("request") || line.contains("delete certificate")),
        "{done:#?}"
    );
    assert_eq!(served(&world), [(443, vec![hosts(&["a.example.com"])])]);
}

fn token(world: &World) -> Option<String> {
    let (evaluation, _) = world.look(&config(), &unit());
    evaluation.plan.ops().iter().find_map(|planned| match &planned.op {
        StackOp::RequestCertificate(_, _, token) => Some(token.clone()),
        _ => None,
    })
}

#[test]
fn a_request_whose_answer_was_lost_has_the_same_token() {
    let mut world = world(&[ingress("shop", &["a.example.com"], &json!({}))]);
    let first = token(&world).unwrap();
    assert_eq!(first.len(), 32);
    world.add(&json!([ingress(
        "shop",
        &["a.example.com"],
        &json!({"alb.ingress.kubernetes.io/tags": "team=a"})
    )]));
    assert_eq!(token(&world), Some(first.clone()), "tags are not what is asked for");
    world.add(&json!([ingress("shop", &["b.example.com"], &json!({}))]));
    assert_ne!(token(&world), Some(first.clone()));
    world.add(&json!([ingress("shop", &["a.example.com"], &json!({}))]));
    settle(&mut world);
    assert_eq!(token(&world), None, "what is there is not asked for");
    // A day after it failed another is requested, which is not the one that failed.
    let request = requests(&mut world).remove(0);
    (request.issuance, request.age) = (Issuance::Failed("CAA_ERROR".to_owned()), 24 * 60 * 60);
    let again = token(&world).unwrap();
    assert_ne!(again, first);
    assert_eq!(token(&world), Some(again));
}

#[test]
fn a_request_that_failed_is_told_and_made_again_a_day_later() {
    let mut world = world(&[ingress("shop", &["a.example.com"], &json!({}))]);
    settle(&mut world);
    let request = requests(&mut world).remove(0);
    (request.issuance, request.age) = (Issuance::Failed("CAA_ERROR".to_owned()), 24 * 60 * 60 - 1);
    let told = notes(&world).remove(0);
    assert_eq!((told.class, told.code.as_str()), (Class::Environment, "CertificateFailed"));
    assert_eq!(
        told.message,
        "ACM has not issued the certificate for a.example.com: CAA_ERROR; another is requested a day after this one was"
    );
    assert_eq!(settle(&mut world), [] as [&str; 0]);
    let failed = world.observed.certificates.keys().next().unwrap().clone();
    requests(&mut world).remove(0).age += 1;
    let done = settle(&mut world);
    assert_eq!(
        done,
        [
            "request a certificate for a.example.com of Amazon".to_owned(),
            format!("delete certificate {failed}")
        ]
    );
    assert_eq!(codes(&world), pending("shop"));
}

#[test]
fn what_a_person_has_to_do_is_said_to_the_letter() {
    let mut world = world(&[ingress("shop", &["a.example.com"], &json!({}))]);
    settle(&mut world);
    let awaited = |state: &str| format!("the certificate for a.example.com is awaited: {state}");
    let told = notes(&world).remove(0);
    assert_eq!((told.class, told.message), (Class::Pending, awaited("ACM has not issued it yet")));
    requests(&mut world).remove(0).age = 15 * 60;
    assert_eq!(notes(&world).remove(0).class, Class::Environment, "ACM would have issued it by now");
    let records = [("_x.a.example.com".to_owned(), "_y.acm-validations.aws".to_owned())];
    requests(&mut world).remove(0).records = records.into();
    let without_dns = Config { dns: false, ..config() };
    let (evaluation, _) = world.look(&without_dns, &unit());
    let told = &evaluation.notes[0];
    assert_eq!((told.class, told.code.as_str()), (Class::Environment, "ValidationRecordsMissing"));
    let record = "CNAME _x.a.example.com to _y.acm-validations.aws";
    assert_eq!(
        told.message,
        awaited(&format!("ACM looks for records that have to be made by hand: {record}"))
    );
    assert!(evaluation.bindings.keys().all(|key| !key.0.starts_with("proof/")), "nobody reads it");
}

#[test]
fn zones_are_told_what_amazon_looks_for_as_long_as_the_certificate_is_wanted() {
    let mut world = world(&[ingress("shop", &["a.example.com"], &json!({}))]);
    settle(&mut world);
    let records = [("_x.a.example.com".to_owned(), "_y.acm-validations.aws".to_owned())];
    let request = requests(&mut world).remove(0);
    (request.records, request.age) = (records.into(), 60);
    let proofs = |world: &World| -> Vec<(String, String)> {
        let (evaluation, _) = world.look(&config(), &unit());
        let all = evaluation.bindings.into_iter().map(|(key, handle)| (key.0, handle.id));
        all.filter(|(key, _)| key.starts_with("proof/")).collect()
    };
    let told = notes(&world).remove(0);
    assert_eq!((told.class, told.code.as_str()), (Class::Pending, "CertificatePending"), "time will do");
    assert!(told.message.contains("Amazon looks for CNAME _x.a.example.com to _y."), "{}", told.message);
    let proof = ("proof/default/shop/_x.a.example.com".to_owned(), "_y.acm-validations.aws".to_owned());
    assert_eq!(proofs(&world), std::slice::from_ref(&proof));

    world.issue();
    settle(&mut world);
    assert_eq!(proofs(&world), [proof], "it is renewed by them");
    requests(&mut world).remove(0).age = 15 * 60;
    world.change(&ingress("shop", &["a.example.com"], &plain()));
    settle(&mut world);
    assert_eq!(proofs(&world), []);
}

#[test]
fn a_state_that_was_lost_loses_nobody() {
    let mut world = world(&[ingress("shop", &["a.example.com"], &json!({}))]);
    settle(&mut world);
    world.issue();
    settle(&mut world);
    let before = served(&world);
    world.last_good = fairway_core::evaluate::LastGood::default();
    world.add(&json!([ingress("shop", &["b.example.com"], &json!({}))]));
    let all = Arc::make_mut(&mut world.snapshot.ingresses);
    let object = Arc::make_mut(all.get_mut(&Key::new("default", "shop")).unwrap());
    let balancer = world.observed.load_balancers.values().next().unwrap();
    let shown = json!({"loadBalancer": {"ingress": [{"hostname": balancer.handle.dns_name}]}});
    object.status = serde_json::from_value(shown).unwrap();
    assert_eq!(settle(&mut world), ["request a certificate for b.example.com of Amazon"]);
    assert_eq!(served(&world), before);
    world.issue();
    settle(&mut world);
    assert_eq!(served(&world), [(443, vec![hosts(&["b.example.com"])])]);
}

/// Whoever takes our tags off the certificate that serves has it kept on its listener until another is there.
#[test]
fn a_listener_lets_go_of_nothing_while_its_certificate_is_awaited() {
    let mut world = world(&[ingress("shop", &["a.example.com"], &json!({}))]);
    settle(&mut world);
    world.issue();
    settle(&mut world);
    let lost = world.observed.certificates.values_mut().next().unwrap();
    lost.tags.clear();
    let lost: CertificateSeen = lost.clone();
    assert_eq!(settle(&mut world), ["request a certificate for a.example.com of Amazon"]);
    let balancer = world.observed.load_balancers.values().next().unwrap();
    assert_eq!(balancer.listeners[&443].certificates, std::slice::from_ref(&lost.arn));
    world.issue();
    settle(&mut world);
    let balancer = world.observed.load_balancers.values().next().unwrap();
    assert_ne!(balancer.listeners[&443].certificates, std::slice::from_ref(&lost.arn));
    assert!(world.observed.certificates.contains_key(&lost.arn));
}

#[test]
fn what_cannot_be_requested_is_refused_by_name() {
    let off = Config { request_certificates: false, ..config() };
    let given = json!({"alb.ingress.kubernetes.io/certificate-arn": "arn:aws:iam::0:server-certificate/a"});
    let both = json!({"fairway.dev/import-certificates": "true"});
    let cases = [
        (&json!({}), &["a.example.com"][..], &off, Some("CertificateManagementOff")),
        (&given, &["a.example.com"], &off, None),
        (&given, &["a.example.com"], &config(), None),
        (&both, &["a.example.com"], &config(), Some("TwoCertificateSources")),
        (&json!({}), &[], &config(), Some("NoCertificateHost")),
    ];
    for (annotations, names, config, want) in cases {
        let mut object = ingress("shop", names, annotations);
        if names.is_empty() {
            let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
            object["spec"]["defaultBackend"] = backend;
        }
        let mut world = world(&[object]);
        let codes: Vec<String> =
            world.look(config, &unit()).0.notes.into_iter().map(|note| note.code).collect();
        assert_eq!(codes, want.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{annotations}");
        world.settle(config, &unit());
        assert!(world.observed.certificates.is_empty());
    }
}
