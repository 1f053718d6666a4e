use serde_json::{Value, json};

use super::*;
use crate::{class::Class, ids::ProviderKind, intent::Ask};

fn snapshot(objects: &[Value]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let classes = [("alb", AWS_CONTROLLER), ("local", IN_CLUSTER_CONTROLLER), ("other", "example.com/other")];
    for (name, controller) in classes {
        snapshot
            .add(&json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
                "metadata": {"name": name}, "spec": {"controller": controller}}))
            .unwrap();
    }
    snapshot
        .add(&json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"ports": [{"port": 80}]}}))
        .unwrap();
    objects.iter().for_each(|object| snapshot.add(object).unwrap());
    snapshot
}

fn ingress(class: &str, annotations: &Value, finalizers: &[&str]) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "shop", "uid": "1", "annotations": annotations, "finalizers": finalizers},
        "spec": {"ingressClassName": class, "rules": [{"http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}})
}

fn service(spec: &Value, annotations: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "tcp", "annotations": annotations}, "spec": spec})
}

fn names(stacks: &BTreeSet<StackId>) -> Vec<String> {
    stacks.iter().map(ToString::to_string).collect()
}

fn stack(text: &str) -> StackId {
    StackId::parse(text).unwrap()
}

#[test]
fn an_ingress_belongs_to_its_stack_and_those_that_it_leaves() {
    let group = json!({"alb.ingress.kubernetes.io/group.name": "new"});
    let bad = json!({"alb.ingress.kubernetes.io/group.name": "New!"});
    let none = json!({});
    let old = "group.ingress.k8s.aws/old";
    let cases: [(&str, Value, &[&str]); 8] = [
        ("alone", ingress("alb", &none, &[]), &["aws:ingress:default/shop"]),
        ("in a group", ingress("alb", &group, &[]), &["aws:group:new"]),
        ("in a group of the cluster", ingress("local", &group, &[]), &["in-cluster:group:new"]),
        ("moving", ingress("alb", &group, &[old]), &["aws:group:new", "aws:group:old"]),
        ("leaving", ingress("other", &none, &[old]), &["aws:group:old"]),
        ("of another", ingress("other", &none, &["example.com/theirs"]), &[]),
        ("in no group that can be", ingress("alb", &bad, &[]), &["aws:ingress:default/shop"]),
        ("held in its group", ingress("alb", &bad, &[old]), &["aws:group:old"]),
    ];
    for (name, object, want) in cases {
        let snapshot = snapshot(&[object]);
        let config = ReadConfig::default();
        let shop = &snapshot.ingresses[&Key::new("default", "shop")];
        assert_eq!(names(&stacks_of(&snapshot, &config, Candidate::Ingress(shop))), want, "{name}");
        assert_eq!(names(&stacks(&snapshot, &config)), want, "{name}: all stacks are those of its objects");
    }
}

#[test]
fn flags_say_which_classes_are_ours() {
    let annotated = |class: &str| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata":
            {"name": "shop", "annotations": {"kubernetes.io/ingress.class": class}}, "spec": {}})
    };
    let classless =
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "shop"}});
    let ingress_class = |name: &str| ReadConfig { ingress_class: name.into(), ..ReadConfig::default() };
    let cases = [
        ("the default is alb", ingress_class("alb"), annotated("alb"), true),
        ("another flag, another class", ingress_class("mine"), annotated("alb"), false),
        ("the flag's class", ingress_class("mine"), annotated("mine"), true),
        ("an empty flag is alb", ingress_class(""), annotated("alb"), true),
        ("an empty annotation is a class", ingress_class(""), annotated(""), false),
        ("without any class nobody's", ingress_class("alb"), classless.clone(), false),
        ("but ours with an empty flag", ingress_class(""), classless, true),
    ];
    for (name, config, object, ours) in cases {
        assert_eq!(!stacks(&snapshot(&[object]), &config).is_empty(), ours, "{name}");
    }
}

#[test]
fn services_are_ours_by_class_or_by_older_annotations() {
    let config = ReadConfig { load_balancer_class: "mine".into(), ..ReadConfig::default() };
    let legacy = json!({"service.beta.kubernetes.io/aws-load-balancer-type": "nlb-ip"});
    let none = json!({});
    let cases = [
        ("the flag's class", service(&json!({"loadBalancerClass": "mine"}), &none), Some(ProviderKind::Aws)),
        (
            "the class of the cluster",
            service(&json!({"loadBalancerClass": IN_CLUSTER_CLASS}), &none),
            Some(ProviderKind::InCluster),
        ),
        (
            "another class, whatever is annotated",
            service(&json!({"loadBalancerClass": "service.k8s.aws/nlb"}), &legacy),
            None,
        ),
        (
            "no class, annotated, of any type",
            service(&json!({"type": "ClusterIP"}), &legacy),
            Some(ProviderKind::Aws),
        ),
        ("no class at all", service(&json!({"type": "LoadBalancer"}), &none), None),
    ];
    for (name, object, want) in cases {
        let snapshot = snapshot(&[object]);
        assert_eq!(
            service_provider(&config, &snapshot.services[&Key::new("default", "tcp")]),
            want,
            "{name}"
        );
    }
}

#[test]
fn every_stack_has_its_finalizer_and_is_found_by_it() {
    for text in [
        "aws:group:shop",
        "in-cluster:group:shop",
        "aws:ingress:default/shop",
        "in-cluster:ingress:default/shop",
        "aws:service:default/shop",
        "in-cluster:service:default/shop",
    ] {
        let stack = stack(text);
        let kind = if matches!(stack.key, StackKey::Service(_)) { Kind::Service } else { Kind::Ingress };
        let object = ObjectRef::new(kind, Key::new("default", "shop"));
        let meta = ObjectMeta { finalizers: Some(vec![finalizer(&stack)]), ..ObjectMeta::default() };
        assert_eq!(finalizer::stacks(&object, &meta), BTreeSet::from([stack]), "{text}");
    }
}

#[test]
fn stacks_are_read_back_from_their_names() {
    for text in ["aws:group:a.b-c", "in-cluster:ingress:ns/name", "aws:service:ns/name"] {
        assert_eq!(StackId::parse(text).map(|stack| stack.to_string()).as_deref(), Some(text));
    }
    for text in ["", "aws", "aws:group", "gcp:group:x", "aws:node:x", "aws:ingress:x"] {
        assert_eq!(StackId::parse(text), None, "{text}");
    }
}

#[test]
fn provenance_is_read_back_from_what_is_shown() {
    use crate::settings::Provenance;
    for text in
        ["Ingress default/shop a.b/c", "IngressClassParams team spec.scheme", "Service a/b with a space"]
    {
        let read = Provenance::try_from(text.to_owned());
        assert_eq!(read.map(String::from).as_deref(), Ok(text));
    }
    for text in ["", "Ingress", "Ingress default/shop", "Pod default/shop key"] {
        assert!(Provenance::try_from(text.to_owned()).is_err(), "{text}");
    }
    for kind in Kind::ALL {
        let object = ObjectRef::new(kind, Key::new("a", "b"));
        assert_eq!(ObjectRef::parse(&object.to_string()), Some(object));
    }
}

#[test]
fn a_state_without_members_is_looked_at_once_more() {
    let state = json!({"apiVersion": "fairway.dev/v1alpha1", "kind": "LoadBalancerState",
        "metadata": {"name": "x"}, "spec": {"stack": "aws:group:gone", "provider": "aws"}});
    assert_eq!(names(&stacks(&snapshot(&[state]), &ReadConfig::default())), ["aws:group:gone"]);
}

#[test]
fn the_last_reading_of_another_object_of_the_same_name_is_not_used() {
    let config = ReadConfig::default();
    let id = stack("aws:ingress:default/shop");
    let good_one = ingress("alb", &json!({}), &[]);
    let (before, _) = intent(&snapshot(&[good_one]), &config, &id, &LastGood::default());
    let last_good = LastGood { members: good(&before), ..LastGood::default() };
    let mut broken = ingress("alb", &json!({"alb.ingress.kubernetes.io/scheme": "?"}), &[]);

    let (held, notes) = intent(&snapshot(&[broken.clone()]), &config, &id, &last_good);
    assert_eq!(held.members.iter().map(|member| member.held).collect::<Vec<_>>(), [true]);
    assert!(notes.iter().all(|note| note.held && note.class == Class::Invalid), "{notes:?}");

    broken["metadata"]["uid"] = json!("2");
    let (unread, _) = intent(&snapshot(&[broken]), &config, &id, &last_good);
    assert!(unread.members.is_empty());
    assert_eq!(unread.unreadable.len(), 1);
}

#[test]
fn listeners_follow_certificates_where_none_are_named() {
    let arn = json!({"alb.ingress.kubernetes.io/certificate-arn": "arn:1"});
    let empty = json!({"alb.ingress.kubernetes.io/certificate-arn": " ,"});
    let with_tls = |class: &str| {
        let mut object = ingress(class, &json!({}), &[]);
        object["spec"]["tls"] = json!([{"secretName": "s"}]);
        object
    };
    let cases: [(&str, Value, &[u16]); 6] = [
        ("plain", ingress("alb", &json!({}), &[]), &[80]),
        ("with a certificate", ingress("alb", &arn, &[]), &[443]),
        ("with an empty list of them", ingress("alb", &empty, &[]), &[80]),
        ("spec.tls says nothing to AWS", with_tls("alb"), &[80]),
        ("but in the cluster", with_tls("local"), &[80, 443]),
        ("where ARNs say nothing", ingress("local", &arn, &[]), &[80]),
    ];
    for (name, object, want) in cases {
        let snapshot = snapshot(&[object]);
        let config = ReadConfig::default();
        let id = stacks(&snapshot, &config).pop_first().unwrap();
        let (intent, _) = intent(&snapshot, &config, &id, &LastGood::default());
        let Ask::Http(ask) = &intent.members[0].ask else { panic!("{name}: an Ingress asks for HTTP") };
        assert_eq!(ask.listens.iter().map(|listen| listen.port.get()).collect::<Vec<_>>(), want, "{name}");
    }
}

#[test]
fn services_behind_an_ingress_are_known() {
    let split = r#"{"type":"forward","forwardConfig":{"targetGroups":[
        {"serviceName":"blue","servicePort":80,"weight":1},{"serviceName":"green","servicePort":80,"weight":1}]}}"#;
    let annotation = |name: &str| json!({"service": {"name": name, "port": {"name": "use-annotation"}}});
    let path = |backend: Value| json!({"path": "/", "pathType": "Prefix", "backend": backend});
    let mut object = ingress(
        "alb",
        &json!({
            "alb.ingress.kubernetes.io/actions.split": split,
            "alb.ingress.kubernetes.io/actions.unused": split.replace("blue", "unused"),
            "alb.ingress.kubernetes.io/actions.broken": "{",
        }),
        &[],
    );
    object["spec"]["rules"][0]["http"]["paths"] = json!([
        path(json!({"service": {"name": "web", "port": {"number": 80}}})),
        path(annotation("split")),
        path(annotation("broken")),
    ]);
    object["spec"]["defaultBackend"] = json!({"service": {"name": "other", "port": {"number": 1}}});
    let snapshot = snapshot(&[object]);
    let found = backend_services(&snapshot.ingresses[&Key::new("default", "shop")]);
    assert_eq!(found, ["blue", "green", "other", "web"].map(|name| Key::new("default", name)).into());
}

#[test]
fn a_weaker_value_counts_only_where_values_are_united() {
    let config = ReadConfig::default();
    let with_service = |annotations: Value| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "annotations": annotations},
            "spec": {"ports": [{"port": 80}]}})
    };
    let cases = [
        ("a stronger value hides a bad one", "healthcheck-interval-seconds", "15", "soon", false),
        ("but a bad one is not passed over", "healthcheck-interval-seconds", "soon", "15", true),
        ("tags are united, the Ingress' must be read", "tags", "a=1", "a", true),
        ("and the Service's", "tags", "a", "a=1", true),
    ];
    for (name, key, of_service, of_ingress, held) in cases {
        let annotate = |value: &str| {
            let annotation = format!("alb.ingress.kubernetes.io/{key}");
            json!({ annotation: value })
        };
        let objects = [with_service(annotate(of_service)), ingress("alb", &annotate(of_ingress), &[])];
        let id = stack("aws:ingress:default/shop");
        let (intent, notes) = intent(&snapshot(&objects), &config, &id, &LastGood::default());
        assert_eq!(!intent.unreadable.is_empty(), held, "{name}: {notes:?}");
    }
    let mut without_rules = ingress("alb", &json!({"alb.ingress.kubernetes.io/tags": "a"}), &[]);
    without_rules["spec"]["rules"] = json!([]);
    let (_, notes) = intent(
        &snapshot(&[without_rules]),
        &config,
        &stack("aws:ingress:default/shop"),
        &LastGood::default(),
    );
    assert_eq!(notes.len(), 1, "the load balancer's own tags are read without any backend: {notes:?}");
}

/// What reading an Ingress of a class with one annotation says: the messages, and whether it is held.
fn told(class: &str, key: &str, value: &str) -> (Vec<String>, bool) {
    let annotation = format!("alb.ingress.kubernetes.io/{key}");
    let snapshot = snapshot(&[ingress(class, &json!({ annotation: value }), &[])]);
    let id = stacks(&snapshot, &ReadConfig::default()).pop_first().unwrap();
    let (intent, notes) = intent(&snapshot, &ReadConfig::default(), &id, &LastGood::default());
    (notes.into_iter().map(|note| note.message).collect(), !intent.unreadable.is_empty())
}

#[test]
fn what_guards_a_load_balancer_of_aws_holds_the_member_in_the_cluster() {
    let verify = r#"[{"port":80,"mode":"verify","trustStore":"staff"}]"#;
    let cases = [
        ("mutual-authentication", verify, true),
        ("mutual-authentication", r#"[{"port":80,"mode":"off"}]"#, false),
        ("wafv2-acl-arn", "arn:aws:wafv2:x", true),
        ("wafv2-acl-arn", "none", false),
        ("wafv2-acl-name", "shop", true),
        ("waf-acl-id", "1", true),
        ("web-acl-id", "1", true),
        ("security-group-prefix-lists", "pl-1", true),
        ("shield-advanced-protection", "true", false),
        ("minimum-load-balancer-capacity", "CapacityUnits=5", false),
        ("listener-attributes.HTTP-80", "a=b", false),
    ];
    for (key, value, held) in cases {
        let (notes, is_held) = told("local", key, value);
        assert_eq!(is_held, held, "{key}: {notes:?}");
        let guards = notes.iter().any(|note| note.contains("cannot be served as asked for"));
        let warns = notes.iter().any(|note| note.ends_with("means nothing on an in-cluster class"));
        assert!(
            guards == held && (held || warns || value == "none" || value.contains("off")),
            "{key}: {notes:?}"
        );
    }
}

#[test]
fn settings_of_listeners_that_an_ingress_does_not_have_are_told() {
    let off = |port: u16| format!(r#"[{{"port":{port},"mode":"off"}}]"#);
    let cases = [
        ("listener-attributes.HTTP-80", "a=b".to_owned(), None),
        ("listener-attributes.HTTPS-80", "a=b".to_owned(), Some("names no listener of this Ingress")),
        ("listener-attributes.http-80", "a=b".to_owned(), Some("names no listener of this Ingress")),
        ("mutual-authentication", off(80), Some("names port 80, which is no HTTPS listener of this Ingress")),
        (
            "mutual-authentication",
            off(443),
            Some("names port 443, which is no HTTPS listener of this Ingress"),
        ),
    ];
    for (key, value, want) in cases {
        let (notes, held) = told("alb", key, &value);
        let want: Vec<String> =
            want.map(|want| format!("alb.ingress.kubernetes.io/{key} {want}")).into_iter().collect();
        assert_eq!((notes, held), (want, false), "{key} {value}");
    }
}
