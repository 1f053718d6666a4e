use fairway_core::{
    admission::{Answer, Change, Edit, Verdict},
    snapshot::Snapshot,
};
use fairway_crds::TargetGroupBinding;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::*;
use crate::facts::{BoundGroup, Query};

const ARN: &str = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/1";

fn binding(name: &str, spec: Value) -> Value {
    let mut spec = spec;
    spec["serviceRef"] = json!({"name": "web", "port": 80});
    json!({"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding",
        "metadata": {"name": name, "namespace": "shop"}, "spec": spec})
}

fn parsed(object: Value) -> TargetGroupBinding {
    serde_json::from_value(object).unwrap()
}

fn web(annotations: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop", "annotations": annotations},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
}

fn cluster(objects: &[Value]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    objects.iter().for_each(|object| snapshot.add(object).unwrap());
    snapshot
}

fn pod(labels: Value, annotations: Value, spec: Value) -> Pod {
    serde_json::from_value(json!({"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}))
        .unwrap()
}

fn plain(labels: Value) -> Pod {
    pod(labels, json!({}), json!({"containers": [{"name": "main"}]}))
}

fn refused(answer: &Answer) -> &str {
    match &answer.verdict {
        Verdict::Refuse(why) => why,
        other => panic!("{other:?}"),
    }
}

fn edits(answer: &Answer) -> Vec<(&str, &Value)> {
    match &answer.verdict {
        Verdict::Edit(edits) => edits.iter().map(|edit| (edit.path.as_str(), &edit.value)).collect(),
        Verdict::Allow => Vec::new(),
        Verdict::Refuse(why) => panic!("{why}"),
    }
}

#[test]
fn a_pod_gets_a_gate_for_each_binding_that_registers_its_address() {
    let by_hand = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hand", "namespace": "shop"}, "spec": {}});
    let mut of_hand = binding("hand", json!({"targetGroupARN": ARN, "targetType": "ip"}));
    of_hand["spec"]["serviceRef"]["name"] = json!("hand");
    let mut elsewhere = binding("elsewhere", json!({"targetGroupARN": ARN, "targetType": "ip"}));
    elsewhere["metadata"]["namespace"] = json!("shop-2");
    let mut going = binding("going", json!({"targetGroupARN": ARN, "targetType": "ip"}));
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let snapshot = cluster(&[
        web(json!({})),
        by_hand,
        of_hand,
        elsewhere,
        going,
        binding("b", json!({"targetGroupARN": ARN, "targetType": "ip"})),
        binding("a", json!({"targetGroupARN": ARN, "targetType": "ip"})),
        binding("nodes", json!({"targetGroupARN": ARN, "targetType": "instance"})),
        binding("unfilled", json!({"targetGroupARN": ARN})),
    ]);
    let gates = |pod: &Pod| readiness_gates(&snapshot, "shop", pod);
    let gate = |name: &str| json!({"conditionType": format!("target-health.elbv2.k8s.aws/{name}")});
    let want = |gates: &[Value]| Answer::edit(vec![Edit::set("/spec/readinessGates", gates.to_vec())]);

    assert_eq!(gates(&plain(json!({"app": "web", "pod": "1"}))), want(&[gate("a"), gate("b")]));
    assert_eq!(gates(&plain(json!({"app": "api"}))), Answer::allow());
    let with = |gates: Value| {
        pod(json!({"app": "web"}), json!({}), json!({"containers": [], "readinessGates": gates}))
    };
    let legacy = json!({"conditionType": "target-health.alb.ingress.k8s.aws/old_web_80"});
    let own = json!({"conditionType": "example.com/warm"});
    assert_eq!(gates(&with(json!([legacy, own, gate("b")]))), want(&[own.clone(), gate("b"), gate("a")]));
    assert_eq!(gates(&with(json!([gate("a"), gate("b")]))), Answer::allow(), "nothing is missing");
}

#[test]
fn a_gate_that_would_have_no_name_is_left_out_and_told() {
    let long = "x".repeat(64);
    let snapshot =
        cluster(&[web(json!({})), binding(&long, json!({"targetGroupARN": ARN, "targetType": "ip"}))]);
    let answer = readiness_gates(&snapshot, "shop", &plain(json!({"app": "web"})));
    assert_eq!(answer.verdict, Verdict::Allow);
    assert!(answer.warnings[0].contains("too long"), "{answer:?}");
}

const CONFIG: HoldConfig = HoldConfig { all: false, cap: 60 };

fn held(snapshot: &Snapshot, config: HoldConfig, annotations: Value) -> Answer {
    hold(
        snapshot,
        config,
        "shop",
        &pod(json!({"app": "web"}), annotations, json!({"containers": [{"name": "main"}]})),
    )
}

fn seconds(answer: &Answer) -> Option<i64> {
    edits(answer).first().and_then(|(_, value)| value.pointer("/preStop/sleep/seconds")?.as_i64())
}

fn delayed(seconds: u32) -> Value {
    json!({"alb.ingress.kubernetes.io/target-group-attributes": format!("deregistration_delay.timeout_seconds={seconds}")})
}

fn front(annotations: Value) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "front", "namespace": "shop", "annotations": annotations},
        "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}})
}

#[test]
fn the_hold_fits_the_deregistration_delay_up_to_the_cap() {
    let asked = || json!({HOLD: "true"});
    let nlb = json!({"service.beta.kubernetes.io/aws-load-balancer-target-group-attributes":
        "deregistration_delay.timeout_seconds=35"});
    let cases = [
        ("nobody says a delay", vec![web(json!({})), front(json!({}))], 60),
        ("no load balancer is known yet", vec![web(json!({}))], 60),
        ("the Ingress does", vec![web(json!({})), front(delayed(20))], 30),
        ("the Service is stronger", vec![web(delayed(5)), front(delayed(20))], 15),
        ("of a network load balancer", vec![web(nlb.clone())], 45),
        ("the longest counts", vec![web(nlb), front(delayed(20))], 45),
        ("no delay at all", vec![web(json!({})), front(delayed(0))], 10),
    ];
    for (name, objects, want) in cases {
        assert_eq!(seconds(&held(&cluster(&objects), CONFIG, asked())), Some(want), "{name}");
    }
}

#[test]
fn only_who_asks_is_held_unless_the_installation_says_so() {
    let alone = cluster(&[web(json!({}))]);
    let bound = cluster(&[web(json!({})), binding("a", json!({"targetGroupARN": ARN, "targetType": "ip"}))]);
    let all = HoldConfig { all: true, ..CONFIG };
    let cases = [
        ("not asked for", &bound, CONFIG, json!({}), None),
        ("asked for", &alone, CONFIG, json!({HOLD: "true"}), Some(60)),
        ("a number may be above the cap", &alone, CONFIG, json!({HOLD: "90"}), Some(90)),
        ("all that are reached", &bound, all, json!({}), Some(60)),
        ("none that is not", &alone, all, json!({}), None),
        ("but not against its will", &bound, all, json!({HOLD: "false"}), None),
    ];
    for (name, snapshot, config, annotations, want) in cases {
        assert_eq!(seconds(&held(snapshot, config, annotations)), want, "{name}");
    }
    let unreadable = held(&alone, CONFIG, json!({HOLD: "soon"}));
    assert!(refused(&unreadable).contains("\"soon\" is neither true nor false nor a number of seconds"));
    assert!(refused(&held(&alone, CONFIG, json!({HOLD: "4000"}))).contains("up to 3600"));
}

#[test]
fn containers_sleep_unless_they_do_something_of_their_own_before_they_stop() {
    let spec = json!({"terminationGracePeriodSeconds": 40, "containers": [
        {"name": "plain"},
        {"name": "starts", "lifecycle": {"postStart": {"exec": {"command": ["true"]}}}},
        {"name": "own", "lifecycle": {"preStop": {"exec": {"command": ["true"]}}}},
    ]});
    let nobody = cluster(&[]);
    let ask = |spec: Value| hold(&nobody, CONFIG, "shop", &pod(json!({}), json!({HOLD: "25"}), spec));
    let answer = ask(spec);
    let sleep = json!({"sleep": {"seconds": 25}});
    assert_eq!(
        edits(&answer),
        [
            ("/spec/containers/0/lifecycle", &json!({"preStop": sleep})),
            ("/spec/containers/1/lifecycle/preStop", &sleep),
            ("/spec/terminationGracePeriodSeconds", &json!(65)),
        ]
    );
    let own = json!({"containers": [{"name": "own", "lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}]});
    assert_eq!(ask(own), Answer::allow(), "then its grace period is its own too");
    let by_default = ask(json!({"containers": [{"name": "plain"}]}));
    assert_eq!(edits(&by_default)[1], ("/spec/terminationGracePeriodSeconds", &json!(55)));
}

fn group() -> BoundGroup {
    BoundGroup {
        arn: ARN.into(),
        target_type: "ip".into(),
        protocol: "HTTP".into(),
        ip_address_type: "ipv4".into(),
        vpc: "vpc-00000001".into(),
    }
}

#[test]
fn what_a_new_binding_leaves_out_is_filled_in() {
    let bare = parsed(binding("a", json!({"targetGroupName": "web"})));
    assert_eq!(question(&bare), Some(Query::BoundGroup { named: "web".into(), role: None }));
    let filled = fill(&bare, &Lookup::Found(group()));
    let want = [
        ("/spec/targetGroupARN", ARN),
        ("/spec/targetType", "ip"),
        ("/spec/targetGroupProtocol", "HTTP"),
        ("/spec/ipAddressType", "ipv4"),
        ("/spec/vpcID", "vpc-00000001"),
    ];
    assert_eq!(
        edits(&filled),
        want.map(|(path, value)| (path, json!(value))).each_ref().map(|(path, value)| (*path, value))
    );

    let whole = json!({"targetGroupARN": ARN, "targetType": "ip", "targetGroupProtocol": "HTTP", "ipAddressType": "ipv4", "vpcID": "vpc-00000001"});
    let whole = parsed(binding("a", whole));
    assert_eq!(question(&whole), None);
    assert_eq!(fill(&whole, &Lookup::Found(group())), Answer::allow());
}

#[test]
fn what_differs_from_the_target_group_is_refused_and_what_is_not_known_is_not() {
    let odd = parsed(binding(
        "a",
        json!({"targetGroupARN": ARN, "targetType": "instance", "ipAddressType": "ipv6"}),
    ));
    let answer = fill(&odd, &Lookup::Found(group()));
    assert!(refused(&answer).contains("spec.targetType is instance, and that of target group"), "{answer:?}");
    assert!(refused(&answer).contains("spec.ipAddressType is ipv6"), "{answer:?}");
    let function =
        BoundGroup { target_type: "lambda".into(), protocol: String::new(), vpc: String::new(), ..group() };
    assert!(refused(&fill(&odd, &Lookup::Found(function))).contains("of type lambda"));
    assert_eq!(refused(&fill(&odd, &Lookup::Missing)), format!("there is no target group {ARN}"));
    let unknown = fill(&odd, &Lookup::Unknown("AWS did not answer in time".into()));
    assert_eq!(unknown.verdict, Verdict::Allow);
    assert!(unknown.warnings[0].ends_with("AWS did not answer in time"));
}

#[test]
fn a_binding_that_cannot_work_is_refused() {
    let other = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/other/2";
    let shared = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/shared/3";
    let snapshot = cluster(&[
        binding("taken", json!({"targetGroupARN": ARN, "targetType": "ip"})),
        binding(
            "shared",
            json!({"targetGroupARN": shared, "targetType": "ip", "multiClusterTargetGroup": true}),
        ),
    ]);
    let create = |spec: Value| {
        let new = parsed(binding("new", spec));
        check(&snapshot.target_group_bindings, Change { new: &new, old: None })
    };
    let refusals = [
        (json!({"targetType": "ip"}), "either spec.targetGroupARN or spec.targetGroupName"),
        (json!({"targetGroupARN": ""}), "either spec.targetGroupARN or spec.targetGroupName"),
        (json!({"targetGroupARN": other, "targetType": "ip", "nodeSelector": {}}), "spec.nodeSelector"),
        (
            json!({"targetGroupARN": other, "targetType": "instance", "iamRoleArnToAssume": "arn:aws:iam::1:role/a"}),
            "spec.iamRoleArnToAssume",
        ),
        (json!({"targetGroupARN": other, "targetType": "instance", "targetGroupProtocol": "QUIC"}), "QUIC"),
        (json!({"targetGroupARN": ARN}), "bound by TargetGroupBinding shop/taken already"),
        (
            json!({"targetGroupARN": ARN, "multiClusterTargetGroup": true}),
            "bound by TargetGroupBinding shop/taken already",
        ),
        (json!({"targetGroupARN": shared}), "bound by TargetGroupBinding shop/shared already"),
    ];
    for (spec, why) in refusals {
        let answer = create(spec);
        assert!(refused(&answer).contains(why), "{answer:?}");
    }
    for spec in [
        json!({"targetGroupName": "other"}),
        json!({"targetGroupARN": other, "targetType": "instance", "nodeSelector": {}}),
        json!({"targetGroupARN": shared, "multiClusterTargetGroup": true}),
    ] {
        assert_eq!(create(spec), Answer::allow());
    }
}

#[test]
fn what_a_binding_is_about_stays() {
    let base =
        json!({"targetGroupARN": ARN, "targetType": "ip", "ipAddressType": "ipv4", "vpcID": "vpc-00000001"});
    let with = |field: &str, value: Value| {
        let mut spec = base.clone();
        spec[field] = value;
        parsed(binding("taken", spec))
    };
    let snapshot = cluster(&[binding("taken", base.clone())]);
    let update = |old: &TargetGroupBinding, new: &TargetGroupBinding| {
        check(&snapshot.target_group_bindings, Change { new, old: Some(old) })
    };
    let old = with("targetGroupProtocol", json!("HTTP"));
    for (field, value) in [
        ("targetGroupARN", json!("arn:other")),
        ("targetType", json!("instance")),
        ("targetType", Value::Null),
        ("ipAddressType", json!("ipv6")),
        ("vpcID", json!("vpc-00000002")),
        ("vpcID", Value::Null),
    ] {
        let answer = update(&old, &with(field, value));
        assert!(refused(&answer).contains(&format!("spec.{field} cannot be changed")), "{answer:?}");
    }
    assert_eq!(update(&old, &with("ipAddressType", Value::Null)), Answer::allow(), "it is ipv4 still");
    assert_eq!(update(&old, &with("networking", json!({"ingress": []}))), Answer::allow());
    let unfilled = parsed(binding("taken", json!({"targetGroupARN": ARN})));
    assert_eq!(update(&unfilled, &old), Answer::allow(), "what was left out can be filled in");
    assert!(refused(&update(&unfilled, &with("ipAddressType", json!("ipv6")))).contains("ipAddressType"));
}
