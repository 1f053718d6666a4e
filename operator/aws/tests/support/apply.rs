//! What each operation does to the world, with the rules of AWS that a plan could break.

use std::{collections::BTreeMap, sync::Arc};

use fairway_aws::{
    model::{Action, Certificate, Listener, Oidc, Permission, Ref, Rule, SecurityGroupRef, Tags, TargetType},
    observed::{
        BalancerTarget, CertificateKind, CertificateSeen, Issuance, ListenerSeen, LoadBalancerSeen,
        RequestSeen, RuleSeen, SecurityGroupSeen, Shielding, TargetGroupSeen,
    },
    stack::{StackOp, secrets},
};
use fairway_core::{
    evaluate::Finalizers,
    ids::{Key, Kind},
    plan::Handle,
};

use super::world::{BACKEND, World};

impl World {
    pub(crate) fn apply_finalizers(&mut self, finalizers: &Finalizers) {
        for (object, finalizer) in &finalizers.add {
            let key = &object.key;
            let meta = match object.kind {
                Kind::Ingress => {
                    let all = Arc::make_mut(&mut self.snapshot.ingresses);
                    &mut Arc::make_mut(all.get_mut(key).unwrap()).metadata
                }
                _ => {
                    let all = Arc::make_mut(&mut self.snapshot.services);
                    &mut Arc::make_mut(all.get_mut(key).unwrap()).metadata
                }
            };
            meta.finalizers.get_or_insert_default().push(finalizer.clone());
        }
    }

    fn number(&mut self) -> u32 {
        self.made += 1;
        self.made
    }

    fn users(&self, group: &str) -> Vec<String> {
        let balancers = self.observed.load_balancers.values();
        let uses = |action: &Action| match action {
            Action::Forward(forward) => {
                forward.targets.iter().any(|target| target.target_group.name() == group)
            }
            _ => false,
        };
        balancers
            .filter(|balancer| {
                balancer.listeners.values().any(|listener| {
                    listener.default_actions.iter().any(uses)
                        || listener.rules.iter().any(|rule| rule.actions.iter().any(uses))
                })
            })
            .map(|balancer| balancer.name.clone())
            .collect()
    }

    fn check_actions(&self, balancer: &str, actions: &[Action]) {
        for action in actions {
            if let Action::Forward(forward) = action {
                for target in forward.targets.iter().filter(|target| target.is_of_stack()) {
                    let name = target.target_group.name();
                    assert!(self.observed.target_groups.contains_key(name), "no target group {name}");
                    let others = self.users(name);
                    assert!(
                        others.iter().all(|other| other == balancer),
                        "{name} is attached to {others:?}, and {balancer} cannot have it too"
                    );
                }
            }
        }
    }

    /// AWS keeps what is somebody's target.
    fn check_is_no_target(&self, id: &str, port: Option<u16>) {
        let mut targets = self.observed.target_groups.values().flat_map(|group| &group.load_balancers);
        let used = targets.any(|target| target.id == id && port.is_none_or(|port| port == target.port));
        assert!(!used, "{id} is a target");
    }

    fn balancer(&mut self, name: &str) -> &mut LoadBalancerSeen {
        self.observed.load_balancers.get_mut(name).unwrap()
    }

    fn listener(&mut self, reference: &str) -> &mut ListenerSeen {
        let (balancer, port) = reference.rsplit_once(':').unwrap();
        self.balancer(balancer).listeners.get_mut(&port.parse().unwrap()).unwrap()
    }

    fn group_ids(&self, groups: &[SecurityGroupRef]) -> Vec<String> {
        let id = |group: &SecurityGroupRef| match group {
            SecurityGroupRef::Managed(own) => self.observed.security_groups[own.name()].id.clone(),
            SecurityGroupRef::Backend => BACKEND.to_owned(),
            SecurityGroupRef::Given(id) => id.clone(),
        };
        groups.iter().map(id).collect()
    }

    fn tags_of(&mut self, id: &str) -> &mut Tags {
        let observed = &mut self.observed;
        let groups = observed.security_groups.values_mut().map(|seen| (seen.id.clone(), &mut seen.tags));
        let targets = observed.target_groups.values_mut().map(|seen| (seen.arn.clone(), &mut seen.tags));
        let balancers = observed.load_balancers.values_mut().flat_map(|seen| {
            let listeners = seen.listeners.values_mut().flat_map(|listener| {
                let rules = listener.rules.iter_mut().map(|rule| (rule.arn.clone(), &mut rule.tags));
                rules.chain([(listener.arn.clone(), &mut listener.tags)])
            });
            listeners.chain([(seen.handle.id.clone(), &mut seen.tags)]).collect::<Vec<_>>()
        });
        let certificates = observed.certificates.values_mut().map(|seen| (seen.arn.clone(), &mut seen.tags));
        groups.chain(targets).chain(balancers).chain(certificates).find(|(other, _)| other == id).unwrap().1
    }

    pub(crate) fn apply(&mut self, op: &StackOp) {
        let number = self.number();
        match op {
            StackOp::CreateSecurityGroup(spec) => {
                let seen = SecurityGroupSeen {
                    id: format!("sg-{number}"),
                    name: spec.name.clone(),
                    description: spec.description.clone(),
                    permissions: Default::default(),
                    tags: spec.tags.clone(),
                };
                assert!(self.observed.security_groups.insert(spec.name.clone(), seen).is_none());
            }
            StackOp::AuthorizeIngress(group, permissions) => {
                let seen = self.observed.security_groups.get_mut(group.name()).unwrap();
                seen.permissions.extend(permissions.iter().cloned());
            }
            StackOp::RevokeIngress(group, permissions) => {
                let seen = self.observed.security_groups.get_mut(&group.get().name).unwrap();
                seen.permissions.retain(|permission: &Permission| !permissions.contains(permission));
            }
            StackOp::DeleteSecurityGroup(group) => {
                let id = &group.get().id;
                let used = self.observed.load_balancers.values().any(|one| one.security_groups.contains(id));
                assert!(!used, "security group {id} is in use");
                assert!(self.observed.security_groups.remove(&group.get().name).is_some());
            }
            StackOp::CreateTargetGroup(spec) => {
                let seen = TargetGroupSeen {
                    arn: format!(
                        "arn:aws:elasticloadbalancing:us-east-1:0:targetgroup/{}/{number}",
                        spec.name
                    ),
                    name: spec.name.clone(),
                    port: spec.port,
                    protocol: spec.protocol,
                    protocol_version: spec.protocol_version.clone(),
                    target_type: spec.target_type,
                    ip_address_type: spec.ip_address_type.clone(),
                    control_port: spec.control_port,
                    health_check: spec.health_check.clone(),
                    attributes: Default::default(),
                    load_balancers: Default::default(),
                    tags: spec.tags.clone(),
                };
                assert!(self.observed.target_groups.insert(spec.name.clone(), seen).is_none());
            }
            StackOp::ModifyHealthCheck(group, check) => {
                let seen = self.observed.target_groups.get_mut(&group.get().name).unwrap();
                seen.health_check = check.clone();
            }
            StackOp::ModifyTargetGroupAttributes(group, attributes) => {
                let seen = self.observed.target_groups.get_mut(group.name()).unwrap();
                seen.attributes.extend(attributes.clone());
            }
            StackOp::RegisterLoadBalancer(target) => {
                let behind = &self.observed.load_balancers[target.load_balancer.name()];
                assert!(behind.listeners.contains_key(&target.port), "{} does not listen", behind.name);
                let target_of = BalancerTarget { id: behind.handle.id.clone(), port: target.port };
                let group = self.observed.target_groups.get_mut(target.target_group.name()).unwrap();
                assert_eq!((group.target_type, group.port), (TargetType::Alb, i32::from(target.port)));
                group.load_balancers.insert(target_of);
                assert_eq!(group.load_balancers.len(), 1, "{} has another target", group.name);
            }
            StackOp::DeleteTargetGroup(group) => {
                let name = &group.get().name;
                assert!(self.users(name).is_empty(), "target group {name} is in use");
                assert!(self.observed.target_groups.remove(name).is_some());
            }
            StackOp::PutBinding(spec) => {
                let arn = self.observed.target_groups[spec.target_group.name()].arn.clone();
                let object = spec.object(&arn, Some(BACKEND));
                let all = Arc::make_mut(&mut self.snapshot.target_group_bindings);
                all.insert(spec.key.clone(), Arc::new(object));
            }
            StackOp::DeleteBinding(binding) => {
                let (namespace, name) = binding.name().split_once('/').unwrap();
                let all = Arc::make_mut(&mut self.snapshot.target_group_bindings);
                assert!(all.remove(&Key::new(namespace, name)).is_some());
            }
            StackOp::RememberSecrets(digests) => {
                self.remember(&[(secrets::key(), secrets::handle(digests))].into());
            }
            StackOp::SetTags(retag) => {
                let tags = self.tags_of(&retag.id);
                tags.extend(retag.set.clone());
                tags.retain(|key, _| !retag.remove.contains(key));
            }
            StackOp::ImportCertificate(spec, _) => {
                let arn = format!("arn:aws:acm:us-east-1:0:certificate/{number}");
                let (kind, tags) = (CertificateKind::Imported, spec.tags.clone());
                let seen = CertificateSeen { arn: arn.clone(), kind, tags };
                self.observed.certificates.insert(arn, seen);
            }
            StackOp::RequestCertificate(spec, request, _) => {
                let arn = format!("arn:aws:acm:us-east-1:0:certificate/{number}");
                let seen = RequestSeen {
                    names: request.hosts.iter().cloned().collect(),
                    authority: request.authority.clone(),
                    issuance: Issuance::Pending,
                    age: 0,
                    records: BTreeMap::new(),
                };
                let (kind, tags) = (CertificateKind::Requested(seen), spec.tags.clone());
                let seen = CertificateSeen { arn: arn.clone(), kind, tags };
                self.observed.certificates.insert(arn, seen);
            }
            StackOp::RenewCertificate(seen, ..) => {
                assert!(self.observed.certificates.contains_key(&seen.get().arn));
            }
            StackOp::DeleteCertificate(seen) => {
                let arn = &seen.get().arn;
                let mut listeners =
                    self.observed.load_balancers.values().flat_map(|balancer| balancer.listeners.values());
                assert!(listeners.all(|listener| !listener.certificates.contains(arn)), "{arn} is in use");
                assert!(self.observed.certificates.remove(arn).is_some());
            }
            _ => self.apply_balancer(op, number),
        }
    }

    fn apply_balancer(&mut self, op: &StackOp, number: u32) {
        match op {
            StackOp::CreateLoadBalancer(spec) => {
                let id =
                    format!("arn:aws:elasticloadbalancing:us-east-1:0:loadbalancer/{}/{number}", spec.name);
                let seen = LoadBalancerSeen {
                    handle: Handle {
                        id,
                        dns_name: Some(format!("{}-{number}.elb.amazonaws.com", spec.name)),
                        zone_id: Some("Z1".to_owned()),
                        ready: true,
                    },
                    name: spec.name.clone(),
                    kind: spec.kind,
                    scheme: spec.scheme,
                    ip_address_type: spec.ip_address_type,
                    subnets: spec.subnets.clone(),
                    security_groups: self.group_ids(&spec.security_groups),
                    attributes: Default::default(),
                    customer_owned_pool: spec.customer_owned_pool.clone(),
                    allocations: spec.allocations.clone(),
                    ipv4_pool: spec.ipv4_pool.clone(),
                    addons: Default::default(),
                    tags: spec.tags.clone(),
                    listeners: Default::default(),
                };
                assert!(self.observed.load_balancers.insert(spec.name.clone(), seen).is_none());
            }
            StackOp::SetSubnets(balancer, subnets) => {
                let seen = self.balancer(&balancer.get().name);
                (seen.subnets, seen.allocations) = (subnets.ids.clone(), subnets.allocations.clone());
            }
            StackOp::SetSecurityGroups(balancer, groups) => {
                let ids = self.group_ids(groups);
                self.balancer(&balancer.get().name).security_groups = ids;
            }
            StackOp::SetIpAddressType(balancer, kind) => {
                self.balancer(&balancer.get().name).ip_address_type = *kind;
            }
            StackOp::ModifyLoadBalancerAttributes(balancer, attributes) => {
                self.balancer(balancer.name()).attributes.extend(attributes.clone());
            }
            StackOp::SetIpv4Pool(balancer, pool) => {
                self.balancer(&balancer.get().name).ipv4_pool = pool.clone();
            }
            StackOp::ReserveCapacity(balancer, units) => {
                self.balancer(balancer.name()).addons.capacity = Some(*units);
            }
            StackOp::SetWebAcl(balancer, acl) => {
                self.balancer(balancer.name()).addons.web_acl = Some(acl.clone());
            }
            StackOp::SetClassicAcl(balancer, acl) => {
                self.balancer(balancer.name()).addons.classic_acl = Some(acl.clone());
            }
            StackOp::Protect(balancer) => {
                let ours = Shielding::Ours(format!("protection-{number}"));
                self.balancer(balancer.name()).addons.shield = Some(ours);
            }
            StackOp::Unprotect(balancer, id) => {
                let seen = &mut self.balancer(balancer.name()).addons.shield;
                assert_eq!(*seen, Some(Shielding::Ours(id.clone())));
                *seen = Some(Shielding::Nobody);
            }
            StackOp::DeleteLoadBalancer(balancer) => {
                self.check_is_no_target(&balancer.get().handle.id, None);
                assert!(self.observed.load_balancers.remove(&balancer.get().name).is_some());
            }
            StackOp::CreateListener(spec) => {
                self.check_actions(spec.load_balancer.name(), &spec.default_actions);
                let seen = self.new_listener(spec, number);
                let all = &mut self.balancer(spec.load_balancer.name()).listeners;
                assert!(all.insert(spec.port, seen).is_none(), "port {} is taken", spec.port);
            }
            StackOp::ModifyListener(_, spec) => {
                self.check_actions(spec.load_balancer.name(), &spec.default_actions);
                let first = self.arns(&spec.certificates).first().cloned();
                let seen = self.listener(spec.reference().name());
                let further: Vec<String> = seen.certificates.iter().skip(1).cloned().collect();
                seen.certificates = first.into_iter().chain(further).collect();
                seen.protocol = spec.protocol;
                seen.default_actions = shown(&spec.default_actions);
                seen.ssl_policy = spec.ssl_policy.clone();
                seen.alpn_policy = spec.alpn_policy.clone();
                seen.client_certificates =
                    spec.client_certificates.clone().or(seen.client_certificates.take());
            }
            StackOp::AddCertificates(reference, added) => {
                let arns = self.arns(added);
                let seen = &mut self.listener(reference.name()).certificates;
                seen.extend(arns);
                seen[1..].sort();
            }
            StackOp::RemoveCertificates(reference, arns) => {
                self.listener(reference.name()).certificates.retain(|arn| !arns.contains(arn));
            }
            StackOp::ModifyListenerAttributes(reference, attributes) => {
                self.listener(reference.name()).attributes.extend(attributes.clone());
            }
            StackOp::DeleteListener(reference, _) => {
                let (balancer, port) = reference.name().rsplit_once(':').unwrap();
                let id = self.balancer(balancer).handle.id.clone();
                self.check_is_no_target(&id, port.parse().ok());
                assert!(self.balancer(balancer).listeners.remove(&port.parse().unwrap()).is_some());
            }
            StackOp::CreateRule(spec) => {
                let balancer = spec.listener.name().rsplit_once(':').unwrap().0.to_owned();
                self.check_actions(&balancer, &spec.actions);
                let seen = rule(spec, format!("{}/rule/{number}", spec.listener.name()));
                let rules = &mut self.listener(spec.listener.name()).rules;
                assert!(
                    rules.iter().all(|rule| rule.priority != spec.priority),
                    "priority {}",
                    spec.priority
                );
                rules.push(seen);
                rules.sort_by_key(|rule| rule.priority);
            }
            StackOp::ModifyRule(_, seen, spec) => {
                let balancer = spec.listener.name().rsplit_once(':').unwrap().0.to_owned();
                self.check_actions(&balancer, &spec.actions);
                let rules = &mut self.listener(spec.listener.name()).rules;
                let place = rules.iter_mut().find(|rule| rule.arn == seen.get().arn).unwrap();
                let tags = place.tags.clone();
                *place = RuleSeen { priority: place.priority, tags, ..rule(spec, place.arn.clone()) };
            }
            StackOp::SetRulePriorities(reference, moves) => {
                let rules = &mut self.listener(reference.name()).rules;
                for step in moves {
                    let place = rules.iter_mut().find(|rule| rule.arn == step.rule.get().arn).unwrap();
                    place.priority = step.priority;
                }
                rules.sort_by_key(|rule| rule.priority);
                assert!(rules.windows(2).all(|pair| pair[0].priority < pair[1].priority), "{rules:#?}");
            }
            StackOp::DeleteRule(reference, seen) => {
                let (listener, _) = reference.name().rsplit_once(':').unwrap();
                self.listener(listener).rules.retain(|rule| rule.arn != seen.get().arn);
            }
            other => panic!("not applied: {other:?}"),
        }
    }
}

impl World {
    /// ARNs of certificates: of those that were made, by the tag that holds their names.
    fn arns(&self, certificates: &[Ref<Certificate>]) -> Vec<String> {
        let bears = |seen: &&CertificateSeen, name: &str| seen.tags.values().any(|value| value == name);
        let made = |name: &str| self.observed.certificates.values().find(|seen| bears(seen, name));
        let arn = |one: &Ref<Certificate>| match one.is_to_be_made() {
            true => made(one.name()).unwrap_or_else(|| panic!("{} is not made", one.name())).arn.clone(),
            false => one.name().to_owned(),
        };
        certificates.iter().map(arn).collect()
    }

    fn new_listener(&self, spec: &Listener, number: u32) -> ListenerSeen {
        let default = spec.certificates.get(..1).unwrap_or_default();
        ListenerSeen { certificates: self.arns(default), ..listener(spec, number) }
    }
}

fn listener(spec: &Listener, number: u32) -> ListenerSeen {
    ListenerSeen {
        arn: format!("arn:{}/{number}", spec.reference().name()),
        port: spec.port,
        protocol: spec.protocol,
        default_actions: shown(&spec.default_actions),
        ssl_policy: spec.ssl_policy.clone(),
        certificates: Vec::new(),
        alpn_policy: spec.alpn_policy.clone(),
        client_certificates: spec.client_certificates.clone(),
        attributes: Default::default(),
        tags: spec.tags.clone(),
        rules: Vec::new(),
    }
}

fn rule(spec: &Rule, arn: String) -> RuleSeen {
    RuleSeen {
        arn,
        priority: spec.priority,
        conditions: spec.conditions.clone(),
        transforms: spec.transforms.clone(),
        actions: shown(&spec.actions),
        unknown: Vec::new(),
        tags: spec.tags.clone(),
    }
}

/// AWS never gives a client's secret back.
fn shown(actions: &[Action]) -> Vec<Action> {
    let shown = |action: &Action| match action {
        Action::Oidc(asked) => Action::Oidc(Oidc { secret: None, ..asked.clone() }),
        other => other.clone(),
    };
    actions.iter().map(shown).collect()
}
