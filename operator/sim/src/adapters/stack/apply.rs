//! One call an operation.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fairway_aws::{
    model::{
        Action, Binding, Listener, LoadBalancer, Ref, ResourceKind, Rule, SecretRef, SecurityGroupRef,
        TargetGroup,
    },
    secret::{ClientSeen, Secret, tls::KeyPair},
    stack::{Retag, StackOp, Stacks, secrets},
};
use fairway_core::{
    class::Class,
    ids::{Key, Kind, ObjectRef, StackId},
    plan::{Bindings, Handle, Operation as _, ResourceKey},
};
use fairway_engine::ports::{Applied, Apply, Refusal};

use super::handle;
use crate::{
    adapters::{Process, id},
    sim::{Inner, refused},
    world::{Answered, Aws, BalancerAsk, ListenerAsk, ListenerChange, RuleAsk, RuleChange, TargetGroupAsk},
};

#[async_trait]
impl Apply<Stacks> for Process {
    async fn apply(&self, _: &StackId, op: &StackOp, bindings: &Bindings) -> Result<Applied, Refusal> {
        let now = self.sim.now();
        self.sim
            .write(self.number, op.describe(), |inner| {
                one(inner, op, &Known(bindings, inner.cluster.secrets.clone()), now)
            })
            .await
    }
}

/// Ids of what was made before.
struct Known<'a>(&'a Bindings, Secrets);

/// Secrets by name.
type Secrets = BTreeMap<Key, Secret>;

impl Known<'_> {
    /// A reference that is an ARN already stands for itself.
    fn id<K: ResourceKind>(&self, reference: &Ref<K>) -> Result<String, Refusal> {
        match reference.name() {
            arn if arn.starts_with("arn:") => Ok(arn.to_owned()),
            _ => id(self.0, &reference.key()),
        }
    }

    fn backend(&self) -> Result<String, Refusal> {
        id(self.0, &ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned()))
    }

    fn groups(&self, groups: &[SecurityGroupRef]) -> Result<Vec<String>, Refusal> {
        let group = |group: &SecurityGroupRef| match group {
            SecurityGroupRef::Managed(own) => self.id(own),
            SecurityGroupRef::Backend => self.backend(),
            SecurityGroupRef::Given(id) => Ok(id.clone()),
        };
        groups.iter().map(group).collect()
    }

    fn default_certificate(&self, spec: &Listener) -> Result<Option<String>, Refusal> {
        spec.certificates.first().map(|first| self.id(first)).transpose()
    }

    fn actions(&self, actions: &[Action]) -> Result<Vec<Action>, Refusal> {
        let mut actions = actions.to_vec();
        for action in &mut actions {
            match action {
                Action::Forward(forward) => {
                    for target in &mut forward.targets {
                        target.target_group = Ref::new(self.id(&target.target_group)?);
                    }
                }
                Action::Oidc(asked) => self.has_client(asked.secret.as_ref())?,
                _ => {}
            }
        }
        Ok(actions)
    }

    /// AWS is told what was decided on, or nothing.
    fn key_pair(&self, wanted: &SecretRef) -> Result<KeyPair, Refusal> {
        let pair = self.1.get(&wanted.secret).and_then(|secret| KeyPair::of(secret).ok());
        let pair = pair.filter(|pair| pair.digest() == wanted.digest);
        pair.ok_or_else(|| Refusal::new(Class::Transient, "SecretChanged", wanted.secret.to_string()))
    }

    /// The same of a client.
    fn has_client(&self, wanted: Option<&SecretRef>) -> Result<(), Refusal> {
        let wanted = wanted.ok_or_else(|| Refusal::bug("NoClient", "no Secret is named"))?;
        match ClientSeen::of(self.1.get(&wanted.secret)) {
            ClientSeen::Known { digest, .. } if digest == wanted.digest => Ok(()),
            _ => Err(Refusal::new(Class::Transient, "SecretChanged", wanted.secret.to_string())),
        }
    }
}

fn made(key: ResourceKey, id: &str) -> Applied {
    Applied::Produced { key, handle: Handle { id: id.to_owned(), ready: true, ..Handle::default() } }
}

fn changed(answered: Answered<()>) -> Result<Applied, Refusal> {
    answered.map(|()| Applied::Changed).map_err(refused)
}

/// As [`changed`]; `code` says that it is done already.
fn done(answered: Answered<()>, code: &str) -> Result<Applied, Refusal> {
    match answered {
        Err(error) if error.code == code => Ok(Applied::Changed),
        answered => changed(answered),
    }
}

/// What is gone already is removed; so says the engine's contract.
fn removed(answered: Answered<()>) -> Result<Applied, Refusal> {
    match answered {
        Err(error) if !error.code.contains("NotFound") => Err(refused(error)),
        _ => Ok(Applied::Removed),
    }
}

fn one(inner: &mut Inner, op: &StackOp, known: &Known<'_>, now: u64) -> Result<Applied, Refusal> {
    let aws = &mut inner.aws;
    match op {
        StackOp::CreateSecurityGroup(spec) => {
            let id = aws.create_security_group(&spec.name, &spec.description, &spec.tags).map_err(refused)?;
            Ok(made(op.resource(), &id))
        }
        StackOp::AuthorizeIngress(group, permissions) => {
            changed(aws.authorize_ingress(&known.id(group)?, permissions))
        }
        StackOp::RevokeIngress(group, permissions) => {
            changed(aws.revoke_ingress(&group.get().id, permissions))
        }
        StackOp::DeleteSecurityGroup(group) => removed(aws.delete_security_group(&group.get().id)),
        StackOp::CreateTargetGroup(spec) => create_group(aws, spec),
        StackOp::ModifyHealthCheck(group, check) => {
            changed(aws.modify_target_group(&group.get().arn, &check.clone().into()))
        }
        StackOp::ModifyTargetGroupAttributes(group, attributes) => {
            changed(aws.modify_target_group_attributes(&known.id(group)?, attributes))
        }
        StackOp::RegisterLoadBalancer(target) => {
            let group = known.id(&target.target_group)?;
            let behind = (known.id(&target.load_balancer)?, Some(target.port), None);
            changed(aws.register_targets(&group, &[behind]))
        }
        StackOp::DeleteTargetGroup(group) => removed(aws.delete_target_group(&group.get().arn)),
        StackOp::PutBinding(spec) => put_binding(inner, spec, known),
        StackOp::DeleteBinding(binding) => delete_binding(inner, binding, now),
        StackOp::SetTags(retag) => set_tags(aws, retag),
        StackOp::ImportCertificate(spec, secret) => {
            let arn = aws.import_certificate(&known.key_pair(secret)?, &spec.tags);
            Ok(made(op.resource(), &arn))
        }
        StackOp::RenewCertificate(have, _, secret) => {
            changed(aws.renew_certificate(&have.get().arn, &known.key_pair(secret)?))
        }
        StackOp::RequestCertificate(spec, request, token) => {
            let arn = aws.request_certificate(request, token, &spec.tags).map_err(refused)?;
            Ok(made(op.resource(), &arn))
        }
        StackOp::DeleteCertificate(have) => removed(aws.delete_certificate(&have.get().arn)),
        StackOp::RememberSecrets(digests) => {
            Ok(Applied::Produced { key: op.resource(), handle: secrets::handle(digests) })
        }
        _ => balancer(aws, op, known),
    }
}

fn balancer(aws: &mut Aws, op: &StackOp, known: &Known<'_>) -> Result<Applied, Refusal> {
    match op {
        StackOp::CreateLoadBalancer(spec) => create_balancer(aws, spec, known),
        StackOp::SetSubnets(have, subnets) => {
            changed(aws.set_subnets(&have.get().handle.id, &subnets.ids, &subnets.allocations))
        }
        StackOp::SetSecurityGroups(have, groups) => {
            changed(aws.set_security_groups(&have.get().handle.id, &known.groups(groups)?))
        }
        StackOp::SetIpAddressType(have, family) => {
            changed(aws.set_ip_address_type(&have.get().handle.id, *family))
        }
        StackOp::ModifyLoadBalancerAttributes(have, attributes) => {
            changed(aws.modify_balancer_attributes(&known.id(have)?, attributes))
        }
        StackOp::SetIpv4Pool(have, pool) => changed(aws.set_ipv4_pool(&have.get().handle.id, pool.as_ref())),
        StackOp::ReserveCapacity(have, units) => changed(aws.reserve_capacity(&known.id(have)?, *units)),
        StackOp::SetWebAcl(have, acl) => changed(aws.set_web_acl(&known.id(have)?, acl)),
        StackOp::SetClassicAcl(have, acl) => changed(aws.set_classic_acl(&known.id(have)?, acl)),
        StackOp::Protect(have) => done(aws.protect(&known.id(have)?), "ResourceAlreadyExistsException"),
        StackOp::Unprotect(_, id) => done(aws.unprotect(id), "ResourceNotFoundException"),
        StackOp::DeleteLoadBalancer(have) => removed(aws.delete_load_balancer(&have.get().handle.id)),
        StackOp::CreateListener(spec) => create_listener(aws, spec, known),
        StackOp::ModifyListener(have, spec) => {
            let change = ListenerChange {
                port: None,
                protocol: Some(spec.protocol),
                default_actions: Some(known.actions(&spec.default_actions)?),
                ssl_policy: spec.ssl_policy.clone(),
                certificate: known.default_certificate(spec)?,
                alpn_policy: spec.alpn_policy.clone(),
                client_certificates: spec.client_certificates.clone(),
            };
            changed(aws.modify_listener(&have.get().arn, change).map(drop))
        }
        StackOp::AddCertificates(listener, added) => {
            let arns = added.iter().map(|one| known.id(one)).collect::<Result<Vec<_>, _>>()?;
            changed(aws.add_certificates(&known.id(listener)?, &arns))
        }
        StackOp::RemoveCertificates(listener, arns) => {
            changed(aws.remove_certificates(&known.id(listener)?, arns))
        }
        StackOp::ModifyListenerAttributes(listener, attributes) => {
            changed(aws.modify_listener_attributes(&known.id(listener)?, attributes))
        }
        StackOp::DeleteListener(_, have) => removed(aws.delete_listener(&have.get().arn)),
        _ => rule(aws, op, known),
    }
}

fn rule(aws: &mut Aws, op: &StackOp, known: &Known<'_>) -> Result<Applied, Refusal> {
    match op {
        StackOp::CreateRule(spec) => create_rule(aws, spec, known),
        StackOp::ModifyRule(_, have, spec) => {
            let change = RuleChange {
                conditions: Some(spec.conditions.clone()),
                transforms: Some(spec.transforms.clone()),
                actions: Some(known.actions(&spec.actions)?),
            };
            changed(aws.modify_rule(&have.get().arn, change).map(drop))
        }
        StackOp::SetRulePriorities(_, moves) => {
            let moves: BTreeMap<String, i32> =
                moves.iter().map(|one| (one.rule.get().arn.clone(), one.priority)).collect();
            changed(aws.set_rule_priorities(&moves))
        }
        StackOp::DeleteRule(_, have) => removed(aws.delete_rule(&have.get().arn)),
        other => Err(Refusal::bug("UnknownOperation", other.describe())),
    }
}

fn create_group(aws: &mut Aws, spec: &TargetGroup) -> Result<Applied, Refusal> {
    let ask = TargetGroupAsk {
        name: spec.name.clone(),
        port: spec.port,
        protocol: spec.protocol,
        protocol_version: spec.protocol_version.clone(),
        target_type: spec.target_type,
        ip_address_type: spec.ip_address_type.clone(),
        control_port: spec.control_port,
        vpc: aws.vpc.clone(),
        health_check: spec.health_check.clone().into(),
        tags: spec.tags.clone(),
    };
    let row = aws.create_target_group(ask).map_err(refused)?;
    Ok(made(Ref::<TargetGroup>::new(&spec.name).key(), &row.arn))
}

fn create_balancer(aws: &mut Aws, spec: &LoadBalancer, known: &Known<'_>) -> Result<Applied, Refusal> {
    let ask = BalancerAsk {
        name: spec.name.clone(),
        kind: spec.kind,
        scheme: spec.scheme,
        ip_address_type: spec.ip_address_type,
        subnets: spec.subnets.clone(),
        security_groups: known.groups(&spec.security_groups)?,
        customer_owned_pool: spec.customer_owned_pool.clone(),
        allocations: spec.allocations.clone(),
        ipv4_pool: spec.ipv4_pool.clone(),
        tags: spec.tags.clone(),
    };
    let row = aws.create_load_balancer(ask).map_err(refused)?;
    let handle = handle(aws, &row);
    Ok(Applied::Produced { key: Ref::<LoadBalancer>::new(&spec.name).key(), handle })
}

fn create_listener(aws: &mut Aws, spec: &Listener, known: &Known<'_>) -> Result<Applied, Refusal> {
    let ask = ListenerAsk {
        load_balancer: known.id(&spec.load_balancer)?,
        port: spec.port,
        protocol: spec.protocol,
        default_actions: known.actions(&spec.default_actions)?,
        ssl_policy: spec.ssl_policy.clone(),
        certificate: known.default_certificate(spec)?,
        alpn_policy: spec.alpn_policy.clone(),
        client_certificates: spec.client_certificates.clone(),
        tags: spec.tags.clone(),
    };
    let row = aws.create_listener(ask).map_err(refused)?;
    Ok(made(spec.reference().key(), &row.arn))
}

fn create_rule(aws: &mut Aws, spec: &Rule, known: &Known<'_>) -> Result<Applied, Refusal> {
    let ask = RuleAsk {
        listener: known.id(&spec.listener)?,
        priority: spec.priority,
        conditions: spec.conditions.clone(),
        transforms: spec.transforms.clone(),
        actions: known.actions(&spec.actions)?,
        tags: spec.tags.clone(),
    };
    let row = aws.create_rule(ask).map_err(refused)?;
    Ok(made(spec.reference().key(), &row.arn))
}

fn set_tags(aws: &mut Aws, retag: &Retag) -> Result<Applied, Refusal> {
    let ids = [retag.id.clone()];
    if !retag.remove.is_empty() {
        aws.remove_tags(&ids, &retag.remove).map_err(refused)?;
    }
    changed(aws.add_tags(&ids, &retag.set))
}

fn put_binding(inner: &mut Inner, spec: &Binding, known: &Known<'_>) -> Result<Applied, Refusal> {
    let arn = known.id(&spec.target_group)?;
    let backend = if spec.needs_backend_group() { Some(known.backend()?) } else { None };
    let object = spec.object(&arn, backend.as_deref());
    if inner.cluster.put_binding(&spec.key, object) {
        Ok(made(spec.reference().key(), &spec.key.to_string()))
    } else {
        Err(Refusal::new(Class::Pending, "StillThere", format!("{} is being deleted", spec.key)))
    }
}

fn delete_binding(inner: &mut Inner, binding: &Ref<Binding>, now: u64) -> Result<Applied, Refusal> {
    let (namespace, name) = binding.name().split_once('/').unwrap_or_default();
    let object = ObjectRef::new(Kind::TargetGroupBinding, Key::new(namespace, name));
    if inner.cluster.has(&object) {
        if inner.cluster.stays(&object) {
            inner.cluster.delete(&object, now);
        }
        if inner.cluster.has(&object) {
            // The deletion is asked for: it must be seen although this operation is not through.
            return Err(Refusal::new(Class::Pending, "StillThere", format!("{object} is being deleted")));
        }
    }
    Ok(Applied::Removed)
}
