//! The thin clients against the emulator over HTTP.
//!
//! `FAIRWAY_TEST_AWS_ENDPOINT` names a running emulator, `http://[::1]:4566`. Without it the tests say so and pass,
//! except in CI, where a skipped test is a failure. Each test has an account of its own and removes what it makes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on must fail")]

mod world;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2 as elbv2;
use fairway_aws_api::calls::{Call, CallCounter};
use fairway_aws_api::thin::ec2::{Ec2, GroupSource, NewSecurityGroup, Permission, Select, Source};
use fairway_aws_api::thin::{Retry, Shield, Subscription, TagFilter, Tagging, WafV2};

use world::World;

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn new_group(name: &str, vpc_id: &str) -> NewSecurityGroup {
    NewSecurityGroup {
        name: name.to_owned(),
        description: "[k8s] made by a test".to_owned(),
        vpc_id: vpc_id.to_owned(),
        tags: tags(&[("owner", "thin test"), ("a/b", "c=d & e")]),
    }
}

fn permission(source: Source, description: Option<&str>) -> Permission {
    Permission {
        protocol: "tcp".to_owned(),
        from_port: Some(80),
        to_port: Some(8080),
        source,
        description: description.map(str::to_owned),
    }
}

async fn default_vpc(ec2: &Ec2) -> String {
    let vpcs = ec2.vpcs(&Select::all()).await.unwrap();
    assert!(!vpcs.is_empty(), "a fresh account has its default VPC");
    vpcs[0].id.clone()
}

#[tokio::test]
async fn the_network_is_described() {
    let Some(world) = World::open(1) else { return };
    let ec2 = Ec2::new(&world.config(), &CallCounter::default()).unwrap();
    let vpc = ec2.vpcs(&Select::all()).await.unwrap().remove(0);
    assert_eq!(vpc.cidrs.len(), 1, "{vpc:?}");
    assert_eq!(vpc.state, "available");

    let in_vpc = Select::all().filter("vpc-id", [&vpc.id]);
    let subnets = ec2.subnets(&in_vpc).await.unwrap();
    assert!(subnets.len() >= 2, "{subnets:?}");
    let zones = ec2.zones(&Select::all()).await.unwrap();
    for subnet in &subnets {
        assert_eq!((&subnet.vpc_id, subnet.state.as_str()), (&vpc.id, "available"));
        assert!(subnet.cidr.is_some() && subnet.available_addresses > 8, "{subnet:?}");
        let zone = zones.iter().find(|zone| zone.name == subnet.zone).unwrap();
        assert_eq!((zone.id.as_str(), zone.kind.as_str()), (subnet.zone_id.as_str(), "availability-zone"));
    }
    let two: Vec<_> = subnets.iter().take(2).map(|subnet| subnet.id.clone()).collect();
    let again = ec2.subnets(&Select::ids(&two)).await.unwrap();
    assert_eq!(again, subnets[..2]);

    let tables = ec2.route_tables(&in_vpc).await.unwrap();
    assert!(tables.iter().any(|table| table.associations.iter().any(|one| one.main)), "{tables:?}");
    let local = tables.iter().flat_map(|table| &table.routes).find(|route| route.destination == vpc.cidrs[0]);
    assert_eq!(local.and_then(|route| route.gateway_id.as_deref()), Some("local"));

    let error = ec2.subnets(&Select::ids(["subnet-0123456789abcdef0"])).await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidSubnetID.NotFound"), "{error:?}");
    assert!(error.request_id().is_some() && error.retry() == Retry::Never, "{error:?}");
}

#[tokio::test]
async fn a_security_group_lives_and_dies() {
    let Some(world) = World::open(2) else { return };
    let ec2 = Ec2::new(&world.config(), &CallCounter::default()).unwrap();
    let vpc = default_vpc(&ec2).await;
    let group = new_group("thin-life", &vpc);
    let id = ec2.create_security_group(&group).await.unwrap();
    let error = ec2.create_security_group(&group).await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidGroup.Duplicate"), "{error:?}");

    let by_name = Select::all().filter("vpc-id", [&vpc]).filter("group-name", ["thin-life", "other"]);
    let found = ec2.security_groups(&by_name).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0].id, &found[0].name, &found[0].description, &found[0].vpc_id, &found[0].tags),
        (&id, &group.name, &group.description, &vpc, &group.tags)
    );
    assert_eq!(found[0].ingress, []);

    let one = [id.clone()];
    ec2.create_tags(&one, &tags(&[("owner", "changed"), ("empty", "")])).await.unwrap();
    ec2.delete_tags(&one, &["a/b".to_owned()]).await.unwrap();
    let found = ec2.security_groups(&Select::all().filter("tag:owner", ["changed"])).await.unwrap();
    assert_eq!(found[0].tags, tags(&[("owner", "changed"), ("empty", "")]));

    ec2.delete_security_group(&id).await.unwrap();
    let error = ec2.delete_security_group(&id).await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidGroup.NotFound"), "{error:?}");
    assert_eq!(ec2.security_groups(&by_name).await.unwrap(), []);
}

#[tokio::test]
async fn permissions_come_back_as_they_were_given() {
    let Some(world) = World::open(3) else { return };
    let ec2 = Ec2::new(&world.config(), &CallCounter::default()).unwrap();
    let vpc = default_vpc(&ec2).await;
    let id = ec2.create_security_group(&new_group("thin-rules", &vpc)).await.unwrap();
    let peer = ec2.create_security_group(&new_group("thin-peer", &vpc)).await.unwrap();
    let owner = ec2.security_groups(&Select::ids([&peer])).await.unwrap().remove(0).owner_id;

    let group = GroupSource { id: peer.clone(), owner_id: Some(owner) };
    let given = [
        permission(Source::Ipv4("0.0.0.0/0".to_owned()), None),
        permission(Source::Ipv4("10.0.0.0/8".to_owned()), Some("inside & out")),
        permission(Source::Ipv6("2001:db8::/32".to_owned()), Some("six")),
        permission(Source::Group(group), Some("elbv2.k8s.aws/targetGroupBinding=shared")),
        // Without a note, because moto, which keeps the rules of the emulator, drops the notes of prefix lists.
        permission(Source::PrefixList("pl-0123456789abcdef0".to_owned()), None),
        Permission {
            protocol: "-1".to_owned(),
            from_port: None,
            to_port: None,
            source: Source::Ipv4("192.168.0.0/16".to_owned()),
            description: None,
        },
    ];
    ec2.authorize_ingress(&id, &given).await.unwrap();
    let ingress = async || ec2.security_groups(&Select::ids([&id])).await.unwrap().remove(0).ingress;
    let set = |list: &[Permission]| list.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(set(&ingress().await), set(&given));

    let error = ec2.authorize_ingress(&id, &given[..1]).await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidPermission.Duplicate"), "{error:?}");
    ec2.revoke_ingress(&id, &given[1..]).await.unwrap();
    assert_eq!(ingress().await, given[..1]);

    ec2.delete_security_group(&id).await.unwrap();
    ec2.delete_security_group(&peer).await.unwrap();
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let Some(world) = World::open(4) else { return };
    let calls = CallCounter::default();
    let ec2 = Ec2::new(&world.config(), &calls).unwrap().with_page_size(5);
    let vpc = default_vpc(&ec2).await;
    let mut made = BTreeSet::new();
    for n in 0..12 {
        made.insert(ec2.create_security_group(&new_group(&format!("thin-page-{n}"), &vpc)).await.unwrap());
    }
    let found = ec2.security_groups(&Select::all().filter("tag:owner", ["thin test"])).await.unwrap();
    for id in &made {
        ec2.delete_security_group(id).await.unwrap();
    }
    assert_eq!(found.into_iter().map(|group| group.id).collect::<BTreeSet<_>>(), made);
    let describes = Call { service: "ec2".to_owned(), operation: "DescribeSecurityGroups".to_owned() };
    assert_eq!(calls.snapshot().get(&describes), Some(&3), "12 groups in pages of 5");
}

/// The only test that loads faults: a script replaces the one before, and meets calls by words only used here.
#[tokio::test]
async fn faults_on_the_way_are_outlived() {
    let Some(world) = World::open(7) else { return };
    let calls = CallCounter::default();
    let ec2 = Ec2::new(&world.config(), &calls).unwrap();
    let tagging = Tagging::new(&world.config(), &calls).unwrap();
    let vpc = default_vpc(&ec2).await;
    let rule = |id: &str, rest: &str| format!(r#"{{"id":"{id}","match":"thin-fault",{rest}}}"#);
    let rules = [
        rule("a", r#""operation":"DescribeSecurityGroups","count":2"#),
        rule("b", r#""operation":"GetResources","count":1"#),
        rule("c", r#""operation":"CreateSecurityGroup","action":"cut","count":1"#),
    ];
    world.load_faults(&format!("[{}]", rules.join(","))).await;

    let select = Select::all().filter("group-name", ["thin-fault"]);
    assert_eq!(ec2.security_groups(&select).await.unwrap(), []);
    let filter = TagFilter { key: "thin-fault".to_owned(), values: Vec::new() };
    assert_eq!(tagging.resources(&[filter], &[]).await.unwrap(), []);
    // The answer is lost after the group was made, so the second attempt meets the work of the first.
    let error = ec2.create_security_group(&new_group("thin-fault", &vpc)).await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidGroup.Duplicate"), "{error:?}");
    let made = ec2.security_groups(&select).await.unwrap();
    assert_eq!(made.len(), 1);
    ec2.delete_security_group(&made[0].id).await.unwrap();

    world.load_faults("[]").await;
    let count = |service: &str, operation: &str| {
        let call = Call { service: service.to_owned(), operation: operation.to_owned() };
        calls.snapshot().get(&call).copied()
    };
    assert_eq!(count("ec2", "DescribeSecurityGroups"), Some(4), "two throttled, two answered");
    assert_eq!(count("resourcegroupstaggingapi", "GetResources"), Some(2), "one throttled");
    assert_eq!(count("ec2", "CreateSecurityGroup"), Some(2), "one lost, one refused");
}

#[tokio::test]
async fn instances_and_their_interfaces_are_found() {
    let Some(world) = World::open(5) else { return };
    let ec2 = Ec2::new(&world.config(), &CallCounter::default()).unwrap();
    let vpc = default_vpc(&ec2).await;
    let group = ec2.create_security_group(&new_group("thin-node", &vpc)).await.unwrap();
    let subnet = ec2.subnets(&Select::all().filter("vpc-id", [&vpc])).await.unwrap().remove(0);
    world.run_instance(&subnet.id, &group).await;

    let running = Select::all().filter("instance-state-name", ["running", "pending"]);
    let found = ec2.instances(&running).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    let instance = &found[0];
    assert_eq!((instance.vpc_id.as_ref(), instance.subnet_id.as_ref()), (Some(&vpc), Some(&subnet.id)));
    assert_eq!(instance.zone.as_ref(), Some(&subnet.zone));
    assert_eq!(instance.group_ids, std::slice::from_ref(&group));
    let address = instance.private_ip.clone().unwrap();

    let selections = [
        ("by address", Select::all().with_private_ips([&address])),
        ("by group", Select::all().with_groups([&group])),
        ("by instance", Select::all().attached_to([&instance.id])),
    ];
    for (name, select) in selections {
        let interfaces = ec2.network_interfaces(&select).await.unwrap();
        assert_eq!(interfaces.len(), 1, "{name}: {interfaces:?}");
        assert_eq!(interfaces[0].private_ips, std::slice::from_ref(&address), "{name}");
        assert_eq!(interfaces[0].group_ids, std::slice::from_ref(&group), "{name}");
        let attachment = interfaces[0].attachment.as_ref().unwrap();
        assert_eq!(attachment.instance_id.as_ref(), Some(&instance.id), "{name}");
    }
    assert_eq!(ec2.instances(&Select::ids([&instance.id])).await.unwrap(), found);

    // The group stays behind in the test's own account: moto counts a terminated instance as its user.
    world.terminate_instance(&instance.id).await;
    assert_eq!(ec2.instances(&running).await.unwrap(), []);
}

#[tokio::test]
async fn a_load_balancer_is_tagged_guarded_and_counted() {
    let Some(world) = World::open(6) else { return };
    let (config, calls) = (world.config(), CallCounter::default());
    let ec2 = Ec2::new(&config, &calls).unwrap();
    let sdk = elbv2::config::Builder::from(&config).interceptor(calls.clone()).build();
    let elb = elbv2::Client::from_conf(sdk);
    let vpc = default_vpc(&ec2).await;
    let group = ec2.create_security_group(&new_group("thin-lb", &vpc)).await.unwrap();
    let subnets = ec2.subnets(&Select::all().filter("vpc-id", [&vpc])).await.unwrap();
    let tag = elbv2::types::Tag::builder().key("elbv2.k8s.aws/cluster").value("thin").build();
    let request = elb
        .create_load_balancer()
        .name("thin-lb")
        .set_subnets(Some(subnets.iter().take(2).map(|subnet| subnet.id.clone()).collect()))
        .security_groups(&group)
        .tags(tag);
    let made = request.send().await.unwrap();
    let arn = made.load_balancers()[0].load_balancer_arn().unwrap().to_owned();

    finds_by_tag(&world, &arn).await;
    protects(&world, &arn).await;
    puts_a_web_acl_in_front(&world, &arn).await;

    elb.delete_load_balancer().load_balancer_arn(&arn).send().await.unwrap();
    let counted: Vec<_> = calls.snapshot().into_keys().filter(|call| call.service == "elbv2").collect();
    let names: Vec<_> = counted.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(names, ["CreateLoadBalancer", "DeleteLoadBalancer"]);
    // The group stays in the test's own account: AWS keeps a load balancer's interfaces for a while.
}

async fn finds_by_tag(world: &World, arn: &str) {
    let tagging = Tagging::new(&world.config(), &CallCounter::default()).unwrap();
    let filter =
        |value: &str| [TagFilter { key: "elbv2.k8s.aws/cluster".to_owned(), values: vec![value.to_owned()] }];
    let types = ["elasticloadbalancing:loadbalancer"];
    let found = tagging.resources(&filter("thin"), &types).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].arn.as_str(), &found[0].tags), (arn, &tags(&[("elbv2.k8s.aws/cluster", "thin")])));
    assert_eq!(tagging.resources(&filter("other"), &types).await.unwrap(), []);
}

async fn protects(world: &World, arn: &str) {
    let shield = Shield::new(&world.config(), &CallCounter::default()).unwrap();
    assert_eq!(shield.subscription().await.unwrap(), Subscription::Active);
    assert_eq!(shield.protection_of(arn).await.unwrap(), None);
    let id = shield.create_protection("managed by a test", arn).await.unwrap();
    let protection = shield.protection_of(arn).await.unwrap().unwrap();
    assert_eq!(
        (protection.id.as_str(), protection.name.as_str(), protection.resource_arn.as_str()),
        (id.as_str(), "managed by a test", arn)
    );
    shield.delete_protection(&id).await.unwrap();
    assert_eq!(shield.protection_of(arn).await.unwrap(), None);
}

async fn puts_a_web_acl_in_front(world: &World, arn: &str) {
    let waf = WafV2::new(&world.config(), &CallCounter::default()).unwrap();
    assert_eq!(waf.web_acls().await.unwrap(), []);
    world.create_web_acl("thin-acl").await;
    let acls = waf.web_acls().await.unwrap();
    assert_eq!(acls.iter().map(|acl| acl.name.as_str()).collect::<Vec<_>>(), ["thin-acl"]);
    assert_eq!(waf.web_acl_for(arn).await.unwrap(), None);
    waf.associate(&acls[0].arn, arn).await.unwrap();
    assert_eq!(waf.web_acl_for(arn).await.unwrap().as_ref(), Some(&acls[0]));
    waf.disassociate(arn).await.unwrap();
    assert_eq!(waf.web_acl_for(arn).await.unwrap(), None);
    let error = waf.associate(&format!("{}x", acls[0].arn), arn).await.unwrap_err();
    assert_eq!(error.code(), Some("WAFNonexistentItemException"), "{error:?}");
}
