//! The Network unit: the shared group and the rules on nodes, against what the peer made.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so do the functions that tests share"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fairway_aws::{
    config::{Config, Quota, Quotas},
    facts::{BoundGroup, InterfaceGroup},
    model::{Permission, SecurityGroupRef, Source},
    network::{Cluster, Network, NetworkObserved, NetworkOp, NetworkScope, RULE_DESCRIPTION},
    observed::SecurityGroupSeen,
};
use fairway_core::{
    evaluate::{Evaluation, Facts, Input, LastGood, Provider as _, Step},
    ids::{ProviderKind, StackId, StackKey},
    plan::ResourceKey,
    read::{self, ReadConfig},
};
use fairway_crds::NetworkingPort;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Value, json};
use support::{
    dump::{BACKEND_NAME, permission},
    recorded,
    world::{BACKEND, World},
};

const NODES: &str = "sg-f724296a230bbe7e4";

fn config() -> Config {
    Config::new("demo", "us-east-1", "vpc-973af0aea18100386")
}

fn world(case: &str) -> World {
    let mut world = World::recorded();
    let objects = recorded(&format!("{case}/objects.json"));
    world.add(&objects);
    for service in ["nlb-ip", "nlb-tls"] {
        let port = |name: &str, number: u16| json!({"name": name, "port": number});
        world.add(&json!([{
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": format!("{service}-1"), "namespace": "default",
                         "labels": {"kubernetes.io/service-name": service}},
            "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true},
                           "targetRef": {"kind": "Pod", "name": "web-68d995574f-b6rkl"}}],
            "ports": [port("http", 80), port("dns", 53), port("https", 80), port("plain", 80)],
        }]));
    }
    let text = objects.to_string();
    let theirs = text.split("\"groupID\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let objects: Value = serde_json::from_str(&text.replace(theirs, BACKEND)).unwrap();
    for object in objects.as_array().unwrap().iter().filter(|one| one["kind"] == "TargetGroupBinding") {
        world.snapshot.add(object).unwrap();
    }
    world
}

fn group(
    id: &str,
    name: &str,
    tags: &[(&str, &str)],
    permissions: BTreeSet<Permission>,
) -> SecurityGroupSeen {
    SecurityGroupSeen {
        id: id.to_owned(),
        name: name.to_owned(),
        description: String::new(),
        permissions,
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    }
}

const MARKS: [(&str, &str); 2] =
    [("elbv2.k8s.aws/cluster", "demo"), ("elbv2.k8s.aws/resource", "backend-sg")];

fn look(world: &World, observed: &NetworkObserved) -> (Evaluation<Network>, NetworkScope) {
    look_with(&config(), world, observed)
}

fn look_with(
    config: &Config,
    world: &World,
    observed: &NetworkObserved,
) -> (Evaluation<Network>, NetworkScope) {
    let mut facts = Facts::default();
    let (mut seen, mut scope) = (None, None);
    for _ in 0..4 {
        let last_good = LastGood::default();
        let input = Input {
            unit: &Cluster,
            config,
            snapshot: &world.snapshot,
            facts: &facts,
            observed: seen,
            last_good: &last_good,
        };
        match Network::evaluate(&input) {
            Step::NeedFacts(queries) => {
                for query in queries {
                    let answer = world.answer(&query);
                    facts.insert(query, answer);
                }
            }
            Step::NeedObserved(asked) => (seen, scope) = (Some(observed), Some(asked)),
            Step::Done(evaluation) => {
                let existing = evaluation.bindings.keys().cloned().collect();
                evaluation.plan.lint(&existing).unwrap();
                return (*evaluation, scope.unwrap());
            }
        }
    }
    panic!("evaluate did not settle");
}

fn ops(evaluation: &Evaluation<Network>) -> Vec<String> {
    use fairway_core::plan::Operation as _;
    let line = |op: &NetworkOp| match op.details().join("; ") {
        details if details.is_empty() => op.describe(),
        details => format!("{}: {details}", op.describe()),
    };
    evaluation.plan.ops().iter().map(|planned| line(&planned.op)).collect()
}

#[test]
fn node_rules_are_those_that_the_peer_made() {
    let cases = [
        "plain-ip",
        "internal-instance",
        "group",
        "missing-backend",
        "nlb-ip",
        "nlb-instance-local",
        "nlb-tls",
    ];
    for case in cases {
        let world = world(case);
        let (evaluation, scope) = look(&world, &NetworkObserved::default());
        assert_eq!(scope.groups, BTreeSet::from([NODES.to_owned()]), "{case}");
        let model = evaluation.model.unwrap();
        let ours: Vec<Value> = model.rules[NODES].iter().map(permission).collect();
        let recorded = recorded(&format!("{case}/aws.json"));
        let theirs: Vec<Value> = recorded["securityGroups"]["nodes"]["ingress"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| serde_json::from_str(rule.as_str().unwrap()).unwrap())
            .collect();
        assert_eq!(ours, theirs, "{case}");
        let backend = model.backend.unwrap();
        let theirs = &recorded["securityGroups"][BACKEND_NAME];
        assert_eq!(json!(backend.tags), theirs["tags"], "{case}");
        assert_eq!(json!(backend.description), theirs["description"], "{case}");
        assert_eq!(backend.name, BACKEND_NAME);
    }
}

#[test]
fn the_shared_group_comes_with_the_first_stack_and_goes_with_the_last() {
    let mut world = World::recorded();
    let nothing = NetworkObserved::default();
    assert!(ops(&look(&world, &nothing).0).is_empty(), "no stack, no group");
    world.add(&recorded("plain-ip/objects.json"));
    let create = format!("create shared backend security group {BACKEND_NAME}");
    assert_eq!(ops(&look(&world, &nothing).0), [create]);
    let there = NetworkObserved {
        backend: Some(group(BACKEND, BACKEND_NAME, &MARKS, BTreeSet::new())),
        groups: BTreeMap::new(),
    };
    let (evaluation, _) = look(&world, &there);
    assert!(evaluation.plan.is_empty());
    let key = ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned());
    assert_eq!(evaluation.bindings[&key].id, BACKEND);
    world.snapshot.ingresses = Arc::default();
    let delete = format!("delete shared backend security group {BACKEND_NAME}");
    assert_eq!(ops(&look(&world, &there).0), [delete]);
}

#[test]
fn the_shared_group_is_for_load_balancers_that_carry_it() {
    let ingress = |name: &str, keys: &[(&str, &str)], finalizers: &[&str]| {
        let annotations: BTreeMap<String, &str> =
            keys.iter().map(|(key, value)| (format!("alb.ingress.kubernetes.io/{key}"), *value)).collect();
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": name, "namespace": "default", "uid": name, "annotations": annotations, "finalizers": finalizers},
            "spec": {"ingressClassName": "alb", "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
        })
    };
    let (group, given) = (("group.name", "shop"), ("security-groups", "sg-0a"));
    let managed = ("manage-backend-security-group-rules", "true");
    let (finalizer, bad) = ("ingress.k8s.aws/resources", ("scheme", "sideways"));
    let cases = [
        ("groups of its own", vec![ingress("a", &[given], &[])], false),
        ("and rules for them", vec![ingress("a", &[given, managed], &[])], true),
        (
            "a neighbour gave them",
            vec![ingress("a", &[group, given], &[]), ingress("b", &[group], &[])],
            false,
        ),
        ("unreadable from the start", vec![ingress("a", &[bad], &[])], false),
        ("unreadable by now", vec![ingress("a", &[bad], &[finalizer])], true),
    ];
    for (name, ingresses, needed) in cases {
        let mut world = World::recorded();
        ingresses.iter().for_each(|one| world.snapshot.add(one).unwrap());
        let model = look(&world, &NetworkObserved::default()).0.model;
        assert_eq!(model.unwrap().backend.is_some(), needed, "{name}");
    }
}

#[test]
fn groups_that_a_held_member_gives_are_not_those_of_the_load_balancer() {
    let ingress = |name: &str, groups: Option<&str>| {
        let mut annotations = json!({"alb.ingress.kubernetes.io/group.name": "shop"});
        if let Some(groups) = groups {
            annotations["alb.ingress.kubernetes.io/security-groups"] = json!(groups);
        }
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": name, "namespace": "default", "uid": name, "annotations": annotations},
            "spec": {"ingressClassName": "alb", "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
        })
    };
    let stack = StackId::new(ProviderKind::Aws, StackKey::Group("shop".to_owned()));
    let cases = [(&["a"][..], true), (&["a", "b"], false), (&[], false)];
    for (served, needed) in cases {
        let mut world = World::recorded();
        world.snapshot.add(&ingress("a", None)).unwrap();
        world.snapshot.add(&ingress("b", Some("sg-0a"))).unwrap();
        let (intent, _) = read::intent(&world.snapshot, &ReadConfig::default(), &stack, &LastGood::default());
        let good = read::good(&intent).into_iter();
        let good = good.filter(|(_, member)| served.contains(&member.object.key.name.as_str()));
        let good: BTreeMap<String, String> =
            good.map(|(name, member)| (name, serde_json::to_string(&member).unwrap())).collect();
        let state = json!({
            "apiVersion": "fairway.dev/v1alpha1", "kind": "LoadBalancerState",
            "metadata": {"name": stack.state_name()},
            "spec": {"stack": stack.to_string(), "provider": "aws"}, "status": {"lastGood": good},
        });
        world.snapshot.add(&state).unwrap();
        let model = look(&world, &NetworkObserved::default()).0.model;
        assert_eq!(model.unwrap().backend.is_some(), needed, "{served:?}");
    }
}

#[test]
fn who_asked_is_said_beside_each_operation() {
    let because = |world: &World| -> Vec<Vec<String>> {
        let plan = look(world, &NetworkObserved::default()).0.plan;
        plan.ops().iter().map(|op| op.because.iter().map(ToString::to_string).collect()).collect()
    };
    let mut fresh = World::recorded();
    fresh.add(&recorded("plain-ip/objects.json"));
    let ingress = fresh.snapshot.ingresses.keys().next().unwrap();
    assert_eq!(because(&fresh), [[format!("Ingress {ingress} spec.rules")]], "before there is a binding");
    let bound = world("plain-ip");
    let bindings = bound.snapshot.target_group_bindings.keys();
    let asked: Vec<String> =
        bindings.map(|key| format!("TargetGroupBinding {key} spec.networking")).collect();
    assert_eq!(because(&bound), [asked.clone(), asked], "the group and the rule on nodes");
}

fn rule(port: i32, description: &str) -> Permission {
    Permission {
        protocol: "tcp".to_owned(),
        from: Some(port),
        to: Some(port),
        source: Source::Group(BACKEND.to_owned()),
        description: description.to_owned(),
    }
}

#[test]
fn only_rules_with_our_description_are_revoked_and_after_others_are_allowed() {
    let world = world("plain-ip");
    let rules = BTreeSet::from([rule(8080, RULE_DESCRIPTION), rule(22, "by hand")]);
    let observed = NetworkObserved {
        backend: Some(group(BACKEND, BACKEND_NAME, &MARKS, BTreeSet::new())),
        groups: BTreeMap::from([(NODES.to_owned(), group(NODES, "nodes", &[], rules))]),
    };
    assert_eq!(
        ops(&look(&world, &observed).0),
        [
            format!("allow 1 rule of load balancers on {NODES}: tcp 80 from {BACKEND}"),
            format!("revoke 1 rule of load balancers on {NODES}: tcp 8080 from {BACKEND}"),
        ]
    );
}

#[test]
fn what_cannot_be_decided_revokes_nothing() {
    let rules = BTreeSet::from([rule(8080, RULE_DESCRIPTION)]);
    let observed = NetworkObserved {
        backend: Some(group(BACKEND, BACKEND_NAME, &MARKS, BTreeSet::new())),
        groups: BTreeMap::from([(NODES.to_owned(), group(NODES, "nodes", &[], rules))]),
    };
    let mut no_interface = world("plain-ip");
    no_interface.interfaces.clear();
    let mut ambiguous = world("plain-ip");
    let second =
        InterfaceGroup { id: "sg-2".to_owned(), tags: ambiguous.interfaces[0].groups[0].tags.clone() };
    ambiguous.interfaces[0].groups.push(second);
    for (code, world) in [("NoNetworkInterface", no_interface), ("AmbiguousSecurityGroup", ambiguous)] {
        let (evaluation, _) = look(&world, &observed);
        assert!(ops(&evaluation).is_empty(), "{code}: {:?}", ops(&evaluation));
        assert!(evaluation.notes.iter().all(|note| note.code == code), "{:?}", evaluation.notes);
        assert!(!evaluation.notes.is_empty());
    }
}

#[test]
fn a_foreign_group_of_our_name_is_left_alone() {
    let world = world("plain-ip");
    let observed = NetworkObserved {
        backend: Some(group("sg-theirs", BACKEND_NAME, &[], BTreeSet::new())),
        groups: BTreeMap::new(),
    };
    let (evaluation, _) = look(&world, &observed);
    assert!(ops(&evaluation).iter().all(|op| op.starts_with("allow")), "{:?}", ops(&evaluation));
    assert!(evaluation.notes.iter().any(|note| note.code == "NameTaken"));
}

#[test]
fn defect_08_an_entry_without_ports_is_for_every_tcp_port() {
    let mut world = world("plain-ip");
    let all = Arc::make_mut(&mut world.snapshot.target_group_bindings);
    for binding in all.values_mut() {
        let binding = Arc::make_mut(binding);
        let networking = binding.spec.networking.as_mut().unwrap();
        networking.ingress.iter_mut().for_each(|entry| entry.ports.clear());
    }
    let observed = NetworkObserved {
        backend: Some(group(BACKEND, BACKEND_NAME, &MARKS, BTreeSet::new())),
        groups: BTreeMap::from([(NODES.to_owned(), group(NODES, "nodes", &[], BTreeSet::new()))]),
    };
    let want = format!("allow 1 rule of load balancers on {NODES}: tcp 0-65535 from {BACKEND}");
    assert_eq!(ops(&look(&world, &observed).0), [want]);
}

/// The bindings of `world` ask for these TCP ports; without any, for all.
fn ask_for(world: &mut World, ports: &[i32]) {
    for binding in Arc::make_mut(&mut world.snapshot.target_group_bindings).values_mut() {
        let networking = Arc::make_mut(binding).spec.networking.as_mut().unwrap();
        let port = |port: &i32| NetworkingPort {
            protocol: Some("TCP".to_owned()),
            port: Some(IntOrString::Int(*port)),
        };
        networking.ingress.iter_mut().for_each(|entry| entry.ports = ports.iter().map(port).collect());
    }
}

#[test]
fn ports_are_spanned_by_one_rule_or_have_one_each_where_they_are_not_restricted() {
    let open = Config { restricted_ports: false, ..config() };
    let tcp = |ports: &str| format!("tcp {ports} from {BACKEND}");
    let cases: [(&str, &Config, &[i32], Vec<String>); 4] = [
        ("one rule spans them", &config(), &[80, 8080, 9000], vec![tcp("80-9000")]),
        ("each has its own", &open, &[80, 8080, 9000], vec![tcp("80"), tcp("8080"), tcp("9000")]),
        ("all ports, spanned", &config(), &[], vec![tcp("0-65535")]),
        ("all ports, where none is restricted", &open, &[], vec![tcp("0-65535")]),
    ];
    for (name, config, ports, wanted) in cases {
        let mut world = world("plain-ip");
        ask_for(&mut world, ports);
        let (evaluation, _) = look_with(config, &world, &NetworkObserved::default());
        let rules = &evaluation.model.unwrap().rules[NODES];
        assert_eq!(rules.iter().map(ToString::to_string).collect::<Vec<_>>(), wanted, "{name}");
    }
}

#[test]
fn rules_of_one_mode_are_allowed_before_those_of_the_other_are_revoked() {
    let mut world = world("plain-ip");
    ask_for(&mut world, &[80, 8080]);
    let spanned = Permission { to: Some(8080), ..rule(80, RULE_DESCRIPTION) };
    let observed = NetworkObserved {
        backend: Some(group(BACKEND, BACKEND_NAME, &MARKS, BTreeSet::new())),
        groups: BTreeMap::from([(NODES.to_owned(), group(NODES, "nodes", &[], BTreeSet::from([spanned])))]),
    };
    let open = Config { restricted_ports: false, ..config() };
    assert_eq!(
        ops(&look_with(&open, &world, &observed).0),
        [
            format!(
                "allow 2 rules of load balancers on {NODES}: tcp 80 from {BACKEND}; tcp 8080 from {BACKEND}"
            ),
            format!("revoke 1 rule of load balancers on {NODES}: tcp 80-8080 from {BACKEND}"),
        ]
    );
}

#[test]
fn rules_that_do_not_fit_a_group_are_held_with_the_numbers() {
    let mut world = world("plain-ip");
    ask_for(&mut world, &[80, 8080, 9000]);
    let theirs = BTreeSet::from([rule(22, "by hand"), rule(9000, RULE_DESCRIPTION)]);
    let observed = NetworkObserved {
        backend: Some(group(BACKEND, BACKEND_NAME, &MARKS, BTreeSet::new())),
        groups: BTreeMap::from([(NODES.to_owned(), group(NODES, "nodes", &[], theirs))]),
    };
    let open = |most| Config {
        restricted_ports: false,
        quotas: Quotas::default().raised(&[(Quota::SecurityGroupRules, most)]),
        ..config()
    };
    assert_eq!(ops(&look_with(&open(4), &world, &observed).0).len(), 1);
    let (evaluation, _) = look_with(&open(3), &world, &observed);
    assert!(ops(&evaluation).is_empty(), "{:?}", ops(&evaluation));
    let said: Vec<String> = evaluation.notes.iter().map(ToString::to_string).collect();
    let numbers = format!("4 rules in security group {NODES} are needed with it, and 3 is the most");
    assert!(!said.is_empty() && said.iter().all(|said| said.contains(&numbers)), "{said:?}");
}

#[test]
fn an_ingress_asks_for_every_tcp_port_where_ports_are_not_restricted() {
    let mut world = World::recorded();
    world.add(&recorded("plain-ip/objects.json"));
    let unit = StackId::new(
        ProviderKind::Aws,
        StackKey::Ingress(world.snapshot.ingresses.keys().next().unwrap().clone()),
    );
    let ports = |config: &Config| -> Vec<Option<IntOrString>> {
        let model = world.look(config, &unit).0.model.unwrap();
        let binding = model.bindings.values().next().unwrap();
        let networking = binding.spec("arn", Some(BACKEND)).networking.unwrap();
        networking.ingress.iter().flat_map(|entry| &entry.ports).map(|port| port.port.clone()).collect()
    };
    assert_eq!(ports(&config()), [Some(IntOrString::Int(80))]);
    assert_eq!(ports(&Config { restricted_ports: false, ..config() }), [None]);
}

#[test]
fn a_binding_without_a_type_gets_rules_for_what_its_group_takes() {
    let mut world = world("plain-ip");
    let all = Arc::make_mut(&mut world.snapshot.target_group_bindings);
    let group_of = |arn: &str| BoundGroup {
        arn: arn.to_owned(),
        target_type: "ip".to_owned(),
        protocol: "HTTP".to_owned(),
        ip_address_type: "ipv4".to_owned(),
        vpc: "vpc-973af0aea18100386".to_owned(),
    };
    for binding in all.values_mut() {
        let binding = Arc::make_mut(binding);
        world.bound_groups.push(group_of(binding.spec.target_group_arn.as_ref().unwrap()));
        binding.spec.target_type = None;
    }
    let observed = NetworkObserved {
        backend: Some(group(BACKEND, BACKEND_NAME, &MARKS, BTreeSet::new())),
        groups: BTreeMap::from([(NODES.to_owned(), group(NODES, "nodes", &[], BTreeSet::new()))]),
    };
    let want = format!("allow 1 rule of load balancers on {NODES}: tcp 80 from {BACKEND}");
    assert_eq!(ops(&look(&world, &observed).0), [want]);
}
