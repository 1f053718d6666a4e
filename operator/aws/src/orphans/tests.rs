use fairway_core::plan::Operation as _;
use serde_json::{Value, json};

use super::*;
use crate::stack::protected::PROTECTION;

fn config() -> Config {
    Config::new("demo", "us-east-1", "vpc-1")
}

fn tags(prefix: &str, stack: &str) -> Value {
    json!({"elbv2.k8s.aws/cluster": "demo", format!("{prefix}/stack"): stack, format!("{prefix}/resource"): "x"})
}

fn balancer(name: &str, tags: &Value, protected: &str) -> LoadBalancerSeen {
    let forward = json!({"forward": {"targets": [{"target_group": format!("arn:{name}-tg"), "weight": 1}], "stickiness": null}});
    let rule =
        json!({"arn": "r", "priority": 1, "conditions": [], "actions": [forward], "unknown": [], "tags": {}});
    serde_json::from_value(json!({
        "handle": {"id": format!("arn:{name}"), "dns_name": null, "zone_id": null, "ready": true},
        "name": name, "kind": "application", "scheme": "internal", "ip_address_type": "ipv4", "subnets": [],
        "security_groups": [format!("sg-{name}")], "attributes": {PROTECTION: protected}, "tags": tags,
        "listeners": {"80": {"arn": "l", "port": 80, "protocol": "HTTP", "default_actions": [], "ssl_policy": null,
            "certificates": [format!("arn:aws:acm::certificate/{name}")], "alpn_policy": null, "attributes": {}, "tags": {}, "rules": [rule]}},
    }))
    .unwrap()
}

fn target_group(name: &str, tags: &Value) -> TargetGroupSeen {
    serde_json::from_value(json!({
        "arn": format!("arn:{name}"), "name": name, "port": 80, "protocol": "HTTP", "protocol_version": null,
        "target_type": "ip", "ip_address_type": "ipv4", "attributes": {}, "tags": tags,
        "health_check": {"protocol": "HTTP", "port": "traffic-port", "path": null, "matcher": null, "interval": 15,
            "timeout": 5, "healthy": 2, "unhealthy": 2},
    }))
    .unwrap()
}

fn security_group(name: &str, tags: &Value, permissions: &[Permission]) -> SecurityGroupSeen {
    SecurityGroupSeen {
        id: format!("sg-{name}"),
        name: name.to_owned(),
        description: String::new(),
        permissions: permissions.iter().cloned().collect(),
        tags: serde_json::from_value(tags.clone()).unwrap(),
    }
}

fn certificate(name: &str, tags: &Value) -> CertificateSeen {
    let tags = serde_json::from_value(tags.clone()).unwrap();
    let kind = crate::observed::CertificateKind::Imported;
    CertificateSeen { arn: format!("arn:aws:acm::certificate/{name}"), kind, tags }
}

fn account(name: &str, tags: &Value, protected: &str) -> Account {
    Account {
        load_balancers: vec![balancer(name, tags, protected)],
        target_groups: vec![target_group(&format!("{name}-tg"), tags)],
        security_groups: vec![security_group(name, tags, &[])],
        certificates: vec![certificate(name, tags)],
    }
}

fn found(account: Account, living: &Living) -> Vec<Orphan> {
    let astray = account.astray(&config(), living);
    orphans(&config(), &astray, living)
}

fn calls(orphans: &[Orphan]) -> Vec<String> {
    let all = orphans.iter().flat_map(|orphan| &orphan.removal);
    all.map(|removal| match removal {
        Removal::Stack(op) => op.describe(),
        Removal::Network(op) => op.describe(),
    })
    .collect()
}

fn living(stacks: &[&str]) -> Living {
    let stacks = stacks.iter().map(|text| StackId::parse(text).unwrap()).collect();
    Living { stacks, bound: BTreeSet::new() }
}

#[test]
fn what_no_stack_owns_goes_in_the_order_that_aws_permits() {
    let orphans = found(account("lb", &tags("ingress.k8s.aws", "shop"), "false"), &living(&[]));
    assert_eq!(
        calls(&orphans),
        [
            "delete load balancer lb",
            "delete target group lb-tg",
            "delete security group lb",
            "delete certificate arn:aws:acm::certificate/lb",
        ]
    );
    assert_eq!(orphans[0].with, ["listener 80 and its rule"]);
    assert!(
        orphans.iter().all(|orphan| orphan.why == "no Ingress is in group shop" && orphan.stays.is_none())
    );
}

#[test]
fn what_belongs_to_something_is_no_orphan() {
    let cases = [
        ("its group has members", tags("ingress.k8s.aws", "shop"), "aws:group:shop"),
        ("its Ingress is there", tags("ingress.k8s.aws", "default/a"), "aws:ingress:default/a"),
        ("its Service is there", tags("service.k8s.aws", "default/a"), "aws:service:default/a"),
    ];
    for (name, tags, stack) in cases {
        assert_eq!(found(account("lb", &tags, "false"), &living(&[stack])), [], "{name}");
    }
    let namesake = found(
        account("lb", &tags("service.k8s.aws", "default/a"), "false"),
        &living(&["aws:ingress:default/a"]),
    );
    assert_eq!(namesake.len(), 4, "an Ingress is not the Service of its name");
}

#[test]
fn what_others_made_is_never_looked_at() {
    let cluster = |cluster: &str| json!({"elbv2.k8s.aws/cluster": cluster, "ingress.k8s.aws/stack": "shop"});
    let cases = [
        ("another cluster's", cluster("other")),
        ("nobody's", json!({})),
        ("only the cluster's", json!({"elbv2.k8s.aws/cluster": "demo"})),
        ("a Gateway's", json!({"elbv2.k8s.aws/cluster": "demo", "gateway.k8s.aws.alb/stack": "default/a"})),
        (
            "of two at once",
            json!({"elbv2.k8s.aws/cluster": "demo", "ingress.k8s.aws/stack": "a", "service.k8s.aws/stack": "b/c"}),
        ),
    ];
    for (name, tags) in cases {
        assert_eq!(found(account("lb", &tags, "false"), &living(&[])), [], "{name}");
    }
}

#[test]
fn protection_keeps_a_load_balancer_and_what_it_uses() {
    let orphans = found(account("lb", &tags("ingress.k8s.aws", "shop"), "true"), &living(&[]));
    let stays: Vec<&str> = orphans.iter().filter_map(|orphan| orphan.stays.as_deref()).collect();
    let used = "load balancer lb, which stays, uses it";
    assert_eq!(stays, ["its deletion protection is on", used, used, used]);
}

#[test]
fn what_stands_in_front_goes_first_and_keeps_what_it_leads_to() {
    let role = |role: &str| {
        let mut tags = tags("ingress.k8s.aws", "default/web");
        tags["ingress.k8s.aws/resource"] = json!(role);
        tags
    };
    let with = |protected: &str| {
        let mut front = balancer("front", &role("FrontendNlb"), protected);
        front.kind = LoadBalancerKind::Network;
        let mut to = target_group("front-tg", &role("FrontendNlb-tg-TCP-80"));
        to.target_type = TargetType::Alb;
        let mut account = account("behind", &role("LoadBalancer"), "false");
        account.load_balancers.push(front);
        account.target_groups.push(to);
        account
    };
    let free = found(with("false"), &living(&[]));
    let order: Vec<&str> = free.iter().map(|orphan| orphan.name.as_str()).take(4).collect();
    assert_eq!(order, ["front", "front-tg", "behind", "behind-tg"]);
    assert!(free.iter().all(|orphan| orphan.stays.is_none()));
    let held = found(with("true"), &living(&[]));
    let stays: Vec<&str> = held.iter().filter_map(|orphan| orphan.stays.as_deref()).take(4).collect();
    assert_eq!(
        stays,
        [
            "its deletion protection is on",
            "load balancer front, which stays, uses it",
            "load balancer front, which stays, leads to it",
            "load balancer behind, which stays, uses it",
        ]
    );
}

#[test]
fn a_bound_target_group_belongs_to_its_binding() {
    let bound = Living { bound: BTreeSet::from(["arn:lb-tg".to_owned()]), ..living(&[]) };
    let orphans = found(account("lb", &tags("ingress.k8s.aws", "shop"), "false"), &bound);
    let left = [
        "delete load balancer lb",
        "delete security group lb",
        "delete certificate arn:aws:acm::certificate/lb",
    ];
    assert_eq!(calls(&orphans), left);
}

#[test]
fn the_shared_group_goes_when_there_is_no_stack_and_after_its_rules() {
    let marks = serde_json::to_value(tags::backend_marks(&config())).unwrap();
    let permission = |source: &str, description: &str| Permission {
        protocol: "tcp".to_owned(),
        from: Some(80),
        to: Some(80),
        source: Source::Group(source.to_owned()),
        description: description.to_owned(),
    };
    let theirs = [permission("sg-shared", "by hand"), permission("sg-else", RULE_DESCRIPTION)];
    let ours = permission("sg-shared", RULE_DESCRIPTION);
    let account = || Account {
        security_groups: vec![
            security_group("shared", &marks, &[]),
            security_group("nodes", &json!({}), &[theirs.as_slice(), std::slice::from_ref(&ours)].concat()),
        ],
        ..Account::default()
    };
    let orphans = found(account(), &living(&[]));
    assert_eq!(
        calls(&orphans),
        ["revoke 1 rule of load balancers on sg-nodes", "delete shared backend security group shared"]
    );
    let Some(Removal::Network(NetworkOp::Revoke { permissions, .. })) = orphans[0].removal.first() else {
        panic!("{orphans:?}");
    };
    assert_eq!(*permissions, BTreeSet::from([ours.clone()]), "rules of others stay");
    assert_eq!(found(account(), &living(&["aws:group:shop"])), []);
}
