//! Answers of lowering's questions, hosted zones and shared groups, against the emulator over HTTP.
//!
//! As for the thin clients: `FAIRWAY_TEST_AWS_ENDPOINT` names a running emulator, each test has its own account.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod site;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use fairway_aws::config::Quota;
use fairway_aws::facts::{Answer, Query};
use fairway_aws::model::{Permission, SecurityGroup, SecurityGroupRef, Source};
use fairway_aws::network::{Cluster, Network, NetworkObserved, NetworkOp, NetworkScope};
use fairway_aws::ownership::Owned;
use fairway_aws::stack::{StackOp, Stacks};
use fairway_aws::tags;
use fairway_aws_api::Aws;
use fairway_core::class::Class;
use fairway_core::plan::{Bindings, Effect, ResourceKey};
use fairway_dns::Zones;
use fairway_dns::change::{Action, Change, ChangeBatch, Group};
use fairway_dns::name::Name;
use fairway_dns::provider::{self, Scope, ZoneUnit};
use fairway_dns::record::{Alias, Content, RecordSet, RecordType, Routing, RoutingPolicy};
use fairway_dns::zone::{HostedZone, ZoneId};
use fairway_engine::ports::{Applied, Apply, Observe};

use site::Site;

async fn ask(site: &Site, aws: &Aws, query: Query) -> Answer {
    let id = site.stack("any").id;
    let facts = fairway_engine::ports::Answer::<Stacks>::answer(aws, &id, std::slice::from_ref(&query)).await;
    facts.unwrap().get(&query).unwrap().clone()
}

#[tokio::test]
async fn the_network_is_told_and_asked_for_once() {
    let Some(site) = Site::open(41).await else { return };
    let aws = site.aws();
    let before = site.calls();
    let asking = (0..8).map(|_| ask(&site, &aws, Query::Subnets));
    let answers = futures::future::join_all(asking).await;
    let Answer::Subnets(subnets) = &answers[0] else { panic!("{answers:?}") };
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(subnets.iter().map(|subnet| subnet.id.clone()).collect::<Vec<_>>(), site.subnets);
    assert!(
        subnets.iter().all(|subnet| subnet.zone_type == "availability-zone" && subnet.free_addresses > 8)
    );
    let Answer::Vpc { ipv4, .. } = ask(&site, &aws, Query::Vpc).await else { panic!("not a VPC") };
    assert_eq!(ipv4.len(), 1);
    let counted: Vec<String> =
        site.calls_since(&before).iter().map(|(call, n)| format!("{call} {n}")).collect();
    assert_eq!(counted, ["ec2 DescribeAvailabilityZones 1", "ec2 DescribeSubnets 1", "ec2 DescribeVpcs 1"]);
}

#[tokio::test]
async fn the_account_tells_what_it_was_granted() {
    let Some(site) = Site::open(49).await else { return };
    let limits = site.aws().account_limits().await.unwrap();
    assert_eq!(limits, [(Quota::Listeners, 50), (Quota::Rules, 100), (Quota::Certificates, 25)]);
}

#[tokio::test]
async fn security_groups_are_found_by_id_and_by_name() {
    let Some(site) = Site::open(42).await else { return };
    let aws = site.aws();
    let id = site.security_group("by-name").await;
    for text in [id.as_str(), "by-name"] {
        let answer = ask(&site, &aws, Query::SecurityGroup(text.to_owned())).await;
        assert_eq!(answer, Answer::SecurityGroup(vec![id.clone()]), "{text}");
    }
    assert_eq!(
        ask(&site, &aws, Query::SecurityGroup("nobody".to_owned())).await,
        Answer::SecurityGroup(Vec::new())
    );
    assert_eq!(ask(&site, &aws, Query::BackendSecurityGroup).await, Answer::BackendSecurityGroup(None));
}

#[tokio::test]
async fn a_target_group_is_found_by_name_also_when_it_was_made_since() {
    let Some(site) = Site::open(46).await else { return };
    let (aws, other) = (site.aws(), site.aws());
    let named = |name: &str| Query::TargetGroup(name.to_owned());
    assert_eq!(ask(&site, &aws, named("nobody")).await, Answer::TargetGroup(None));
    let mut theirs = site.stack("theirs");
    let made = theirs.apply(&other, &StackOp::CreateTargetGroup(theirs.group.clone())).await.unwrap();
    let Applied::Produced { handle, .. } = made else { panic!("{made:?}") };
    let name = theirs.name.clone();
    let before = site.calls();
    assert_eq!(ask(&site, &aws, named(&name)).await, Answer::TargetGroup(Some(handle.id)));
    let counted: Vec<String> =
        site.calls_since(&before).iter().map(|(call, n)| format!("{call} {n}")).collect();
    assert_eq!(counted, ["elbv2 DescribeTargetGroups 1"], "the list of the region is not read again");
}

#[tokio::test]
async fn certificates_are_listed_with_all_their_names() {
    let Some(site) = Site::open(43).await else { return };
    let aws = site.aws();
    let arn = site.certificate("Shop.example.com").await;
    let Answer::Certificates(all) = ask(&site, &aws, Query::Certificates).await else { panic!("no list") };
    assert_eq!(all.iter().map(|one| one.arn.clone()).collect::<Vec<_>>(), std::slice::from_ref(&arn));
    assert_eq!(all[0].names, ["shop.example.com", "*.shop.example.com"]);
    let one = ask(&site, &aws, Query::Certificate(arn)).await;
    assert_eq!(one, Answer::Certificate(Some(all[0].clone())));
    let unknown = "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000";
    assert_eq!(ask(&site, &aws, Query::Certificate(unknown.to_owned())).await, Answer::Certificate(None));
}

#[tokio::test]
async fn the_shared_group_is_made_found_used_and_deleted() {
    let Some(site) = Site::open(44).await else { return };
    let aws = site.aws();
    let marks = tags::backend_marks(&site.config);
    let node = site.security_group("node").await;
    let name = "k8s-traffic-demo-0000000000".to_owned();
    let scope = NetworkScope {
        backend_marks: marks.clone(),
        backend_name: name.clone(),
        groups: BTreeSet::from([node.clone()]),
        cluster_tag: "kubernetes.io/cluster/demo".to_owned(),
    };
    let look =
        async || -> NetworkObserved { Observe::<Network>::observe(&aws, &Cluster, &scope).await.unwrap() };
    assert_eq!(look().await.backend, None);
    let spec = SecurityGroup {
        name,
        description: "[k8s] Shared Backend SecurityGroup for LoadBalancer".to_owned(),
        permissions: BTreeSet::new(),
        tags: marks.clone(),
    };
    let mut bindings = Bindings::new();
    let Ok(Applied::Produced { key, handle }) = apply(&aws, &NetworkOp::CreateBackend(spec), &bindings).await
    else {
        panic!("not made")
    };
    assert_eq!(key, ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned()));
    bindings.insert(key, handle.clone());
    let told = ask(&site, &aws, Query::BackendSecurityGroup).await;
    assert_eq!(told, Answer::BackendSecurityGroup(Some(handle.id.clone())), "without waiting for a cache");

    let rule = |source: &str| Permission {
        protocol: "tcp".to_owned(),
        from: Some(8080),
        to: Some(9090),
        source: Source::Group(source.to_owned()),
        description: "elbv2.k8s.aws/targetGroupBinding=shared".to_owned(),
    };
    let permissions = BTreeSet::from([rule("backend")]);
    let authorize = NetworkOp::Authorize { group: node.clone(), permissions: permissions.clone() };
    assert_eq!(apply(&aws, &authorize, &bindings).await.unwrap(), Applied::Changed);
    let want = BTreeSet::from([rule(&handle.id)]);
    assert_eq!(look().await.groups[&node].permissions, want);
    aws.forget().await;
    assert_eq!(look().await.groups[&node].permissions, want);
    let delete =
        || async { NetworkOp::DeleteBackend(Owned::claim(look().await.backend.unwrap(), &marks).unwrap()) };
    let delete = delete().await;
    let refusal = apply(&aws, &delete, &bindings).await.unwrap_err();
    assert_eq!((refusal.failure.class, refusal.failure.code.as_str()), (Class::Pending, "NotYetFree"));
    let revoke = NetworkOp::Revoke { group: node.clone(), permissions };
    assert_eq!(apply(&aws, &revoke, &bindings).await.unwrap(), Applied::Changed);
    assert_eq!(apply(&aws, &revoke, &bindings).await.unwrap(), Applied::Changed, "however often");
    assert_eq!(apply(&aws, &delete, &bindings).await.unwrap(), Applied::Removed);
    assert_eq!(apply(&aws, &delete, &bindings).await.unwrap(), Applied::Removed, "however often");
    assert_eq!((look().await.backend, look().await.groups[&node].permissions.len()), (None, 0));
}

async fn apply(
    aws: &Aws,
    op: &NetworkOp,
    bindings: &Bindings,
) -> Result<Applied, fairway_engine::ports::Refusal> {
    Apply::<Network>::apply(aws, &Cluster, op, bindings).await
}

#[tokio::test]
async fn records_come_back_as_they_were_written() {
    let Some(site) = Site::open(45).await else { return };
    let aws = site.aws();
    let zone = zone(&site, &aws).await;
    let records = records(&zone);
    let batch = |action, records: &[RecordSet]| ChangeBatch {
        zone: zone.id.clone(),
        zone_name: zone.name.clone(),
        number: 0,
        effect: Effect::Create,
        groups: vec![Group {
            name: zone.name.clone(),
            changes: records.iter().map(|record| Change { action, record: record.clone() }).collect(),
            because: Vec::new(),
        }],
    };
    let unit = ZoneUnit::Hosted(zone.id.clone());
    let change = async |action, records: &[RecordSet]| {
        Apply::<Zones>::apply(&aws, &unit, &batch(action, records), &Bindings::new()).await
    };
    assert_eq!(change(Action::Create, &records).await.unwrap(), Applied::Changed);
    let look = async |aws: &Aws| {
        let seen = Observe::<Zones>::observe(aws, &unit, &Scope::WholeZone(zone.id.clone())).await.unwrap();
        let ours = seen.records.into_iter().filter(
            |record| !matches!(&record.kind, RecordType::Other(kind) if kind == "NS" || kind == "SOA"),
        );
        ours.collect::<BTreeSet<_>>()
    };
    let want: BTreeSet<RecordSet> = records.iter().cloned().collect();
    assert_eq!(look(&aws).await, want);
    let raced = change(Action::Create, &records[..1]).await.unwrap_err();
    assert_eq!(
        (raced.failure.class, raced.failure.code.as_str()),
        (Class::Transient, "ChangedMeanwhile"),
        "{raced:?}"
    );
    let mut apex = records[0].clone();
    (apex.name, apex.kind) = (zone.name.clone(), RecordType::Cname);
    apex.content = Content::Values { ttl: 60, values: vec!["a.example.org".to_owned()] };
    let wrong = change(Action::Create, &[apex]).await.unwrap_err();
    assert_eq!(
        (wrong.failure.class, wrong.failure.code.as_str()),
        (Class::Invalid, "RefusedByAws"),
        "{wrong:?}"
    );
    assert!(wrong.failure.message.contains("InvalidChangeBatch"), "{wrong:?}");
    assert_eq!(change(Action::Delete, &records).await.unwrap(), Applied::Changed);
    assert!(look(&aws).await.is_empty());
}

/// A zone of the account, found as the provider asks for it.
async fn zone(site: &Site, aws: &Aws) -> HostedZone {
    let route53 = aws_sdk_route53::Client::new(&site.world.config());
    let request = route53
        .create_hosted_zone()
        .name("zone.example.com")
        .caller_reference(format!("{:?}", std::time::Instant::now()));
    let made = request.send().await.unwrap();
    let id = ZoneId::new(made.hosted_zone().unwrap().id());
    let query = provider::Query::HostedZones { tags: true };
    let facts = fairway_engine::ports::Answer::<Zones>::answer(
        aws,
        &ZoneUnit::Unassigned,
        std::slice::from_ref(&query),
    )
    .await
    .unwrap();
    let Some(provider::Answer::HostedZones(zones)) = facts.get(&query) else { panic!("no zones") };
    let zone = zones.iter().find(|zone| zone.id == id).unwrap();
    assert_eq!((zone.name.as_str(), &zone.tags), ("zone.example.com", &BTreeMap::new()));
    zone.clone()
}

fn records(zone: &HostedZone) -> Vec<RecordSet> {
    let record = |name: &str, kind, routing, content| RecordSet {
        name: Name::observed(&format!("{name}.{}", zone.name)),
        kind,
        routing,
        content,
    };
    let values = |values: &[&str]| Content::Values {
        ttl: 300,
        values: values.iter().map(|v| (*v).to_owned()).collect(),
    };
    let routing =
        |set: &str, policy| Some(Routing { set_identifier: set.to_owned(), policy, health_check: None });
    let alias = Content::Alias(Alias {
        target: Name::observed("k8s-a-1234567890.us-east-1.elb.amazonaws.com"),
        zone_id: "Z35SXDOTRQ7X7K".to_owned(),
        evaluate_target_health: true,
    });
    vec![
        record("a", RecordType::A, None, alias.clone()),
        record("aaaa", RecordType::Aaaa, None, alias),
        record("*", RecordType::A, None, values(&["192.0.2.1", "192.0.2.2"])),
        record("c", RecordType::Cname, None, values(&["a.example.org"])),
        record("t", RecordType::Txt, None, values(&["\"heritage=external-dns,external-dns/owner=demo\""])),
        record("w", RecordType::A, routing("one", RoutingPolicy::Weighted(10)), values(&["192.0.2.3"])),
        record("w", RecordType::A, routing("two", RoutingPolicy::Weighted(0)), values(&["192.0.2.4"])),
        record(
            "l",
            RecordType::A,
            routing("eu", RoutingPolicy::Latency("eu-west-1".to_owned())),
            values(&["192.0.2.5"]),
        ),
        record("m", RecordType::A, routing("m", RoutingPolicy::MultiValue), values(&["192.0.2.6"])),
    ]
}
