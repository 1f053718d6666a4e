use serde_json::{Value, json};

use super::*;

const ADDRESS: &str = "192.0.2.10";

fn cluster(extra: &[Value]) -> Snapshot {
    let stack = StackId::new(
        ProviderKind::InCluster,
        fairway_core::ids::StackKey::Ingress(Key::new("default", "shop")),
    );
    let address = format!("address/{ADDRESS}");
    let mut objects = vec![
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "metal"},
               "spec": {"controller": "fairway.dev/in-cluster"}}),
        json!({"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": {"name": "p", "namespace": "f"},
               "spec": {"addresses": ["192.0.2.0/24"]}}),
        json!({"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement", "metadata": {"name": "a", "namespace": "f"},
               "spec": {}}),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "uid": "1"},
               "spec": {"type": "ClusterIP", "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
               "metadata": {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
               "ports": [{"name": "http", "port": 8080}],
               "endpoints": [
                   {"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "nodeName": "n1"},
                   {"addresses": ["10.0.0.3"], "conditions": {"ready": true}, "nodeName": "n2"},
                   {"addresses": ["10.0.0.2"], "conditions": {"ready": false, "serving": true, "terminating": true}}]}),
        json!({"apiVersion": "fairway.dev/v1alpha1", "kind": "LoadBalancerState", "metadata": {"name": stack.state_name()},
               "spec": {"stack": stack.to_string(), "provider": "in-cluster"},
               "status": {"arns": {address: ADDRESS}}}),
    ];
    objects.extend_from_slice(extra);
    let mut snapshot = Snapshot::default();
    objects.iter().for_each(|object| snapshot.add(object).unwrap());
    snapshot
}

fn ingress(annotations: &Value, spec: &Value) -> Value {
    let mut spec = spec.clone();
    spec["ingressClassName"] = json!("metal");
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
           "metadata": {"name": "shop", "uid": "2", "annotations": annotations}, "spec": spec})
}

fn rule(host: &str, path: &str, kind: &str, service: &str) -> Value {
    let backend = json!({"service": {"name": service, "port": {"name": "http"}}});
    json!({"host": host, "http": {"paths": [{"path": path, "pathType": kind, "backend": backend}]}})
}

fn run(snapshot: &Snapshot) -> NodeProgram {
    run_on(snapshot, "n1", &[])
}

/// The program of a node of which only `n1` is alive.
fn run_on(snapshot: &Snapshot, node: &str, dead: &[&str]) -> NodeProgram {
    let dead = dead.iter().map(ToString::to_string).collect();
    let peers = Peers { alive: BTreeSet::from(["n1".to_owned()]), dead };
    program(View { snapshot, config: &ReadConfig::default(), peers: &peers }, node)
}

fn socket(port: u16) -> SocketAddr {
    format!("{ADDRESS}:{port}").parse().unwrap()
}

#[test]
fn an_address_is_announced_by_its_owner_and_served_by_everyone() {
    let snapshot =
        cluster(&[ingress(&json!({}), &json!({"rules": [rule("shop.example.com", "/", "Prefix", "web")]}))]);
    let mine = run(&snapshot);
    assert!(mine.announce.contains_key(&ADDRESS.parse::<IpAddr>().unwrap()));
    let other = run_on(&snapshot, "n2", &[]);
    assert!(other.announce.is_empty());
    assert_eq!(other.serve, mine.serve);
}

#[test]
fn requests_go_to_endpoints_that_are_ready() {
    let snapshot =
        cluster(&[ingress(&json!({}), &json!({"rules": [rule("shop.example.com", "/", "Prefix", "web")]}))]);
    let program = run(&snapshot);
    let serve = &program.serve[&socket(80)];
    assert_eq!(serve.routes.len(), 1);
    assert_eq!(serve.routes[0].host.as_deref(), Some("shop.example.com"));
    let forward = |sockets: &[&str]| Action::Forward(sockets.iter().map(|s| s.parse().unwrap()).collect());
    assert_eq!(serve.routes[0].action, forward(&["10.0.0.1:8080", "10.0.0.3:8080"]));
    let action = |dead: &[&str]| run_on(&snapshot, "n1", dead).serve[&socket(80)].routes[0].action.clone();
    assert_eq!(action(&["n2"]), forward(&["10.0.0.1:8080"]), "not to a node that died");
    assert_eq!(action(&["n1"]), forward(&["10.0.0.3:8080"]));
}

#[test]
fn a_missing_service_is_a_503_and_its_neighbours_are_served() {
    let rules = [rule("a.example.com", "/", "Prefix", "nobody"), rule("b.example.com", "/", "Prefix", "web")];
    let program = run(&cluster(&[ingress(&json!({}), &json!({"rules": rules}))]));
    let routes = &program.serve[&socket(80)].routes;
    assert_eq!(routes[0].action, Action::Status(503));
    assert!(matches!(&routes[1].action, Action::Forward(endpoints) if endpoints.len() == 2));
}

#[test]
fn who_leaves_is_served_as_before_until_the_address_is_released() {
    let rules = [rule("a.example.com", "/", "Prefix", "web")];
    let stays = ingress(&json!({}), &json!({"rules": rules}));
    let before = cluster(std::slice::from_ref(&stays));
    let state = before.states.values().next().unwrap();
    let stack = read::stack_of_state(state).unwrap();
    let (intent, _) = read::intent(&before, &ReadConfig::default(), &stack, &LastGood::default());
    let good: BTreeMap<String, String> = read::good(&intent)
        .into_iter()
        .map(|(name, member)| (name, serde_json::to_string(&member).unwrap()))
        .collect();

    let mut leaves = stays;
    leaves["spec"]["ingressClassName"] = json!("another");
    leaves["metadata"]["finalizers"] = json!([read::finalizer(&stack)]);
    let mut remembering = serde_json::to_value(state.as_ref()).unwrap();
    remembering["apiVersion"] = json!("fairway.dev/v1alpha1");
    remembering["kind"] = json!("LoadBalancerState");
    remembering["status"]["lastGood"] = json!(good);
    let after = cluster(&[leaves, remembering]);
    assert_eq!(run(&after).serve, run(&before).serve);
}

#[test]
fn alb_patterns_that_mean_a_prefix_are_prefixes() {
    let cases = [
        ("/api", Some(Path::Prefix("/api".into()))),
        ("/api/*", Some(Path::Prefix("/api".into()))),
        ("/*", Some(Path::Prefix("/".into()))),
        ("/raw*", None),
    ];
    for (text, want) in cases {
        let rules = [rule("a.example.com", text, "ImplementationSpecific", "web")];
        let program = run(&cluster(&[ingress(&json!({}), &json!({"rules": rules}))]));
        let path = program.serve[&socket(80)].routes.first().map(|route| route.path.clone());
        assert_eq!(path, want, "{text}");
    }
}

#[test]
fn a_redirecting_listener_has_no_routes_and_secrets_are_named_once_each() {
    let annotations = json!({
        "alb.ingress.kubernetes.io/listen-ports": r#"[{"HTTP": 80}, {"HTTPS": 443}]"#,
        "alb.ingress.kubernetes.io/ssl-redirect": "443",
    });
    let spec = json!({
        "rules": [rule("shop.example.com", "/", "Prefix", "web")],
        "tls": [{"hosts": ["Shop.example.com"], "secretName": "shop-tls"}],
    });
    let program = run(&cluster(&[ingress(&annotations, &spec)]));
    let plain = &program.serve[&socket(80)];
    assert_eq!((plain.routes.len(), plain.default.clone()), (0, Some(Action::RedirectToTls(443))));
    let secret = Key::new("default", "shop-tls");
    let certificate = Certificate { host: "shop.example.com".into(), secret: secret.clone() };
    assert_eq!(program.serve[&socket(443)].certificates, [certificate]);
    assert_eq!(program.secrets, BTreeSet::from([secret]));
}

#[test]
fn clients_are_let_in_by_the_ranges_of_the_annotation() {
    let spec = json!({"rules": [rule("shop.example.com", "/", "Prefix", "web")]});
    let ranges = |annotations: &Value| {
        run(&cluster(&[ingress(annotations, &spec)])).serve[&socket(80)].sources.clone()
    };
    assert!(ranges(&json!({})).is_empty());
    let two = json!({"alb.ingress.kubernetes.io/inbound-cidrs": "203.0.113.0/24,2001:db8::/32"});
    assert_eq!(ranges(&two), ["203.0.113.0/24", "2001:db8::/32"].map(|text| text.parse().unwrap()).into());
}

/// An Ingress on a plain and a TLS port whose rules are annotations, but for the last.
fn annotated(annotations: &[(&str, &str)], paths: &[(&str, &str, &str)]) -> Value {
    let all =
        annotations.iter().map(|(key, value)| (format!("alb.ingress.kubernetes.io/{key}"), json!(value)));
    let mut all: serde_json::Map<String, Value> = all.collect();
    all.insert(
        "alb.ingress.kubernetes.io/listen-ports".to_owned(),
        json!(r#"[{"HTTP": 80}, {"HTTPS": 443}]"#),
    );
    let path = |(path, service, port): &(&str, &str, &str)| json!({"path": path, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"name": port}}}});
    let paths: Vec<Value> = paths.iter().map(path).collect();
    ingress(&json!(all), &json!({"rules": [{"http": {"paths": paths}}]}))
}

#[test]
fn a_redirect_to_https_takes_what_is_below_it_and_is_left_out_where_it_would_loop() {
    let to_https =
        r#"{"type":"redirect","redirectConfig":{"protocol":"HTTPS","port":"443","statusCode":"HTTP_301"}}"#;
    let shop = annotated(
        &[("actions.tls", to_https)],
        &[("/a", "tls", "use-annotation"), ("/a/b", "web", "http"), ("/c", "web", "http")],
    );
    let program = run(&cluster(&[shop]));
    let places = |port: u16| -> Vec<(Path, bool)> {
        let routes = program.serve[&socket(port)].routes.iter();
        routes.map(|route| (route.path.clone(), route.action == Action::RedirectToTls(443))).collect()
    };
    let prefix = |text: &str| Path::Prefix(text.to_owned());
    assert_eq!(places(80), [(prefix("/a"), true), (prefix("/c"), false)]);
    assert_eq!(places(443), [(prefix("/a/b"), false), (prefix("/c"), false)]);
}

#[test]
fn an_answer_is_given_and_what_is_not_served_is_held() {
    let answer = r#"{"type":"fixed-response","fixedResponseConfig":{"statusCode":"410"}}"#;
    let served = annotated(&[("actions.x", answer)], &[("/a", "x", "use-annotation")]);
    let action = run(&cluster(&[served])).serve[&socket(80)].routes[0].action.clone();
    assert_eq!(action, Action::Status(410));
    let method = r#"[{"field":"http-request-method","httpRequestMethodConfig":{"values":["GET"]}}]"#;
    let rewrite = r#"[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"a","replace":"b"}]}}]"#;
    let split = r#"{"type":"forward","targetGroupName":"theirs"}"#;
    for (key, value, backend) in [
        ("conditions.web", method, ("/a", "web", "http")),
        ("transforms.web", rewrite, ("/a", "web", "http")),
        ("actions.x", split, ("/a", "x", "use-annotation")),
    ] {
        let program = run(&cluster(&[annotated(&[(key, value)], &[backend])]));
        assert!(program.serve.is_empty(), "{key}: {:?}", program.serve);
    }
}
