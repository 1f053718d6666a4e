//! Stacks against the emulator over HTTP: what is applied is observed, what is known is true, and no call is wasted.
//!
//! As for the thin clients: `FAIRWAY_TEST_AWS_ENDPOINT` names a running emulator, each test has its own account.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on must fail")]

mod certificates;
mod front;
mod site;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use fairway_aws::model::{Action, FixedResponse, IpAddressType, Ref, Rewrite, SecurityGroupRef, Transform};
use fairway_aws::ownership::Owned;
use fairway_aws::stack::{Move, Retag, StackOp, Subnets};
use fairway_core::class::Class;
use fairway_core::plan::{Handle, ResourceKey};
use fairway_engine::ports::Applied;

use site::{Site, attributes, permission};

#[tokio::test]
async fn a_new_stack_costs_seven_calls_and_is_known_without_another() {
    let Some(site) = Site::open(21).await else { return };
    let aws = site.aws();
    let mut stack = site.stack("one");
    stack.observe(&aws).await;
    let shared = site.calls();
    stack.create_all(&aws).await;
    stack.register(&aws, &["10.0.0.7", "10.0.0.8"]).await;
    let seen = stack.observe(&aws).await;
    let targets = stack.targets(&aws).await;
    let counted = site.calls_since(&shared);
    let names: Vec<String> = counted.iter().map(|(call, count)| format!("{call} {count}")).collect();
    assert_eq!(
        names,
        [
            "ec2 AuthorizeSecurityGroupIngress 1",
            "ec2 CreateSecurityGroup 1",
            "elbv2 CreateListener 1",
            "elbv2 CreateLoadBalancer 1",
            "elbv2 CreateRule 1",
            "elbv2 CreateTargetGroup 1",
            "elbv2 DescribeLoadBalancers 1",
            "elbv2 RegisterTargets 1",
        ],
        "the one Describe asks whether load balancers are active, for all that wait"
    );
    stack.is_as_wanted(&seen);
    assert!(seen.load_balancers[&stack.name].handle.ready);
    assert_eq!(
        targets.registered.iter().map(|target| target.id.as_str()).collect::<Vec<_>>(),
        ["10.0.0.7", "10.0.0.8"]
    );

    // What this process believes is what another one reads.
    let other = site.aws();
    assert_eq!(bare(stack.observe(&other).await), bare(seen));
    assert_eq!(stack.targets(&other).await.registered, targets.registered);
}

#[tokio::test]
async fn stacks_share_one_inventory() {
    let Some(site) = Site::open(22).await else { return };
    let aws = site.aws();
    let mut stacks: Vec<_> = (0..5).map(|n| site.stack(&format!("s{n}"))).collect();
    let looks = stacks.iter().map(|stack| stack.observe(&aws));
    futures::future::join_all(looks).await;
    let shared = site.calls();
    let count = |operation: &str| {
        shared.iter().filter(|(call, _)| call.operation == operation).map(|(_, n)| *n).sum::<u64>()
    };
    assert_eq!(count("DescribeLoadBalancers"), 1, "{shared:?}");
    assert_eq!(count("DescribeTargetGroups"), 1, "{shared:?}");
    assert_eq!(count("DescribeSecurityGroups"), 1, "{shared:?}");
    for stack in &mut stacks {
        stack.create_all(&aws).await;
    }
    for stack in &stacks {
        stack.is_as_wanted(&stack.observe(&aws).await);
    }
    let counted = site.calls_since(&shared);
    let total: u64 = counted.values().sum();
    assert!(total <= 5 * 6 + 1, "six calls a stack and one look at all states: {counted:?}");
    let other = site.aws();
    let before = site.calls();
    for stack in &stacks {
        stack.is_as_wanted(&stack.observe(&other).await);
    }
    let reads = site.calls_since(&before);
    let lists = |operation: &str| {
        reads.iter().filter(|(call, _)| call.operation == operation).map(|(_, n)| *n).sum::<u64>()
    };
    assert_eq!((lists("DescribeLoadBalancers"), lists("DescribeTargetGroups")), (1, 1), "{reads:?}");
}

#[tokio::test]
async fn what_is_changed_is_known_and_true() {
    let Some(site) = Site::open(23).await else { return };
    let aws = site.aws();
    let mut stack = site.stack("edit");
    stack.create_all(&aws).await;
    let seen = stack.observe(&aws).await;
    let own = |seen: &fairway_aws::observed::StackObserved| {
        let balancer = Owned::claim(seen.load_balancers[&stack.name].clone(), &stack.marks).unwrap();
        let group = Owned::claim(seen.target_groups[&stack.name].clone(), &stack.marks).unwrap();
        let security = Owned::claim(seen.security_groups[&stack.name].clone(), &stack.marks).unwrap();
        let listener = Owned::claim(balancer.get().listeners[&80].clone(), &stack.marks).unwrap();
        let rule = Owned::claim(listener.get().rules[0].clone(), &stack.marks).unwrap();
        (balancer, group, security, listener, rule)
    };
    let (balancer, group, security, listener, rule) = own(&seen);
    let mut check = stack.group.health_check.clone();
    (check.path, check.interval, check.http_codes) =
        (Some("/ready".to_owned()), 20, Some("200-299".to_owned()));
    let mut spec = stack.listener.clone();
    spec.default_actions = vec![Action::FixedResponse(FixedResponse {
        content_type: Some("text/plain".to_owned()),
        body: Some("gone".to_owned()),
        status_code: "410".to_owned(),
    })];
    let mut moved = stack.rule.clone();
    moved
        .conditions
        .push(fairway_aws::model::Condition::PathPattern(vec!["/a".to_owned(), "/b/*".to_owned()]));
    let rewrite = Rewrite { regex: "^/a/(.*)$".to_owned(), replace: "/$1".to_owned() };
    moved.transforms.push(Transform::UrlRewrite(vec![rewrite]));
    moved.conditions.push(fairway_aws::model::Condition::HttpHeaderRegex {
        name: "X-Beta".to_owned(),
        values: vec!["^1$".to_owned()],
    });
    let extra = site.security_group("extra").await;
    let retag = |resource: &str, id: &str| {
        let (set, remove) =
            (BTreeMap::from([("team".to_owned(), "a & b".to_owned())]), BTreeSet::from(["env".to_owned()]));
        StackOp::SetTags(Retag { resource: ResourceKey(resource.to_owned()), id: id.to_owned(), set, remove })
    };
    let ops = vec![
        StackOp::ModifyHealthCheck(group.clone(), check),
        StackOp::ModifyTargetGroupAttributes(
            Ref::new(stack.name.clone()),
            attributes(&[("deregistration_delay.timeout_seconds", "17")]),
        ),
        StackOp::ModifyLoadBalancerAttributes(
            Ref::new(stack.name.clone()),
            attributes(&[("idle_timeout.timeout_seconds", "77")]),
        ),
        StackOp::ModifyListener(listener.clone(), spec),
        StackOp::ModifyListenerAttributes(
            stack.listener.reference(),
            attributes(&[("routing.http.response.server.enabled", "false")]),
        ),
        StackOp::ModifyRule(stack.rule.reference(), rule.clone(), moved),
        StackOp::SetRulePriorities(
            stack.listener.reference(),
            vec![Move { rule: rule.clone(), priority: 7 }],
        ),
        StackOp::SetSubnets(
            balancer.clone(),
            Subnets { ids: site.subnets[1..3].to_vec(), allocations: Vec::new() },
        ),
        StackOp::SetSecurityGroups(
            balancer.clone(),
            vec![SecurityGroupRef::Given(extra), SecurityGroupRef::Managed(Ref::new(stack.name.clone()))],
        ),
        StackOp::AuthorizeIngress(
            Ref::new(stack.name.clone()),
            BTreeSet::from([permission(443, "10.0.0.0/8")]),
        ),
        StackOp::RevokeIngress(security.clone(), BTreeSet::from([permission(80, "0.0.0.0/0")])),
        retag("load-balancer/x", &balancer.get().handle.id),
        retag("target-group/x", &group.get().arn),
        retag("listener/x", &listener.get().arn),
        retag("rule/x", &rule.get().arn),
        retag("security-group/x", &security.get().id),
    ];
    for op in ops {
        for time in ["once", "again"] {
            let applied = stack.apply(&aws, &op).await;
            assert_eq!(applied.as_ref().ok(), Some(&Applied::Changed), "{time}: {op:?}: {applied:?}");
        }
        let (known, read) = (stack.observe(&aws).await, stack.observe(&site.aws()).await);
        assert_eq!(bare(known), bare(read), "after {op:?}");
    }
    let seen = stack.observe(&aws).await;
    let balancer = &seen.load_balancers[&stack.name];
    assert_eq!(balancer.attributes["idle_timeout.timeout_seconds"], "77");
    assert_eq!(seen.target_groups[&stack.name].attributes["deregistration_delay.timeout_seconds"], "17");
    assert_eq!(balancer.listeners[&80].rules[0].priority, 7);
    assert_eq!(balancer.tags.get("team").map(String::as_str), Some("a & b"));
    assert_eq!(
        seen.security_groups[&stack.name].permissions,
        BTreeSet::from([permission(443, "10.0.0.0/8")])
    );
    assert_eq!(balancer.ip_address_type, IpAddressType::Ipv4);
}

#[tokio::test]
async fn what_is_deleted_is_gone_however_often() {
    let Some(site) = Site::open(24).await else { return };
    let aws = site.aws();
    let mut stack = site.stack("bye");
    stack.create_all(&aws).await;
    let ops = stack.deletions(&stack.observe(&aws).await);
    // A load balancer's listeners hold its groups until it is gone, and its interfaces its security groups a while.
    let early = stack.apply(&aws, &ops[3]).await.unwrap_err();
    assert_eq!(
        (early.failure.class, early.failure.code.as_str()),
        (Class::Pending, "NotYetFree"),
        "{early:?}"
    );
    for op in &ops {
        let mut done = stack.apply(&aws, op).await;
        for _ in 0..40 {
            if !matches!(&done, Err(refusal) if refusal.failure.class == Class::Pending) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            done = stack.apply(&aws, op).await;
        }
        assert_eq!(done.unwrap(), Applied::Removed, "{op:?}");
        assert_eq!(stack.apply(&aws, op).await.unwrap(), Applied::Removed, "again: {op:?}");
    }
    for view in [aws, site.aws()] {
        let seen = stack.observe(&view).await;
        assert!(seen.load_balancers.is_empty() && seen.target_groups.is_empty(), "{seen:?}");
        assert!(seen.security_groups.is_empty(), "{seen:?}");
    }
}

#[tokio::test]
async fn what_belongs_to_others_is_seen_and_left_alone() {
    let Some(site) = Site::open(25).await else { return };
    let aws = site.aws();
    let mut theirs = site.stack("same");
    let marks = [("elbv2.k8s.aws/cluster".to_owned(), "other".to_owned())];
    theirs.retag(&BTreeMap::from(marks));
    theirs.create_all(&aws).await;
    // Another process, which knows nothing of it, and one that has looked.
    let mut ours = site.stack("same");
    for look in [false, true] {
        let aws = site.aws();
        if look {
            let seen = ours.observe(&aws).await;
            assert_eq!(seen.load_balancers["same"].tags["elbv2.k8s.aws/cluster"], "other");
            assert_eq!(seen.target_groups["same"].tags["elbv2.k8s.aws/cluster"], "other");
            assert_eq!(seen.security_groups["same"].tags["elbv2.k8s.aws/cluster"], "other");
            assert!(Owned::claim(seen.load_balancers["same"].clone(), &ours.marks).is_err());
        }
        let ops = [
            StackOp::CreateSecurityGroup(ours.security.clone()),
            StackOp::CreateTargetGroup(ours.group.clone()),
            StackOp::CreateLoadBalancer(ours.balancer.clone()),
        ];
        ours.bindings.clone_from(&theirs.bindings);
        for op in ops {
            let refusal = ours.apply(&aws, &op).await.unwrap_err();
            let told = (refusal.failure.class, refusal.failure.code.as_str());
            assert_eq!(told, (Class::Conflict, "NameTaken"), "look {look}: {op:?}: {refusal:?}");
        }
    }
    // Ours beside theirs: created again by a process that did not see the first time, it is found.
    let mut again = site.stack("again");
    again.create_all(&aws).await;
    let before = again.bindings.clone();
    again.create_all(&site.aws()).await;
    assert_eq!(again.bindings.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    let ids = |bindings: &BTreeMap<ResourceKey, Handle>| {
        bindings.values().map(|h| h.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&again.bindings), ids(&before));
}

#[tokio::test]
async fn references_without_bindings_and_writes_to_the_cluster_are_bugs() {
    let Some(site) = Site::open(26).await else { return };
    let aws = site.aws();
    let mut stack = site.stack("bug");
    let op = StackOp::CreateListener(stack.listener.clone());
    assert_eq!(stack.apply(&aws, &op).await.unwrap_err().failure.class, Class::Bug);
    let op = StackOp::DeleteBinding(Ref::new("default/x"));
    assert_eq!(stack.apply(&aws, &op).await.unwrap_err().failure.code, "NotAnAwsOperation");
    assert!(site.calls().keys().all(|call| call.service == "ec2" && call.operation.starts_with("Describe")));
}

/// Attributes of what was just made are not read until somebody asks; readiness is looked at now and then.
fn bare(mut seen: fairway_aws::observed::StackObserved) -> fairway_aws::observed::StackObserved {
    for group in seen.target_groups.values_mut() {
        group.attributes.clear();
    }
    for balancer in seen.load_balancers.values_mut() {
        balancer.attributes.clear();
        balancer.handle.ready = true;
        for listener in balancer.listeners.values_mut() {
            listener.attributes.clear();
        }
    }
    seen
}

#[tokio::test]
async fn network_load_balancers_come_back_as_they_were_asked_for() {
    let Some(site) = Site::open(27).await else { return };
    let aws = site.aws();
    let mut stack = site.stack("layer4").of_layer_4();
    stack.observe(&aws).await;
    stack.create_all(&aws).await;
    for view in [aws, site.aws()] {
        let seen = stack.observe(&view).await;
        stack.is_as_wanted(&seen);
        assert!(seen.load_balancers["layer4"].handle.id.contains("loadbalancer/net/"));
    }
}

#[tokio::test]
async fn certificates_of_a_listener_are_known_with_the_default_first() {
    let Some(site) = Site::open(28).await else { return };
    let aws = site.aws();
    let mut arns = Vec::new();
    for name in ["a.example.com", "b.example.com", "c.example.com"] {
        arns.push(site.certificate(name).await);
    }
    let mut stack = site.stack("tls");
    stack.listener.protocol = fairway_aws::model::ListenerProtocol::Https;
    stack.listener.ssl_policy = Some("ELBSecurityPolicy-2016-08".to_owned());
    stack.listener.certificates = arns.iter().map(Ref::new).collect();
    stack.observe(&aws).await;
    stack.create_all(&aws).await;
    let listener = stack.listener.reference();
    let certificates = async |aws: &fairway_aws_api::Aws| {
        stack.observe(aws).await.load_balancers["tls"].listeners[&80].certificates.clone()
    };
    assert_eq!(certificates(&aws).await, arns[..1], "the others follow");
    let mut others = arns[1..].to_vec();
    let mut all = arns[..1].to_vec();
    let steps = [
        (StackOp::AddCertificates(listener.clone(), others.iter().map(Ref::new).collect()), others.clone()),
        (StackOp::RemoveCertificates(listener, others.split_off(1)), others),
    ];
    for (op, mut left) in steps {
        for _ in 0..2 {
            let mut bound = site.stack("tls");
            bound.bindings.clone_from(&stack.bindings);
            assert_eq!(bound.apply(&aws, &op).await.unwrap(), Applied::Changed);
        }
        left.sort();
        all.truncate(1);
        all.extend(left);
        assert_eq!(certificates(&aws).await, all);
        assert_eq!(certificates(&site.aws()).await, all);
    }
}
