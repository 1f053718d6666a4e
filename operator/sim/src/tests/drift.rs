//! Changes behind our back.

use std::collections::{BTreeMap, BTreeSet};

use fairway_aws::model::{Attributes, Permission, Source};
use fairway_dns::change::{Action, Change};

use super::runs::scenario;
use crate::{harness::repairs, operator::Ports, world::Aws};

/// What somebody does in AWS.
type Meddle = fn(&mut Aws);

/// The load balancer of the scenario, and not somebody else's.
fn ours(aws: &Aws) -> String {
    aws.balancers.keys().find(|arn| !arn.contains("-0000000000/")).unwrap().clone()
}

fn attribute(aws: &mut Aws) {
    let changed: Attributes = BTreeMap::from([("idle_timeout.timeout_seconds".to_owned(), "7".to_owned())]);
    aws.modify_balancer_attributes(&ours(aws), &changed).unwrap();
}

fn rule(aws: &mut Aws) {
    let listener = aws.listeners_of(&ours(aws)).next().unwrap().arn.clone();
    let rule = aws.rules_of(&listener).next().unwrap().arn.clone();
    aws.delete_rule(&rule).unwrap();
}

fn listener(aws: &mut Aws) {
    let listener = aws.listeners_of(&ours(aws)).next().unwrap().arn.clone();
    aws.delete_listener(&listener).unwrap();
}

fn tag(aws: &mut Aws) {
    aws.remove_tags(&[ours(aws)], &BTreeSet::from(["team".to_owned()])).unwrap();
}

/// Which resource of the stack each thing is; whose it is stays.
fn resource_id(aws: &mut Aws) {
    let ours = ours(aws);
    let group = aws.target_groups.values().find(|row| !row.ask.name.ends_with("-0000000000")).unwrap();
    let listener = aws.listeners_of(&ours).next().unwrap().arn.clone();
    let rule = aws.rules_of(&listener).next().unwrap().arn.clone();
    let all = [ours, group.arn.clone(), listener, rule];
    aws.remove_tags(&all, &BTreeSet::from(["ingress.k8s.aws/resource".to_owned()])).unwrap();
}

fn permission(aws: &mut Aws) {
    let group = aws.balancer(&ours(aws)).unwrap().security_groups.first().unwrap().clone();
    let extra = Permission {
        protocol: "tcp".to_owned(),
        from: Some(2222),
        to: Some(2222),
        source: Source::Cidr("0.0.0.0/0".to_owned()),
        description: String::new(),
    };
    aws.authorize_ingress(&group, &BTreeSet::from([extra])).unwrap();
}

fn node_permission(aws: &mut Aws) {
    let group = "sg-00000000000000001";
    let ours =
        aws.group(group).unwrap().permissions.iter().filter(|one| one.from != Some(22)).cloned().collect();
    aws.revoke_ingress(group, &ours).unwrap();
}

fn target(aws: &mut Aws) {
    let group = aws.target_groups.values().find(|row| !row.ask.name.ends_with("-0000000000")).unwrap();
    let (arn, one) = (group.arn.clone(), group.targets.first().unwrap().clone());
    aws.deregister_targets(&arn, &[(one.id, Some(one.port))]).unwrap();
}

fn record(aws: &mut Aws) {
    let zone = "Z00000000000000000001";
    let records = aws.records(zone).unwrap();
    let record = records.into_iter().find(|record| record.name.to_string().starts_with("shop.")).unwrap();
    aws.change_records(zone, &[&Change { action: Action::Delete, record }]).unwrap();
}

#[test]
fn what_is_changed_behind_our_back_is_repaired_within_one_drift_period() {
    let cases: [(&str, Meddle); 9] = [
        ("an attribute", attribute),
        ("a deleted rule", rule),
        ("a deleted listener", listener),
        ("a removed tag", tag),
        ("removed resource ids", resource_id),
        ("a permission too many", permission),
        ("a permission of the nodes too few", node_permission),
        ("a deregistered target", target),
        ("a deleted record", record),
    ];
    let mut missed = Vec::new();
    for (what, meddle) in cases {
        let problems = repairs(&scenario("drift"), Ports::honest, meddle).problems;
        missed.extend(problems.first().map(|problem| format!("{what}: {problem}")));
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
