//! Tags and labels that say whose a resource is, as the peer writes them.
//!
//! | key                     | value                                                        |
//! |-------------------------|--------------------------------------------------------------|
//! | `elbv2.k8s.aws/cluster` | cluster name                                                 |
//! | `<prefix>/stack`        | group name, or `namespace/name`                              |
//! | `<prefix>/resource`     | which resource of the stack: `LoadBalancer`, `80`, `80:1`, … |
//!
//! The prefix is `ingress.k8s.aws` for Ingresses and `service.k8s.aws` for Services. The first two are the marks that
//! make a resource ours; they beat tags of users under the same key.

use std::collections::BTreeMap;

use fairway_core::ids::{Key, ProviderKind, StackId, StackKey, sha256_hex};

use crate::{
    config::Config,
    model::{CertificateRequest, Tags},
};

/// Tag key that names the cluster.
pub const CLUSTER: &str = "elbv2.k8s.aws/cluster";
/// Resource id of the load balancer.
pub const LOAD_BALANCER: &str = "LoadBalancer";
/// Tag key of an imported certificate: which content of its Secret it has.
pub const SECRET_DIGEST: &str = "fairway.dev/secret-digest";
/// Resource id of the NLB in front.
pub const FRONTEND: &str = "FrontendNlb";
/// Resource id of the first managed security group.
pub const SECURITY_GROUP: &str = "ManagedLBSecurityGroup";

/// First part of a stack's tags and labels.
#[must_use]
pub const fn prefix(stack: &StackId) -> &'static str {
    match &stack.key {
        StackKey::Group(_) | StackKey::Ingress(_) => "ingress.k8s.aws",
        StackKey::Service(_) => "service.k8s.aws",
    }
}

/// What everything of a stack carries: the marks of ownership.
#[must_use]
pub fn marks(config: &Config, stack: &StackId) -> Tags {
    Tags::from([
        (CLUSTER.to_owned(), config.cluster.clone()),
        (format!("{}/stack", prefix(stack)), stack.group_id()),
    ])
}

/// Tag key of the resource id.
#[must_use]
pub fn resource_key(stack: &StackId) -> String {
    format!("{}/resource", prefix(stack))
}

/// All tags of one resource: what users asked for, then the defaults, then the marks; the later wins.
#[must_use]
pub fn of(config: &Config, stack: &StackId, resource: &str, asked: &Tags) -> Tags {
    let mut tags = asked.clone();
    tags.extend(config.default_tags.clone());
    marked(config, stack, resource, &tags)
}

/// `asked` with the marks, and without any defaults.
#[must_use]
pub fn marked(config: &Config, stack: &StackId, resource: &str, asked: &Tags) -> Tags {
    let mut tags = asked.clone();
    tags.extend(marks(config, stack));
    tags.insert(resource_key(stack), resource.to_owned());
    tags
}

/// Marks of the cluster's shared backend security group.
#[must_use]
pub fn backend_marks(config: &Config) -> Tags {
    Tags::from([
        (CLUSTER.to_owned(), config.cluster.clone()),
        ("elbv2.k8s.aws/resource".to_owned(), "backend-sg".to_owned()),
    ])
}

/// Resource id of a certificate that is imported from a Secret.
#[must_use]
pub fn imported(secret: &Key) -> String {
    format!("imported/{secret}")
}

/// Resource id of a certificate that is requested for an Ingress: the peer's.
#[must_use]
pub fn requested(ingress: &Key, request: &CertificateRequest) -> String {
    let issuer = if request.authority.is_some() { "private" } else { "amazon_issued" };
    let first = request.hosts.first().map(|host| host.replace('*', "wildcard")).unwrap_or_default();
    let digest: String = sha256_hex([ingress.to_string().as_str()]).chars().take(8).collect();
    format!("{issuer}/{first}-{digest}")
}

/// Resource id of a managed security group: the first one's is the peer's, others are numbered from 2.
#[must_use]
pub fn security_group(number: usize) -> String {
    if number < 2 { SECURITY_GROUP.to_owned() } else { format!("{SECURITY_GROUP}:{number}") }
}

/// Number of the managed security group beside the first one that has this resource id.
#[must_use]
pub fn further_security_group(resource: &str) -> Option<usize> {
    let number = resource.strip_prefix(SECURITY_GROUP)?.strip_prefix(':')?.parse().ok()?;
    (security_group(number) == resource).then_some(number)
}

/// Resource id of a listener.
#[must_use]
pub fn listener(port: u16) -> String {
    port.to_string()
}

/// Resource id of a listener of the NLB in front.
#[must_use]
pub fn frontend_listener(port: u16) -> String {
    format!("{FRONTEND}-ls-TCP-{port}")
}

/// Resource id of the target group behind a port of the NLB in front.
#[must_use]
pub fn frontend_target_group(port: u16) -> String {
    format!("{FRONTEND}-tg-TCP-{port}")
}

/// Resource id of a rule.
#[must_use]
pub fn rule(port: u16, priority: i32) -> String {
    format!("{port}:{priority}")
}

/// Resource id of a rule as older peers wrote it.
#[must_use]
pub fn rule_without_port(priority: i32) -> String {
    priority.to_string()
}

/// Labels of a stack's TargetGroupBindings.
#[must_use]
pub fn labels(stack: &StackId) -> BTreeMap<String, String> {
    let prefix = prefix(stack);
    match &stack.key {
        StackKey::Group(name) => BTreeMap::from([(format!("{prefix}/stack"), name.clone())]),
        StackKey::Ingress(Key { namespace, name }) | StackKey::Service(Key { namespace, name }) => {
            BTreeMap::from([
                (format!("{prefix}/stack-namespace"), namespace.clone()),
                (format!("{prefix}/stack-name"), name.clone()),
            ])
        }
    }
}

/// The stack whose labels these are, by whichever controller they were written.
#[must_use]
pub fn labelled(labels: &BTreeMap<String, String>) -> Option<StackId> {
    let own = |prefix: &str| {
        let label = |name: &str| labels.get(&format!("{prefix}/{name}"));
        Some(Key::new(label("stack-namespace")?, label("stack-name")?))
    };
    let group = || labels.get("ingress.k8s.aws/stack").cloned().map(StackKey::Group);
    let ingress = || own("ingress.k8s.aws").map(StackKey::Ingress);
    let service = || own("service.k8s.aws").map(StackKey::Service);
    let key = group().or_else(ingress).or_else(service)?;
    Some(StackId::new(ProviderKind::Aws, key))
}

/// Whether tag reconciliation leaves a key alone: AWS's own, and those that older controllers wrote.
#[must_use]
pub fn untouchable(config: &Config, key: &str) -> bool {
    const LEGACY: [&str; 5] = [
        "kubernetes.io/cluster-name",
        "kubernetes.io/namespace",
        "kubernetes.io/ingress-name",
        "kubernetes.io/service-name",
        "kubernetes.io/service-port",
    ];
    key.starts_with("aws:")
        || LEGACY.contains(&key)
        || key.strip_prefix("kubernetes.io/cluster/").is_some_and(|cluster| cluster == config.cluster)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_beat_defaults_and_defaults_beat_what_users_ask_for() {
        let mut config = Config::new("demo", "us-east-1", "vpc-1");
        config.default_tags = Tags::from([("team".to_owned(), "platform".to_owned())]);
        let stack = StackId::new(ProviderKind::Aws, StackKey::Group("shop".to_owned()));
        let asked = Tags::from([
            ("team".to_owned(), "shop".to_owned()),
            ("elbv2.k8s.aws/cluster".to_owned(), "other".to_owned()),
            ("env".to_owned(), "dev".to_owned()),
        ]);
        let want = [
            ("elbv2.k8s.aws/cluster", "demo"),
            ("env", "dev"),
            ("ingress.k8s.aws/resource", "80"),
            ("ingress.k8s.aws/stack", "shop"),
            ("team", "platform"),
        ];
        let want: Tags = want.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(of(&config, &stack, &listener(80), &asked), want);
    }

    #[test]
    fn a_stack_is_known_by_its_labels() {
        let key = || Key::new("default", "shop");
        let keys = [StackKey::Group("shop".to_owned()), StackKey::Ingress(key()), StackKey::Service(key())];
        for stack in keys.map(|key| StackId::new(ProviderKind::Aws, key)) {
            let mut all = labels(&stack);
            all.insert("team".to_owned(), "a".to_owned());
            assert_eq!(labelled(&all), Some(stack));
        }
        let half = BTreeMap::from([("ingress.k8s.aws/stack-name".to_owned(), "shop".to_owned())]);
        assert_eq!(labelled(&half), None);
    }

    #[test]
    fn tags_of_aws_and_of_older_controllers_are_left_alone() {
        let config = Config::new("demo", "us-east-1", "vpc-1");
        for key in
            ["aws:cloudformation:stack-name", "kubernetes.io/cluster/demo", "kubernetes.io/ingress-name"]
        {
            assert!(untouchable(&config, key), "{key}");
        }
        for key in ["kubernetes.io/cluster/other", "team", "ingress.k8s.aws/stack"] {
            assert!(!untouchable(&config, key), "{key}");
        }
    }
}
