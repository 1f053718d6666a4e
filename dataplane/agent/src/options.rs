//! Flags.

use std::{net::SocketAddr, time::Duration};

use clap::Parser;
use fairway_core::{ids::Key, read::ReadConfig};

/// Serves and announces the in-cluster load balancers on one node.
#[derive(Debug, Clone, Parser)]
#[command(name = "fairway-agent", version, about)]
pub(crate) struct Options {
    /// What is logged, such as `info` or `fairway_agent=debug`.
    #[arg(long, env = "FAIRWAY_LOG", default_value = "info")]
    pub(crate) log: String,
    /// Log lines as JSON objects.
    #[arg(long)]
    pub(crate) log_json: bool,
    /// Name of the Node that this agent runs on.
    #[arg(long, env = "NODE_NAME")]
    pub(crate) node_name: String,
    /// Namespace of the Leases by which agents see that the others live.
    #[arg(long, env = "POD_NAMESPACE", default_value = "fairway-system")]
    pub(crate) namespace: String,
    /// Seconds that connections are given to end when the agent stops.
    #[arg(long, default_value = "20", value_parser = seconds)]
    pub(crate) drain_seconds: Duration,
    /// Address of /healthz, /readyz and /metrics.
    #[arg(long, default_value = "127.0.0.1:7480")]
    pub(crate) admin_address: SocketAddr,
    /// Secret (`namespace/name`) with the certificate for hosts that have none of their own. Without it, TLS
    /// connections for them are refused.
    #[arg(long, value_parser = key)]
    pub(crate) default_ssl_certificate: Option<Key>,
    /// Value of the annotation kubernetes.io/ingress.class that means AWS, as the operator has it.
    #[arg(long, default_value = "alb")]
    pub(crate) ingress_class: String,
    /// `spec.loadBalancerClass` that means AWS, as the operator has it.
    #[arg(long, default_value = "service.k8s.aws/nlb")]
    pub(crate) load_balancer_class: String,
}

impl Options {
    /// How objects are read.
    pub(crate) fn read(&self) -> ReadConfig {
        ReadConfig {
            ingress_class: self.ingress_class.clone(),
            load_balancer_class: self.load_balancer_class.clone(),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).map_err(|_| format!("{text:?} is not a number of seconds"))
}

fn key(text: &str) -> Result<Key, String> {
    let wrong = || format!("{text:?} is not namespace/name");
    let (namespace, name) = text.split_once('/').ok_or_else(wrong)?;
    if namespace.is_empty() || name.is_empty() || name.contains('/') {
        return Err(wrong());
    }
    Ok(Key::new(namespace, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_with_its_namespace() {
        assert_eq!(key("web/tls"), Ok(Key::new("web", "tls")));
        for wrong in ["tls", "/tls", "web/", "a/b/c"] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }
}
