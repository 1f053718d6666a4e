//! How a plan reads: one line an operation, further lines for what changes.

use super::StackOp;
use crate::model::Scheme;

pub(super) fn line(op: &StackOp) -> String {
    match op {
        StackOp::CreateSecurityGroup(spec) => format!("create security group {}", spec.name),
        StackOp::AuthorizeIngress(group, permissions) => {
            format!("allow {} on security group {}", count(permissions.len(), "permission"), group.name())
        }
        StackOp::RevokeIngress(group, permissions) => {
            format!(
                "revoke {} on security group {}",
                count(permissions.len(), "permission"),
                group.get().name
            )
        }
        StackOp::DeleteSecurityGroup(group) => format!("delete security group {}", group.get().name),
        StackOp::CreateTargetGroup(spec) => format!(
            "create target group {} ({} {}, {})",
            spec.name,
            spec.protocol.as_str(),
            spec.port,
            spec.target_type.as_str()
        ),
        StackOp::ModifyHealthCheck(group, _) => {
            format!("modify health check of target group {}", group.get().name)
        }
        StackOp::ModifyTargetGroupAttributes(group, _) => {
            format!("modify attributes of target group {}", group.name())
        }
        StackOp::DeleteTargetGroup(group) => format!("delete target group {}", group.get().name),
        StackOp::CreateLoadBalancer(spec) => {
            format!("create {} load balancer {}", scheme(spec.scheme), spec.name)
        }
        StackOp::SetSubnets(balancer, _) => format!("set subnets of load balancer {}", balancer.get().name),
        StackOp::SetSecurityGroups(balancer, _) => {
            format!("set security groups of load balancer {}", balancer.get().name)
        }
        StackOp::SetIpAddressType(balancer, _) => {
            format!("set address type of load balancer {}", balancer.get().name)
        }
        StackOp::ModifyLoadBalancerAttributes(balancer, _) => {
            format!("modify attributes of load balancer {}", balancer.name())
        }
        StackOp::DeleteLoadBalancer(balancer) => format!("delete load balancer {}", balancer.get().name),
        StackOp::CreateListener(spec) => {
            format!("create listener {} ({})", spec.reference().name(), spec.protocol.as_str())
        }
        StackOp::ModifyListener(_, spec) => format!("modify listener {}", spec.reference().name()),
        StackOp::AddCertificates(listener, arns) => {
            format!("add {} to listener {}", count(arns.len(), "certificate"), listener.name())
        }
        StackOp::RemoveCertificates(listener, arns) => {
            format!("remove {} from listener {}", count(arns.len(), "certificate"), listener.name())
        }
        StackOp::ModifyListenerAttributes(listener, _) => {
            format!("modify attributes of listener {}", listener.name())
        }
        StackOp::DeleteListener(listener, _) => format!("delete listener {}", listener.name()),
        StackOp::CreateRule(spec) => format!("create rule {}", spec.reference().name()),
        StackOp::ModifyRule(rule, ..) => format!("modify rule {}", rule.name()),
        StackOp::SetRulePriorities(listener, moves) => {
            format!("move {} of listener {}", count(moves.len(), "rule"), listener.name())
        }
        StackOp::DeleteRule(rule, _) => format!("delete rule {}", rule.name()),
        StackOp::SetTags(retag) => format!("change tags of {}", retag.resource),
        StackOp::PutBinding(spec) => format!("write TargetGroupBinding {}", spec.key),
        StackOp::DeleteBinding(binding) => format!("delete TargetGroupBinding {}", binding.name()),
    }
}

pub(super) fn details(op: &StackOp) -> Vec<String> {
    match op {
        StackOp::AuthorizeIngress(_, permissions) | StackOp::RevokeIngress(_, permissions) => {
            permissions.iter().map(ToString::to_string).collect()
        }
        StackOp::ModifyTargetGroupAttributes(_, attributes)
        | StackOp::ModifyLoadBalancerAttributes(_, attributes)
        | StackOp::ModifyListenerAttributes(_, attributes) => {
            attributes.iter().map(|(key, value)| format!("{key} = {value}")).collect()
        }
        StackOp::SetSubnets(balancer, subnets) => {
            vec![format!("{} -> {}", balancer.get().subnets.join(", "), subnets.join(", "))]
        }
        StackOp::SetTags(retag) => {
            let set = retag.set.iter().map(|(key, value)| format!("{key} = {value}"));
            set.chain(retag.remove.iter().map(|key| format!("{key} removed"))).collect()
        }
        _ => Vec::new(),
    }
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

const fn scheme(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Internal => "internal",
        Scheme::InternetFacing => "internet-facing",
    }
}
