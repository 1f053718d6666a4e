use fairway_crds::IngressClassParams;
use k8s_openapi::api::{core::v1::Service, networking::v1::Ingress};
use serde_json::{Value, json};

use super::*;
use crate::{read::ReadConfig, snapshot::Snapshot};

fn cluster() -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (name, controller) in [("alb", "ingress.k8s.aws/alb"), ("nginx", "k8s.io/ingress-nginx")] {
        let class = json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": {"name": name}, "spec": {"controller": controller}});
        snapshot.add(&class).unwrap();
    }
    let web = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop",
        "annotations": {"alb.ingress.kubernetes.io/healthcheck-interval-seconds": "often"}},
        "spec": {"ports": [{"port": 80}]}});
    snapshot.add(&web).unwrap();
    snapshot
}

fn ingress_of(class: &str, annotations: Value, backend: Value) -> Ingress {
    serde_json::from_value(
        json!({"metadata": {"name": "front", "namespace": "shop", "annotations": annotations},
        "spec": {"ingressClassName": class, "rules": [{"http": {"paths":
            [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}}),
    )
    .unwrap()
}

fn service_backend(name: &str) -> Value {
    json!({"service": {"name": name, "port": {"number": 80}}})
}

fn on_web(class: &str, annotations: Value) -> Ingress {
    ingress_of(class, annotations, service_backend("api"))
}

fn ask(new: &Ingress, old: Option<&Ingress>, annotations: Annotations) -> Answer {
    ingress(&cluster(), &ReadConfig::default(), annotations, Change { new, old })
}

fn create(new: &Ingress) -> Answer {
    ask(new, None, Annotations::default())
}

fn refused(answer: &Answer) -> &str {
    match &answer.verdict {
        Verdict::Refuse(why) => why,
        other => panic!("{other:?}"),
    }
}

const BAD: &str = "alb.ingress.kubernetes.io/target-type";

#[test]
fn what_could_never_be_read_is_refused() {
    let resource = json!({"resource": {"apiGroup": "example.com", "kind": "Bucket", "name": "b"}});
    let unknown_field =
        json!({"alb.ingress.kubernetes.io/conditions.api": r#"[{"field":"cookie","values":["a"]}]"#});
    let broken = json!({"alb.ingress.kubernetes.io/conditions.api": "[{"});
    let cases = [
        ("a value", on_web("alb", json!({BAD: "pods"})), BAD),
        ("a group", on_web("alb", json!({"alb.ingress.kubernetes.io/group.name": "No!"})), "group.name"),
        ("a resource backend", ingress_of("alb", json!({}), resource), "a resource cannot be a backend"),
        ("a condition of a field that there is not", on_web("alb", unknown_field), "conditions.api"),
        ("conditions that are no JSON", on_web("alb", broken), "conditions.api"),
    ];
    for (name, object, why) in cases {
        let answer = create(&object);
        assert!(refused(&answer).contains(why), "{name}: {answer:?}");
    }
}

#[test]
fn nobody_elses_ingress_is_refused() {
    let bad = json!({BAD: "pods"});
    let resource = json!({"resource": {"kind": "Bucket", "name": "b"}});
    let mut going = on_web("alb", bad.clone());
    going.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
    let cases = [
        ("of another class", on_web("nginx", bad.clone())),
        ("with a resource backend, of another class", ingress_of("nginx", json!({}), resource)),
        ("of a class that is not there", on_web("gone", bad)),
        ("being deleted", going),
    ];
    for (name, object) in cases {
        assert_eq!(create(&object), Answer::allow(), "{name}");
    }
}

#[test]
fn what_other_objects_can_put_right_is_a_warning() {
    let annotations = json!({"alb.ingress.kubernetes.io/schem": "internal"});
    let missing = create(&on_web("alb", annotations));
    assert_eq!(missing.verdict, Verdict::Allow);
    let said = missing.warnings.join("\n");
    assert!(said.contains("Service shop/api does not exist"), "{said}");
    assert!(said.contains("did you mean alb.ingress.kubernetes.io/scheme?"), "{said}");

    let of_service = create(&ingress_of("alb", json!({}), service_backend("web")));
    assert_eq!(of_service.verdict, Verdict::Allow, "a value of the Service is not the Ingress' fault");
    assert!(of_service.warnings.join("\n").contains("Service shop/web"), "{of_service:?}");
}

#[test]
fn an_update_is_refused_for_what_it_brings() {
    let good = on_web("alb", json!({}));
    let bad = on_web("alb", json!({BAD: "pods"}));
    let worse = on_web("alb", json!({BAD: "pods", "alb.ingress.kubernetes.io/scheme": "open"}));
    let none = Annotations::default();
    let mut finalized = bad.clone();
    finalized.metadata.finalizers = Some(vec!["ingress.k8s.aws/resources".to_owned()]);
    let cases = [
        ("made bad", &bad, &good, Some(BAD)),
        ("made worse", &worse, &bad, Some("scheme")),
        ("made better", &bad, &worse, None),
        ("repaired", &good, &bad, None),
        ("finalized", &finalized, &bad, None),
    ];
    for (name, new, old, want) in cases {
        let answer = ask(new, Some(old), none);
        match want {
            Some(why) => assert!(refused(&answer).contains(why), "{name}: {answer:?}"),
            None => assert_eq!(answer.verdict, Verdict::Allow, "{name}"),
        }
    }
    let answer = ask(&worse, Some(&bad), none);
    assert!(!refused(&answer).contains(BAD), "what was wrong before is not held against it: {answer:?}");
}

#[test]
fn flags_forbid_annotations_to_newcomers_only() {
    let both = Annotations { without_class: true, without_group: true };
    let by_annotation: Ingress =
        serde_json::from_value(json!({"metadata": {"name": "front", "namespace": "shop",
        "annotations": {"kubernetes.io/ingress.class": "alb"}}, "spec": {}}))
        .unwrap();
    let grouped = |name: &str| on_web("alb", json!({"alb.ingress.kubernetes.io/group.name": name}));
    let labelled = on_web("alb", json!({"alb.ingress.kubernetes.io/group.name": "a", "team": "x"}));
    let cases = [
        ("a class by annotation", &by_annotation, None, Some("spec.ingressClassName")),
        ("a group", &grouped("a"), None, Some("spec.group")),
        ("another group", &grouped("b"), Some(grouped("a")), Some("spec.group")),
        ("the same group", &labelled, Some(grouped("a")), None),
        ("no group any more", &on_web("alb", json!({})), Some(grouped("a")), None),
    ];
    for (name, new, old, want) in cases {
        let answer = ask(new, old.as_ref(), both);
        match want {
            Some(why) => assert!(refused(&answer).contains(why), "{name}: {answer:?}"),
            None => assert_eq!(answer.verdict, Verdict::Allow, "{name}"),
        }
        assert_eq!(
            ask(new, old.as_ref(), Annotations::default()).verdict,
            Verdict::Allow,
            "{name}: allowed by default"
        );
    }
}

#[test]
fn class_parameters_are_refused_for_what_no_ingress_could_use() {
    let params = |spec: Value| -> IngressClassParams {
        serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).unwrap()
    };
    let refusals = [
        (
            json!({"inboundCIDRs": ["10.0.0.0/8", "10.1.2.3/8"]}),
            "spec.inboundCIDRs[1]: \"10.1.2.3/8\" has bits beyond its prefix; did you mean 10.0.0.0/8?",
        ),
        (
            json!({"inboundCIDRs": ["everybody"]}),
            "spec.inboundCIDRs[0]: \"everybody\" is not a range of addresses",
        ),
        (json!({"subnets": {}}), "either ids or tags"),
        (json!({"subnets": {"ids": ["subnet-1"], "tags": {"a": ["b"]}}}), "cannot be given together"),
        (json!({"subnets": {"ids": ["subnet-1", "subnet-1"]}}), "subnet-1 is named twice"),
        (json!({"subnets": {"tags": {"a": ["b", "b"]}}}), "spec.subnets.tags[a]: b is named twice"),
        (json!({"sslRedirectPort": "https"}), "spec.sslRedirectPort"),
    ];
    let good = params(
        json!({"scheme": "internal", "inboundCIDRs": ["10.0.0.0/8", "fd00::/8"], "subnets": {"ids": ["subnet-1"]}}),
    );
    assert_eq!(class_params(Change { new: &good, old: None }), Answer::allow());
    for (spec, why) in refusals {
        let bad = params(spec);
        let answer = class_params(Change { new: &bad, old: Some(&good) });
        assert!(refused(&answer).contains(why), "{answer:?}");
        let labelled = IngressClassParams { metadata: good.metadata.clone(), ..bad.clone() };
        assert_eq!(class_params(Change { new: &labelled, old: Some(&bad) }), Answer::allow());
    }
}

#[test]
fn only_new_load_balancers_without_a_class_get_ours() {
    let config = ReadConfig { load_balancer_class: "mine".into(), ..ReadConfig::default() };
    let of = |spec: Value| -> Service { serde_json::from_value(json!({"spec": spec})).unwrap() };
    let bare = of(json!({"type": "LoadBalancer"}));
    let edited = service(&config, Change { new: &bare, old: None });
    assert_eq!(edited, Answer::edit(vec![Edit::set("/spec/loadBalancerClass", "mine")]));
    let others = [
        (of(json!({"type": "LoadBalancer", "loadBalancerClass": "theirs"})), None),
        (of(json!({"type": "NodePort"})), None),
        (of(json!({})), None),
        (bare.clone(), Some(&bare)),
    ];
    for (new, old) in others {
        assert_eq!(service(&config, Change { new: &new, old }), Answer::allow(), "{new:?}");
    }
}
