//! What was there before Fairway, and must be there after it: things of others, with names and tags like ours.

use std::collections::BTreeSet;

use fairway_aws::model::{
    Action, Condition, FixedResponse, Forward, IpAddressType, ListenerProtocol, LoadBalancerKind, Permission,
    Ref, Scheme, Source, Tags, TargetProtocol, TargetType, WeightedTarget,
};
use fairway_dns::{
    change::{Action as Change, Change as Changed},
    name::Name,
    record::{Alias, Content, RecordSet, RecordType},
};
use serde_json::json;

use crate::world::{
    Answered, Aws, BalancerAsk, HealthCheckChange, ListenerAsk, RuleAsk, Seed, TargetGroupAsk,
};

/// An account with a VPC, nodes, a zone and certificates, and with somebody else's things in it.
#[must_use]
pub fn world() -> Aws {
    let tags = |role: &str| json!({ role: "1" });
    let subnet = |id: &str, zone: &str, cidr: &str, role: &str| json!({"id": id, "name": id, "zone": zone, "cidr": cidr, "tags": tags(role)});
    let (outside, inside) = ("kubernetes.io/role/elb", "kubernetes.io/role/internal-elb");
    let seed = json!({
        "vpc": {"id": "vpc-00000000000000001", "cidr": "10.0.0.0/16", "defaultSecurityGroup": "sg-0000000000000000d"},
        "subnets": [
            subnet("subnet-0000000000000000a", "us-east-1a", "10.0.0.0/20", outside),
            subnet("subnet-0000000000000001a", "us-east-1a", "10.0.16.0/20", inside),
            subnet("subnet-0000000000000000b", "us-east-1b", "10.0.32.0/20", outside),
            subnet("subnet-0000000000000001b", "us-east-1b", "10.0.48.0/20", inside),
        ],
        "securityGroups": [{
            "id": "sg-00000000000000001", "name": "nodes", "tags": {"kubernetes.io/cluster/demo": "owned"},
        }],
        "instances": [
            {"id": "i-00000000000000001", "privateAddress": "10.0.16.10", "securityGroups": ["nodes"],
             "podAddresses": ["10.0.16.33", "10.0.16.34", "10.0.16.35"]},
            {"id": "i-00000000000000002", "privateAddress": "10.0.48.10", "securityGroups": ["nodes"],
             "podAddresses": ["10.0.48.33", "10.0.48.34", "10.0.48.35"]},
        ],
        "hostedZones": [{"id": "Z00000000000000000001", "name": "example.com"}],
        "certificates": [
            {"arn": "arn:aws:acm:us-east-1:000000000000:certificate/1", "domain": "*.example.com"},
        ],
    });
    let mut aws = serde_json::from_value::<Seed>(seed).map(Aws::seeded).unwrap_or_default();
    let arn = |kind: &str| format!("arn:aws:{kind}/1");
    aws.trust_stores.insert("staff".to_owned(), arn("elasticloadbalancing:truststore"));
    aws.web_acls.insert("shop".to_owned(), arn("wafv2:webacl"));
    // The test of the foreign things shows that all of them are there.
    let _ = plant(&mut aws);
    aws
}

/// What somebody else may ask of a target group.
#[must_use]
pub fn target_group() -> TargetGroupAsk {
    TargetGroupAsk {
        name: "k8s-default-web-0000000000".to_owned(),
        port: 80,
        protocol: TargetProtocol::Http,
        protocol_version: None,
        target_type: TargetType::Ip,
        ip_address_type: "ipv4".to_owned(),
        control_port: None,
        vpc: "vpc-00000000000000001".to_owned(),
        health_check: HealthCheckChange::default(),
        tags: Tags::new(),
    }
}

fn plant(aws: &mut Aws) -> Answered<()> {
    let tags: Tags = [
        ("elbv2.k8s.aws/cluster", "other"),
        ("ingress.k8s.aws/stack", "default/shop"),
        ("ingress.k8s.aws/resource", "LoadBalancer"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let group = aws.create_security_group("k8s-default-shop-ffffffffff", "of another cluster", &tags)?;
    let everybody = Permission {
        protocol: "tcp".to_owned(),
        from: Some(80),
        to: Some(80),
        source: Source::Cidr("0.0.0.0/0".to_owned()),
        description: String::new(),
    };
    aws.authorize_ingress(&group, &BTreeSet::from([everybody.clone()]))?;
    // By hand, on the group that also gets rules of ours.
    let ssh = Permission { from: Some(22), to: Some(22), description: "by hand".to_owned(), ..everybody };
    aws.authorize_ingress("sg-00000000000000001", &BTreeSet::from([ssh]))?;
    let balancer = aws.create_load_balancer(BalancerAsk {
        name: "k8s-default-shop-0000000000".to_owned(),
        kind: LoadBalancerKind::Application,
        scheme: Scheme::InternetFacing,
        ip_address_type: IpAddressType::Ipv4,
        subnets: vec!["subnet-0000000000000000a".to_owned(), "subnet-0000000000000000b".to_owned()],
        security_groups: vec![group],
        customer_owned_pool: None,
        allocations: Vec::new(),
        ipv4_pool: None,
        tags: tags.clone(),
    })?;
    let target_group = aws.create_target_group(TargetGroupAsk { tags: tags.clone(), ..target_group() })?;
    aws.register_targets(&target_group.arn, &[("10.0.16.33".to_owned(), Some(80), None)])?;
    aws.create_target_group(TargetGroupAsk {
        name: "mine".to_owned(),
        port: 80,
        protocol: TargetProtocol::Tcp,
        protocol_version: None,
        target_type: TargetType::Instance,
        ip_address_type: "ipv4".to_owned(),
        control_port: None,
        vpc: "vpc-00000000000000001".to_owned(),
        health_check: HealthCheckChange::default(),
        tags: Tags::new(),
    })?;
    let nothing = FixedResponse { content_type: None, body: None, status_code: "404".to_owned() };
    let listener = aws.create_listener(ListenerAsk {
        load_balancer: balancer.arn.clone(),
        port: 80,
        protocol: ListenerProtocol::Http,
        default_actions: vec![Action::FixedResponse(nothing)],
        ssl_policy: None,
        certificate: None,
        alpn_policy: None,
        client_certificates: None,
        tags: tags.clone(),
    })?;
    let target = WeightedTarget { target_group: Ref::new(target_group.arn), weight: 1 };
    aws.create_rule(RuleAsk {
        listener: listener.arn,
        priority: 1,
        conditions: vec![Condition::PathPattern(vec!["/*".to_owned()])],
        transforms: Vec::new(),
        actions: vec![Action::Forward(Forward { targets: vec![target], stickiness: None })],
        tags,
    })?;
    records(aws, &balancer.dns_name)
}

fn records(aws: &mut Aws, host: &str) -> Answered<()> {
    let record = |name: &str, kind: RecordType, content: Content| Changed {
        action: Change::Create,
        record: RecordSet { name: Name::observed(name), kind, routing: None, content },
    };
    let alias = Alias {
        target: Name::observed(host),
        zone_id: "Z35SXDOTRQ7X7K".to_owned(),
        evaluate_target_health: true,
    };
    let text = |value: &str| Content::Values { ttl: 300, values: vec![value.to_owned()] };
    let theirs =
        "\"heritage=external-dns,external-dns/owner=other,external-dns/resource=ingress/default/shop\"";
    let changes = [
        record("other.example.com", RecordType::A, Content::Alias(alias)),
        record("a-other.example.com", RecordType::Txt, text(theirs)),
        record("mail.example.com", RecordType::A, text("192.0.2.25")),
    ];
    aws.change_records("Z00000000000000000001", &changes.iter().collect::<Vec<_>>()).map(drop)
}
