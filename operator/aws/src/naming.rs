//! Names of everything that is made on AWS, byte for byte as the peer makes them.
//!
//! | resource                  | name                                     | hashed, in order |
//! |---------------------------|------------------------------------------|------------------|
//! | ALB                       | `k8s-<ns8>-<name8>-<h10>`, groups `k8s-<group17>-<h10>` | cluster, group id, scheme |
//! | its security group        | same shapes                              | cluster, group id |
//! | further security groups   | same shapes                              | name of the first, number |
//! | target group of an Ingress | `k8s-<svc ns8>-<svc8>-<h10>`            | cluster, group id, Ingress namespace, name, Service UID, port, target port, type, protocol, version |
//! | target group that Ingresses share | same shape                       | cluster, group id, Service UID, port, all settings |
//! | NLB in front of an ALB    | the ALB's name cut to 28, `-nlb`         | |
//! | its target groups         | as the ALB                               | cluster, group id, NLB port, `alb`, `TCP`, health check port and protocol |
//! | NLB                       | `k8s-<ns8>-<name8>-<h10>`                | cluster, Service UID, scheme |
//! | its security group        | same shape                               | cluster, Service name, namespace, UID |
//! | target group of a Service | same shape                               | cluster, Service UID, target port, Service port, type, protocol, health check protocol and interval |
//! | shared backend group      | `k8s-traffic-<cluster>-<h10>`            | cluster |
//!
//! Everything in a hash is "replace on change": another value is another name, so that the new resource can be made
//! before the old one goes.
//! Source: AWS Load Balancer Controller 3.5, as its resources show.

use fairway_core::{
    ids::{Key, StackId, StackKey, sha256_hex},
    intent::PortName,
};

use crate::model::{Binding, Scheme, TargetGroup};

/// AWS takes 255 characters for a security group's name; the peer leaves room for prefix and hash.
const CLUSTER_IN_NAME: usize = 232;

/// Name of the ALB of a stack of Ingresses.
#[must_use]
pub fn alb(cluster: &str, stack: &StackId, scheme: Scheme) -> String {
    stack_name(stack, &[cluster, &stack.group_id(), scheme.as_str()])
}

/// Name of the managed security group of a stack of Ingresses.
#[must_use]
pub fn alb_security_group(cluster: &str, stack: &StackId) -> String {
    stack_name(stack, &[cluster, &stack.group_id()])
}

/// Name of a managed security group beside the first one, which is called `first`.
#[must_use]
pub fn further_security_group(first: &str, number: usize) -> String {
    let stem = first.rsplit_once('-').map_or(first, |(stem, _)| stem);
    format!("{stem}-{}", h10(&[first, &number.to_string()]))
}

/// Name of the NLB in front of the ALB called `alb`.
#[must_use]
pub fn frontend_nlb(alb: &str) -> String {
    let cut: String = alb.chars().take(28).collect();
    format!("{cut}-nlb")
}

/// Another name for it, while one of another scheme has its own.
#[must_use]
pub fn successor_frontend_nlb(name: &str, scheme: Scheme) -> String {
    let stem: String = name.chars().take(21).collect();
    format!("{}-{}", stem.trim_end_matches('-'), h10(&[name, scheme.as_str()]))
}

/// Name of the target group behind one port of an NLB in front. `group.name` is not looked at.
#[must_use]
pub fn frontend_target_group(cluster: &str, stack: &StackId, port: u16, group: &TargetGroup) -> String {
    stack_name(
        stack,
        &[
            cluster,
            &stack.group_id(),
            &port.to_string(),
            group.target_type.as_str(),
            group.protocol.as_str(),
            &group.health_check.port,
            &group.health_check.protocol,
        ],
    )
}

/// Name of the NLB of a Service.
#[must_use]
pub fn nlb(cluster: &str, service: &Key, uid: &str, scheme: Scheme) -> String {
    named(service, &[cluster, uid, scheme.as_str()])
}

/// Name of the managed security group of a Service.
#[must_use]
pub fn nlb_security_group(cluster: &str, service: &Key, uid: &str) -> String {
    named(service, &[cluster, &service.name, &service.namespace, uid])
}

/// Whose target group it is: the parts of an Ingress target group's hash that are not the group's own.
#[derive(Debug)]
pub struct IngressTarget<'a> {
    /// The stack.
    pub stack: &'a StackId,
    /// The Ingress.
    pub ingress: &'a Key,
    /// The Service.
    pub service: &'a Key,
    /// Its UID.
    pub uid: &'a str,
    /// Port as written in the backend.
    pub port: &'a PortName,
}

/// Name of the target group of an Ingress backend. `group.name` is not looked at.
#[must_use]
pub fn ingress_target_group(cluster: &str, target: &IngressTarget<'_>, group: &TargetGroup) -> String {
    let version = group.protocol_version.as_deref().unwrap_or_default();
    let control = group.control_port.map(|port| port.to_string()).unwrap_or_default();
    named(
        target.service,
        &[
            cluster,
            &target.stack.group_id(),
            &target.ingress.namespace,
            &target.ingress.name,
            target.uid,
            &target.port.to_string(),
            &group.port.to_string(),
            group.target_type.as_str(),
            group.protocol.as_str(),
            version,
            &control,
        ],
    )
}

/// What stands for all that is asked of a target group and its binding, which have no names yet.
#[must_use]
pub fn target_group_settings(group: &TargetGroup, binding: &Binding) -> String {
    h10(&[&serde_json::to_string(&(group, binding)).unwrap_or_default()])
}

/// Name of the target group of the Ingress backends of a stack that ask for the same `settings`: it is nobody's own, so
/// none of them changes what the others have.
#[must_use]
pub fn shared_target_group(cluster: &str, target: &IngressTarget<'_>, settings: &str) -> String {
    let port = target.port.to_string();
    named(target.service, &[cluster, &target.stack.group_id(), target.uid, &port, settings])
}

/// Name of the target group of a Service port. `group.name` is not looked at.
#[must_use]
pub fn service_target_group(
    cluster: &str,
    service: &Key,
    uid: &str,
    port: u16,
    group: &TargetGroup,
) -> String {
    named(
        service,
        &[
            cluster,
            uid,
            &group.port.to_string(),
            &port.to_string(),
            group.target_type.as_str(),
            group.protocol.as_str(),
            &group.health_check.protocol,
            &group.health_check.interval.to_string(),
        ],
    )
}

/// Another name of the same shape, for a target group whose own name is still in use by a load balancer that is being
/// replaced: AWS attaches a target group to one load balancer only.
#[must_use]
pub fn successor_target_group(name: &str, load_balancer: &str) -> String {
    let stem = name.rsplit_once('-').map_or(name, |(stem, _)| stem);
    format!("{stem}-{}", h10(&[name, load_balancer]))
}

/// Name of the cluster's shared backend security group.
#[must_use]
pub fn backend_security_group(cluster: &str) -> String {
    format!("k8s-traffic-{}-{}", sanitised(cluster, CLUSTER_IN_NAME), h10(&[cluster]))
}

fn stack_name(stack: &StackId, hashed: &[&str]) -> String {
    match &stack.key {
        StackKey::Group(group) => format!("k8s-{}-{}", sanitised(group, 17), h10(hashed)),
        StackKey::Ingress(key) | StackKey::Service(key) => named(key, hashed),
    }
}

fn named(key: &Key, hashed: &[&str]) -> String {
    format!("k8s-{}-{}-{}", sanitised(&key.namespace, 8), sanitised(&key.name, 8), h10(hashed))
}

fn sanitised(text: &str, length: usize) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(length).collect()
}

fn h10(parts: &[&str]) -> String {
    let mut digest = sha256_hex(parts.iter().copied());
    digest.truncate(10);
    digest
}

#[cfg(test)]
mod tests;
