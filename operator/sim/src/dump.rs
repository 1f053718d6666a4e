//! A world in words: what there is, by names, so that two runs can be compared.

use std::collections::{BTreeMap, BTreeSet};

use fairway_aws::observed::{AddonsSeen, Shielding};

use crate::{
    sim::Inner,
    world::{Aws, BalancerRow},
};

/// Everything, one line each, sorted.
#[must_use]
pub fn lines(inner: &Inner) -> BTreeSet<String> {
    let mut all = aws(&inner.aws);
    all.extend(cluster(inner));
    all
}

/// What is on AWS.
#[must_use]
pub fn aws(aws: &Aws) -> BTreeSet<String> {
    let names = Names::of(aws);
    let groups = aws.groups.values().map(|row| format!("security group {} {:?}", row.name, row.tags));
    // One line each: somebody else's rules stand beside ours.
    let permissions = aws.groups.values().flat_map(|row| {
        let names = &names;
        row.permissions
            .iter()
            .map(move |one| format!("permission of {} {}", row.name, names.plain(&format!("{one:?}"))))
    });
    let target_groups = aws.target_groups.values().map(|row| {
        let ask = &row.ask;
        format!(
            "target group {} {:?} {} {:?} {:?} {:?}",
            ask.name, ask.protocol, ask.port, row.health_check, row.attributes, row.tags
        )
    });
    // One line each: others' targets stand beside ours.
    let targets = aws.target_groups.values().flat_map(|row| {
        let names = &names;
        row.targets
            .iter()
            .map(move |one| format!("target of {} {}:{}", row.ask.name, names.plain(&one.id), one.port))
    });
    let balancers = aws.balancers.values().map(|row| names.balancer(row));
    let listeners = aws.listeners.values().map(|row| {
        let on = names.plain(&row.load_balancer);
        let actions = names.plain(&format!("{:?}", row.default_actions));
        let (protocol, certificates) = (row.protocol, (&row.certificates, &row.client_certificates));
        let rest = format!("{certificates:?} {:?} {:?}", row.attributes, row.tags);
        names.plain(&format!("listener {on}:{} {protocol:?} {actions} {rest}", row.port))
    });
    let rules = aws.rules.values().map(|row| {
        let on = aws.listeners.get(&row.listener).map(|row| (names.plain(&row.load_balancer), row.port));
        let actions = names.plain(&format!("{:?}", row.actions));
        let (conditions, transforms) = (&row.conditions, &row.transforms);
        format!("rule {on:?} {} {conditions:?} {transforms:?} {actions} {:?}", row.priority, row.tags)
    });
    let records = aws.zones.values().flat_map(|zone| &zone.records);
    let records = records.map(|record| names.plain(&format!("record {record:?}")));
    let imported = aws.imported.values().map(|row| format!("certificate {} {:?}", row.digest, row.tags));
    let requested = aws.requested.values();
    let requested = requested.map(|row| format!("certificate {:?} {:?}", row.request, row.tags));
    groups
        .chain(imported)
        .chain(requested)
        .chain(permissions)
        .chain(target_groups)
        .chain(targets)
        .chain(balancers)
        .chain(listeners)
        .chain(rules)
        .chain(records)
        .collect()
}

fn cluster(inner: &Inner) -> Vec<String> {
    let (objects, names) = (&inner.cluster.objects, Names::of(&inner.aws));
    let ingresses = objects
        .ingresses
        .iter()
        .map(|(key, o)| format!("Ingress {key} {:?} {:?}", o.metadata.finalizers, o.status));
    let services = objects.services.iter().map(|(key, o)| {
        let status = o.status.as_ref().and_then(|status| status.load_balancer.as_ref());
        format!("Service {key} {:?} {status:?}", o.metadata.finalizers)
    });
    let bindings = objects.target_group_bindings.iter().map(|(key, o)| {
        format!("TargetGroupBinding {key} {:?} {:?} {:?}", o.metadata.finalizers, o.metadata.labels, o.spec)
    });
    let states = objects.states.iter().map(|(key, o)| {
        let good: Option<Vec<&String>> = o.status.as_ref().map(|status| status.last_good.keys().collect());
        format!("LoadBalancerState {key} {good:?}")
    });
    let records = inner.cluster.records.iter().map(|(key, text)| format!("ConfigMap {key} {text}"));
    let all = ingresses.chain(services).chain(bindings).chain(states).chain(records);
    all.map(|line| names.plain(&line)).collect()
}

/// Names in place of what AWS made up.
struct Names(BTreeMap<String, String>);

impl Names {
    fn of(aws: &Aws) -> Self {
        let mut names = BTreeMap::new();
        for row in aws.balancers.values() {
            names.insert(row.arn.clone(), format!("<{}>", row.name));
            names.insert(row.dns_name.clone(), format!("<dns of {}>", row.name));
        }
        names.extend(aws.target_groups.values().map(|row| (row.arn.clone(), format!("<{}>", row.ask.name))));
        names.extend(aws.groups.values().map(|row| (row.id.clone(), format!("<{}>", row.name))));
        let imported = aws.imported.iter();
        names.extend(imported.map(|(arn, row)| (arn.clone(), format!("<certificate {}>", row.digest))));
        let requested = aws.requested.iter();
        names.extend(requested.map(|(arn, row)| (arn.clone(), format!("<certificate {:?}>", row.request))));
        Self(names)
    }

    fn plain(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id, name))
    }

    fn balancer(&self, row: &BalancerRow) -> String {
        let groups = self.plain(&format!("{:?}", row.security_groups));
        let (kind, scheme, family) = (row.kind, row.scheme, row.ip_address_type);
        let pools = (&row.customer_owned_pool, &row.ipv4_pool);
        let addons = addons(&row.addons);
        let rest =
            format!("{:?} {groups} {:?} {pools:?} {addons} {:?}", row.subnets, row.attributes, row.tags);
        format!("load balancer {} {kind:?} {scheme:?} {family:?} {rest}", row.name)
    }
}

/// Without the id of a protection, which is another each time.
fn addons(seen: &AddonsSeen) -> String {
    let shielded = match &seen.shield {
        Some(Shielding::Ours(_)) => "ours",
        Some(Shielding::Theirs) => "theirs",
        Some(Shielding::Nobody) | None => "nobody's",
    };
    format!("{:?} {:?} {:?} {shielded}", seen.capacity, seen.web_acl, seen.classic_acl)
}
