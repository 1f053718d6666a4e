//! What is asked of a load balancer's front, key by key: the value is changed, and AWS is seen to differ.

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
    facts::Certificate,
    model::{Addon, ClientCertificates, Source},
    observed::{AddonsSeen, ListenerSeen, LoadBalancerSeen, Shielding},
    stack::{StackOp, Stacks},
};
use fairway_core::{
    evaluate::{Evaluation, Facts, Input, MAX_ROUNDS, Provider as _, Step},
    ids::{Key, ProviderKind, StackId, StackKey},
    note::Note,
    settings::front::Attachment,
};
use serde_json::{Map, Value, json};
use support::world::World;

const HTTPS: (&str, &str) = ("listen-ports", r#"[{"HTTPS":443}]"#);
const BOTH: (&str, &str) = ("listen-ports", r#"[{"HTTP":80},{"HTTPS":443}]"#);

fn config() -> Config {
    Config::new("demo", "us-east-1", "vpc-973af0aea18100386")
}

fn shop() -> StackId {
    StackId::new(ProviderKind::Aws, StackKey::Group("shop".to_owned()))
}

/// A member of group `shop`, of a class.
fn member(name: &str, class: &str, annotations: &[(&str, &str)]) -> Value {
    let own = [("group.name", "shop"), ("scheme", "internet-facing"), ("target-type", "ip")];
    let annotations: Map<String, Value> = own
        .iter()
        .chain(annotations)
        .map(|(key, value)| (format!("alb.ingress.kubernetes.io/{key}"), json!(value)))
        .collect();
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"), "annotations": annotations},
        "spec": {"ingressClassName": class, "rules": [{"host": format!("{name}.example.com"), "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]},
    })
}

/// A class with parameters.
fn class(name: &str, spec: &Value) -> Value {
    json!([
        {"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "IngressClassParams", "metadata": {"name": name}, "spec": spec},
        {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name},
         "spec": {"controller": "ingress.k8s.aws/alb", "parameters":
            {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": name}}},
    ])
}

fn account() -> World {
    let mut world = World::recorded();
    let arn = |name: &str| (name.to_owned(), format!("arn:{name}"));
    world.trust_stores = [arn("staff"), arn("partners")].into();
    world.web_acls = [arn("shop"), arn("blog")].into();
    world.shield_advanced = true;
    world
}

/// Puts a member there and settles: the notes of the last look.
fn settle(world: &mut World, object: &Value) -> Vec<Note> {
    let key = Key::new("default", object["metadata"]["name"].as_str().unwrap());
    let finalizers = world.snapshot.ingresses.get(&key).and_then(|old| old.metadata.finalizers.clone());
    world.add(&json!([object]));
    let all = Arc::make_mut(&mut world.snapshot.ingresses);
    Arc::make_mut(all.get_mut(&key).unwrap()).metadata.finalizers = finalizers;
    world.settle(&config(), &shop());
    world.look(&config(), &shop()).0.notes
}

fn balancer(world: &World) -> &LoadBalancerSeen {
    let all: Vec<_> = world.observed.load_balancers.values().collect();
    assert_eq!(all.len(), 1);
    all[0]
}

fn listener(world: &World, port: u16) -> &ListenerSeen {
    &balancer(world).listeners[&port]
}

/// The sources that may reach a port.
fn sources(world: &World, port: i32) -> BTreeSet<Source> {
    let groups = world.observed.security_groups.values();
    let permissions = groups.flat_map(|group| &group.permissions);
    permissions.filter(|one| one.from == Some(port)).map(|one| one.source.clone()).collect()
}

fn this(text: &str) -> Option<Attachment> {
    Some(Attachment::This(text.to_owned()))
}

#[test]
fn attributes_go_to_the_listener_that_they_name() {
    const SERVER: &str = "routing.http.response.server.enabled";
    let mut world = account();
    let ask = |value: &str| member("a", "alb", &[BOTH, ("listener-attributes.HTTPS-443", value)]);
    assert_eq!(settle(&mut world, &ask(&format!("{SERVER}=false"))), []);
    assert_eq!(listener(&world, 443).attributes[SERVER], "false");
    assert!(listener(&world, 80).attributes.is_empty());
    settle(&mut world, &ask(&format!("{SERVER}=true")));
    assert_eq!(listener(&world, 443).attributes[SERVER], "true");
    settle(&mut world, &member("a", "alb", &[BOTH]));
    assert_eq!(listener(&world, 443).attributes[SERVER], "true", "what nobody asks for stays");
}

#[test]
fn a_class_is_stronger_in_listener_attributes_key_by_key() {
    let mut world = account();
    let attributes = json!([{"key": "a", "value": "class"}, {"key": "b", "value": "class"}]);
    let other = json!([{"key": "a", "value": "beside"}]);
    world.add(&class(
        "team",
        &json!({"listeners": [
        {"protocol": "HTTP", "port": 80, "listenerAttributes": attributes},
        {"protocol": "HTTP", "port": 81, "listenerAttributes": other}]}),
    ));
    let own = ("listener-attributes.HTTP-80", "b=own,c=own");
    assert_eq!(
        settle(&mut world, &member("a", "team", &[own])),
        [],
        "a class may name ports that a member has not"
    );
    let want = [("a", "class"), ("b", "class"), ("c", "own")];
    let want = want.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(listener(&world, 80).attributes, want.into());
}

#[test]
fn members_unite_their_listener_attributes_port_by_port() {
    let mut world = account();
    settle(&mut world, &member("a", "alb", &[("listener-attributes.HTTP-80", "x=1,y=1")]));
    assert_eq!(settle(&mut world, &member("b", "alb", &[("listener-attributes.HTTP-80", "y=1,z=1")])), []);
    assert_eq!(listener(&world, 80).attributes.len(), 3);
    let notes = settle(&mut world, &member("c", "alb", &[("listener-attributes.HTTP-80", "z=2")]));
    assert_eq!(
        notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["Ingress default/c ConflictingSetting: alb.ingress.kubernetes.io/listener-attributes.HTTP-80: z=2 \
          contradicts z=1, which Ingress default/b asks for (held)"]
    );
    assert_eq!(listener(&world, 80).attributes["z"], "1");
    assert_eq!(listener(&world, 80).rules.len(), 2, "the others are served");
}

#[test]
fn client_certificates_are_asked_for_as_a_port_says() {
    let verify =
        |store: &str, more: &str| format!(r#"[{{"port":443,"mode":"verify","trustStore":"{store}"{more}}}]"#);
    let mode = |mode: &str| format!(r#"[{{"port":443,"mode":"{mode}"}}]"#);
    let seen = |trust_store: &str, ignore_expiry, advertise_authorities| ClientCertificates::Verify {
        trust_store: trust_store.to_owned(),
        ignore_expiry,
        advertise_authorities,
    };
    let expiry = r#","ignoreClientCertificateExpiry":true,"advertiseTrustStoreCaNames":"on""#;
    let steps = [
        (mode("passthrough"), ClientCertificates::Passthrough),
        (verify("staff", ""), seen("arn:staff", false, None)),
        (verify("arn:partners", ""), seen("arn:partners", false, None)),
        (verify("arn:partners", expiry), seen("arn:partners", true, Some(true))),
        (mode("off"), ClientCertificates::Off),
    ];
    let mut world = account();
    for (value, want) in steps {
        assert_eq!(settle(&mut world, &member("a", "alb", &[HTTPS, ("mutual-authentication", &value)])), []);
        assert_eq!(listener(&world, 443).client_certificates, Some(want), "{value}");
    }
    settle(&mut world, &member("a", "alb", &[HTTPS, ("mutual-authentication", &mode("passthrough"))]));
    settle(&mut world, &member("a", "alb", &[HTTPS]));
    assert_eq!(listener(&world, 443).client_certificates, Some(ClientCertificates::Passthrough));
}

#[test]
fn a_trust_store_that_is_not_there_holds_who_names_it() {
    let mut world = account();
    let off = ("mutual-authentication", r#"[{"port":443,"mode":"off"}]"#);
    settle(&mut world, &member("a", "alb", &[HTTPS, off]));
    let unknown = ("mutual-authentication", r#"[{"port":443,"mode":"verify","trustStore":"nobodys"}]"#);
    let notes = settle(&mut world, &member("b", "alb", &[HTTPS, unknown]));
    assert_eq!(notes.iter().map(|note| note.code.as_str()).collect::<Vec<_>>(), ["TrustStoreNotFound"]);
    assert_eq!(listener(&world, 443).rules.len(), 1);
    let other = ("mutual-authentication", r#"[{"port":443,"mode":"passthrough"}]"#);
    let notes = settle(&mut world, &member("b", "alb", &[HTTPS, other]));
    assert!(notes[0].message.contains("Ingress default/a"), "{notes:?}");
    assert_eq!(listener(&world, 443).client_certificates, Some(ClientCertificates::Off));
}

#[test]
fn what_is_put_on_a_load_balancer_is_changed_and_taken_away_when_asked() {
    let mut world = account();
    settle(&mut world, &member("a", "alb", &[]));
    assert!(balancer(&world).addons.is_empty(), "nothing is asked for");
    let asked = [
        ("wafv2-acl-arn", "arn:one"),
        ("waf-acl-id", "classic-1"),
        ("shield-advanced-protection", "true"),
        ("minimum-load-balancer-capacity", "CapacityUnits=100"),
        ("ipam-ipv4-pool-id", "ipam-pool-1"),
    ];
    assert_eq!(settle(&mut world, &member("a", "alb", &asked)), []);
    let seen = &balancer(&world).addons;
    assert_eq!(
        (seen.capacity, &seen.web_acl, &seen.classic_acl),
        (Some(100), &this("arn:one"), &this("classic-1"))
    );
    assert!(matches!(seen.shield, Some(Shielding::Ours(_))), "{seen:?}");
    assert_eq!(balancer(&world).ipv4_pool.as_deref(), Some("ipam-pool-1"));

    let others = [
        ("wafv2-acl-name", "shop"),
        ("web-acl-id", "classic-2"),
        ("minimum-load-balancer-capacity", "CapacityUnits=7"),
        ("ipam-ipv4-pool-id", "ipam-pool-2"),
    ];
    settle(&mut world, &member("a", "alb", &others));
    let seen = &balancer(&world).addons;
    assert_eq!(
        (seen.capacity, &seen.web_acl, &seen.classic_acl),
        (Some(7), &this("arn:shop"), &this("classic-2"))
    );
    assert!(matches!(seen.shield, Some(Shielding::Ours(_))), "what nobody asks for stays: {seen:?}");
    assert_eq!(balancer(&world).ipv4_pool.as_deref(), Some("ipam-pool-2"));

    let none = [
        ("wafv2-acl-arn", ""),
        ("waf-acl-id", ""),
        ("shield-advanced-protection", "false"),
        ("minimum-load-balancer-capacity", "CapacityUnits=0"),
    ];
    settle(&mut world, &member("a", "alb", &none));
    let nobody = AddonsSeen {
        capacity: Some(0),
        web_acl: Some(Attachment::Nothing),
        classic_acl: this("classic-2"),
        shield: Some(Shielding::Nobody),
    };
    assert_eq!(balancer(&world).addons, nobody, "an empty waf-acl-id says nothing");
    assert_eq!(balancer(&world).ipv4_pool, None, "a pool that nobody asks for is given back");
    settle(&mut world, &member("a", "alb", &[("waf-acl-id", "none")]));
    assert_eq!(balancer(&world).addons.classic_acl, Some(Attachment::Nothing));
}

#[test]
fn names_of_web_acls_win_over_arns_and_have_to_exist() {
    let mut world = account();
    settle(&mut world, &member("a", "alb", &[("wafv2-acl-arn", "arn:one")]));
    assert_eq!(settle(&mut world, &member("b", "alb", &[("wafv2-acl-name", "blog")])), []);
    assert_eq!(balancer(&world).addons.web_acl, this("arn:blog"), "for the whole group");
    let notes = settle(&mut world, &member("c", "alb", &[("wafv2-acl-name", "nobodys")]));
    assert_eq!(notes.iter().map(|note| note.code.as_str()).collect::<Vec<_>>(), ["WebAclNotFound"]);
    let notes = settle(&mut world, &member("c", "alb", &[("wafv2-acl-name", "shop")]));
    assert!(notes[0].held && notes[0].message.contains("Ingress default/b"), "{notes:?}");
    assert_eq!(balancer(&world).addons.web_acl, this("arn:blog"));
}

#[test]
fn an_account_without_shield_advanced_is_told() {
    let mut world = account();
    world.shield_advanced = false;
    let notes = settle(&mut world, &member("a", "alb", &[("shield-advanced-protection", "true")]));
    assert_eq!(
        notes.iter().map(|note| (note.code.as_str(), note.held)).collect::<Vec<_>>(),
        [("NoShieldAdvanced", false)]
    );
    assert_eq!(balancer(&world).addons.shield, None);
}

#[test]
fn a_pool_of_customer_owned_addresses_is_fixed_when_the_load_balancer_is_made() {
    let mut world = account();
    settle(&mut world, &member("a", "alb", &[("customer-owned-ipv4-pool", "coip-1")]));
    assert_eq!(balancer(&world).customer_owned_pool.as_deref(), Some("coip-1"));
    let notes = settle(&mut world, &member("a", "alb", &[("customer-owned-ipv4-pool", "coip-2")]));
    assert_eq!(
        notes.iter().map(|note| (note.code.as_str(), note.held)).collect::<Vec<_>>(),
        [("AddressPoolFixed", false)]
    );
    assert_eq!(balancer(&world).customer_owned_pool.as_deref(), Some("coip-1"));
}

#[test]
fn only_what_is_asked_for_is_looked_at() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [Addon]);
    let cases: [Case<'_>; 4] = [
        (&[], &[]),
        (&[("wafv2-acl-arn", "none"), ("ipam-ipv4-pool-id", "p")], &[Addon::WebAcl]),
        (
            &[("web-acl-id", "1"), ("shield-advanced-protection", "false")],
            &[Addon::ClassicAcl, Addon::Shield],
        ),
        (&[("minimum-load-balancer-capacity", "CapacityUnits=1")], &[Addon::Capacity]),
    ];
    for (annotations, want) in cases {
        let mut world = account();
        world.add(&json!([member("a", "alb", annotations)]));
        assert_eq!(scope(&world), want.iter().copied().collect(), "{annotations:?}");
    }
}

/// What a look wants to see besides what every look does.
fn scope(world: &World) -> BTreeSet<Addon> {
    asked(world).1
}

/// How often a look asks before it wants to see something.
fn rounds(world: &World) -> usize {
    asked(world).0
}

fn asked(world: &World) -> (usize, BTreeSet<Addon>) {
    let (config, unit, mut facts) = (config(), shop(), Facts::<Stacks>::default());
    for round in 0..MAX_ROUNDS {
        let (snapshot, last_good) = (&world.snapshot, &world.last_good);
        let input =
            Input { unit: &unit, config: &config, snapshot, facts: &facts, observed: None, last_good };
        match Stacks::evaluate(&input) {
            Step::NeedFacts(queries) => {
                queries.into_iter().for_each(|query| facts.insert(query.clone(), world.answer(&query)));
            }
            Step::NeedObserved(scope) => return (round, scope.addons),
            Step::Done(_) => panic!("nothing was remembered"),
        }
    }
    panic!("evaluate did not settle");
}

#[test]
fn add_ons_follow_the_load_balancer_and_hold_nothing_back() {
    let mut world = account();
    world.add(&json!([member(
        "a",
        "alb",
        &[("wafv2-acl-name", "shop"), ("minimum-load-balancer-capacity", "CapacityUnits=9")]
    )]));
    let (evaluation, _): (Evaluation<Stacks>, bool) = world.look(&config(), &shop());
    let planned = evaluation.plan.ops();
    let guards = |op: &StackOp| matches!(op, StackOp::SetWebAcl(..) | StackOp::ReserveCapacity(..));
    let addons: Vec<_> = planned.iter().filter(|one| guards(&one.op)).collect();
    assert_eq!(addons.len(), 2);
    for addon in addons {
        assert_eq!(addon.waits.len(), 1, "until it is active: {addon:?}");
        let others = planned.iter().filter(|one| !guards(&one.op));
        others.for_each(|one| assert!(!one.after.contains(&addon.id), "{one:?} waits for {addon:?}"));
    }
}

#[test]
fn a_class_speaks_for_each_of_its_members() {
    let mut world = account();
    world.add(&class(
        "one",
        &json!({
        "minimumLoadBalancerCapacity": {"capacityUnits": 5}, "wafv2AclName": "shop",
        "ipamConfiguration": {"ipv4IPAMPoolId": "ipam-pool-1"}, "prefixListsIDs": ["pl-1"]}),
    ));
    world.add(&class("two", &json!({"minimumLoadBalancerCapacity": {"capacityUnits": 6}})));
    let own = [("minimum-load-balancer-capacity", "CapacityUnits=9"), ("ipam-ipv4-pool-id", "own")];
    assert_eq!(settle(&mut world, &member("a", "one", &own)), []);
    let seen = balancer(&world);
    assert_eq!((seen.addons.capacity, seen.ipv4_pool.as_deref()), (Some(5), Some("ipam-pool-1")));
    assert_eq!(seen.addons.web_acl, this("arn:shop"));
    assert_eq!(sources(&world, 80), [Source::PrefixList("pl-1".to_owned())].into());
    let notes = settle(&mut world, &member("b", "two", &[]));
    assert!(notes[0].held && notes[0].message.contains("6 contradicts 5, which"), "{notes:?}");
    assert!(notes[0].message.contains("spec.minimumLoadBalancerCapacity"), "{notes:?}");
    assert_eq!(listener(&world, 80).rules.len(), 1);
}

#[test]
fn doors_of_a_port_are_the_same_set_for_all_its_members() {
    let mut world = account();
    settle(&mut world, &member("a", "alb", &[("inbound-cidrs", "10.1.0.0/16,10.2.0.0/16")]));
    assert_eq!(settle(&mut world, &member("b", "alb", &[("inbound-cidrs", "10.2.0.0/16, 10.1.0.0/16")])), []);
    assert_eq!(sources(&world, 80).len(), 2);
    let notes = settle(&mut world, &member("c", "alb", &[("inbound-cidrs", "10.3.0.0/16")]));
    assert!(notes[0].held && notes[0].message.contains("Ingress default/a"), "{notes:?}");
    let other_port = [("inbound-cidrs", "10.3.0.0/16"), ("listen-ports", r#"[{"HTTP":8080}]"#)];
    assert_eq!(settle(&mut world, &member("c", "alb", &other_port)), [], "of another port it may be another");
    assert_eq!(sources(&world, 8080), [Source::Cidr("10.3.0.0/16".to_owned())].into());
}

#[test]
fn prefix_lists_open_a_port_in_place_of_everyone() {
    let mut world = account();
    let lists = |text: &str| member("a", "alb", &[("security-group-prefix-lists", text)]);
    let list = |id: &str| Source::PrefixList(id.to_owned());
    settle(&mut world, &lists("pl-1, pl-2"));
    assert_eq!(sources(&world, 80), [list("pl-1"), list("pl-2")].into());
    settle(&mut world, &lists("pl-2"));
    assert_eq!(sources(&world, 80), [list("pl-2")].into());
    settle(&mut world, &lists(""));
    assert_eq!(sources(&world, 80), [Source::Cidr("0.0.0.0/0".to_owned())].into());
}

#[test]
fn ipv6_ranges_count_where_there_is_ipv6() {
    let mut world = account();
    world.subnets.iter_mut().for_each(|subnet| subnet.ipv6_cidrs = vec!["fd00::/64".to_owned()]);
    let ranges = ("inbound-cidrs", "10.0.0.0/8, fd00::/8");
    settle(&mut world, &member("a", "alb", &[ranges]));
    let (v4, v6) = (Source::Cidr("10.0.0.0/8".to_owned()), Source::Cidr6("fd00::/8".to_owned()));
    assert_eq!(sources(&world, 80), [v4.clone()].into());
    settle(&mut world, &member("a", "alb", &[ranges, ("ip-address-type", "dualstack")]));
    assert_eq!(sources(&world, 80), [v4, v6].into());
    settle(&mut world, &member("a", "alb", &[("ip-address-type", "dualstack")]));
    assert_eq!(sources(&world, 80).len(), 2, "everyone, of both kinds");
}

#[test]
fn policies_differ_only_where_a_port_is_https() {
    let mut world = account();
    settle(&mut world, &member("a", "alb", &[BOTH, ("ssl-policy", "ELBSecurityPolicy-TLS13-1-2-2021-06")]));
    let other = ("ssl-policy", "ELBSecurityPolicy-FS-1-2-Res-2020-10");
    assert_eq!(settle(&mut world, &member("b", "alb", &[other])), [], "port 80 has none");
    let notes = settle(&mut world, &member("b", "alb", &[BOTH, other]));
    assert!(notes[0].held && notes[0].message.contains("Ingress default/a"), "{notes:?}");
}

#[test]
fn a_class_selects_subnets_by_tags() {
    let mut world = account();
    let all: Vec<String> = world.subnets.iter().map(|subnet| subnet.id.clone()).collect();
    for (place, subnet) in world.subnets.iter_mut().enumerate() {
        subnet.tags.insert("tier".to_owned(), if place % 2 == 0 { "even" } else { "odd" }.to_owned());
    }
    let of = |tier: &str| -> BTreeSet<String> {
        let mut zones = BTreeSet::new();
        let mut fitting: Vec<_> = world.subnets.iter().filter(|subnet| subnet.tags["tier"] == tier).collect();
        fitting.sort_by(|a, b| a.id.cmp(&b.id));
        fitting
            .into_iter()
            .filter(|subnet| zones.insert(subnet.zone.clone()))
            .map(|subnet| subnet.id.clone())
            .collect()
    };
    let (even, odd) = (of("even"), of("odd"));
    assert!(even.len() >= 2 && odd.len() >= 2, "{all:?}");
    let selects = |tier: &str| class("team", &json!({"subnets": {"tags": {"tier": [tier]}}}));
    for (tier, want) in [("even", &even), ("odd", &odd)] {
        world.add(&selects(tier));
        assert_eq!(settle(&mut world, &member("a", "team", &[])), []);
        assert_eq!(balancer(&world).subnets.iter().cloned().collect::<BTreeSet<_>>(), *want, "{tier}");
    }
    world.add(&selects("nobodys"));
    let notes = settle(&mut world, &member("a", "team", &[]));
    assert!(notes[0].held && notes[0].message.contains("tag tier is not nobodys"), "{notes:?}");
    assert_eq!(balancer(&world).subnets.iter().cloned().collect::<BTreeSet<_>>(), odd);
    world.add(&selects("odd"));
    let listed = even.iter().cloned().collect::<Vec<_>>().join(",");
    let notes = settle(&mut world, &member("b", "alb", &[("subnets", &listed)]));
    assert!(notes[0].held && notes[0].message.contains("which"), "{notes:?}");
}

#[test]
fn questions_that_do_not_hang_together_are_asked_at_once() {
    let mut world = account();
    let arns: Vec<String> =
        (1..=8).map(|number| format!("arn:aws:acm:us-east-1:0:certificate/{number}")).collect();
    world.certificates = arns
        .iter()
        .map(|arn| Certificate { arn: arn.clone(), names: vec!["x.example.com".to_owned()], issued: true })
        .collect();
    world.security_groups = (1..=4).map(|number| (format!("sg-{number}"), format!("own-{number}"))).collect();
    let groups: Vec<&str> = world.security_groups.values().map(String::as_str).collect();
    let (arns, groups) = (arns.join(","), groups.join(","));
    let asked = [
        HTTPS,
        ("certificate-arn", arns.as_str()),
        ("security-groups", &groups),
        ("mutual-authentication", r#"[{"port":443,"mode":"verify","trustStore":"staff"}]"#),
        ("wafv2-acl-name", "shop"),
        ("shield-advanced-protection", "true"),
    ];
    world.add(&json!([member("a", "alb", &asked)]));
    assert_eq!(rounds(&world), 1, "one for all questions");
    assert_eq!(settle(&mut world, &member("a", "alb", &asked)), []);
    assert_eq!(listener(&world, 443).certificates.len(), 8);
    assert_eq!(balancer(&world).security_groups, ["sg-1", "sg-2", "sg-3", "sg-4"]);
}

#[test]
fn target_groups_by_name_are_asked_for_at_once() {
    let mut world = account();
    let names: Vec<String> = (1..=8).map(|number| format!("group-{number}")).collect();
    let actions: Vec<(String, String)> = names
        .iter()
        .map(|name| {
            (format!("actions.{name}"), format!(r#"{{"type":"forward","targetGroupName":"{name}"}}"#))
        })
        .collect();
    let annotations: Vec<(&str, &str)> =
        actions.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let mut ingress = member("a", "alb", &annotations);
    ingress["spec"]["rules"][0]["http"]["paths"] = names
        .iter()
        .map(|name| {
            json!({"path": format!("/{name}"), "pathType": "Exact",
                   "backend": {"service": {"name": name, "port": {"name": "use-annotation"}}}})
        })
        .collect();
    world.add(&json!([ingress]));
    assert_eq!(rounds(&world), 1, "one for all questions");
}
