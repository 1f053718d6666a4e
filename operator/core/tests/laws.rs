//! Laws of reading, on clusters made at random: order does not count, nothing panics, what is held stays as it was.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeMap;

use fairway_core::{
    evaluate::LastGood,
    ids::StackId,
    intent::{Intent, Member},
    note::Note,
    read::{self, Candidate, ReadConfig},
    settings::registry::Dialect,
    snapshot::Snapshot,
};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

type Annotations = BTreeMap<String, String>;

/// Known keys with values that are right, nearly right, and anything at all.
fn annotations() -> impl Strategy<Value = Annotations> {
    let mut keys: Vec<String> =
        vec!["kubernetes.io/ingress.class".into(), "alb.ingress.kubernetes.io/".into()];
    let mut values: Vec<String> = vec!["alb".into(), "none".into(), "1".into(), "a=1".into(), "shop".into()];
    for dialect in Dialect::ALL {
        for row in dialect.rows() {
            // A family needs a tail; that of rules is a backend's name.
            let tail = if row.key().ends_with('.') { "web" } else { "" };
            keys.extend(dialect.prefixes().iter().map(|prefix| format!("{prefix}{}{tail}", row.key())));
            values.push(row.example().to_owned());
        }
    }
    let value = prop_oneof![4 => select(values), 1 => any::<String>()];
    let key = prop_oneof![9 => select(keys), 1 => any::<String>()];
    prop::collection::btree_map(key, value, 0..6)
}

fn class() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![None, Some("alb"), Some("alb"), Some("alb"), Some("local"), Some("other"), Some("nosuch")])
}

fn finalizer() -> impl Strategy<Value = &'static str> {
    let all = [
        "ingress.k8s.aws/resources",
        "group.ingress.k8s.aws/shop",
        "group.in-cluster.fairway.dev/shop",
        "x/y",
    ];
    select(all.to_vec())
}

fn backend() -> impl Strategy<Value = Value> {
    let port = select(vec![
        json!({"number": 80}),
        json!({"name": "http"}),
        json!({"number": 0}),
        json!({}),
        json!({"name": "use-annotation"}),
    ]);
    prop_oneof![
        8 => (select(vec!["web", "gone"]), port).prop_map(|(name, port)| json!({"service": {"name": name, "port": port}})),
        1 => Just(json!({})),
    ]
}

prop_compose! {
    fn ingress()(
        name in select(vec!["a", "b", "c", "d"]),
        namespace in select(vec!["x", "x-y"]),
        annotations in annotations(),
        group in prop::option::of(select(vec!["shop", "Bad!"])),
        class in class(),
        finalizers in prop::collection::vec(finalizer(), 0..2),
        deleted in prop::bool::weighted(0.1),
        hosts in prop::collection::vec(prop_oneof![Just("a.example.com".to_owned()), any::<String>()], 0..3),
        backend in backend(),
    ) -> Value {
        let mut annotations = annotations;
        annotations.extend(group.map(|group| ("alb.ingress.kubernetes.io/group.name".to_owned(), group.to_owned())));
        let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
        let rules: Vec<Value> = hosts.iter().map(|host| json!({"host": host, "http": {"paths": paths}})).collect();
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": name, "namespace": namespace, "uid": format!("{namespace}/{name}"), "annotations": annotations,
                "finalizers": finalizers, "deletionTimestamp": deleted.then_some("2026-01-01T00:00:00Z")},
            "spec": {"ingressClassName": class, "rules": rules}})
    }
}

prop_compose! {
    fn service()(
        name in select(vec!["web", "tcp"]),
        namespace in select(vec!["x", "x-y"]),
        annotations in annotations(),
        class in select(vec![None, Some("service.k8s.aws/nlb"), Some("fairway.dev/in-cluster"), Some("other")]),
        port in select(vec![80, 443, 0, -1, 70_000]),
    ) -> Value {
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": namespace, "uid": name, "annotations": annotations},
            "spec": {"type": "LoadBalancer", "loadBalancerClass": class, "ports": [{"name": "http", "port": port}]}})
    }
}

/// Objects of distinct identity: the order in which equal ones are added would count.
fn objects() -> impl Strategy<Value = Vec<Value>> {
    let all = (prop::collection::vec(ingress(), 0..6), prop::collection::vec(service(), 0..3));
    all.prop_map(|(ingresses, services)| {
        let name = |object: &Value| {
            ["/kind", "/metadata/namespace", "/metadata/name"]
                .map(|at| object.pointer(at).cloned().unwrap().to_string())
        };
        let by_name: BTreeMap<_, _> =
            ingresses.into_iter().chain(services).map(|object| (name(&object), object)).collect();
        by_name.into_values().collect()
    })
}

fn snapshot(objects: &[Value]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (name, controller) in
        [("alb", "ingress.k8s.aws/alb"), ("local", "fairway.dev/in-cluster"), ("other", "x")]
    {
        let class = json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": {"name": name}, "spec": {"controller": controller}});
        snapshot.add(&class).unwrap();
    }
    objects.iter().for_each(|object| snapshot.add(object).unwrap());
    snapshot
}

fn read_all(
    snapshot: &Snapshot,
    last: &BTreeMap<StackId, LastGood>,
) -> BTreeMap<StackId, (Intent, Vec<Note>)> {
    let (config, none) = (ReadConfig::default(), LastGood::default());
    let read = |stack: StackId| {
        let read = read::intent(snapshot, &config, &stack, last.get(&stack).unwrap_or(&none));
        (stack, read)
    };
    read::stacks(snapshot, &config).into_iter().map(read).collect()
}

fn last_good(snapshot: &Snapshot) -> BTreeMap<StackId, LastGood> {
    let keep =
        |(stack, (intent, _))| (stack, LastGood { members: read::good(&intent), ..LastGood::default() });
    read_all(snapshot, &BTreeMap::new()).into_iter().map(keep).collect()
}

proptest! {
    #[test]
    fn the_order_of_objects_does_not_count((objects, shuffled) in objects().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))) {
        prop_assert_eq!(read_all(&snapshot(&objects), &BTreeMap::new()), read_all(&snapshot(&shuffled), &BTreeMap::new()));
    }

    #[test]
    fn every_object_of_ours_is_somewhere(objects in objects()) {
        let snapshot = snapshot(&objects);
        let all = read_all(&snapshot, &BTreeMap::new());
        let config = ReadConfig::default();
        let ingresses = snapshot.ingresses.values().map(|object| Candidate::Ingress(object));
        let services = snapshot.services.values().map(|object| Candidate::Service(object));
        for candidate in ingresses.chain(services) {
            let object = candidate.object();
            for stack in read::stacks_of(&snapshot, &config, candidate) {
                let (intent, notes) = &all[&stack];
                let active = intent.members.iter().any(|member| member.object == object);
                let unread = intent.unreadable.contains(&object);
                let leaving = intent.leaving.iter().any(|leaving| leaving.object == object);
                prop_assert_eq!(usize::from(active) + usize::from(unread) + usize::from(leaving), 1, "{} in {}", object, stack);
                prop_assert!(!unread || notes.iter().any(|note| note.held && note.about == object), "{} is told why", object);
            }
        }
    }

    #[test]
    fn what_is_held_stays_as_it_was(before in objects(), after in objects()) {
        let last = last_good(&snapshot(&before));
        for (stack, (intent, notes)) in read_all(&snapshot(&after), &last) {
            for member in intent.members.iter().filter(|member| member.held) {
                let was = &last[&stack].members[&member.object.to_string()];
                prop_assert_eq!(&Member { held: false, ..member.clone() }, was);
                prop_assert!(notes.iter().any(|note| note.held && note.about == member.object));
            }
            let kept = |key: &String| last.get(&stack).is_some_and(|last| last.members.contains_key(key));
            for object in &intent.unreadable {
                prop_assert!(!kept(&object.to_string()), "{} has a last good reading", object);
            }
        }
    }

    #[test]
    fn reading_again_what_was_read_changes_nothing(objects in objects()) {
        let snapshot = snapshot(&objects);
        let last = last_good(&snapshot);
        for (stack, (intent, _)) in read_all(&snapshot, &last) {
            prop_assert_eq!(read::good(&intent), last[&stack].members.clone());
            let text = serde_json::to_string(&intent).unwrap();
            prop_assert_eq!(serde_json::from_str::<Intent>(&text).unwrap(), intent, "an intent is read back from a file");
        }
    }
}
