//! Laws: whatever members ask for, in whatever order they come and go.
//!
//! - Applying a plan makes the next plan empty, and a world reached by steps is the world reached at once.
//! - A run that stops after any operation and starts again ends in the same world.
//! - The order in which facts and observations come makes no difference.
//! - What is not ours is in no operation and does not change.
//! - While a member cannot be read and never could, nothing is deleted.
//!
//! Every plan is linted when it is made: each prefix leaves references valid.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so do the functions that tests share"
)]

mod support;

use std::{collections::BTreeMap, sync::Arc};

use fairway_aws::{
    config::Config,
    model::Tags,
    observed::{LoadBalancerSeen, TargetGroupSeen},
};
use fairway_core::{
    ids::{Key, ProviderKind, StackId, StackKey},
    plan::{Effect, Operation as _},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::world::World;

const NAMES: [&str; 3] = ["a", "b", "c"];
const PATHS: [&str; 4] = ["/", "/a", "/b", "/a/b"];

fn config() -> Config {
    Config::new("demo", "us-east-1", "vpc-973af0aea18100386")
}

fn shop() -> StackId {
    StackId::new(ProviderKind::Aws, StackKey::Group("shop".to_owned()))
}

/// What one Ingress of the group asks for.
#[derive(Debug, Clone)]
struct Ask {
    order: i32,
    https: bool,
    instance: bool,
    interval: u8,
    tag: Option<u8>,
    host: bool,
    paths: Vec<(usize, usize, bool)>,
}

fn ask() -> impl Strategy<Value = Ask> {
    let path = (0..4_usize, 0..3_usize, any::<bool>());
    (
        -2..3_i32,
        any::<bool>(),
        any::<bool>(),
        prop_oneof![Just(15_u8), Just(20)],
        proptest::option::of(0..2_u8),
        any::<bool>(),
        proptest::collection::vec(path, 1..4),
    )
        .prop_map(|(order, https, instance, interval, tag, host, paths)| Ask {
            order,
            https,
            instance,
            interval,
            tag,
            host,
            paths,
        })
}

type State = BTreeMap<usize, Ask>;

fn state() -> impl Strategy<Value = State> {
    proptest::collection::btree_map(0..NAMES.len(), ask(), 0..=NAMES.len())
}

fn object(name: &str, ask: &Ask) -> Value {
    let backend = |service: usize, named: bool| match (service, named) {
        (0, true) => json!({"service": {"name": "web", "port": {"name": "http"}}}),
        (0, false) => json!({"service": {"name": "web", "port": {"number": 80}}}),
        (1, _) => json!({"service": {"name": "web2", "port": {"number": 80}}}),
        _ => json!({"service": {"name": "missing", "port": {"number": 80}}}),
    };
    let paths: Vec<Value> = ask
        .paths
        .iter()
        .map(|(path, service, exact)| {
            let service = if ask.instance && *service == 0 { 1 } else { *service };
            let path_type = if *exact { "Exact" } else { "Prefix" };
            json!({"path": PATHS[*path], "pathType": path_type,
                   "backend": backend(service, *exact)})
        })
        .collect();
    let ports = if ask.https { r#"[{"HTTP":80},{"HTTPS":443}]"# } else { r#"[{"HTTP":80}]"# };
    let mut annotations = json!({
        "alb.ingress.kubernetes.io/group.name": "shop",
        "alb.ingress.kubernetes.io/group.order": ask.order.to_string(),
        "alb.ingress.kubernetes.io/listen-ports": ports,
        "alb.ingress.kubernetes.io/target-type": if ask.instance { "instance" } else { "ip" },
        "alb.ingress.kubernetes.io/healthcheck-interval-seconds": ask.interval.to_string(),
    });
    if let Some(tag) = ask.tag {
        annotations["alb.ingress.kubernetes.io/tags"] = json!(format!("own-{name}={tag}"));
    }
    let mut rule = json!({"http": {"paths": paths}});
    if ask.host || ask.https {
        rule["host"] = json!(format!("{name}.example.com"));
    }
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default", "uid": name, "annotations": annotations},
        "spec": {"ingressClassName": "alb", "rules": [rule]},
    })
}

/// Brings the cluster to a state: those that are not in it any more are being deleted.
fn set(world: &mut World, state: &State) {
    for (index, name) in NAMES.iter().enumerate() {
        let key = Key::new("default", name);
        let old = world.snapshot.ingresses.get(&key).cloned();
        match (state.get(&index), old) {
            (Some(ask), old) => {
                world.add(&json!([object(name, ask)]));
                let all = Arc::make_mut(&mut world.snapshot.ingresses);
                let meta = &mut Arc::make_mut(all.get_mut(&key).unwrap()).metadata;
                meta.finalizers = old.and_then(|old| old.metadata.finalizers.clone());
            }
            (None, Some(_)) => {
                let all = Arc::make_mut(&mut world.snapshot.ingresses);
                let meta = &mut Arc::make_mut(all.get_mut(&key).unwrap()).metadata;
                meta.deletion_timestamp =
                    Some(serde_json::from_value(json!("2026-11-23T03:00:00Z")).unwrap());
            }
            (None, None) => {}
        }
    }
}

/// Settles, and removes from the cluster what was released.
fn settle(world: &mut World) {
    for evaluation in world.settle(&config(), &shop()) {
        release(world, &evaluation.finalizers.remove);
    }
    let (evaluation, _) = world.look(&config(), &shop());
    release(world, &evaluation.finalizers.remove);
}

fn release(world: &mut World, released: &[(fairway_core::ids::ObjectRef, String)]) {
    for (object, _) in released {
        Arc::make_mut(&mut world.snapshot.ingresses).remove(&object.key);
    }
}

/// Something that carries our names but not our tags, and something that carries neither.
fn foreign(world: &mut World) -> (LoadBalancerSeen, TargetGroupSeen) {
    let mut other = World::recorded();
    let one = Ask {
        order: 0,
        https: false,
        instance: false,
        interval: 15,
        tag: None,
        host: true,
        paths: vec![(0, 0, false)],
    };
    set(&mut other, &State::from([(0, one)]));
    other.settle(&config(), &shop());
    let mut balancer = other.observed.load_balancers.values().next().unwrap().clone();
    balancer.name = "theirs".to_owned();
    balancer.security_groups = vec!["sg-theirs".to_owned()];
    balancer.listeners.clear();
    balancer.tags = Tags::from([("elbv2.k8s.aws/cluster".to_owned(), "other".to_owned())]);
    let mut group = other.observed.target_groups.values().next().unwrap().clone();
    group.name = "theirs".to_owned();
    group.tags = Tags::new();
    world.observed.load_balancers.insert(balancer.name.clone(), balancer.clone());
    world.observed.target_groups.insert(group.name.clone(), group.clone());
    (balancer, group)
}

fn shuffled(world: &World) -> World {
    let mut world = world.clone();
    world.subnets.reverse();
    world.certificates.reverse();
    for seen in world.observed.load_balancers.values_mut() {
        seen.security_groups.reverse();
        seen.subnets.reverse();
        seen.listeners.values_mut().for_each(|listener| listener.rules.reverse());
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_world_reached_by_steps_is_the_world_reached_at_once(first in state(), second in state()) {
        let mut steps = World::recorded();
        let (balancer, group) = foreign(&mut steps);
        set(&mut steps, &first);
        settle(&mut steps);
        set(&mut steps, &second);
        settle(&mut steps);
        prop_assert_eq!(steps.observed.load_balancers.remove("theirs"), Some(balancer));
        prop_assert_eq!(steps.observed.target_groups.remove("theirs"), Some(group));

        let mut once = World::recorded();
        set(&mut once, &second);
        settle(&mut once);
        prop_assert_eq!(steps.dump(), once.dump());
        let bindings = |world: &World| world.snapshot.target_group_bindings.keys().cloned().collect::<Vec<_>>();
        prop_assert_eq!(bindings(&steps), bindings(&once));
    }

    #[test]
    fn a_run_that_stops_anywhere_ends_in_the_same_world(first in state(), second in state()) {
        let mut before = World::recorded();
        set(&mut before, &first);
        settle(&mut before);
        set(&mut before, &second);
        let mut whole = before.clone();
        settle(&mut whole);
        let (evaluation, _) = before.look(&config(), &shop());
        for stop in 0..evaluation.plan.ops().len() {
            let mut world = before.clone();
            world.apply_finalizers(&evaluation.finalizers);
            evaluation.plan.ops().iter().take(stop).for_each(|planned| world.apply(&planned.op));
            settle(&mut world);
            prop_assert_eq!(world.dump(), whole.dump(), "stopped before {}", stop);
        }
    }

    #[test]
    fn the_order_of_facts_makes_no_difference(first in state(), second in state()) {
        let mut world = World::recorded();
        set(&mut world, &first);
        settle(&mut world);
        set(&mut world, &second);
        let (plan, _) = world.look(&config(), &shop());
        let (other, _) = shuffled(&world).look(&config(), &shop());
        let lines = |evaluation: &fairway_core::evaluate::Evaluation<fairway_aws::stack::Stacks>| {
            let line = |op: &fairway_aws::stack::StackOp| format!("{} {:?}", op.describe(), op.effect());
            evaluation.plan.ops().iter().map(|planned| line(&planned.op)).collect::<Vec<_>>()
        };
        prop_assert_eq!(lines(&plan), lines(&other));
        prop_assert_eq!(plan.model, other.model);
        prop_assert_eq!(plan.fingerprint, other.fingerprint);
    }

    #[test]
    fn what_never_could_be_read_deletes_nothing(first in state(), second in state()) {
        let mut world = World::recorded();
        set(&mut world, &first);
        settle(&mut world);
        set(&mut world, &second);
        let mut bad = object("bad", &Ask {
            order: 0, https: false, instance: false, interval: 15, tag: None, host: true,
            paths: vec![(0, 0, false)],
        });
        bad["metadata"]["annotations"]["alb.ingress.kubernetes.io/healthcheck-interval-seconds"] =
            json!("soon");
        world.add(&json!([bad]));
        let (evaluation, _) = world.look(&config(), &shop());
        prop_assert!(evaluation.notes.iter().any(|note| note.about.key.name == "bad" && note.held));
        let deleting = evaluation.plan.ops().iter().any(|planned| planned.op.effect() == Effect::Delete);
        prop_assert!(!deleting);
    }
}
