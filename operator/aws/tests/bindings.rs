//! TargetGroupBindings that users made: what they name, who is told, and what is left alone.

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
    facts::{BoundGroup, Query},
    targets::{Health, HealthByTarget, Target, Targets, TargetsObserved, TargetsOp, TargetsScope},
};
use fairway_core::{
    evaluate::{Evaluation, Facts, Input, LastGood, Provider as _, Step},
    ids::Key,
    plan::Operation as _,
    snapshot::Snapshot,
};
use fairway_crds::TargetGroupBinding;
use serde_json::{Value, json};
use support::world::World;

const ARN: &str = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/mine/1";
const VPC: &str = "vpc-00000000000000001";
const GATE: &str = "target-health.elbv2.k8s.aws/mine";

/// One Service with so many pods, and a binding of a user with this spec beside its Service.
struct Bench {
    world: World,
    config: Config,
    key: Key,
}

fn pod(number: usize, gate: bool, condition: &Value) -> Value {
    let gates = if gate { json!([{"conditionType": GATE}]) } else { json!([]) };
    let conditions: Vec<&Value> = Some(condition).filter(|value| !value.is_null()).into_iter().collect();
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("web-{number}"), "namespace": "default", "uid": format!("uid-{number}")},
        "spec": {"containers": [], "readinessGates": gates},
        "status": {"conditions": conditions},
    })
}

impl Bench {
    fn new(pods: usize, spec: &Value) -> Self {
        let group = BoundGroup {
            arn: ARN.to_owned(),
            target_type: "ip".to_owned(),
            protocol: "HTTP".to_owned(),
            ip_address_type: "ipv4".to_owned(),
            vpc: VPC.to_owned(),
        };
        let world = World { bound_groups: vec![group], snapshot: Snapshot::default(), ..World::recorded() };
        let config = Config::new("demo", "us-east-1", VPC);
        let mut bench = Self { world, config, key: Key::new("default", "mine") };
        let endpoint = |number: usize| {
            json!({"addresses": [format!("10.0.0.{number}")], "conditions": {"ready": true},
                   "targetRef": {"kind": "Pod", "name": format!("web-{number}"), "namespace": "default"}})
        };
        bench.add(&json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080}]},
        }));
        bench.add(&json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "web-1", "namespace": "default",
                         "labels": {"kubernetes.io/service-name": "web"}},
            "endpoints": (1..=pods).map(endpoint).collect::<Vec<_>>(),
            "ports": [{"name": "http", "port": 8080}],
        }));
        (1..=pods).for_each(|number| bench.add(&pod(number, false, &Value::Null)));
        let mut whole = json!({"serviceRef": {"name": "web", "port": 80}});
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        bench.add(&json!({
            "apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding",
            "metadata": {"name": "mine", "namespace": "default", "finalizers": ["elbv2.k8s.aws/resources"]},
            "spec": whole,
        }));
        bench
    }

    fn add(&mut self, object: &Value) {
        self.world.snapshot.add(object).unwrap();
    }

    fn edit(&mut self, change: impl FnOnce(&mut TargetGroupBinding)) {
        let all = Arc::make_mut(&mut self.world.snapshot.target_group_bindings);
        change(Arc::make_mut(all.get_mut(&self.key).unwrap()));
    }

    fn delete(&mut self) {
        let time = serde_json::from_value(json!("2026-11-23T03:00:00Z")).unwrap();
        self.edit(|binding| binding.metadata.deletion_timestamp = Some(time));
    }

    /// Evaluates to the end; also tells what was asked and observed.
    fn look(&self, seen: &TargetsObserved) -> (Evaluation<Targets>, Vec<Query>, Option<TargetsScope>) {
        let (mut facts, mut observed, mut scope, mut asked) = (Facts::default(), None, None, Vec::new());
        let annotations = self.world.snapshot.target_group_bindings[&self.key].metadata.annotations.as_ref();
        let written = annotations.and_then(|all| all.get("elbv2.k8s.aws/checkpoint").cloned());
        let last_good = LastGood { fingerprint: written, ..LastGood::default() };
        for _ in 0..5 {
            let input = Input {
                unit: &self.key,
                config: &self.config,
                snapshot: &self.world.snapshot,
                facts: &facts,
                observed,
                last_good: &last_good,
            };
            match Targets::evaluate(&input) {
                Step::NeedFacts(queries) => {
                    for query in queries {
                        facts.insert(query.clone(), self.world.answer(&query));
                        asked.push(query);
                    }
                }
                Step::NeedObserved(wanted) => (observed, scope) = (Some(seen), Some(wanted)),
                Step::Done(evaluation) => {
                    evaluation.plan.lint(&BTreeSet::new()).unwrap();
                    return (*evaluation, asked, scope);
                }
            }
        }
        panic!("asks for ever: {asked:?}");
    }

    fn lines(&self, seen: &TargetsObserved) -> Vec<String> {
        lines(&self.look(seen).0)
    }
}

fn lines(evaluation: &Evaluation<Targets>) -> Vec<String> {
    let line = |op: &TargetsOp| match op.details().join(" ") {
        details if details.is_empty() => op.describe(),
        details => format!("{}: {details}", op.describe()),
    };
    evaluation.plan.ops().iter().map(|planned| line(&planned.op)).collect()
}

fn registered(targets: &[&str]) -> TargetsObserved {
    let target = |text: &&str| {
        let (id, port) = text.rsplit_once(':').unwrap();
        Target { id: id.to_owned(), port: port.parse().unwrap(), zone: None }
    };
    TargetsObserved { registered: targets.iter().map(target).collect(), found: true, ..Default::default() }
}

fn said(evaluation: &Evaluation<Targets>) -> Vec<(&str, bool)> {
    evaluation.notes.iter().map(|note| (note.code.as_str(), note.held)).collect()
}

const WRITE: &str = "write checkpoint of default/mine";

#[test]
fn a_binding_by_name_or_without_a_type_is_completed_by_its_target_group() {
    for spec in [
        json!({"targetGroupName": "mine"}),
        json!({"targetGroupARN": ARN}),
        json!({"targetGroupARN": ARN, "targetType": "ip", "ipAddressType": "ipv4", "vpcID": VPC}),
    ] {
        let bench = Bench::new(2, &spec);
        let (evaluation, _, scope) = bench.look(&registered(&["10.0.0.1:8080"]));
        assert_eq!(scope.unwrap().target_group, ARN, "{spec}");
        assert_eq!(lines(&evaluation), ["register 1 target: 10.0.0.2:8080", WRITE], "{spec}");
    }
}

#[test]
fn a_settled_binding_asks_aws_nothing() {
    let mut bench = Bench::new(1, &json!({"targetGroupARN": ARN, "targetType": "ip", "vpcID": VPC}));
    let checkpoint = bench.look(&registered(&["10.0.0.1:8080"])).0.fingerprint;
    bench.edit(|binding| {
        let all = binding.metadata.annotations.get_or_insert_default();
        all.insert("elbv2.k8s.aws/checkpoint".to_owned(), checkpoint);
    });
    let (evaluation, asked, scope) = bench.look(&TargetsObserved::default());
    assert!(evaluation.plan.is_empty() && scope.is_none());
    assert_eq!(asked, [Query::Vpc], "which is known for ten minutes");
}

#[test]
fn what_contradicts_the_target_group_is_said_and_nothing_is_changed() {
    let cases = [
        (json!({"targetType": "instance"}), "TargetGroupMismatch"),
        (json!({"ipAddressType": "ipv6"}), "TargetGroupMismatch"),
        (json!({"vpcID": "vpc-00000000000000002"}), "VpcNotFound"),
        (json!({"targetGroupProtocol": "TCP"}), "TargetGroupMismatch"),
        (json!({"targetGroupARN": "arn:gone"}), "TargetGroupNotFound"),
        (json!({"targetGroupARN": null}), "NoTargetGroupARN"),
        (json!({"nodeSelector": {"matchLabels": {"a": "b"}}}), "InvalidBinding"),
        (json!({"targetType": "instance", "iamRoleArnToAssume": "arn:aws:iam::1:role/x"}), "InvalidBinding"),
    ];
    for (change, want) in cases {
        let mut spec = json!({"targetGroupARN": ARN, "targetType": "ip"});
        spec.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (evaluation, ..) = Bench::new(1, &spec).look(&registered(&["10.9.9.9:1"]));
        assert!(evaluation.plan.is_empty(), "{change}");
        assert_eq!(said(&evaluation), [(want, true)], "{change}");
    }
}

#[test]
fn a_vpc_that_is_not_the_groups_is_a_mismatch_when_it_is_known() {
    let other = "vpc-00000000000000002";
    let mut bench = Bench::new(1, &json!({"targetGroupARN": ARN, "targetType": "ip", "vpcID": other}));
    bench.world.vpcs.insert(other.to_owned(), vec!["172.16.0.0/16".to_owned()]);
    assert_eq!(said(&bench.look(&registered(&[])).0), [("TargetGroupMismatch", true)]);
}

#[test]
fn addresses_outside_the_groups_vpc_are_in_all_zones() {
    let other = "vpc-00000000000000002";
    let role = "arn:aws:iam::222222222222:role/targets";
    let zones = |bench: &Bench| {
        let model = bench.look(&registered(&[])).0.model.unwrap();
        model.targets.into_iter().map(|target| target.zone).collect::<Vec<_>>()
    };
    let all = vec![Some("all".to_owned())];
    let own = Bench::new(1, &json!({"targetGroupARN": ARN, "targetType": "ip", "vpcID": VPC}));
    assert_eq!(zones(&own), [None], "inside");
    let mut peered = Bench::new(1, &json!({"targetGroupARN": ARN, "targetType": "ip", "vpcID": other}));
    peered.world.bound_groups[0].vpc = other.to_owned();
    peered.world.vpcs.insert(other.to_owned(), vec!["172.16.0.0/16".to_owned()]);
    assert_eq!(zones(&peered), all, "in a peered VPC");
    peered.world.vpcs.insert(other.to_owned(), vec!["10.0.0.0/8".to_owned()]);
    assert_eq!(zones(&peered), [None], "in a shared VPC");
    let mut foreign = Bench::new(
        1,
        &json!({
        "targetGroupARN": ARN, "targetType": "ip", "vpcID": other, "iamRoleArnToAssume": role}),
    );
    foreign.world.bound_groups[0].vpc = other.to_owned();
    assert_eq!(zones(&foreign), all, "in a VPC that only the role knows");
}

#[test]
fn calls_about_a_group_of_another_account_are_made_in_its_role() {
    let spec = json!({"targetGroupARN": ARN, "targetType": "ip", "assumeRoleExternalId": "secret",
                      "iamRoleArnToAssume": "arn:aws:iam::222222222222:role/targets"});
    let (evaluation, asked, scope) = Bench::new(1, &spec).look(&registered(&["10.9.9.9:1"]));
    let role = scope.unwrap().role.unwrap();
    assert_eq!(role.external_id.as_deref(), Some("secret"));
    assert!(asked.contains(&Query::BoundGroup { named: ARN.to_owned(), role: Some(role.clone()) }));
    let roles: Vec<_> = evaluation
        .plan
        .ops()
        .iter()
        .filter_map(|planned| match &planned.op {
            TargetsOp::Register { role, .. } | TargetsOp::Deregister { role, .. } => role.clone(),
            _ => None,
        })
        .collect();
    assert_eq!(roles, [role.clone(), role]);
}

#[test]
fn defect_08_a_group_that_holds_more_than_the_limit_is_left_as_full_as_it_is() {
    let mut bench = Bench::new(4, &json!({"targetGroupARN": ARN, "targetType": "ip"}));
    bench.config.max_targets = 2;
    let full = registered(&["10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080"]);
    let (evaluation, ..) = bench.look(&full);
    assert_eq!(lines(&evaluation), [WRITE], "none is dropped and none is added");
    assert_eq!(said(&evaluation), [("TooManyTargets", false)]);
    let stale = registered(&["10.0.0.1:8080", "10.9.9.9:1"]);
    let first = ["deregister 1 target: 10.9.9.9:1", "register 1 target: 10.0.0.2:8080", WRITE];
    assert_eq!(bench.lines(&stale), first, "one goes before another comes");
    bench.config.max_targets = 5;
    assert_eq!(said(&bench.look(&stale).0), [], "there is room");
}

#[test]
fn only_recorded_targets_of_a_shared_group_are_taken_out() {
    let spec = json!({"targetGroupARN": ARN, "targetType": "ip", "multiClusterTargetGroup": true});
    let mut bench = Bench::new(2, &spec);
    let seen = registered(&["10.0.0.1:8080", "10.9.9.9:8080", "10.9.9.8:8080"]);
    assert_eq!(
        bench.lines(&seen),
        [
            "record 2 targets of default/mine as ours: 10.0.0.1:8080 10.0.0.2:8080",
            "register 1 target: 10.0.0.2:8080",
            WRITE
        ],
        "the first pass takes nothing out"
    );
    let recorded = |targets: &[&str]| TargetsObserved {
        recorded: Some(targets.iter().map(ToString::to_string).collect()),
        ..seen.clone()
    };
    assert_eq!(
        bench.lines(&recorded(&["10.0.0.1:8080", "10.9.9.9:8080"])),
        [
            "record 3 targets of default/mine as ours: 10.0.0.1:8080 10.0.0.2:8080 10.9.9.9:8080",
            "register 1 target: 10.0.0.2:8080",
            "deregister 1 target: 10.9.9.9:8080",
            "record 2 targets of default/mine as ours: 10.0.0.1:8080 10.0.0.2:8080",
            WRITE
        ],
        "what was ours goes, what is another cluster's stays"
    );
    bench.delete();
    assert_eq!(
        bench.lines(&recorded(&["10.0.0.1:8080", "10.0.0.2:8080"])),
        ["deregister 1 target: 10.0.0.1:8080", "forget which targets of default/mine are ours"]
    );
    assert_eq!(bench.lines(&seen), ["forget which targets of default/mine are ours"], "nothing is recorded");
}

fn told(state: &str, reason: &str) -> HealthByTarget {
    let health = Health { state: state.to_owned(), reason: reason.to_owned(), description: String::new() };
    [("10.0.0.1:8080".to_owned(), health)].into()
}

#[test]
fn pods_with_the_gate_are_told_what_aws_says_of_their_targets() {
    let spec = json!({"targetGroupARN": ARN, "targetType": "ip"});
    let here = registered(&["10.0.0.1:8080"]);
    let with = |health: HealthByTarget| TargetsObserved { health: Some(health), ..here.clone() };
    let no = "tell pod default/web-1 that its target is healthy: False";
    let cases = [
        ("just registered", registered(&[]), format!("{no}, Elb.RegistrationInProgress"), true),
        (
            "initial",
            with(told("initial", "Elb.InitialHealthChecking")),
            { format!("{no}, Elb.InitialHealthChecking") },
            true,
        ),
        ("unhealthy", with(told("unhealthy", "Target.Timeout")), format!("{no}, Target.Timeout"), true),
        ("unused", with(told("unused", "Target.NotInUse")), format!("{no}, Target.NotInUse"), true),
        (
            "not told",
            with(HealthByTarget::new()),
            { "tell pod default/web-1 that its target is healthy: Unknown".to_owned() },
            true,
        ),
        (
            "healthy",
            with(told("healthy", "")),
            { "tell pod default/web-1 that its target is healthy: True".to_owned() },
            false,
        ),
    ];
    for (name, seen, want, again) in cases {
        let mut bench = Bench::new(1, &spec);
        bench.add(&pod(1, true, &Value::Null));
        let (evaluation, _, scope) = bench.look(&seen);
        assert!(scope.unwrap().health, "{name}: health is asked for");
        assert!(lines(&evaluation).contains(&want), "{name}: {:?}", lines(&evaluation));
        let seconds = evaluation.again.map(|again| again.as_secs());
        assert_eq!(seconds, again.then_some(15), "{name}: until it is healthy");
    }
}

#[test]
fn pods_that_know_or_have_no_gate_are_not_told() {
    let spec = json!({"targetGroupARN": ARN, "targetType": "ip"});
    let here = registered(&["10.0.0.1:8080"]);
    let with = |health: HealthByTarget| TargetsObserved { health: Some(health), ..here.clone() };
    let tells = |bench: &Bench, seen: &TargetsObserved| {
        bench.lines(seen).iter().any(|line| line.starts_with("tell pod"))
    };
    let mut bench = Bench::new(1, &spec);
    assert!(!tells(&bench, &with(told("healthy", ""))), "without the gate");
    bench.add(&pod(1, true, &json!({"type": GATE, "status": "True"})));
    let (evaluation, _, scope) = bench.look(&here);
    assert!(!scope.unwrap().health && evaluation.again.is_none(), "nobody waits");
    assert!(!tells(&bench, &with(told("healthy", ""))), "it is known");
    let waits = json!({"type": GATE, "status": "False", "reason": "Target.Timeout"});
    bench.add(&pod(1, true, &waits));
    let (evaluation, ..) = bench.look(&with(told("unhealthy", "Target.Timeout")));
    assert!(!lines(&evaluation).iter().any(|line| line.starts_with("tell pod")), "it is known");
    assert!(evaluation.again.is_some(), "and not over");
}

#[test]
fn pods_wait_no_more_for_a_binding_that_goes() {
    let mut bench = Bench::new(2, &json!({"targetGroupARN": ARN, "targetType": "ip"}));
    bench.add(&pod(1, true, &json!({"type": GATE, "status": "False"})));
    bench.add(&pod(2, true, &json!({"type": GATE, "status": "True"})));
    bench.delete();
    let (evaluation, ..) = bench.look(&registered(&["10.0.0.1:8080", "10.0.0.2:8080"]));
    assert_eq!(
        lines(&evaluation),
        [
            "deregister 2 targets: 10.0.0.1:8080 10.0.0.2:8080",
            "tell pod default/web-1 that its target is healthy: True"
        ]
    );
    assert_eq!(evaluation.finalizers.remove.len(), 1);
}

#[test]
fn a_pod_that_waits_is_looked_at_although_all_is_registered() {
    let mut bench = Bench::new(1, &json!({"targetGroupARN": ARN, "targetType": "ip"}));
    bench.add(&pod(1, true, &Value::Null));
    let checkpoint = bench.look(&registered(&["10.0.0.1:8080"])).0.fingerprint;
    bench.edit(|binding| {
        let all = binding.metadata.annotations.get_or_insert_default();
        all.insert("elbv2.k8s.aws/checkpoint".to_owned(), checkpoint);
    });
    let healthy = TargetsObserved { health: Some(told("healthy", "")), ..registered(&["10.0.0.1:8080"]) };
    assert_eq!(bench.lines(&healthy), ["tell pod default/web-1 that its target is healthy: True"]);
    bench.add(&pod(1, true, &json!({"type": GATE, "status": "True"})));
    let (evaluation, _, scope) = bench.look(&healthy);
    assert!(scope.is_none() && evaluation.plan.is_empty() && evaluation.again.is_none(), "now it is settled");
}
