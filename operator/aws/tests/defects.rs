//! What users of the peer suffer from, and what happens here instead. `docs/reference/defects.md` lists where each number
//! is tested.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so do the functions that tests share"
)]

mod support;

use fairway_aws::{
    config::Config,
    model::{ClientCertificates, LoadBalancerKind, TargetType},
    observed::{ListenerSeen, LoadBalancerSeen},
    stack::{StackOp, Stacks},
};
use fairway_core::{
    class::Class,
    evaluate::Evaluation,
    ids::{Key, ProviderKind, StackId, StackKey},
    plan::{Effect, Operation as _},
    report::{Requeue, report},
};
use serde_json::{Map, Value, json};
use support::world::World;

type Annotations<'a> = &'a [(&'a str, &'a str)];

const HTTPS: (&str, &str) = ("listen-ports", r#"[{"HTTPS":443}]"#);

fn config() -> Config {
    Config::new("demo", "us-east-1", "vpc-973af0aea18100386")
}

fn shop() -> StackId {
    StackId::new(ProviderKind::Aws, StackKey::Group("shop".to_owned()))
}

fn own(name: &str) -> StackId {
    StackId::new(ProviderKind::Aws, StackKey::Ingress(Key::new("default", name)))
}

/// An Ingress of class `alb` with one path to Service `web`.
fn ingress(name: &str, path: &str, annotations: Annotations<'_>) -> Value {
    let annotations: Map<String, Value> = [("target-type", "ip")]
        .iter()
        .chain(annotations)
        .map(|(key, value)| (format!("alb.ingress.kubernetes.io/{key}"), json!(value)))
        .collect();
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"), "annotations": annotations},
        "spec": {"ingressClassName": "alb", "rules": [{"host": format!("{name}.example.com"), "http": {"paths": [
            {"path": path, "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]},
    })
}

/// The same as a member of group `shop`.
fn member(name: &str, path: &str, annotations: Annotations<'_>) -> Value {
    let all: Vec<(&str, &str)> = [("group.name", "shop")].iter().chain(annotations).copied().collect();
    ingress(name, path, &all)
}

/// With something else in its place.
fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    *object.pointer_mut(pointer).unwrap() = value;
    object
}

/// A class with parameters.
fn class(name: &str, spec: &Value) -> Value {
    json!([
        {"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "IngressClassParams", "metadata": {"name": name}, "spec": spec},
        {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name},
         "spec": {"controller": "ingress.k8s.aws/alb", "parameters":
            {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": name}}},
    ])
}

fn look(world: &World, unit: &StackId) -> Evaluation<Stacks> {
    world.look(&config(), unit).0
}

/// Settles, and gives the last look.
fn settle(world: &mut World, unit: &StackId) -> Evaluation<Stacks> {
    world.settle(&config(), unit);
    look(world, unit)
}

fn codes(evaluation: &Evaluation<Stacks>) -> Vec<(String, String)> {
    let told = |note: &fairway_core::note::Note| (note.about.to_string(), note.code.clone());
    evaluation.notes.iter().map(told).collect()
}

fn balancer(world: &World) -> &LoadBalancerSeen {
    let all: Vec<_> = world.observed.load_balancers.values().collect();
    assert_eq!(all.len(), 1);
    all[0]
}

fn listener(world: &World, port: u16) -> &ListenerSeen {
    &balancer(world).listeners[&port]
}

/// Whether a rule has this path.
fn routes(world: &World, path: &str) -> bool {
    let rules = balancer(world).listeners.values().flat_map(|listener| &listener.rules);
    rules.into_iter().any(|rule| format!("{:?}", rule.conditions).contains(&format!("\"{path}\"")))
}

fn has_target_group_of(world: &World, member: &str) -> bool {
    let groups = world.observed.target_groups.values();
    let named = |tag: &String| tag.starts_with(&format!("default/{member}-"));
    groups.into_iter().any(|group| group.tags.get("ingress.k8s.aws/resource").is_some_and(named))
}

#[test]
fn defect_01_a_bad_ingress_stops_nobody_but_itself() {
    let weighted = r#"{"type":"forward","forwardConfig":{"targetGroups":[
        {"serviceName":"web","servicePort":80,"weight":1},{"serviceName":"nosuch","servicePort":80,"weight":1}]}}"#;
    let action = json!({"service": {"name": "split", "port": {"name": "use-annotation"}}});
    let backend = "/spec/rules/0/http/paths/0/backend";
    let no_certificate =
        with(member("bad", "/bad", &[HTTPS]), "/spec/rules/0/host", json!("bad.example.org"));
    let cases = [
        ("no certificate", "CertificateNotFound", no_certificate),
        (
            "an annotation",
            "InvalidSetting",
            member("bad", "/bad", &[("healthcheck-interval-seconds", "often")]),
        ),
        ("its place", "InvalidSetting", member("bad", "/bad", &[("group.order", "first")])),
        ("a scheme", "ConflictingSetting", member("bad", "/bad", &[("scheme", "internet-facing")])),
        (
            "a share",
            "BackendNotFound",
            with(member("bad", "/bad", &[("actions.split", weighted)]), backend, action),
        ),
        (
            "a port",
            "ServicePortNotFound",
            with(member("bad", "/bad", &[]), &format!("{backend}/service/port"), json!({"number": 81})),
        ),
        (
            "a class",
            "IngressClassNotFound",
            with(member("bad", "/bad", &[]), "/spec/ingressClassName", json!("nosuch")),
        ),
    ];
    for (what, code, bad) in cases {
        let mut world = World::recorded();
        for object in [
            member("a", "/old", &[("scheme", "internal")]),
            member("bad", "/bad", &[]),
            member("z", "/z", &[]),
        ] {
            world.change(&object);
        }
        let _ = settle(&mut world, &shop());
        world.change(&bad);
        world.change(&member("a", "/new", &[("scheme", "internal")]));
        world.change(&member("joins", "/joins", &[]));
        world.delete("z");
        let last = settle(&mut world, &shop());
        assert_eq!(codes(&last), [("Ingress default/bad".to_owned(), code.to_owned())], "{what}");
        assert!(routes(&world, "/new") && !routes(&world, "/old"), "{what}: a neighbour changes");
        assert!(routes(&world, "/joins") && has_target_group_of(&world, "joins"), "{what}: another joins");
        assert!(!routes(&world, "/z") && !has_target_group_of(&world, "z"), "{what}: another leaves");
        assert!(routes(&world, "/bad") && has_target_group_of(&world, "bad"), "{what}: held as it was");
    }
}

#[test]
fn defect_02_two_default_classes_are_told_to_who_has_none() {
    let default = |name: &str| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
               "metadata": {"name": name, "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
               "spec": {"controller": "ingress.k8s.aws/alb"}})
    };
    let mut world = World::recorded();
    world.add(&json!([default("one"), default("two")]));
    world.change(&member("a", "/a", &[]));
    let mut without = ingress("b", "/b", &[]);
    without["spec"].as_object_mut().unwrap().remove("ingressClassName");
    world.change(&without);
    assert_eq!(codes(&settle(&mut world, &shop())), [], "every other group goes on");
    assert!(routes(&world, "/a"));
    let told = look(&world, &own("b"));
    assert_eq!(codes(&told), [("Ingress default/b".to_owned(), "SeveralDefaultClasses".to_owned())]);
    assert!(told.plan.is_empty());
}

#[test]
fn defect_03_an_unknown_condition_makes_no_broader_rule() {
    let mut world = World::recorded();
    let condition = r#"[{"field":"source-network","sourceNetworkConfig":{"values":["10.0.0.0/8"]}}]"#;
    world.change(&ingress("a", "/a", &[("conditions.web", condition)]));
    let told = settle(&mut world, &own("a"));
    assert_eq!(codes(&told), [("Ingress default/a".to_owned(), "InvalidSetting".to_owned())]);
    assert!(world.observed.load_balancers.is_empty(), "nothing is served without the condition");
}

/// The tag holds the rule's place, so that the peer can take over again: it is written, but behind everything else, and
/// nothing waits for it. A settled stack writes none.
#[test]
fn defect_04_tags_of_rules_that_moved_are_written_last() {
    let mut world = World::recorded();
    let paths = |names: &[String]| -> Vec<Value> {
        let path = |path: &String| {
            json!({"path": path, "pathType": "Exact",
                   "backend": {"service": {"name": "web", "port": {"number": 80}}}})
        };
        names.iter().map(path).collect()
    };
    let many: Vec<String> = (0..20).map(|number| format!("/{number}")).collect();
    let at = "/spec/rules/0/http/paths";
    world.change(&with(ingress("a", "/", &[]), at, json!(paths(&many))));
    let _ = settle(&mut world, &own("a"));
    let first = [vec!["/first".to_owned()], many].concat();
    world.change(&with(ingress("a", "/", &[]), at, json!(paths(&first))));
    let plan = look(&world, &own("a")).plan;
    let is_tag = |op: &StackOp| matches!(op, StackOp::SetTags(_));
    let (tags, others): (Vec<_>, Vec<_>) = plan.ops().iter().partition(|planned| is_tag(&planned.op));
    assert_eq!(others.len(), 2, "one call moves all rules, one makes the new one: {others:#?}");
    assert_eq!(tags.len(), 20);
    let last = others.iter().map(|planned| planned.id).max().unwrap();
    for tag in tags {
        assert!(tag.id > last, "behind all that is served");
        assert!(plan.ops().iter().all(|planned| !planned.after.contains(&tag.id)), "nothing waits for it");
    }
    let _ = settle(&mut world, &own("a"));
    assert!(look(&world, &own("a")).plan.is_empty());
}

#[test]
fn defect_05_the_class_of_every_member_counts() {
    let mut world = World::recorded();
    let attribute = |key: &str, value: &str| json!([{"key": key, "value": value}]);
    let server = "routing.http.response.server.enabled";
    world.add(&class(
        "team",
        &json!({
            "loadBalancerAttributes": attribute("idle_timeout.timeout_seconds", "90"),
            "listeners": [{"protocol": "HTTP", "port": 80, "listenerAttributes": attribute(server, "false")}],
            "minimumLoadBalancerCapacity": {"capacityUnits": 120},
            "ipamConfiguration": {"ipv4IPAMPoolId": "ipam-pool-1"},
        }),
    ));
    world.change(&member("a", "/a", &[("scheme", "internet-facing")]));
    world.change(&with(member("b", "/b", &[]), "/spec/ingressClassName", json!("team")));
    assert_eq!(codes(&settle(&mut world, &shop())), []);
    let seen = balancer(&world);
    assert_eq!(seen.attributes["idle_timeout.timeout_seconds"], "90");
    assert_eq!((seen.addons.capacity, seen.ipv4_pool.as_deref()), (Some(120), Some("ipam-pool-1")));
    assert_eq!(listener(&world, 80).attributes[server], "false");
}

#[test]
fn defect_07_a_redirect_port_that_is_no_number_is_refused() {
    let mut world = World::recorded();
    world.add(&class("team", &json!({"sslRedirectPort": "https"})));
    let both = ("listen-ports", r#"[{"HTTP":80},{"HTTPS":443}]"#);
    world.change(&with(ingress("a", "/a", &[both]), "/spec/ingressClassName", json!("team")));
    let told = settle(&mut world, &own("a"));
    assert_eq!(codes(&told), [("Ingress default/a".to_owned(), "InvalidSetting".to_owned())]);
    assert!(told.notes[0].message.contains("spec.sslRedirectPort"), "{}", told.notes[0]);
    assert!(world.observed.load_balancers.is_empty(), "nothing is served in the clear in place of it");
}

/// Discovery asks one question for all, with no filter in it: what one Ingress makes of the answer is not what another gets.
#[test]
fn defect_11_certificates_that_are_looked_for_are_all_certificates() {
    let mut world = World::recorded();
    world.change(&ingress(
        "a",
        "/a",
        &[HTTPS, ("certificate-arn", "arn:aws:acm:us-east-1:000000000000:certificate/nosuch")],
    ));
    world.change(&ingress("b", "/b", &[HTTPS]));
    assert_eq!(codes(&settle(&mut world, &own("a")))[0].1, "CertificateNotFound");
    assert_eq!(codes(&settle(&mut world, &own("b"))), []);
    assert_eq!(listener(&world, 443).certificates, [world.certificates[0].arn.clone()]);
}

/// Decided as the peer does it: what nobody asks for any more is left as it is, so that taking over, and going back, change
/// nothing. A value that says so takes it away.
#[test]
fn defect_12_what_nobody_asks_for_stays_until_its_value_takes_it_away() {
    let asked = [
        HTTPS,
        ("load-balancer-attributes", "idle_timeout.timeout_seconds=90"),
        ("mutual-authentication", r#"[{"port":443,"mode":"passthrough"}]"#),
        ("minimum-load-balancer-capacity", "CapacityUnits=120"),
    ];
    let mut world = World::recorded();
    world.change(&ingress("a", "/a", &asked));
    let _ = settle(&mut world, &own("a"));
    world.change(&ingress("a", "/a", &[HTTPS]));
    assert!(look(&world, &own("a")).plan.is_empty());
    let taken_away = [
        HTTPS,
        ("load-balancer-attributes", "idle_timeout.timeout_seconds=60"),
        ("mutual-authentication", r#"[{"port":443,"mode":"off"}]"#),
        ("minimum-load-balancer-capacity", "CapacityUnits=0"),
    ];
    world.change(&ingress("a", "/a", &taken_away));
    let _ = settle(&mut world, &own("a"));
    let seen = balancer(&world);
    assert_eq!(
        (seen.attributes["idle_timeout.timeout_seconds"].as_str(), seen.addons.capacity),
        ("60", Some(0))
    );
    assert_eq!(listener(&world, 443).client_certificates, Some(ClientCertificates::Off));
}

#[test]
fn defect_06_equal_settings_of_what_stands_in_front_do_not_contradict() {
    let attributes = ("frontend-nlb-attributes", "load_balancing.cross_zone.enabled=true");
    let codes_asked = ("frontend-nlb-healthcheck-success-codes", "200-299");
    let mut world = World::recorded();
    world.change(&member("a", "/a", &[("enable-frontend-nlb", "true"), attributes, codes_asked]));
    world.change(&member("b", "/b", &[codes_asked]));
    world.change(&member("c", "/c", &[]));
    let told = settle(&mut world, &shop());
    assert_eq!(codes(&told), [], "who says the same, or nothing, contradicts nobody");
    let front = world.observed.load_balancers.values().find(|seen| seen.kind == LoadBalancerKind::Network);
    assert_eq!(front.unwrap().attributes["load_balancing.cross_zone.enabled"], "true");
    let group = world.observed.target_groups.values().find(|seen| seen.target_type == TargetType::Alb);
    let check = &group.unwrap().health_check;
    assert_eq!((check.http_codes.as_deref(), check.healthy, check.unhealthy), (Some("200-299"), 2, 2));
    world.change(&member("b", "/b", &[("frontend-nlb-healthcheck-success-codes", "200")]));
    let told = settle(&mut world, &shop());
    assert_eq!(codes(&told), [("Ingress default/b".to_owned(), "ConflictingSetting".to_owned())]);
}

#[test]
fn defect_14_another_scheme_is_made_first_and_protection_stays_on() {
    let protected = ("load-balancer-attributes", "deletion_protection.enabled=true");
    let mut world = World::recorded();
    world.change(&ingress("a", "/a", &[protected]));
    let _ = settle(&mut world, &own("a"));
    world.change(&ingress("a", "/a", &[protected, ("scheme", "internet-facing")]));
    let plan = look(&world, &own("a")).plan;
    let place = |effect: Effect| plan.ops().iter().position(|planned| planned.op.effect() == effect);
    let last_made = plan.ops().iter().rposition(|planned| planned.op.effect() == Effect::Create);
    assert!(last_made < place(Effect::Delete), "everything new is there before anything goes");
    let old = balancer(&world).name.clone();
    let of_old = |op: &StackOp| op.resource().0 == format!("load-balancer/{old}");
    let touched: Vec<Effect> =
        plan.ops().iter().filter(|planned| of_old(&planned.op)).map(|planned| planned.op.effect()).collect();
    assert_eq!(touched, [Effect::Delete], "protection is not switched off for it: AWS refuses");
}

#[test]
fn defect_15_what_takes_time_is_looked_at_again_and_waited_for_by_nobody() {
    let mut world = World::recorded();
    let pending = "arn:aws:acm:us-east-1:000000000000:certificate/pending";
    world.certificates.push(fairway_aws::facts::Certificate {
        arn: pending.to_owned(),
        names: vec!["a.example.com".to_owned()],
        issued: false,
    });
    world.change(&member("a", "/a", &[HTTPS, ("certificate-arn", pending)]));
    world.change(&member("b", "/b", &[]));
    let told = settle(&mut world, &shop());
    assert_eq!(told.notes.iter().map(|note| note.class).collect::<Vec<_>>(), [Class::Pending]);
    assert!(routes(&world, "/b") && !routes(&world, "/a"), "its neighbour is served meanwhile");
    let said = report(&told, None);
    assert!(said.events.is_empty(), "nobody has to act: {:?}", said.events);
    assert!(matches!(said.requeue, Requeue::After(delay) if delay.as_secs() <= 30), "{:?}", said.requeue);
}

#[test]
fn defect_17_a_plan_that_the_peer_wrote_changes_nothing() {
    let mut world = World::recorded();
    world.change(&ingress("a", "/a", &[]));
    let _ = settle(&mut world, &own("a"));
    world.change(&ingress("a", "/a", &[("dry-run-plan", r#"{"id":"default/a","resources":{}}"#)]));
    let told = look(&world, &own("a"));
    assert!(told.plan.is_empty() && told.notes.is_empty(), "{:?}", told.notes);
}

#[test]
fn defect_20_backends_without_pods_are_told_and_stop_nobody() {
    let mut world = World::recorded();
    world.add(&json!([{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "outside", "namespace": "default"},
        "spec": {"type": "ExternalName", "externalName": "elsewhere.example.org", "ports": [{"port": 80}]}}]));
    world.change(&member("a", "/a", &[]));
    let service = "/spec/rules/0/http/paths/0/backend/service/name";
    world.change(&with(member("b", "/b", &[]), service, json!("outside")));
    let told = settle(&mut world, &shop());
    assert_eq!(codes(&told), [("Ingress default/b".to_owned(), "ExternalNameBackend".to_owned())]);
    assert!(routes(&world, "/a") && !routes(&world, "/b"));
}
