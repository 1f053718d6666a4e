use std::sync::Arc;

use fairway_core::ids::{ProviderKind, StackKey};
use fairway_dns::zone::ZoneId;
use serde_json::{Value, json};

use super::*;

fn cluster(objects: &[Value]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    objects.iter().for_each(|object| snapshot.add(object).unwrap());
    snapshot
}

fn class() -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "alb"},
           "spec": {"controller": "ingress.k8s.aws/alb"}})
}

fn ingress(name: &str, group: Option<&str>, service: &str) -> Value {
    let annotations = group.map(|group| json!({"alb.ingress.kubernetes.io/group.name": group}));
    let backend = json!({"service": {"name": service, "port": {"number": 80}}});
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
           "metadata": {"name": name, "uid": name, "annotations": annotations},
           "spec": {"ingressClassName": "alb",
                    "rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}})
}

fn service(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "uid": name},
           "spec": {"ports": [{"port": 80}]}})
}

fn binding(name: &str, service: &str) -> Value {
    json!({"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding",
           "metadata": {"name": name, "labels": {"ingress.k8s.aws/stack-namespace": "default",
                                                 "ingress.k8s.aws/stack-name": "shop"}},
           "spec": {"targetGroupARN": "arn:x", "serviceRef": {"name": service, "port": 80}}})
}

fn state(address: Option<&str>, announced: Option<&str>) -> Arc<LoadBalancerState> {
    let conditions = announced.map(|message| {
        json!([{"type": "Announced", "status": "True", "reason": "Announced", "message": message,
                "lastTransitionTime": "2026-01-01T00:00:00Z"}])
    });
    let addresses = address.map(|address| json!([{"ip": address}]));
    let object = json!({"apiVersion": "fairway.dev/v1alpha1", "kind": "LoadBalancerState", "metadata": {"name": "s"},
                        "spec": {"stack": "aws:ingress:default/shop", "provider": "aws"},
                        "status": {"conditions": conditions.unwrap_or(json!([])),
                                   "addresses": addresses.unwrap_or(json!([]))}});
    Arc::new(serde_json::from_value(object).unwrap())
}

fn serving(members: Value) -> Arc<LoadBalancerState> {
    let mut object = serde_json::to_value(state(None, None).as_ref()).unwrap();
    object["status"]["lastGood"] = members;
    Arc::new(serde_json::from_value(object).unwrap())
}

fn stack(key: StackKey) -> Unit {
    Unit::Stack(StackId::new(ProviderKind::Aws, key))
}

fn shop() -> Unit {
    stack(StackKey::Ingress(Key::new("default", "shop")))
}

fn zone() -> Unit {
    Unit::Zone(ZoneUnit::Hosted(ZoneId::new("Z1")))
}

fn came(snapshot: &Snapshot, key: &Key) -> Change {
    let after = snapshot.target_group_bindings.get(key).cloned();
    Change::Binding { key: key.clone(), before: None, after }
}

fn look(snapshot: &Snapshot, change: &Change) -> BTreeSet<Unit> {
    affects(snapshot, &ReadConfig::default(), &BTreeSet::from([ZoneUnit::Hosted(ZoneId::new("Z1"))]), change)
}

#[test]
fn an_ingress_that_moves_to_a_group_affects_the_stack_it_leaves_and_the_one_it_joins() {
    let before: Ingress = serde_json::from_value({
        let mut object = ingress("shop", None, "web");
        object["metadata"]["finalizers"] = json!(["ingress.k8s.aws/resources"]);
        object["metadata"]["namespace"] = json!("default");
        object
    })
    .unwrap();
    let after: Ingress = serde_json::from_value({
        let mut object = ingress("shop", Some("g"), "web");
        object["metadata"]["namespace"] = json!("default");
        object
    })
    .unwrap();
    let change = Change::Ingress { before: Some(Arc::new(before)), after: Some(Arc::new(after)) };
    let units = look(&cluster(&[class()]), &change);
    assert!(units.contains(&shop()), "{units:?}");
    assert!(units.contains(&stack(StackKey::Group("g".to_owned()))), "{units:?}");
    assert!(units.contains(&zone()), "its names may have changed: {units:?}");
}

#[test]
fn a_service_affects_the_ingresses_that_name_it_and_its_bindings_and_no_others() {
    let snapshot = cluster(&[
        class(),
        ingress("shop", None, "web"),
        ingress("other", None, "api"),
        service("web"),
        binding("tgb-web", "web"),
        binding("tgb-api", "api"),
    ]);
    let change = Change::Service {
        key: Key::new("default", "web"),
        before: None,
        after: snapshot.services.get(&Key::new("default", "web")).cloned(),
    };
    let units = look(&snapshot, &change);
    assert!(
        units.contains(&shop()) && units.contains(&Unit::Targets(Key::new("default", "tgb-web"))),
        "{units:?}"
    );
    assert!(!units.contains(&stack(StackKey::Ingress(Key::new("default", "other")))), "{units:?}");
    assert!(!units.contains(&Unit::Targets(Key::new("default", "tgb-api"))), "{units:?}");
}

#[test]
fn a_namespace_affects_the_stacks_of_what_is_in_it_and_no_others() {
    let elsewhere = {
        let mut object = ingress("shop", None, "web");
        object["metadata"]["namespace"] = json!("elsewhere");
        object
    };
    let snapshot = cluster(&[class(), ingress("shop", None, "web"), elsewhere, service("web")]);
    let units = look(&snapshot, &Change::Namespace("default".to_owned()));
    assert_eq!(units, BTreeSet::from([shop(), zone()]));
    assert_eq!(look(&snapshot, &Change::Namespace("new".to_owned())), BTreeSet::new());
}

#[test]
fn endpoints_affect_membership_alone() {
    let snapshot = cluster(&[class(), ingress("shop", None, "web"), binding("tgb-web", "web")]);
    let units = look(&snapshot, &Change::Endpoints(Key::new("default", "web")));
    assert_eq!(units, BTreeSet::from([Unit::Targets(Key::new("default", "tgb-web"))]));
}

#[test]
fn a_binding_affects_its_targets_the_network_and_the_stack_of_its_labels() {
    let snapshot = cluster(&[class(), ingress("shop", None, "web"), binding("tgb-web", "web")]);
    let key = Key::new("default", "tgb-web");
    let units = look(&snapshot, &came(&snapshot, &key));
    assert_eq!(units, BTreeSet::from([shop(), Unit::Targets(key.clone()), Unit::Network]));

    let snapshot = cluster(&[binding("tgb-web", "web")]);
    let units = look(&snapshot, &came(&snapshot, &key));
    assert_eq!(
        units,
        BTreeSet::from([Unit::Targets(key.clone()), Unit::Network]),
        "it is another controller's"
    );

    let mut snapshot = cluster(&[binding("tgb-web", "web")]);
    let Unit::Stack(stack) = shop() else { panic!("a stack") };
    let states = Arc::make_mut(&mut snapshot.states);
    states.insert(Key::cluster(&stack.state_name()), state(None, None));
    let units = look(&snapshot, &came(&snapshot, &key));
    assert_eq!(units, BTreeSet::from([shop(), Unit::Targets(key), Unit::Network]), "its Ingress is gone");
}

#[test]
fn a_stack_hears_of_a_binding_that_asks_for_something_else_or_goes_and_not_of_its_targets() {
    let snapshot = cluster(&[class(), ingress("shop", None, "web"), binding("tgb-web", "web")]);
    let key = Key::new("default", "tgb-web");
    let parse = |object: Value| Some(Arc::new(serde_json::from_value::<TargetGroupBinding>(object).unwrap()));
    let annotated = {
        let mut object = binding("tgb-web", "web");
        object["metadata"]["annotations"] = json!({"elbv2.k8s.aws/checkpoint": "c1"});
        object
    };
    let cases = [
        ("targets were registered", parse(annotated), false),
        ("somebody binds it to another Service", parse(binding("tgb-web", "api")), true),
        ("somebody deleted it", None, true),
    ];
    for (name, after, heard) in cases {
        let before = snapshot.target_group_bindings.get(&key).cloned();
        let units = look(&snapshot, &Change::Binding { key: key.clone(), before, after });
        assert_eq!(units.contains(&shop()), heard, "{name}: {units:?}");
        assert!(units.contains(&Unit::Network), "what they are behind may be another group: {name}");
    }
}

#[test]
fn our_own_writes_of_states_are_no_news() {
    let snapshot = cluster(&[class()]);
    let cases = [
        ("nothing that matters changed", Some(state(None, None)), Some(state(None, None)), BTreeSet::new()),
        (
            "an address was published",
            Some(state(None, None)),
            Some(state(Some("192.0.2.1"), None)),
            BTreeSet::from([zone()]),
        ),
        (
            "an agent announces",
            Some(state(None, None)),
            Some(state(None, Some("192.0.2.1 on n1"))),
            BTreeSet::from([shop()]),
        ),
        (
            "another member is served",
            Some(state(None, None)),
            Some(serving(json!({"default/shop": "{}"}))),
            BTreeSet::from([Unit::Network]),
        ),
        ("somebody deleted it", Some(state(None, None)), None, BTreeSet::from([shop(), zone()])),
    ];
    for (name, before, after, want) in cases {
        assert_eq!(look(&snapshot, &Change::State { before, after }), want, "{name}");
    }
}

#[test]
fn a_secret_affects_whoever_names_it_by_itself_or_by_its_services() {
    let provider = |secret: &str| {
        let provider = json!({"issuer": "https://i", "authorizationEndpoint": "https://i/a",
            "tokenEndpoint": "https://i/t", "userInfoEndpoint": "https://i/u", "secretName": secret});
        json!({"alb.ingress.kubernetes.io/auth-idp-oidc": provider.to_string()})
    };
    let annotated = |mut object: Value, annotations: Value| {
        object["metadata"]["annotations"] = annotations;
        object
    };
    let imports = |mut object: Value, asked: &str| {
        object["spec"]["tls"] = json!([{"secretName": "imported"}]);
        annotated(object, json!({"fairway.dev/import-certificates": asked}))
    };
    let snapshot = cluster(&[
        class(),
        annotated(ingress("shop", None, "web"), provider("own")),
        imports(ingress("https", None, "web"), "true"),
        imports(ingress("plain", None, "web"), "false"),
        ingress("other", None, "api"),
        annotated(ingress("broken", None, "web"), json!({"alb.ingress.kubernetes.io/auth-idp-oidc": "{"})),
        service("web"),
        annotated(service("api"), provider("of-service")),
    ]);
    let named = secrets(&snapshot, &ReadConfig::default());
    let of = |name| stack(StackKey::Ingress(Key::new("default", name)));
    let want = [("of-service", of("other")), ("own", shop()), ("imported", of("https"))];
    let want = want.map(|(secret, unit)| (Key::new("default", secret), BTreeSet::from([unit])));
    assert_eq!(named, BTreeMap::from(want));
}
