//! The Stack unit over its life: settled, changed, held, replaced, deleted.

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
    model::{Action, LoadBalancer, LoadBalancerKind, ResourceKind as _, Scheme, Tags, WeightedTarget},
    observed::{LoadBalancerSeen, RuleSeen},
    stack::{StackOp, Stacks},
};
use fairway_core::{
    evaluate::{Address, AddressWish, Evaluation, StatusWish},
    ids::{Key, ProviderKind, StackId, StackKey},
    plan::{Effect, Operation as _, ResourceKey, Wait},
    report::report,
};
use serde_json::{Value, json};
use support::{recorded, world::World};

fn config() -> Config {
    Config::new("demo", "us-east-1", "vpc-973af0aea18100386")
}

fn own(name: &str) -> StackId {
    StackId::new(ProviderKind::Aws, StackKey::Ingress(Key::new("default", name)))
}

fn shop() -> StackId {
    StackId::new(ProviderKind::Aws, StackKey::Group("shop".to_owned()))
}

fn ingress(name: &str, annotations: &[(&str, &str)], paths: &[(&str, &str)]) -> Value {
    let annotations: serde_json::Map<String, Value> = annotations
        .iter()
        .map(|(key, value)| (format!("alb.ingress.kubernetes.io/{key}"), json!(value)))
        .chain([("alb.ingress.kubernetes.io/target-type".to_owned(), json!("ip"))])
        .collect();
    let paths: Vec<Value> = paths
        .iter()
        .map(|(path, service)| {
            json!({"path": path, "pathType": "Prefix",
                   "backend": {"service": {"name": service, "port": {"number": 80}}}})
        })
        .collect();
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"),
                     "annotations": annotations},
        "spec": {"ingressClassName": "alb",
                 "rules": [{"host": format!("{name}.example.com"), "http": {"paths": paths}}]},
    })
}

fn grouped(name: &str, extra: &[(&str, &str)], path: &str) -> Value {
    let annotations = [&[("group.name", "shop")], extra].concat();
    ingress(name, &annotations, &[(path, "web")])
}

fn lines(evaluation: &Evaluation<Stacks>) -> Vec<String> {
    evaluation.plan.ops().iter().map(|planned| planned.op.describe()).collect()
}

fn deletions(evaluation: &Evaluation<Stacks>) -> Vec<String> {
    let deletions = evaluation.plan.ops().iter().filter(|planned| planned.op.effect() == Effect::Delete);
    deletions.map(|planned| planned.op.describe()).collect()
}

fn codes(evaluation: &Evaluation<Stacks>) -> Vec<(String, &str, bool)> {
    let note = |note: &'_ fairway_core::note::Note| (note.about.key.name.clone(), note.held);
    evaluation
        .notes
        .iter()
        .map(|one| {
            let (name, held) = note(one);
            (name, one.code.as_str(), held)
        })
        .collect()
}

fn balancer(world: &World) -> &LoadBalancerSeen {
    let all: Vec<_> = world.observed.load_balancers.values().collect();
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0]
}

fn paths(world: &World) -> Vec<String> {
    let path = |rule: &RuleSeen| match rule.conditions.last() {
        Some(fairway_aws::model::Condition::PathPattern(paths)) => paths[0].clone(),
        other => panic!("{other:?}"),
    };
    balancer(world).listeners[&80].rules.iter().map(path).collect()
}

/// Remembers what was applied, as the engine does.
fn remember(world: &mut World, unit: &StackId) {
    let (evaluation, _) = world.look(&config(), unit);
    assert!(evaluation.plan.is_empty());
    let state = report(&evaluation, None).state.unwrap();
    let address = &state.addresses[0];
    let hostname = address.hostname.clone().unwrap();
    world.last_good.addresses.insert(hostname.clone(), address.zone_id.clone().unwrap());
    world.last_good.hostname = Some(hostname);
    world.last_good.fingerprint = state.fingerprint;
    world.last_good.members = state.good;
    assert!(world.last_good.fingerprint.is_some());
}

#[test]
fn a_settled_stack_is_not_observed_and_keeps_its_status() {
    let mut world = World::recorded();
    world.add(&recorded("plain-ip/objects.json"));
    world.settle(&config(), &own("plain"));
    remember(&mut world, &own("plain"));
    let (evaluation, observed) = world.look(&config(), &own("plain"));
    assert!(!observed && evaluation.plan.is_empty());
    let status = report(&evaluation, None).status;
    assert_eq!(status[0].addresses[0].hostname, world.last_good.hostname);
    assert_eq!(status[0].addresses[0].zone_id.as_deref(), Some("Z1"));

    // The state object says the same, and the ARNs besides.
    let hostname = world.last_good.hostname.clone().unwrap();
    let zone = world.last_good.addresses.remove(&hostname).unwrap();
    let (_, observed) = world.look(&config(), &own("plain"));
    assert!(observed, "without its hosted zone no record can be made");
    let arn = &balancer(&world).handle.id;
    let state = json!({
        "apiVersion": "fairway.dev/v1alpha1", "kind": "LoadBalancerState",
        "metadata": {"name": own("plain").state_name()},
        "spec": {"stack": own("plain").to_string(), "provider": "aws"},
        "status": {"addresses": [{"hostname": hostname, "hostedZoneId": zone}],
                   "arns": {"load-balancer/k8s-default-plain-9f3d6c191c": arn}},
    });
    world.snapshot.add(&state).unwrap();
    let (evaluation, observed) = world.look(&config(), &own("plain"));
    assert!(!observed);
    let handle = evaluation.bindings.values().next().unwrap();
    assert_eq!((&handle.id, handle.zone_id.as_deref()), (&balancer(&world).handle.id, Some("Z1")));

    Arc::make_mut(&mut world.snapshot.target_group_bindings).pop_first();
    let (evaluation, observed) = world.look(&config(), &own("plain"));
    assert!(observed, "a binding is missing");
    assert_eq!(lines(&evaluation), ["write TargetGroupBinding default/k8s-default-web-4b31e29d96"]);
}

/// A load balancer that was taken over keeps its name; found again after a restart, it is still the one it was, and no
/// second one without an ARN is recorded beside it.
#[test]
fn a_settled_stack_knows_its_load_balancer_by_the_name_it_was_taken_over_with() {
    let mut world = World::recorded();
    world.add(&recorded("plain-ip/objects.json"));
    world.settle(&config(), &own("plain"));
    remember(&mut world, &own("plain"));
    let (hostname, arn) = (world.last_good.hostname.clone().unwrap(), balancer(&world).handle.id.clone());
    let state = json!({
        "apiVersion": "fairway.dev/v1alpha1", "kind": "LoadBalancerState",
        "metadata": {"name": own("plain").state_name()},
        "spec": {"stack": own("plain").to_string(), "provider": "aws"},
        "status": {"addresses": [{"hostname": hostname, "hostedZoneId": "Z1"}],
                   "arns": {"load-balancer/older": arn}},
    });
    world.snapshot.add(&state).unwrap();
    let (evaluation, observed) = world.look(&config(), &own("plain"));
    assert!(!observed);
    let bindings = evaluation.bindings.iter();
    let known: Vec<_> = bindings.map(|(key, one)| (key.to_string(), one.id.clone())).collect();
    assert_eq!(known, [("load-balancer/older".to_owned(), arn)]);
    assert_eq!(report(&evaluation, None).status[0].addresses[0].hostname, world.last_good.hostname);
}

#[test]
fn what_was_changed_behind_our_back_is_repaired() {
    let mut world = World::recorded();
    world.add(&recorded("plain-ip/objects.json"));
    world.settle(&config(), &own("plain"));
    let wanted = world.dump();
    let seen = world.observed.load_balancers.values_mut().next().unwrap();
    seen.tags.insert("by-hand".to_owned(), "1".to_owned());
    seen.subnets.pop();
    let listener = seen.listeners.get_mut(&80).unwrap();
    listener.default_actions.clear();
    listener.rules.remove(0);
    let group = world.observed.target_groups.values_mut().next().unwrap();
    group.health_check.interval = 30;
    let own_group = world.observed.security_groups.values_mut().next().unwrap();
    let mut door = own_group.permissions.pop_first().unwrap();
    door.from = Some(22);
    own_group.permissions.insert(door);
    world.settle(&config(), &own("plain"));
    let mut repaired = world.dump();
    // Subnets of an existing load balancer are kept as they are unless some were asked for.
    let name = "k8s-default-plain-9f3d6c191c";
    repaired["loadBalancers"][name]["zones"] = wanted["loadBalancers"][name]["zones"].clone();
    assert_eq!(repaired, wanted);
}

#[test]
fn a_deleted_ingress_takes_everything_with_it_after_its_records() {
    let mut config = config();
    config.dns = true;
    let mut world = World::recorded();
    world.add(&recorded("plain-ip/objects.json"));
    world.settle(&config, &own("plain"));
    let name = balancer(&world).handle.dns_name.clone().unwrap();
    world.delete("plain");
    let (evaluation, _) = world.look(&config, &own("plain"));
    let kinds: Vec<String> =
        lines(&evaluation).iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        kinds,
        [
            "delete load",
            "delete TargetGroupBinding",
            "delete TargetGroupBinding",
            "delete TargetGroupBinding",
            "delete target",
            "delete target",
            "delete target",
            "delete security",
        ]
    );
    assert_eq!(evaluation.plan.ops()[0].waits, [Wait::RecordsGone(name)]);
    assert_eq!(evaluation.finalizers.remove[0].1, "ingress.k8s.aws/resources");
    assert!(evaluation.gone);
    world.settle(&config, &own("plain"));
    assert!(world.observed.load_balancers.is_empty() && world.observed.target_groups.is_empty());
    assert!(world.observed.security_groups.is_empty() && world.snapshot.target_group_bindings.is_empty());
}

#[test]
fn a_protected_load_balancer_is_noticed_before_anything_of_it_goes() {
    let mut world = World::recorded();
    world.add(&recorded("plain-ip/objects.json"));
    world.settle(&config(), &own("plain"));
    let protection = |world: &mut World, value: &str| {
        let balancer = world.observed.load_balancers.values_mut().next().unwrap();
        balancer.attributes.insert("deletion_protection.enabled".to_owned(), value.to_owned());
    };
    protection(&mut world, "true");
    world.delete("plain");
    let (evaluation, _) = world.look(&config(), &own("plain"));
    assert!(evaluation.plan.is_empty() && !evaluation.gone);
    assert!(evaluation.finalizers.remove.is_empty(), "the object stays, and says why");
    let told: Vec<_> = evaluation.notes.iter().map(|note| (note.code.as_str(), note.held)).collect();
    assert_eq!(told, [("DeletionProtected", true)]);
    assert_eq!(evaluation.status.len(), 1);
    assert_eq!(evaluation.status[0].addresses.len(), 1, "records follow the address, which stays");

    protection(&mut world, "false");
    world.settle(&config(), &own("plain"));
    assert!(world.observed.load_balancers.is_empty());
}

#[test]
fn another_scheme_is_another_load_balancer_made_before_the_old_one_goes() {
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[("scheme", "internet-facing")], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    let old = balancer(&world).name.clone();
    world.change(&ingress("web", &[("scheme", "internal")], &[("/", "web")]));
    let (evaluation, _) = world.look(&config(), &own("web"));
    let ops = evaluation.plan.ops();
    let made = ops.iter().position(|one| matches!(one.op, StackOp::CreateLoadBalancer(_))).unwrap();
    let gone = ops.iter().position(|one| matches!(one.op, StackOp::DeleteLoadBalancer(_))).unwrap();
    assert!(made < gone);
    let waits = ops[gone].waits.as_slice();
    assert!(matches!(waits, [Wait::LoadBalancerActive(_), Wait::AddressWithdrawn(_)]), "{waits:?}");
    world.settle(&config(), &own("web"));
    let new = balancer(&world);
    assert_ne!(new.name, old);
    assert_eq!(new.scheme, Scheme::Internal);
    assert_eq!(world.observed.target_groups.len(), 1);
    assert_eq!(world.snapshot.target_group_bindings.len(), 1);
}

#[test]
fn a_fixed_name_that_is_in_the_way_holds_the_stack() {
    let name = ("load-balancer-name", "fixed");
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[name, ("scheme", "internal")], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    assert_eq!(balancer(&world).name, "fixed");
    world.change(&ingress("web", &[name, ("scheme", "internet-facing")], &[("/", "web")]));
    let (evaluation, _) = world.look(&config(), &own("web"));
    assert!(evaluation.plan.is_empty());
    assert_eq!(codes(&evaluation), [("web".to_owned(), "ReplacementBlocked", true)]);
}

#[test]
fn a_foreign_load_balancer_of_the_same_name_stops_everything() {
    let mut world = World::recorded();
    world.add(&json!([ingress("theirs", &[("load-balancer-name", "fixed")], &[("/", "web")])]));
    world.settle(&config(), &own("theirs"));
    let mut world = World { snapshot: World::recorded().snapshot, ..world };
    world.add(&json!([ingress("web", &[("load-balancer-name", "fixed")], &[("/", "web")])]));
    let before = world.observed.clone();
    let (evaluation, _) = world.look(&config(), &own("web"));
    assert!(evaluation.plan.is_empty());
    assert_eq!(codes(&evaluation), [("web".to_owned(), "NameTaken", true)]);
    assert_eq!(world.observed, before);
}

#[test]
fn a_load_balancer_that_carries_our_tags_is_taken_over_under_its_own_name() {
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[("load-balancer-name", "brought-along")], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    world.change(&ingress("web", &[], &[("/", "web"), ("/more", "web2")]));
    world.settle(&config(), &own("web"));
    assert_eq!(balancer(&world).name, "brought-along");
    assert_eq!(paths(&world), ["/more", "/*"]);
}

/// Takes a tag from everything of the stack.
fn untag(world: &mut World, key: &str) {
    let observed = &mut world.observed;
    observed.security_groups.values_mut().for_each(|seen| drop(seen.tags.remove(key)));
    observed.target_groups.values_mut().for_each(|seen| drop(seen.tags.remove(key)));
    for balancer in observed.load_balancers.values_mut() {
        balancer.tags.remove(key);
        for listener in balancer.listeners.values_mut() {
            listener.tags.remove(key);
            listener.rules.iter_mut().for_each(|rule| drop(rule.tags.remove(key)));
        }
    }
}

#[test]
fn a_removed_resource_id_is_put_back_where_name_or_parent_says_which_it_was() {
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[("load-balancer-name", "brought-along")], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    // Under a name that nothing but its being the stack's only one explains.
    world.change(&ingress("web", &[], &[("/", "web")]));
    let wanted = world.dump();
    untag(&mut world, "ingress.k8s.aws/resource");
    let (evaluation, _) = world.look(&config(), &own("web"));
    let ops: Vec<&StackOp> = evaluation.plan.ops().iter().map(|planned| &planned.op).collect();
    assert!(ops.iter().all(|op| matches!(op, StackOp::SetTags(_))), "{:#?}", lines(&evaluation));
    assert_eq!(ops.len(), 5, "load balancer, listener, rule, target group, security group");
    world.settle(&config(), &own("web"));
    assert_eq!(world.dump(), wanted);
}

#[test]
fn a_removed_resource_id_of_a_successors_target_group_is_put_back() {
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[("scheme", "internet-facing")], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    world.change(&ingress("web", &[("scheme", "internal")], &[("/", "web")]));
    world.settle(&config(), &own("web"));
    untag(&mut world, "ingress.k8s.aws/resource");
    let (evaluation, _) = world.look(&config(), &own("web"));
    assert!(deletions(&evaluation).is_empty(), "{:?}", deletions(&evaluation));
    assert!(evaluation.plan.ops().iter().all(|planned| matches!(planned.op, StackOp::SetTags(_))));
}

#[test]
fn what_lost_a_mark_is_left_alone_and_goes_on_being_published() {
    for mark in ["elbv2.k8s.aws/cluster", "ingress.k8s.aws/stack"] {
        let mut world = World::recorded();
        world.add(&json!([ingress("web", &[("load-balancer-name", "brought-along")], &[("/", "web")])]));
        world.settle(&config(), &own("web"));
        world.change(&ingress("web", &[], &[("/", "web"), ("/more", "web2")]));
        let settled = world.look(&config(), &own("web")).0;
        let recorded = settled.bindings.iter().map(|(key, handle)| (key.to_string(), handle.id.clone()));
        world.last_good.resources = recorded.collect();
        world.observed.load_balancers.values_mut().for_each(|seen| drop(seen.tags.remove(mark)));
        let before = world.observed.clone();
        let (evaluation, _) = world.look(&config(), &own("web"));
        assert!(evaluation.plan.is_empty(), "{mark}: {:?}", lines(&evaluation));
        assert_eq!(codes(&evaluation), [("web".to_owned(), "OwnershipTagMissing", true)], "{mark}");
        assert!(evaluation.notes[0].message.contains(mark), "{}", evaluation.notes[0].message);
        let report = report(&evaluation, None);
        let state = report.state.unwrap();
        let hostname = before.load_balancers["brought-along"].handle.dns_name.clone();
        assert_eq!(state.addresses[0].hostname, hostname, "{mark}: its address stays published");
        let key = ResourceKey::new("load-balancer", "brought-along");
        assert!(state.bindings.contains_key(&key), "{mark}: it is remembered");
        assert!(!state.ready.status && state.fingerprint.is_none());

        // Once it is back, work goes on; a tag of somebody else is no lost one.
        let value = if mark.ends_with("cluster") { "demo" } else { "default/web" };
        let tag = |world: &mut World, value: &str| {
            let mut seen = world.observed.load_balancers.values_mut();
            seen.next().unwrap().tags.insert(mark.to_owned(), value.to_owned());
        };
        tag(&mut world, "other");
        let (evaluation, _) = world.look(&config(), &own("web"));
        assert!(deletions(&evaluation).is_empty() && !evaluation.bindings.contains_key(&key), "{mark}");
        tag(&mut world, value);
        world.settle(&config(), &own("web"));
        assert_eq!(paths(&world), ["/more", "/*"]);
    }
}

#[test]
fn one_member_that_cannot_be_lowered_is_held_and_its_neighbours_go_on() {
    let mut world = World::recorded();
    world.add(&json!([grouped("a", &[], "/a"), grouped("b", &[], "/b")]));
    world.settle(&config(), &shop());
    // b asks for a certificate that does not exist; a gets another path.
    let arn = "arn:aws:acm:us-east-1:0:certificate/nosuch";
    world.change(&grouped("b", &[("certificate-arn", arn)], "/changed"));
    world.change(&grouped("a", &[], "/a2"));
    let (evaluation, _) = world.look(&config(), &shop());
    assert_eq!(codes(&evaluation), [("b".to_owned(), "CertificateNotFound", true)]);
    world.settle(&config(), &shop());
    assert_eq!(paths(&world), ["/a2", "/b"]);
}

fn narrow(rules: usize) -> Config {
    Config { quotas: Quotas::default().raised(&[(Quota::Rules, rules)]), ..config() }
}

#[test]
fn what_does_not_fit_is_held_whole_and_the_rest_proceeds() {
    let mut world = World::recorded();
    let members = ["/a", "/b", "/c"].map(|path| grouped(&path[1..], &[], path));
    world.add(&json!(members));
    let (evaluation, _) = world.look(&narrow(2), &shop());
    assert_eq!(codes(&evaluation), [("c".to_owned(), "LimitExceeded", true)]);
    let said = "3 rules on the load balancer are needed with it, and 2 is the most (quota rules)";
    assert!(evaluation.notes[0].message.ends_with(said), "{:?}", evaluation.notes);
    world.settle(&narrow(2), &shop());
    assert_eq!(paths(&world), ["/a", "/b"]);
    world.settle(&narrow(3), &shop());
    assert_eq!(paths(&world), ["/a", "/b", "/c"], "the quota was raised");
}

#[test]
fn what_is_applied_is_not_thrown_out_to_make_room() {
    let mut world = World::recorded();
    world.add(&json!([grouped("b", &[], "/b"), grouped("c", &[], "/c")]));
    world.settle(&narrow(2), &shop());
    world.add(&json!([grouped("a", &[], "/a")]));
    let (evaluation, _) = world.look(&narrow(2), &shop());
    assert_eq!(codes(&evaluation), [("a".to_owned(), "LimitExceeded", true)], "it is first, and new");
    assert!(evaluation.plan.is_empty(), "{:?}", lines(&evaluation));

    world.delete("a");
    world.change(&ingress("b", &[("group.name", "shop")], &[("/b", "web"), ("/b2", "web")]));
    let (evaluation, _) = world.look(&narrow(2), &shop());
    assert_eq!(codes(&evaluation), [("b".to_owned(), "LimitExceeded", true)], "it grew");
    assert!(evaluation.plan.is_empty(), "it keeps what it had: {:?}", lines(&evaluation));
}

#[test]
fn what_cannot_be_read_and_never_could_deletes_nothing() {
    let mut world = World::recorded();
    world.add(&json!([grouped("a", &[], "/a"), grouped("b", &[], "/b")]));
    world.settle(&config(), &shop());
    world.last_good = Default::default();
    world.change(&grouped("b", &[("certificate-arn", "arn:aws:acm:x:0:certificate/no")], "/b"));
    world.delete("a");
    let (evaluation, _) = world.look(&config(), &shop());
    assert!(deletions(&evaluation).is_empty(), "{:?}", deletions(&evaluation));
    assert!(!evaluation.gone && evaluation.finalizers.remove.is_empty());
}

#[test]
fn what_a_held_member_had_keeps_its_place_even_without_a_last_good_reading() {
    let mut world = World::recorded();
    let mut first = grouped("b", &[("group.order", "-1")], "/b");
    first["spec"]["defaultBackend"] = json!({"service": {"name": "web2", "port": {"number": 80}}});
    world.add(&json!([first.clone(), grouped("a", &[], "/a")]));
    world.settle(&config(), &shop());
    let default = balancer(&world).listeners[&80].default_actions.clone();
    world.last_good = Default::default();
    first["metadata"]["annotations"]["alb.ingress.kubernetes.io/certificate-arn"] =
        json!("arn:aws:acm:us-east-1:0:certificate/nosuch");
    first["metadata"]["annotations"]["alb.ingress.kubernetes.io/listen-ports"] =
        json!(r#"[{"HTTP":80},{"HTTPS":443}]"#);
    world.change(&first);
    world.change(&grouped("a", &[], "/new"));
    let (evaluation, _) = world.look(&config(), &shop());
    assert_eq!(lines(&evaluation), ["create rule k8s-shop-fd003764d8:80:3"]);
    evaluation.plan.ops().iter().for_each(|planned| world.apply(&planned.op));
    assert_eq!(paths(&world), ["/b", "/a", "/new"]);
    assert_eq!(balancer(&world).listeners[&80].default_actions, default);
}

#[test]
fn the_later_of_two_that_disagree_is_told_with_whom() {
    let mut world = World::recorded();
    world.add(&json!([
        grouped("first", &[("scheme", "internet-facing"), ("group.order", "1")], "/a"),
        grouped("later", &[("scheme", "internal"), ("group.order", "2")], "/b"),
    ]));
    let (evaluation, _) = world.look(&config(), &shop());
    assert_eq!(codes(&evaluation), [("later".to_owned(), "ConflictingSetting", true)]);
    assert!(evaluation.notes[0].message.contains("Ingress default/first"), "{}", evaluation.notes[0]);
    world.settle(&config(), &shop());
    assert_eq!(paths(&world), ["/a"]);
}

#[test]
fn without_subnets_nothing_is_made_and_each_candidate_is_named() {
    let mut world = World::recorded();
    for subnet in &mut world.subnets {
        subnet.tags.clear();
    }
    world.add(&json!([ingress("web", &[], &[("/", "web")])]));
    let (evaluation, _) = world.look(&config(), &own("web"));
    assert!(evaluation.plan.is_empty() && evaluation.model.is_none());
    assert_eq!(codes(&evaluation), [("web".to_owned(), "NoSubnets", true)]);
    for subnet in &world.subnets {
        assert!(evaluation.notes[0].message.contains(&subnet.id));
    }
}

#[test]
fn an_existing_load_balancer_keeps_its_subnets_when_their_tags_change() {
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    for subnet in &mut world.subnets {
        subnet.tags.clear();
    }
    let (evaluation, _) = world.look(&config(), &own("web"));
    assert!(evaluation.plan.is_empty() && evaluation.notes.is_empty(), "{:?}", evaluation.notes);
}

#[test]
fn ssl_redirect_leaves_plain_listeners_without_rules() {
    let mut world = World::recorded();
    let ports = r#"[{"HTTP":80},{"HTTPS":443}]"#;
    world.add(&json!([ingress("web", &[("listen-ports", ports), ("ssl-redirect", "443")], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    let listeners = &balancer(&world).listeners;
    assert!(listeners[&80].rules.is_empty());
    assert!(matches!(
        listeners[&80].default_actions.as_slice(),
        [fairway_aws::model::Action::Redirect(redirect)] if redirect.port == "443"
    ));
    assert_eq!(listeners[&443].rules.len(), 1);
    assert_eq!(listeners[&443].certificates.len(), 1, "found by host");
}

#[test]
fn an_ssl_redirect_to_nothing_holds_the_one_who_asked() {
    let mut world = World::recorded();
    world.add(&json!([grouped("a", &[], "/a"), grouped("b", &[("ssl-redirect", "443")], "/b")]));
    let (evaluation, _) = world.look(&config(), &shop());
    assert_eq!(codes(&evaluation), [("b".to_owned(), "InvalidSslRedirect", true)]);
    world.settle(&config(), &shop());
    assert_eq!(paths(&world), ["/a"]);
}

#[test]
fn the_shared_group_is_waited_for() {
    let mut world = World::recorded();
    world.observed.backend_security_group = None;
    world.add(&json!([ingress("web", &[], &[("/", "web")])]));
    let (evaluation, _) = world.look(&config(), &own("web"));
    let waiting: Vec<String> = evaluation
        .plan
        .ops()
        .iter()
        .filter(|planned| planned.waits.contains(&Wait::BackendSecurityGroup))
        .map(|planned| planned.op.describe().split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(waiting, ["create internal", "write TargetGroupBinding"]);
}

#[test]
fn a_member_that_moved_is_served_at_its_new_stack_before_the_old_one_goes() {
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    world.change(&grouped("web", &[], "/"));
    let (evaluation, _) = world.look(&config(), &own("web"));
    let wait = Wait::SuccessorLive(fairway_core::ids::ObjectRef::new(
        fairway_core::ids::Kind::Ingress,
        Key::new("default", "web"),
    ));
    assert!(!evaluation.plan.is_empty());
    assert!(evaluation.plan.ops().iter().all(|planned| planned.waits.contains(&wait)));
    assert!(evaluation.status.is_empty(), "the successor writes the status");
}

#[test]
fn rules_and_listeners_that_are_not_ours_stay() {
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    let seen = world.observed.load_balancers.values_mut().next().unwrap();
    let mut foreign = seen.listeners[&80].clone();
    foreign.port = 8080;
    foreign.tags = Tags::new();
    seen.listeners.insert(8080, foreign);
    let listener = seen.listeners.get_mut(&80).unwrap();
    let mut rule = listener.rules[0].clone();
    rule.arn = "theirs".to_owned();
    rule.priority = 7;
    rule.tags = Tags::new();
    listener.rules.push(rule);
    let (evaluation, _) = world.look(&config(), &own("web"));
    assert!(evaluation.plan.is_empty(), "{:?}", lines(&evaluation));

    world.change(&ingress("web", &[("listen-ports", r#"[{"HTTP":8080}]"#)], &[("/", "web")]));
    let (evaluation, _) = world.look(&config(), &own("web"));
    assert_eq!(codes(&evaluation), [("web".to_owned(), "PortTaken", true)]);
}

#[test]
fn what_an_author_got_wrong_is_said_in_a_stable_code() {
    let instance = ("target-type", "instance");
    let cases: [(&str, Value, &str); 4] = [
        ("no node port", ingress("web", &[], &[("/", "web")]), "NoNodePort"),
        (
            "no such health check port",
            ingress("web", &[("healthcheck-port", "nosuch")], &[("/", "web2")]),
            "InvalidHealthCheckPort",
        ),
        ("no such subnet", ingress("web", &[("subnets", "nosuch")], &[("/", "web2")]), "SubnetNotFound"),
        (
            "no such group",
            ingress("web", &[("security-groups", "x")], &[("/", "web2")]),
            "SecurityGroupNotFound",
        ),
    ];
    for (name, mut object, code) in cases {
        object["metadata"]["annotations"][format!("alb.ingress.kubernetes.io/{}", instance.0)] =
            json!(instance.1);
        let mut world = World::recorded();
        world.add(&json!([object]));
        let (evaluation, _) = world.look(&config(), &own("web"));
        assert_eq!(codes(&evaluation), [("web".to_owned(), code, true)], "{name}");
        assert!(evaluation.plan.is_empty(), "{name}");
    }
}

#[test]
fn a_service_that_cannot_be_a_load_balancer_says_why() {
    let service = |annotations: Value, ports: Value| {
        json!([{
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "edge", "namespace": "default", "uid": "u", "annotations": annotations},
            "spec": {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb", "ports": ports},
        }])
    };
    let key = |key: &str| format!("service.beta.kubernetes.io/aws-load-balancer-{key}");
    let ip = json!({(key("nlb-target-type")): "ip"});
    let arn = recorded("environment.json")["certificate"]["CertificateArn"].clone();
    let tls = json!({(key("nlb-target-type")): "ip", (key("ssl-cert")): arn, (key("ssl-ports")): "nosuch"});
    let http = json!({"name": "http", "port": 80, "protocol": "TCP"});
    let cases = [
        (ip.clone(), json!([http, {"name": "quic", "port": 80, "protocol": "UDP"}]), "PortTwice"),
        (ip, json!([{"name": "s", "port": 80, "protocol": "SCTP"}]), "UnsupportedProtocol"),
        (tls, json!([http]), "InvalidSslPorts"),
        (json!({}), json!([http]), "NoNodePort"),
    ];
    let unit = StackId::new(ProviderKind::Aws, StackKey::Service(Key::new("default", "edge")));
    for (annotations, ports, code) in cases {
        let mut world = World::recorded();
        world.add(&service(annotations, ports));
        let (evaluation, _) = world.look(&config(), &unit);
        assert_eq!(codes(&evaluation), [("edge".to_owned(), code, true)]);
        assert!(evaluation.plan.is_empty());
    }
}

/// Groups that requests are forwarded to, with their shares; names as they are in the world.
fn shares(actions: &[Action]) -> Vec<(String, i32)> {
    let Some(Action::Forward(forward)) = actions.last() else { panic!("{actions:?}") };
    let share = |target: &WeightedTarget| (target.target_group.name().to_owned(), target.weight);
    forward.targets.iter().map(share).collect()
}

fn step(world: &mut World, unit: &StackId) -> Evaluation<Stacks> {
    let (evaluation, _) = world.look(&config(), unit);
    evaluation.plan.ops().iter().for_each(|planned| world.apply(&planned.op));
    evaluation
}

#[test]
fn a_rule_keeps_its_targets_until_one_of_the_next_is_healthy() {
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    let old = world.observed.target_groups.keys().next().unwrap().clone();
    let secure = ingress("web", &[("backend-protocol", "HTTPS")], &[("/", "web")]);
    world.change(&secure);

    let before_last = step(&mut world, &own("web"));
    assert_eq!(deletions(&before_last), [""; 0]);
    assert_eq!(codes(&before_last), [("web".to_owned(), "WaitingForTargets", true)]);
    let new = world.observed.target_groups.keys().find(|name| **name != old).unwrap().clone();
    let rule = |world: &World| shares(&balancer(world).listeners[&80].rules[0].actions);
    let mut both = vec![(old.clone(), 1), (new.clone(), 0)];
    both.sort();
    assert_eq!(rule(&world), both);
    assert_eq!(world.snapshot.target_group_bindings.len(), 2, "the targets of both are looked after");

    let arn = world.observed.target_groups[&new].arn.clone();
    world.unhealthy.insert(arn.clone());
    let waiting = step(&mut world, &own("web"));
    assert!(waiting.plan.is_empty(), "{:?}", lines(&waiting));
    assert!(report(&waiting, None).state.unwrap().fingerprint.is_none(), "it is looked at again");

    let mut back = world.clone();
    back.change(&ingress("web", &[], &[("/", "web")]));
    back.settle(&config(), &own("web"));
    assert_eq!(
        (rule(&back), back.observed.target_groups.len()),
        (vec![(old.clone(), 1)], 1),
        "it is taken back"
    );

    world.unhealthy.clear();
    let last = step(&mut world, &own("web"));
    assert_eq!(rule(&world), [(new.clone(), 1)]);
    assert_eq!(deletions(&last).len(), 2, "{:?}", deletions(&last));
    assert_eq!(world.observed.target_groups.keys().collect::<Vec<_>>(), [&new]);
    assert_eq!(codes(&last), []);
}

/// The load balancer that is shown, as its key says, by every status.
fn shown(evaluation: &Evaluation<Stacks>) -> String {
    let [StatusWish { addresses, .. }] = evaluation.status.as_slice() else { panic!("one object") };
    let [AddressWish { address: Address::Of(key), .. }] = addresses.as_slice() else { panic!("one address") };
    LoadBalancer::name_in(&key.0).unwrap().to_owned()
}

#[test]
fn statuses_show_the_load_balancer_that_serves_until_the_targets_of_its_successor_are_healthy() {
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    remember(&mut world, &own("web"));
    let (old, served) = (balancer(&world).name.clone(), world.observed.target_groups.clone());
    world.change(&ingress("web", &[("scheme", "internet-facing")], &[("/", "web")]));
    let (first, _) = world.look(&config(), &own("web"));
    assert_eq!((shown(&first), codes(&first)), (old.clone(), vec![]), "nobody knows yet");
    let made = first.plan.ops().iter().filter(|planned| !planned.op.describe().starts_with("delete "));
    made.for_each(|planned| world.apply(&planned.op));
    let fresh = world.observed.target_groups.iter().filter(|(name, _)| !served.contains_key(*name));
    world.unhealthy = fresh.map(|(_, group)| group.arn.clone()).collect();

    let (waiting, _) = world.look(&config(), &own("web"));
    assert_eq!(codes(&waiting), [("web".to_owned(), "WaitingForTargets", true)]);
    assert_eq!(shown(&waiting), old);
    let withdrawn = |wait: &Wait| matches!(wait, Wait::AddressWithdrawn(_));
    assert!(waiting.plan.ops()[0].waits.iter().any(withdrawn), "{:?}", lines(&waiting));
    assert_eq!(deletions(&waiting).len(), waiting.plan.ops().len(), "and all that goes comes after it");

    let mut broken = world.clone();
    broken.unhealthy.extend(served.values().map(|group| group.arn.clone()));
    let (nothing, _) = broken.look(&config(), &own("web"));
    assert_ne!(shown(&nothing), old, "nothing healthy is nothing to wait for");

    let unhealthy = std::mem::take(&mut world.unhealthy);
    let (healthy, _) = world.look(&config(), &own("web"));
    assert_ne!(shown(&healthy), old);
    assert_eq!(codes(&healthy), []);
    let dns_name = world.observed.load_balancers[&shown(&healthy)].handle.dns_name.clone().unwrap();
    world.last_good.addresses = BTreeMap::from([(dns_name, "Z".to_owned())]);
    world.last_good.hostname = None;
    world.unhealthy = unhealthy;
    let (after, _) = world.look(&config(), &own("web"));
    assert_ne!(shown(&after), old, "it is not taken back");
}

/// Where connections to what stands in front of `web` go: a load balancer, by name, and the port of its listener.
fn behind(world: &World) -> (String, u16) {
    let all = world.observed.load_balancers.values();
    let front = all.clone().find(|seen| seen.kind == LoadBalancerKind::Network).unwrap();
    let (group, _) = shares(&front.listeners[&80].default_actions).remove(0);
    let target = world.observed.target_groups[&group].load_balancers.iter().next().unwrap();
    let to = all.clone().find(|seen| seen.handle.id == target.id).unwrap();
    (to.name.clone(), target.port)
}

#[test]
fn what_stands_in_front_leads_on_until_what_is_next_behind_it_is_healthy() {
    let on = ("enable-frontend-nlb", "true");
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[on], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    let (old, _) = behind(&world);
    let arns = |world: &World| -> BTreeSet<String> {
        world.observed.target_groups.values().map(|group| group.arn.clone()).collect()
    };
    let served = arns(&world);
    world.change(&ingress("web", &[on, ("scheme", "internet-facing")], &[("/", "web")]));

    let first = step(&mut world, &own("web"));
    assert_eq!(codes(&first), [("web".to_owned(), "WaitingForTargets", true)]);
    world.unhealthy = arns(&world).difference(&served).cloned().collect();
    let waiting = step(&mut world, &own("web"));
    assert!(waiting.plan.is_empty(), "{:?}", lines(&waiting));
    assert_eq!((behind(&world).0, world.observed.load_balancers.len()), (old.clone(), 3));

    let mut broken = world.clone();
    broken.unhealthy = arns(&world);
    broken.settle(&config(), &own("web"));
    assert_ne!(behind(&broken).0, old, "nothing healthy is nothing to wait for");

    let mut back = world.clone();
    back.change(&ingress("web", &[on], &[("/", "web")]));
    back.settle(&config(), &own("web"));
    assert_eq!((behind(&back).0, arns(&back)), (old.clone(), served), "it is taken back");

    world.unhealthy.clear();
    world.settle(&config(), &own("web"));
    assert_ne!(behind(&world).0, old);
    assert!(!world.observed.load_balancers.contains_key(&old));
    assert_eq!(world.observed.target_groups.len(), 2);
}

#[test]
fn what_stands_in_front_and_is_protected_is_shown_as_long_as_it_stays() {
    let protected = ("frontend-nlb-attributes", "deletion_protection.enabled=true");
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[("enable-frontend-nlb", "true"), protected], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    let shown = |evaluation: &Evaluation<Stacks>| {
        let all = evaluation.status.iter().flat_map(|wish| &wish.addresses);
        all.map(|wish| (format!("{:?}", wish.address).contains("-nlb"), !wish.ports.is_empty()))
            .collect::<Vec<_>>()
    };
    let both = [(false, true), (true, false)];

    let mut disabled = world.clone();
    disabled.change(&ingress("web", &[], &[("/", "web")]));
    let held = step(&mut disabled, &own("web"));
    assert!(held.plan.is_empty(), "{:?}", lines(&held));
    assert_eq!(shown(&held), both);
    assert_eq!(codes(&held), [("web".to_owned(), "DeletionProtected", true)]);
    let front =
        disabled.observed.load_balancers.values_mut().find(|seen| seen.kind == LoadBalancerKind::Network);
    front.unwrap().attributes.remove("deletion_protection.enabled");
    disabled.settle(&config(), &own("web"));
    assert_eq!(disabled.observed.load_balancers.len(), 1);

    world.delete("web");
    let held = step(&mut world, &own("web"));
    assert!(held.plan.is_empty() && held.finalizers.remove.is_empty());
    assert_eq!(shown(&held), both, "neither goes while one has to stay");
}

#[test]
fn nothing_healthy_is_nothing_to_wait_for() {
    let mut world = World::recorded();
    world.add(&json!([ingress("web", &[], &[("/", "web")])]));
    world.settle(&config(), &own("web"));
    world.unhealthy = world.observed.target_groups.values().map(|group| group.arn.clone()).collect();
    world.change(&ingress("web", &[("backend-protocol", "HTTPS")], &[("/", "web")]));
    assert_eq!(codes(&step(&mut world, &own("web"))), []);
    assert_eq!(world.observed.target_groups.len(), 1);
    assert_eq!(shares(&balancer(&world).listeners[&80].rules[0].actions).len(), 1);
}

#[test]
fn a_default_backend_and_sticky_targets_wait_as_well() {
    let sticky = ("target-group-attributes", "stickiness.enabled=true");
    let with_default = |annotations: &[(&str, &str)]| {
        let mut object = ingress("web", annotations, &[]);
        object["spec"] = json!({"ingressClassName": "alb",
            "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}});
        object
    };
    let mut world = World::recorded();
    world.add(&json!([with_default(&[sticky])]));
    world.settle(&config(), &own("web"));
    world.change(&with_default(&[sticky, ("backend-protocol", "HTTPS")]));
    let _ = step(&mut world, &own("web"));
    let listener = &balancer(&world).listeners[&80];
    assert_eq!(shares(&listener.default_actions).len(), 2);
    let Some(Action::Forward(forward)) = listener.default_actions.last() else { panic!() };
    assert_eq!(forward.stickiness, Some(1), "AWS wants it where targets are sticky");
    world.settle(&config(), &own("web"));
    assert_eq!(shares(&balancer(&world).listeners[&80].default_actions).len(), 1);
}
