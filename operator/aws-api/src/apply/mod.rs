//! One call an operation, one file a resource kind.
//!
//! | AWS answers                                  | result                                                |
//! |----------------------------------------------|-------------------------------------------------------|
//! | done                                         | what AWS said of it goes into the inventory           |
//! | it exists already, with our ownership tags   | our own earlier work: produced                        |
//! | it exists already, without                   | Conflict `NameTaken`; it stays as it is               |
//! | what is to be deleted is not there           | removed                                               |
//! | anything else, or nothing                    | an error; what it puts in doubt is read again         |

mod acm;
mod addons;
mod certificates;
mod claim;
mod ids;
mod listener;
mod load_balancer;
mod network;
mod records;
mod rule;
mod security_group;
mod tags;
mod target_group;
mod targets;

use fairway_aws::stack::{StackOp, secrets};
use fairway_core::plan::{Bindings, Operation as _};
use fairway_engine::ports::{Applied, Refusal};

use crate::Aws;
use crate::fault::Fault;

/// An operation that did not come about: AWS's doing, or it could not be asked for.
#[derive(Debug)]
pub(crate) enum Failed {
    /// A call failed.
    Fault(Fault),
    /// No call was made, or what came back is not ours.
    Refusal(Refusal),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Failed> for Refusal {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Fault(fault) => fault.into(),
            Failed::Refusal(refusal) => refusal,
        }
    }
}

/// What an operation left behind, or why it did not come about.
pub(crate) type Done = Result<Applied, Failed>;

impl Aws {
    pub(crate) async fn apply_stack(&self, op: &StackOp, ids: &Bindings) -> Result<Applied, Refusal> {
        let done = self.apply_stack_op(op, ids).await;
        if let Err(Failed::Fault(fault)) = &done
            && fault.sows_doubt()
        {
            self.doubt(op, fault);
        }
        Ok(done?)
    }

    async fn apply_stack_op(&self, op: &StackOp, ids: &Bindings) -> Done {
        match op {
            StackOp::CreateSecurityGroup(spec) => self.create_security_group(spec).await,
            StackOp::AuthorizeIngress(group, permissions) => {
                self.authorize(&ids::find(ids, group)?, permissions, ids).await
            }
            StackOp::RevokeIngress(group, permissions) => {
                self.revoke(&group.get().id, permissions, ids).await
            }
            StackOp::DeleteSecurityGroup(group) => self.delete_security_group(&group.get().id).await,
            StackOp::CreateTargetGroup(spec) => self.create_target_group(spec).await,
            StackOp::ModifyHealthCheck(group, check) => {
                self.modify_health_check(&group.get().arn, check).await
            }
            StackOp::ModifyTargetGroupAttributes(group, attributes) => {
                self.modify_group_attributes(&ids::find(ids, group)?, attributes).await
            }
            StackOp::RegisterLoadBalancer(target) => self.register_load_balancer(target, ids).await,
            StackOp::DeleteTargetGroup(group) => self.delete_target_group(&group.get().arn).await,
            StackOp::CreateLoadBalancer(spec) => self.create_load_balancer(spec, ids).await,
            StackOp::SetSubnets(balancer, subnets) => {
                self.set_subnets(&balancer.get().handle.id, subnets).await
            }
            StackOp::SetSecurityGroups(balancer, groups) => {
                self.set_security_groups(&balancer.get().handle.id, groups, ids).await
            }
            StackOp::SetIpAddressType(balancer, kind) => {
                self.set_ip_address_type(&balancer.get().handle.id, *kind).await
            }
            StackOp::ModifyLoadBalancerAttributes(balancer, attributes) => {
                self.modify_balancer_attributes(&ids::find(ids, balancer)?, attributes).await
            }
            StackOp::DeleteLoadBalancer(balancer) => {
                self.delete_load_balancer(&balancer.get().handle.id).await
            }
            StackOp::SetIpv4Pool(balancer, pool) => {
                self.set_ipv4_pool(&balancer.get().handle.id, pool.as_ref()).await
            }
            _ => self.apply_addon_op(op, ids).await,
        }
    }

    async fn apply_addon_op(&self, op: &StackOp, ids: &Bindings) -> Done {
        match op {
            StackOp::ReserveCapacity(balancer, units) => {
                self.reserve_capacity(&ids::find(ids, balancer)?, *units).await
            }
            StackOp::SetWebAcl(balancer, acl) => self.set_web_acl(&ids::find(ids, balancer)?, acl).await,
            StackOp::SetClassicAcl(balancer, acl) => {
                self.set_classic_acl(&ids::find(ids, balancer)?, acl).await
            }
            StackOp::Protect(balancer) => self.protect(&ids::find(ids, balancer)?).await,
            StackOp::Unprotect(balancer, id) => self.unprotect(&ids::find(ids, balancer)?, id).await,
            _ => self.apply_listener_op(op, ids).await,
        }
    }

    async fn apply_listener_op(&self, op: &StackOp, ids: &Bindings) -> Done {
        match op {
            StackOp::CreateListener(spec) => self.create_listener(spec, ids).await,
            StackOp::ModifyListener(listener, spec) => {
                self.modify_listener(&listener.get().arn, spec, ids).await
            }
            StackOp::AddCertificates(listener, added) => {
                self.add_certificates(&ids::find(ids, listener)?, &ids::all(ids, added)?).await
            }
            StackOp::RemoveCertificates(listener, arns) => {
                self.remove_certificates(&ids::find(ids, listener)?, arns).await
            }
            StackOp::ModifyListenerAttributes(listener, attributes) => {
                self.modify_listener_attributes(&ids::find(ids, listener)?, attributes).await
            }
            StackOp::DeleteListener(_, listener) => self.delete_listener(&listener.get().arn).await,
            StackOp::CreateRule(spec) => self.create_rule(spec, ids).await,
            StackOp::ModifyRule(_, rule, spec) => self.modify_rule(&rule.get().arn, spec, ids).await,
            StackOp::SetRulePriorities(_, moves) => self.set_rule_priorities(moves).await,
            StackOp::DeleteRule(_, rule) => self.delete_rule(&rule.get().arn).await,
            StackOp::ImportCertificate(spec, secret) => self.import_certificate(spec, secret).await,
            StackOp::RenewCertificate(seen, _, secret) => {
                self.renew_certificate(&seen.get().arn, secret).await
            }
            StackOp::RequestCertificate(spec, request, token) => {
                self.request_certificate(spec, request, token).await
            }
            StackOp::DeleteCertificate(seen) => self.delete_certificate(&seen.get().arn).await,
            StackOp::SetTags(retag) => self.set_tags(retag).await,
            StackOp::RememberSecrets(digests) => {
                Ok(Applied::Produced { key: secrets::key(), handle: secrets::handle(digests) })
            }
            other => {
                let message = format!("{} is not for AWS", other.describe());
                Err(Refusal::bug("NotAnAwsOperation", message).into())
            }
        }
    }

    /// What the operation is about is read again before the next decision.
    fn doubt(&self, op: &StackOp, fault: &Fault) {
        let (region, groups) = (&self.inventory.region, &self.inventory.security_groups);
        let key = op.resource().0;
        let (kind, name) = key.split_once('/').unwrap_or((&key, ""));
        // Listeners and rules are named after their load balancer, whose name has no colon.
        let stem = name.split(':').next().unwrap_or_default().to_owned();
        match kind {
            "security-group" => groups.doubt(),
            "certificate" => self.inventory.certificates.doubt(),
            "target-group" => region.record(move |all| all.forget_group(&stem)),
            _ => region.record(move |all| all.forget_balancer(&stem)),
        }
        let gone = fault.is(&["LoadBalancerNotFound", "TargetGroupNotFound"]);
        if gone || matches!(kind, "target-group" | "load-balancer") {
            region.doubt();
        }
        if fault.is(&["InvalidSecurityGroup", "InvalidGroup.NotFound"]) {
            groups.doubt();
        }
    }
}
