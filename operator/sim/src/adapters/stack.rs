//! Stacks: what is seen of one, and one call an operation.

mod apply;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use fairway_aws::{
    model::{Action, Addon, Ref, Tags},
    observed::{
        AddonsSeen, CertificateKind, CertificateSeen, ListenerSeen, LoadBalancerSeen, RuleSeen,
        StackObserved, StackScope, TargetGroupSeen,
    },
    stack::Stacks,
};
use fairway_core::{ids::StackId, plan::Handle};
use fairway_engine::ports::{Observe, Refusal};

use super::{Process, facts::backend, network};
use crate::world::{Aws, BalancerRow, ListenerRow, RuleRow, State, TargetGroupRow};

#[async_trait]
impl Observe<Stacks> for Process {
    async fn observe(&self, _: &StackId, scope: &StackScope) -> Result<StackObserved, Refusal> {
        self.sim.lock().observations += 1;
        let mut seen = self.sim.observe(self.number, |aws| Ok(observed(aws, scope))).await?;
        // ACM is asked of each that is recorded: no list stands in between, which could lag.
        if let Some(recorded) = &scope.certificates {
            seen.certificates.retain(|arn, _| !recorded.contains(arn));
            let inner = self.sim.lock();
            seen.certificates.extend(certificates(&inner.aws, &|_: &Tags| false, recorded));
        }
        Ok(seen)
    }
}

fn observed(aws: &Aws, scope: &StackScope) -> StackObserved {
    let marked = |tags: &Tags| scope.marks.iter().all(|(key, value)| tags.get(key) == Some(value));
    let names = &scope.names;
    let groups =
        aws.groups.values().filter(|row| marked(&row.tags) || names.security_groups.contains(&row.name));
    let targets = aws
        .target_groups
        .values()
        .filter(|row| marked(&row.tags) || names.target_groups.contains(&row.ask.name));
    let targets: Vec<&TargetGroupRow> = targets.collect();
    let known = targets.iter().map(|row| (row.arn.as_str(), row.ask.name.as_str())).collect();
    let balancers =
        aws.balancers.values().filter(|row| marked(&row.tags) || names.load_balancers.contains(&row.name));
    StackObserved {
        security_groups: groups.map(|row| (row.name.clone(), network::seen(row))).collect(),
        load_balancers: balancers
            .map(|row| {
                let addons = addons(&row.addons, &scope.addons);
                (row.name.clone(), LoadBalancerSeen { addons, ..balancer(aws, row, &known) })
            })
            .collect(),
        target_groups: targets.into_iter().map(|row| (row.ask.name.clone(), group(row))).collect(),
        backend_security_group: backend(aws),
        certificates: scope
            .certificates
            .iter()
            .flat_map(|recorded| certificates(aws, &marked, recorded))
            .collect(),
    }
}

fn certificates<'a>(
    aws: &'a Aws,
    marked: &'a impl Fn(&Tags) -> bool,
    recorded: &'a BTreeSet<String>,
) -> impl Iterator<Item = (String, CertificateSeen)> + 'a {
    let imported = aws.imported.iter().map(|(arn, row)| (arn, CertificateKind::Imported, &row.tags));
    let requested = aws.requested.iter().map(|(arn, row)| {
        let kind = CertificateKind::Requested(aws.request_seen(row));
        (arn, kind, &row.tags)
    });
    let ours = |(arn, _, tags): &(&String, CertificateKind, &Tags)| marked(tags) || recorded.contains(*arn);
    imported.chain(requested).filter(ours).map(|(arn, kind, tags)| {
        (arn.clone(), CertificateSeen { arn: arn.clone(), kind, tags: tags.clone() })
    })
}

/// Names of the stack's target groups by ARN.
type Known<'a> = BTreeMap<&'a str, &'a str>;

fn group(row: &TargetGroupRow) -> TargetGroupSeen {
    TargetGroupSeen {
        arn: row.arn.clone(),
        name: row.ask.name.clone(),
        port: row.ask.port,
        protocol: row.ask.protocol,
        protocol_version: row.ask.protocol_version.clone(),
        target_type: row.ask.target_type,
        ip_address_type: row.ask.ip_address_type.clone(),
        control_port: row.ask.control_port,
        health_check: row.health_check.clone(),
        attributes: row.attributes.clone(),
        load_balancers: row.load_balancers(),
        tags: row.tags.clone(),
    }
}

/// How a load balancer is known once it is there.
pub(super) fn handle(aws: &Aws, row: &BalancerRow) -> Handle {
    Handle {
        id: row.arn.clone(),
        dns_name: Some(row.dns_name.clone()),
        zone_id: Some(row.zone_id.clone()),
        ready: aws.state(row) == State::Active,
    }
}

fn balancer(aws: &Aws, row: &BalancerRow, known: &Known<'_>) -> LoadBalancerSeen {
    LoadBalancerSeen {
        handle: handle(aws, row),
        name: row.name.clone(),
        kind: row.kind,
        scheme: row.scheme,
        ip_address_type: row.ip_address_type,
        subnets: row.subnets.clone(),
        security_groups: row.security_groups.clone(),
        attributes: row.attributes.clone(),
        customer_owned_pool: row.customer_owned_pool.clone(),
        allocations: row.allocations.clone(),
        ipv4_pool: row.ipv4_pool.clone(),
        addons: AddonsSeen::default(),
        tags: row.tags.clone(),
        listeners: aws.listeners_of(&row.arn).map(|row| (row.port, listener(aws, row, known))).collect(),
    }
}

/// Only what was asked for is seen.
fn addons(row: &AddonsSeen, asked: &BTreeSet<Addon>) -> AddonsSeen {
    AddonsSeen {
        capacity: row.capacity.filter(|_| asked.contains(&Addon::Capacity)),
        web_acl: row.web_acl.clone().filter(|_| asked.contains(&Addon::WebAcl)),
        classic_acl: row.classic_acl.clone().filter(|_| asked.contains(&Addon::ClassicAcl)),
        shield: row.shield.clone().filter(|_| asked.contains(&Addon::Shield)),
    }
}

fn listener(aws: &Aws, row: &ListenerRow, known: &Known<'_>) -> ListenerSeen {
    let mut certificates = row.certificates.clone();
    if let Some(others) = certificates.get_mut(1..) {
        others.sort();
    }
    ListenerSeen {
        arn: row.arn.clone(),
        port: row.port,
        protocol: row.protocol,
        default_actions: actions(&row.default_actions, known),
        ssl_policy: row.ssl_policy.clone(),
        certificates,
        alpn_policy: row.alpn_policy.clone(),
        client_certificates: row.client_certificates.clone(),
        attributes: row.attributes.clone(),
        tags: row.tags.clone(),
        rules: aws.rules_of(&row.arn).map(|row| rule(row, known)).collect(),
    }
}

fn rule(row: &RuleRow, known: &Known<'_>) -> RuleSeen {
    RuleSeen {
        arn: row.arn.clone(),
        priority: row.priority,
        conditions: row.conditions.clone(),
        transforms: row.transforms.clone(),
        actions: actions(&row.actions, known),
        unknown: Vec::new(),
        tags: row.tags.clone(),
    }
}

/// Actions with the names of target groups in place of their ARNs, where they are the stack's.
fn actions(actions: &[Action], known: &Known<'_>) -> Vec<Action> {
    let mut actions = actions.to_vec();
    for action in &mut actions {
        match action {
            Action::Forward(forward) => {
                for target in &mut forward.targets {
                    if let Some(name) = known.get(target.target_group.name()) {
                        target.target_group = Ref::new(*name);
                    }
                }
            }
            // Never given back.
            Action::Oidc(seen) => seen.secret = None,
            _ => {}
        }
    }
    actions
}
