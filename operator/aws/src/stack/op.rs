//! Every change that a stack's plan may ask for: one AWS call (or one Kubernetes write) each.
//!
//! What is made is named by its spec; what is changed or deleted is `Owned`, so that a plan against something foreign
//! cannot be written down.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    plan::{Effect, Operation, ResourceKey},
    settings::front::Attachment,
};
use serde::Serialize;

use super::{
    describe,
    secrets::{self, Digests},
};
use crate::{
    compare::certificate,
    model::{
        Action, Attributes, Binding, Certificate, CertificateRequest, HealthCheck, IpAddressType, Listener,
        LoadBalancer, Permission, Ref, Registration, ResourceKind, Rule, SecretRef, SecurityGroup,
        SecurityGroupRef, TargetGroup,
    },
    observed::{
        CertificateSeen, ListenerSeen, LoadBalancerSeen, RuleSeen, SecurityGroupSeen, TargetGroupSeen,
    },
    ownership::Owned,
};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackOp {
    /// CreateSecurityGroup, with tags; permissions follow.
    CreateSecurityGroup(SecurityGroup),
    /// AuthorizeSecurityGroupIngress.
    AuthorizeIngress(Ref<SecurityGroup>, BTreeSet<Permission>),
    /// RevokeSecurityGroupIngress.
    RevokeIngress(Owned<SecurityGroupSeen>, BTreeSet<Permission>),
    /// DeleteSecurityGroup.
    DeleteSecurityGroup(Owned<SecurityGroupSeen>),
    /// CreateTargetGroup, with tags.
    CreateTargetGroup(TargetGroup),
    /// ModifyTargetGroup: the health check.
    ModifyHealthCheck(Owned<TargetGroupSeen>, HealthCheck),
    /// ModifyTargetGroupAttributes: only those that differ.
    ModifyTargetGroupAttributes(Ref<TargetGroup>, Attributes),
    /// RegisterTargets: an application load balancer, in a group of type `alb`.
    RegisterLoadBalancer(Registration),
    /// DeleteTargetGroup; what is registered is no target any more.
    DeleteTargetGroup(Owned<TargetGroupSeen>),
    /// CreateLoadBalancer, with tags.
    CreateLoadBalancer(LoadBalancer),
    /// SetSubnets.
    SetSubnets(Owned<LoadBalancerSeen>, Subnets),
    /// SetSecurityGroups.
    SetSecurityGroups(Owned<LoadBalancerSeen>, Vec<SecurityGroupRef>),
    /// SetIpAddressType.
    SetIpAddressType(Owned<LoadBalancerSeen>, IpAddressType),
    /// ModifyLoadBalancerAttributes: only those that differ.
    ModifyLoadBalancerAttributes(Ref<LoadBalancer>, Attributes),
    /// ModifyIpPools.
    SetIpv4Pool(Owned<LoadBalancerSeen>, Option<String>),
    /// ModifyCapacityReservation: units, or 0 to give them back.
    ReserveCapacity(Ref<LoadBalancer>, i32),
    /// AssociateWebACL or DisassociateWebACL of WAFv2, by ARN.
    SetWebAcl(Ref<LoadBalancer>, Attachment),
    /// The same of WAF Classic, by id.
    SetClassicAcl(Ref<LoadBalancer>, Attachment),
    /// CreateProtection of Shield Advanced.
    Protect(Ref<LoadBalancer>),
    /// DeleteProtection of Shield Advanced, by id.
    Unprotect(Ref<LoadBalancer>, String),
    /// DeleteLoadBalancer; its listeners and rules go with it.
    DeleteLoadBalancer(Owned<LoadBalancerSeen>),
    /// CreateListener with its default certificate, and tags.
    CreateListener(Listener),
    /// ModifyListener: protocol, default actions, policy, default certificate, ALPN.
    ModifyListener(Owned<ListenerSeen>, Listener),
    /// AddListenerCertificates.
    AddCertificates(Ref<Listener>, Vec<Ref<Certificate>>),
    /// RemoveListenerCertificates, by ARN.
    RemoveCertificates(Ref<Listener>, Vec<String>),
    /// ModifyListenerAttributes: only those that differ.
    ModifyListenerAttributes(Ref<Listener>, Attributes),
    /// DeleteListener; its rules go with it. The reference names it in the plan.
    DeleteListener(Ref<Listener>, Owned<ListenerSeen>),
    /// CreateRule, with tags.
    CreateRule(Rule),
    /// ModifyRule: conditions, transforms and actions, in place.
    ModifyRule(Ref<Rule>, Owned<RuleSeen>, Rule),
    /// SetRulePriorities: one call for all rules of a listener that move.
    SetRulePriorities(Ref<Listener>, Vec<Move>),
    /// DeleteRule.
    DeleteRule(Ref<Rule>, Owned<RuleSeen>),
    /// ImportCertificate of ACM, with tags.
    ImportCertificate(Certificate, SecretRef),
    /// ImportCertificate under the ARN that is there, by name. The tag that says which content it has is set afterwards.
    RenewCertificate(Owned<CertificateSeen>, String, SecretRef),
    /// RequestCertificate of ACM, with tags, and with a token by which ACM knows a request that it has had.
    RequestCertificate(Certificate, CertificateRequest, String),
    /// DeleteCertificate.
    DeleteCertificate(Owned<CertificateSeen>),
    /// AddTags and RemoveTags, or their counterparts of EC2 and ACM.
    SetTags(Retag),
    /// Creates or patches a TargetGroupBinding object.
    PutBinding(Binding),
    /// Deletes a TargetGroupBinding object of this stack and waits until it is gone.
    DeleteBinding(Ref<Binding>),
    /// No call: which content of Secrets AWS has been told by now.
    RememberSecrets(Digests),
}

/// Where a load balancer stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subnets {
    /// Ids, sorted.
    pub ids: Vec<String>,
    /// Elastic addresses by allocation id, one a subnet; empty: AWS's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<String>,
}

/// A rule that gets another priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// Which rule.
    pub rule: Owned<RuleSeen>,
    /// Its new priority.
    pub priority: i32,
}

/// A change of tags of something that is ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retag {
    /// How the plan knows it.
    pub resource: ResourceKey,
    /// ARN, or `sg-…`.
    pub id: String,
    /// Tags to add or change.
    pub set: BTreeMap<String, String>,
    /// Keys to remove.
    pub remove: BTreeSet<String>,
}

impl Operation for StackOp {
    fn effect(&self) -> Effect {
        match self {
            Self::CreateSecurityGroup(_)
            | Self::CreateTargetGroup(_)
            | Self::CreateLoadBalancer(_)
            | Self::CreateListener(_)
            | Self::CreateRule(_)
            | Self::ImportCertificate(..)
            | Self::RequestCertificate(..) => Effect::Create,
            Self::DeleteSecurityGroup(_)
            | Self::DeleteTargetGroup(_)
            | Self::DeleteLoadBalancer(_)
            | Self::DeleteListener(..)
            | Self::DeleteRule(..)
            | Self::DeleteCertificate(_)
            | Self::DeleteBinding(_) => Effect::Delete,
            _ => Effect::Modify,
        }
    }

    fn resource(&self) -> ResourceKey {
        match self {
            Self::CreateSecurityGroup(spec) => key::<SecurityGroup>(&spec.name),
            Self::AuthorizeIngress(group, _) => group.key(),
            Self::RevokeIngress(group, _) | Self::DeleteSecurityGroup(group) => {
                key::<SecurityGroup>(&group.get().name)
            }
            Self::CreateTargetGroup(spec) => key::<TargetGroup>(&spec.name),
            Self::ModifyHealthCheck(group, _) | Self::DeleteTargetGroup(group) => {
                key::<TargetGroup>(&group.get().name)
            }
            Self::ModifyTargetGroupAttributes(group, _) => group.key(),
            Self::RegisterLoadBalancer(target) => target.target_group.key(),
            Self::CreateLoadBalancer(spec) => key::<LoadBalancer>(&spec.name),
            Self::SetSubnets(balancer, _)
            | Self::SetSecurityGroups(balancer, _)
            | Self::SetIpAddressType(balancer, _)
            | Self::SetIpv4Pool(balancer, _)
            | Self::DeleteLoadBalancer(balancer) => key::<LoadBalancer>(&balancer.get().name),
            Self::ModifyLoadBalancerAttributes(balancer, _)
            | Self::ReserveCapacity(balancer, _)
            | Self::SetWebAcl(balancer, _)
            | Self::SetClassicAcl(balancer, _)
            | Self::Protect(balancer)
            | Self::Unprotect(balancer, _) => balancer.key(),
            Self::CreateListener(spec) | Self::ModifyListener(_, spec) => spec.reference().key(),
            Self::AddCertificates(listener, _)
            | Self::RemoveCertificates(listener, _)
            | Self::ModifyListenerAttributes(listener, _)
            | Self::SetRulePriorities(listener, _)
            | Self::DeleteListener(listener, _) => listener.key(),
            Self::CreateRule(spec) => spec.reference().key(),
            Self::ModifyRule(rule, ..) | Self::DeleteRule(rule, _) => rule.key(),
            Self::ImportCertificate(spec, _) | Self::RequestCertificate(spec, ..) => spec.reference().key(),
            Self::RenewCertificate(_, name, _) => key::<Certificate>(name),
            Self::DeleteCertificate(seen) => certificate::stale_key(seen.get()),
            Self::SetTags(retag) => retag.resource.clone(),
            Self::PutBinding(spec) => spec.reference().key(),
            Self::DeleteBinding(binding) => binding.key(),
            Self::RememberSecrets(_) => secrets::key(),
        }
    }

    fn refers_to(&self) -> BTreeSet<ResourceKey> {
        match self {
            Self::CreateLoadBalancer(spec) => group_keys(&spec.security_groups),
            Self::SetSecurityGroups(_, groups) => group_keys(groups),
            Self::CreateListener(spec) => listener_keys(spec).chain([spec.load_balancer.key()]).collect(),
            Self::ModifyListener(_, spec) => listener_keys(spec).chain([spec.reference().key()]).collect(),
            Self::AddCertificates(listener, certificates) => {
                certificate_keys(certificates).chain([listener.key()]).collect()
            }
            Self::CreateRule(spec) => action_keys(&spec.actions).chain([spec.listener.key()]).collect(),
            Self::ModifyRule(_, _, spec) => action_keys(&spec.actions).chain([spec.listener.key()]).collect(),
            Self::PutBinding(spec) => BTreeSet::from([spec.target_group.key()]),
            Self::RegisterLoadBalancer(target) => BTreeSet::from([
                target.target_group.key(),
                target.load_balancer.key(),
                target.listener().key(),
            ]),
            Self::AuthorizeIngress(..)
            | Self::ModifyTargetGroupAttributes(..)
            | Self::ModifyLoadBalancerAttributes(..)
            | Self::ReserveCapacity(..)
            | Self::SetWebAcl(..)
            | Self::SetClassicAcl(..)
            | Self::Protect(_)
            | Self::Unprotect(..)
            | Self::RemoveCertificates(..)
            | Self::ModifyListenerAttributes(..)
            | Self::SetRulePriorities(..) => BTreeSet::from([self.resource()]),
            _ => BTreeSet::new(),
        }
    }

    fn describe(&self) -> String {
        describe::line(self)
    }

    fn details(&self) -> Vec<String> {
        describe::details(self)
    }
}

fn key<K: ResourceKind>(name: &str) -> ResourceKey {
    ResourceKey::new(K::KIND, name)
}

fn group_keys(groups: &[SecurityGroupRef]) -> BTreeSet<ResourceKey> {
    let managed = |group: &SecurityGroupRef| match group {
        SecurityGroupRef::Managed(group) => Some(group.key()),
        SecurityGroupRef::Backend | SecurityGroupRef::Given(_) => None,
    };
    groups.iter().filter_map(managed).collect()
}

/// What the listener's own call needs: further certificates have calls of their own.
fn listener_keys(spec: &Listener) -> impl Iterator<Item = ResourceKey> {
    let default = spec.certificates.get(..1).unwrap_or_default();
    action_keys(&spec.default_actions).chain(certificate_keys(default))
}

/// What has an ARN is there already.
fn certificate_keys(certificates: &[Ref<Certificate>]) -> impl Iterator<Item = ResourceKey> {
    certificates.iter().filter(|certificate| certificate.is_to_be_made()).map(Ref::key)
}

fn action_keys(actions: &[Action]) -> impl Iterator<Item = ResourceKey> {
    let targets = actions.iter().filter_map(|action| match action {
        Action::Forward(forward) => Some(&forward.targets),
        Action::Redirect(_)
        | Action::FixedResponse(_)
        | Action::Cognito(_)
        | Action::Oidc(_)
        | Action::Jwt(_) => None,
    });
    // What is not of the stack has no operation that could come first.
    targets.flatten().filter(|target| target.is_of_stack()).map(|target| target.target_group.key())
}
