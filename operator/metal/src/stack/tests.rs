use fairway_core::{
    evaluate::{Facts, LastGood},
    ids::{ProviderKind, StackKey},
    plan::Operation as _,
};
use serde_json::{Value, json};

use super::*;

const FIRST: &str = "192.0.2.10";
const SECOND: &str = "192.0.2.11";

/// A cluster with one node, a pool of two addresses that is advertised, and an Ingress.
struct Case {
    stack: StackId,
    objects: Vec<Value>,
    ingress: Value,
    held: Vec<&'static str>,
    announced: Vec<&'static str>,
    given: Option<Given>,
    good: BTreeMap<String, Member>,
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn stack() -> StackId {
    StackId::new(ProviderKind::InCluster, StackKey::Ingress(Key::new("default", "shop")))
}

fn advertisement() -> Value {
    json!({"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement", "metadata": {"name": "a", "namespace": "f"}, "spec": {}})
}

fn case() -> Case {
    let class = |name: &str, controller: &str| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name},
               "spec": {"controller": controller}})
    };
    let objects = vec![
        class("metal", "fairway.dev/in-cluster"),
        class("alb", "ingress.k8s.aws/alb"),
        json!({"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": {"name": "p", "namespace": "f"},
               "spec": {"addresses": ["192.0.2.10-192.0.2.11"]}}),
        advertisement(),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "uid": "1"}, "spec": {"ports": [{"port": 80}]}}),
    ];
    let path = json!({"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}});
    let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "shop", "uid": "2", "annotations": {}},
        "spec": {"ingressClassName": "metal", "rules": [{"host": "shop.example.com", "http": {"paths": [path]}}]}});
    Case {
        stack: stack(),
        objects,
        ingress,
        held: vec![],
        announced: vec![],
        given: Some(Given::default()),
        good: BTreeMap::new(),
    }
}

impl Case {
    fn holding(mut self, held: &[&'static str]) -> Self {
        self.held = held.to_vec();
        self
    }

    fn announcing(mut self, announced: &[&'static str]) -> Self {
        self.announced = announced.to_vec();
        self
    }

    fn given(mut self, stack: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|text| ip(text)).collect();
        self.given.get_or_insert_default().insert(stack.to_owned(), addresses);
        self
    }

    fn annotated(mut self, key: &str, value: &str) -> Self {
        self.ingress["metadata"]["annotations"][key] = json!(value);
        self
    }

    fn without(mut self, kind: &str) -> Self {
        self.objects.retain(|object| object["kind"] != kind);
        self
    }

    fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let said: Vec<String> = self.announced.iter().map(|address| format!("{address} on n1")).collect();
        let condition = json!({"type": "Announced", "status": "True", "reason": "Announced", "message": said.join(", "),
                               "lastTransitionTime": "2026-01-01T00:00:00Z"});
        let arns: BTreeMap<String, &str> =
            self.held.iter().map(|held| (format!("address/{held}"), *held)).collect();
        let state = json!({"apiVersion": "fairway.dev/v1alpha1", "kind": "LoadBalancerState",
            "metadata": {"name": self.stack.state_name()}, "spec": {"stack": self.stack.to_string(), "provider": "in-cluster"},
            "status": {"arns": arns, "conditions": [condition]}});
        let objects = self.objects.iter().chain([&self.ingress, &state]);
        objects.for_each(|object| snapshot.add(object).unwrap());
        snapshot
    }

    fn step(&self) -> Step<Stacks> {
        let mut facts = Facts::default();
        self.given.clone().into_iter().for_each(|given| facts.insert(Query::Given, given));
        let addresses = self.held.iter().map(|held| (format!("address/{held}"), (*held).to_owned()));
        let last_good =
            LastGood { resources: addresses.collect(), members: self.good.clone(), ..LastGood::default() };
        let (unit, config) = (self.stack.clone(), Config { read: read::ReadConfig::default() });
        Stacks::evaluate(&Input {
            unit: &unit,
            config: &config,
            snapshot: &self.snapshot(),
            facts: &facts,
            observed: None,
            last_good: &last_good,
        })
    }

    fn evaluate(&self) -> Evaluation<Stacks> {
        match self.step() {
            Step::Done(evaluation) => *evaluation,
            other => panic!("{other:?}"),
        }
    }
}

/// The plan, one line an operation, with what it waits for.
fn plan(evaluation: &Evaluation<Stacks>) -> Vec<String> {
    let line = |planned: &fairway_core::plan::Planned<AddressOp>| {
        let waits: Vec<String> = planned.waits.iter().map(ToString::to_string).collect();
        let after = if planned.after.is_empty() { "" } else { ", after" };
        format!("{}{after} [{}]", planned.op.describe(), waits.join("; "))
    };
    evaluation.plan.ops().iter().map(line).collect()
}

fn codes(evaluation: &Evaluation<Stacks>) -> Vec<(&str, Class)> {
    evaluation.notes.iter().map(|note| (note.code.as_str(), note.class)).collect()
}

fn shown(evaluation: &Evaluation<Stacks>) -> Vec<&Address> {
    evaluation.status.iter().flat_map(|wish| &wish.addresses).map(|wish| &wish.address).collect()
}

#[test]
fn a_new_stack_asks_what_is_given_and_takes_the_first_free_address() {
    let mut new = case();
    new.given = None;
    assert!(matches!(new.step(), Step::NeedFacts(queries) if queries == [Query::Given]));
    let cases = [
        ("nothing is given", case(), FIRST),
        ("the first is another's", case().given("in-cluster:ingress:other/other", &[FIRST]), SECOND),
        (
            "the first is its own, though its state does not show it yet",
            case().given(&stack().to_string(), &[FIRST]),
            FIRST,
        ),
        ("it asks for one", case().annotated("metallb.io/loadBalancerIPs", SECOND), SECOND),
    ];
    for (name, case, want) in cases {
        let evaluation = case.evaluate();
        assert_eq!(plan(&evaluation), [format!("assign address {want} to {} []", stack())], "{name}");
        assert!(shown(&evaluation).is_empty(), "{name}: it is not live yet");
        assert_eq!(evaluation.finalizers.add.len(), 1, "{name}");
    }
}

#[test]
fn an_address_is_kept_and_shown_once_a_node_announces_it() {
    let mut silent = case().holding(&[SECOND]);
    silent.given = None;
    let evaluation = silent.evaluate();
    assert!(plan(&evaluation).is_empty() && shown(&evaluation).is_empty());
    assert_eq!(codes(&evaluation), [("NotAnnounced", Class::Pending)]);
    let evaluation = case().holding(&[SECOND]).announcing(&["192.0.2.1", "192.0.2.110"]).evaluate();
    assert!(shown(&evaluation).is_empty(), "others are announced");
    let evaluation = silent.announcing(&[SECOND]).evaluate();
    assert!(plan(&evaluation).is_empty() && evaluation.notes.is_empty());
    assert_eq!(shown(&evaluation), [&Address::Ip(SECOND.to_owned())]);
    assert!(evaluation.bindings.values().all(|handle| handle.ready));
}

#[test]
fn an_address_stays_although_its_pool_is_gone() {
    let evaluation = case().without("IPAddressPool").holding(&[FIRST]).announcing(&[FIRST]).evaluate();
    assert!(plan(&evaluation).is_empty());
    assert_eq!(shown(&evaluation), [&Address::Ip(FIRST.to_owned())]);
}

#[test]
fn who_cannot_have_an_address_is_told_why() {
    let other = "in-cluster:ingress:other/other";
    let cases = [
        ("full", case().given(other, &[FIRST, SECOND]), ("AddressPoolExhausted", Class::Environment)),
        ("no pool", case().without("IPAddressPool"), ("NoAddressPool", Class::Environment)),
        (
            "another's",
            case().given(other, &[FIRST]).annotated("metallb.io/loadBalancerIPs", FIRST),
            ("AddressTaken", Class::Conflict),
        ),
        (
            "outside",
            case().annotated("metallb.io/loadBalancerIPs", "198.51.100.1"),
            ("AddressNotInPool", Class::Invalid),
        ),
        (
            "no such pool",
            case().annotated("metallb.io/address-pool", "q"),
            ("NoAddressPool", Class::Environment),
        ),
        (
            "not advertised",
            case().without("L2Advertisement").holding(&[FIRST]),
            ("NotAdvertised", Class::Environment),
        ),
        ("nobody to announce", case().without("Node").holding(&[FIRST]), ("NoAnnouncer", Class::Environment)),
    ];
    for (name, case, want) in cases {
        let evaluation = case.evaluate();
        assert!(codes(&evaluation).contains(&want), "{name}: {:?}", evaluation.notes);
        assert!(plan(&evaluation).is_empty() && shown(&evaluation).is_empty(), "{name}");
    }
}

#[test]
fn another_address_is_live_before_the_old_one_is_given_back() {
    let asked = || case().annotated("metallb.io/loadBalancerIPs", SECOND);
    let evaluation = asked().holding(&[FIRST]).announcing(&[FIRST]).evaluate();
    assert_eq!(plan(&evaluation), [format!("assign address {SECOND} to {} []", stack())]);
    let evaluation = asked().holding(&[FIRST, SECOND]).announcing(&[FIRST]).evaluate();
    assert!(plan(&evaluation).is_empty() && shown(&evaluation).is_empty());
    let evaluation = asked().holding(&[FIRST, SECOND]).announcing(&[FIRST, SECOND]).evaluate();
    assert_eq!(
        plan(&evaluation),
        [format!("release address {FIRST} of {} [no record points at {FIRST}]", stack())]
    );
    assert_eq!(shown(&evaluation), [&Address::Ip(SECOND.to_owned())]);
}

#[test]
fn who_leaves_gives_the_address_back_after_its_names_and_its_successor() {
    let mut moved = case().holding(&[FIRST]).announcing(&[FIRST]);
    moved.good = moved.evaluate().good;
    assert_eq!(moved.good.len(), 1);
    moved.ingress["spec"]["ingressClassName"] = json!("alb");
    moved.ingress["metadata"]["finalizers"] = json!([read::finalizer(&stack())]);
    let evaluation = moved.evaluate();
    assert_eq!(
        plan(&evaluation),
        [format!(
            "release address {FIRST} of {} [Ingress default/shop is served at its new address; no record points at {FIRST}]",
            stack()
        )]
    );
    assert!(evaluation.gone && evaluation.finalizers.remove.len() == 1);
    assert_eq!(evaluation.good, moved.good, "until then it is served as it was");

    let mut deleted = case().holding(&[FIRST]);
    deleted.ingress["metadata"]["name"] = json!("another");
    let evaluation = deleted.evaluate();
    assert_eq!(
        plan(&evaluation),
        [format!("release address {FIRST} of {} [no record points at {FIRST}]", stack())]
    );
}

#[test]
fn patterns_of_another_provider_are_told_one_by_one() {
    let mut patterns = case().holding(&[FIRST]).announcing(&[FIRST]);
    let path = patterns.ingress["spec"]["rules"][0]["http"]["paths"][0].clone();
    let paths = ["/api/*", "/*.png", "/a?c", "/plain"].map(|text| {
        let mut path = path.clone();
        path["path"] = json!(text);
        path["pathType"] = json!("ImplementationSpecific");
        path
    });
    patterns.ingress["spec"]["rules"][0]["http"]["paths"] = json!(paths);
    let evaluation = patterns.evaluate();
    let messages: Vec<&str> = evaluation.notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!(codes(&evaluation), [("PathNotPortable", Class::Invalid); 2], "{messages:?}");
    assert!(messages[0].contains("/*.png") && messages[1].contains("/a?c"), "{messages:?}");
}

#[test]
fn who_contradicts_an_earlier_member_on_who_may_come_is_told_and_not_shown() {
    let mut group = case().holding(&[FIRST]).announcing(&[FIRST]);
    let annotations = |ranges| json!({"alb.ingress.kubernetes.io/group.name": "shop", "alb.ingress.kubernetes.io/inbound-cidrs": ranges});
    let mut later = group.ingress.clone();
    later["metadata"]["name"] = json!("zoo");
    later["metadata"]["uid"] = json!("3");
    later["metadata"]["annotations"] = annotations("0.0.0.0/0");
    group.ingress["metadata"]["annotations"] = annotations("10.0.0.0/8");
    group.objects.push(later);
    group.stack = StackId::new(ProviderKind::InCluster, StackKey::Group("shop".to_owned()));
    let evaluation = group.evaluate();
    assert_eq!(codes(&evaluation), [("ConflictingSetting", Class::Conflict)]);
    assert!(evaluation.notes.iter().all(|note| note.held && note.about.key.name == "zoo"));
    let shown: Vec<&str> = evaluation.status.iter().map(|wish| wish.object.key.name.as_str()).collect();
    assert_eq!(shown, ["shop"]);
}
