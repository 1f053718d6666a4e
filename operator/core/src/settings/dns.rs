//! Annotations of external-dns, under its present and its former prefix.
//!
//! Both prefixes are read; the present one is stronger, key by key.
//! Source: external-dns 0.22, annotations.

use super::{BadValue, Origin, value};
use crate::ids::ProviderKind;

/// What every key starts with since external-dns 0.22.
pub const PREFIX: &str = "external-dns.kubernetes.io/";
/// What every key started with before.
pub const FORMER_PREFIX: &str = "external-dns.alpha.kubernetes.io/";

const ANY: &[Origin] = &[Origin::Service, Origin::Ingress];
const INGRESS: &[Origin] = &[Origin::Ingress];
const BOTH: &[ProviderKind] = &[ProviderKind::Aws, ProviderKind::InCluster];

/// Which names of an Ingress are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostnameSource {
    /// Only those of the hostname annotation.
    AnnotationOnly,
    /// Only those of `spec.rules` and `spec.tls`.
    DefinedHostsOnly,
}

rows! {
    read {
        HOSTNAME: Vec<String> = "hostname", ANY, PerMember, BOTH, names, "shop.example.com, *.shop.example.com",
            "DNS names to publish, besides those of the object's spec.";
        TTL: i64 = "ttl", ANY, PerMember, BOTH, value::seconds, "10m",
            "How long resolvers keep the records: seconds, or a duration.";
        CONTROLLER: String = "controller", ANY, PerMember, BOTH, value::text, "dns-controller",
            "Anything but `dns-controller`: nothing of the object is published.";
        INGRESS_HOSTNAME_SOURCE: HostnameSource = "ingress-hostname-source", INGRESS, PerMember, BOTH, hostname_source, "annotation-only",
            "Which names of an Ingress are published: `annotation-only`, `defined-hosts-only`, or both when absent.";
    }
    later {
        "internal-hostname", ANY, "Names of the address within the cluster.";
        "target", ANY, "Targets in place of the object's own.";
        "set-identifier", ANY, "Which of several records of one name this is.";
        "alias", ANY, "Whether an alias record is made.";
        "record-type", ANY, "Whether a PTR record is made.";
        "access", ANY, "Which addresses of nodes are published.";
        "endpoints-type", ANY, "Which addresses of pods are published.";
        "ingress", ANY, "Ingress whose targets are used.";
        "gateway-hostname-source", ANY, "Which names of a Route are published.";
        "aws-", ANY, "Routing policies, health checks and zones of Route 53.";
    }
}

/// A DNS name in its one spelling: lower-case, without a final dot. `None` when it cannot be a name.
#[must_use]
pub fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let plain = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    let good = text.split('.').enumerate().all(|(place, label)| plain(label) || (place == 0 && label == "*"));
    (good && text.len() <= 253).then_some(text)
}

fn names(text: &str) -> Result<Vec<String>, BadValue> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let items = text.split(',').filter(|item| !item.is_empty());
    items.map(|item| name(item).ok_or_else(|| BadValue(format!("{item} is not a DNS name")))).collect()
}

fn hostname_source(text: &str) -> Result<HostnameSource, BadValue> {
    match text.to_ascii_lowercase().as_str() {
        "annotation-only" => Ok(HostnameSource::AnnotationOnly),
        "defined-hosts-only" => Ok(HostnameSource::DefinedHostsOnly),
        _ => Err(BadValue("must be annotation-only or defined-hosts-only".into())),
    }
}
