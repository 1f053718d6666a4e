//! A VPC and stacks to be built in it.

#![allow(dead_code, reason = "each test program uses its part of the site")]

use std::collections::{BTreeMap, BTreeSet};

use fairway_aws::config::Config;
use fairway_aws::model::{
    Action, Addons, Attributes, Condition, FixedResponse, Forward, HealthCheck, IpAddressType, Listener,
    ListenerProtocol, LoadBalancer, LoadBalancerKind, Permission, Ref, Rule, Scheme, SecurityGroup,
    SecurityGroupRef, Source, Tags, TargetGroup, TargetProtocol, TargetType, WeightedTarget,
};
use fairway_aws::observed::{Names, StackObserved, StackScope};
use fairway_aws::ownership::Owned;
use fairway_aws::stack::{StackOp, Stacks};
use fairway_aws::tags;
use fairway_aws::targets::{Target, Targets, TargetsObserved, TargetsOp, TargetsScope};
use fairway_aws_api::Aws;
use fairway_aws_api::calls::{Call, CallCounter};
use fairway_aws_api::thin::ec2::{Ec2, NewSecurityGroup, Select};
use fairway_core::ids::{Key, ProviderKind, StackId, StackKey};
use fairway_core::plan::{Bindings, Operation as _};
use fairway_engine::ports::{Applied, Apply, Observe, Refusal};

use crate::world::World;

/// An account with its default VPC.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) config: Config,
    pub(crate) subnets: Vec<String>,
    counter: CallCounter,
}

/// A stack of one of each.
pub(crate) struct Stack {
    pub(crate) id: StackId,
    pub(crate) name: String,
    pub(crate) marks: Tags,
    pub(crate) security: SecurityGroup,
    pub(crate) group: TargetGroup,
    pub(crate) balancer: LoadBalancer,
    pub(crate) listener: Listener,
    pub(crate) rule: Rule,
    pub(crate) bindings: Bindings,
    /// ARNs that are recorded; `None`: none are looked for.
    pub(crate) certificates: Option<BTreeSet<String>>,
}

pub(crate) fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn permission(port: i32, cidr: &str) -> Permission {
    let (protocol, description) = ("tcp".to_owned(), String::new());
    Permission {
        protocol,
        from: Some(port),
        to: Some(port),
        source: Source::Cidr(cidr.to_owned()),
        description,
    }
}

impl Site {
    pub(crate) async fn open(number: u8) -> Option<Self> {
        let world = World::open(number)?;
        let ec2 = Ec2::new(&world.config(), &CallCounter::default()).unwrap();
        let vpc = ec2.vpcs(&Select::all()).await.unwrap().remove(0).id;
        let subnets = ec2.subnets(&Select::all().filter("vpc-id", [&vpc])).await.unwrap();
        let mut subnets: Vec<String> = subnets.into_iter().map(|subnet| subnet.id).collect();
        subnets.sort();
        let mut config = Config::new("demo", "us-east-1", &vpc);
        config.default_tags = Tags::from([("env".to_owned(), "test".to_owned())]);
        Some(Self { world, config, subnets, counter: CallCounter::default() })
    }

    /// A process that knows nothing yet.
    pub(crate) fn aws(&self) -> Aws {
        Aws::new(&self.world.config(), self.config.clone(), &self.counter).unwrap()
    }

    pub(crate) fn calls(&self) -> BTreeMap<Call, u64> {
        self.counter.snapshot()
    }

    pub(crate) fn calls_since(&self, before: &BTreeMap<Call, u64>) -> BTreeMap<Call, u64> {
        let now = self.calls().into_iter();
        let rest =
            now.map(|(call, count)| (call.clone(), count - before.get(&call).copied().unwrap_or_default()));
        rest.filter(|(_, count)| *count > 0).collect()
    }

    pub(crate) async fn security_group(&self, name: &str) -> String {
        let ec2 = Ec2::new(&self.world.config(), &CallCounter::default()).unwrap();
        let group = NewSecurityGroup {
            name: name.to_owned(),
            description: "made by a test".to_owned(),
            vpc_id: self.config.vpc.clone(),
            tags: Tags::from([("Name".to_owned(), name.to_owned())]),
        };
        ec2.create_security_group(&group).await.unwrap()
    }

    /// A target group that somebody else made.
    pub(crate) async fn tagged_target_group(&self, name: &str, (key, value): (&str, &str)) {
        use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, Tag};
        let elb = aws_sdk_elasticloadbalancingv2::Client::new(&self.world.config());
        let tag = Tag::builder().key(key).value(value).build();
        let request = elb.create_target_group().name(name).protocol(ProtocolEnum::Http).port(80);
        request.vpc_id(&self.config.vpc).tags(tag).send().await.unwrap();
    }

    /// An issued certificate of a domain and all below it; elliptic, because without a filter ACM lists RSA only.
    pub(crate) async fn certificate(&self, domain: &str) -> String {
        let mut params = rcgen::CertificateParams::new([domain.to_owned(), format!("*.{domain}")]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, domain);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let blob = |text: String| aws_sdk_acm::primitives::Blob::new(text);
        let acm = aws_sdk_acm::Client::new(&self.world.config());
        let request =
            acm.import_certificate().certificate(blob(certificate)).private_key(blob(key.serialize_pem()));
        request.send().await.unwrap().certificate_arn().unwrap().to_owned()
    }

    pub(crate) fn stack(&self, name: &str) -> Stack {
        let id = StackId::new(ProviderKind::Aws, StackKey::Group(name.to_owned()));
        let of = |resource: &str| tags::of(&self.config, &id, resource, &Tags::new());
        let balancer = LoadBalancer {
            name: name.to_owned(),
            kind: LoadBalancerKind::Application,
            scheme: Scheme::InternetFacing,
            ip_address_type: IpAddressType::Ipv4,
            subnets: self.subnets[..2].to_vec(),
            security_groups: vec![SecurityGroupRef::Managed(Ref::new(name))],
            attributes: Attributes::new(),
            customer_owned_pool: None,
            allocations: Vec::new(),
            ipv4_pool: None,
            addons: Addons::default(),
            tags: of(tags::LOAD_BALANCER),
        };
        let listener = Listener {
            load_balancer: Ref::new(name),
            port: 80,
            protocol: ListenerProtocol::Http,
            default_actions: vec![not_found()],
            ssl_policy: None,
            certificates: Vec::new(),
            alpn_policy: None,
            client_certificates: None,
            attributes: Attributes::new(),
            tags: of("80"),
        };
        Stack {
            name: name.to_owned(),
            certificates: None,
            marks: tags::marks(&self.config, &id),
            security: SecurityGroup {
                name: name.to_owned(),
                description: "[k8s] Managed SecurityGroup for LoadBalancer".to_owned(),
                permissions: BTreeSet::from([permission(80, "0.0.0.0/0")]),
                tags: of(tags::SECURITY_GROUP),
            },
            group: target_group(name, of("default/web:80")),
            rule: Rule {
                listener: listener.reference(),
                priority: 1,
                conditions: vec![Condition::HostHeader(vec!["a.example.com".to_owned()])],
                transforms: Vec::new(),
                actions: vec![Action::Forward(Forward {
                    targets: vec![WeightedTarget { target_group: Ref::new(name), weight: 1 }],
                    stickiness: None,
                })],
                tags: of("80:1"),
            },
            id,
            balancer,
            listener,
            bindings: Bindings::new(),
        }
    }
}

fn not_found() -> Action {
    let status_code = "404".to_owned();
    Action::FixedResponse(FixedResponse {
        content_type: Some("text/plain".to_owned()),
        body: None,
        status_code,
    })
}

fn target_group(name: &str, tags: Tags) -> TargetGroup {
    TargetGroup {
        name: name.to_owned(),
        port: 8080,
        protocol: TargetProtocol::Http,
        protocol_version: Some("HTTP1".to_owned()),
        target_type: TargetType::Ip,
        ip_address_type: "ipv4".to_owned(),
        control_port: None,
        health_check: HealthCheck {
            protocol: "HTTP".to_owned(),
            port: "traffic-port".to_owned(),
            path: Some("/".to_owned()),
            http_codes: Some("200".to_owned()),
            grpc_codes: None,
            interval: 15,
            timeout: 5,
            healthy: 2,
            unhealthy: 2,
        },
        attributes: Attributes::new(),
        tags,
    }
}

impl Stack {
    pub(crate) fn scope(&self) -> StackScope {
        let names = || BTreeSet::from([self.name.clone()]);
        let names = Names { load_balancers: names(), target_groups: names(), security_groups: names() };
        let addons = self.balancer.addons.asked();
        let kinds = BTreeSet::from([self.balancer.kind]);
        StackScope {
            marks: self.marks.clone(),
            names,
            kinds,
            addons,
            certificates: self.certificates.clone(),
        }
    }

    pub(crate) async fn observe(&self, aws: &Aws) -> StackObserved {
        self.try_observe(aws).await.unwrap()
    }

    pub(crate) async fn try_observe(&self, aws: &Aws) -> Result<StackObserved, Refusal> {
        Observe::<Stacks>::observe(aws, &self.id, &self.scope()).await
    }

    pub(crate) async fn apply(&mut self, aws: &Aws, op: &StackOp) -> Result<Applied, Refusal> {
        let applied = Apply::<Stacks>::apply(aws, &self.id, op, &self.bindings).await?;
        if let Applied::Produced { key, handle } = &applied {
            assert_eq!(*key, op.resource());
            self.bindings.insert(key.clone(), handle.clone());
        }
        Ok(applied)
    }

    /// The same as a network load balancer: TCP, and no rules.
    pub(crate) fn of_layer_4(mut self) -> Self {
        self.balancer.kind = LoadBalancerKind::Network;
        self.listener.protocol = ListenerProtocol::Tcp;
        self.listener.default_actions.clone_from(&self.rule.actions);
        self.group.protocol = TargetProtocol::Tcp;
        self.group.protocol_version = None;
        let check = &mut self.group.health_check;
        (check.protocol, check.path, check.http_codes) = ("TCP".to_owned(), None, None);
        self
    }

    fn has_rules(&self) -> bool {
        self.balancer.kind == LoadBalancerKind::Application
    }

    pub(crate) fn creations(&self) -> Vec<StackOp> {
        let mut ops = vec![
            StackOp::CreateSecurityGroup(self.security.clone()),
            StackOp::AuthorizeIngress(Ref::new(self.name.clone()), self.security.permissions.clone()),
            StackOp::CreateTargetGroup(self.group.clone()),
            StackOp::CreateLoadBalancer(self.balancer.clone()),
            StackOp::CreateListener(self.listener.clone()),
        ];
        ops.extend(self.has_rules().then(|| StackOp::CreateRule(self.rule.clone())));
        ops
    }

    pub(crate) async fn create_all(&mut self, aws: &Aws) {
        for op in self.creations() {
            let applied = self.apply(aws, &op).await;
            assert!(applied.is_ok(), "{op:?}: {applied:?}");
        }
    }

    /// In the order in which AWS takes them.
    pub(crate) fn deletions(&self, seen: &StackObserved) -> Vec<StackOp> {
        let balancer = seen.load_balancers[&self.name].clone();
        let listener = balancer.listeners[&80].clone();
        let rule = listener.rules[0].clone();
        let group = seen.target_groups[&self.name].clone();
        let security = seen.security_groups[&self.name].clone();
        vec![
            StackOp::DeleteRule(self.rule.reference(), Owned::claim(rule, &self.marks).unwrap()),
            StackOp::DeleteListener(self.listener.reference(), Owned::claim(listener, &self.marks).unwrap()),
            StackOp::DeleteLoadBalancer(Owned::claim(balancer, &self.marks).unwrap()),
            StackOp::DeleteSecurityGroup(Owned::claim(security, &self.marks).unwrap()),
            StackOp::DeleteTargetGroup(Owned::claim(group, &self.marks).unwrap()),
        ]
    }

    pub(crate) async fn register(&self, aws: &Aws, addresses: &[&str]) {
        let target = |id: &&str| Target { id: (*id).to_owned(), port: 8080, zone: Some("all".to_owned()) };
        let op = TargetsOp::Register {
            target_group: self.group_arn(),
            role: None,
            targets: addresses.iter().map(target).collect(),
        };
        Apply::<Targets>::apply(aws, &Key::new("default", "web"), &op, &Bindings::new()).await.unwrap();
    }

    pub(crate) async fn targets(&self, aws: &Aws) -> TargetsObserved {
        let scope = TargetsScope { target_group: self.group_arn(), role: None, health: false, record: false };
        Observe::<Targets>::observe(aws, &Key::new("default", "web"), &scope).await.unwrap()
    }

    pub(crate) fn group_arn(&self) -> String {
        self.bindings[&Ref::<TargetGroup>::new(self.name.clone()).key()].id.clone()
    }

    /// Puts other tags over those that it has.
    pub(crate) fn retag(&mut self, tags: &Tags) {
        for of in [
            &mut self.security.tags,
            &mut self.group.tags,
            &mut self.balancer.tags,
            &mut self.listener.tags,
            &mut self.rule.tags,
            &mut self.marks,
        ] {
            of.extend(tags.clone());
        }
    }

    /// What is observed is what was asked for, in AWS's own form.
    pub(crate) fn is_as_wanted(&self, seen: &StackObserved) {
        let security = &seen.security_groups[&self.name];
        assert_eq!(
            (&security.description, &security.permissions, &security.tags),
            (&self.security.description, &self.security.permissions, &self.security.tags)
        );
        let (group, want) = (&seen.target_groups[&self.name], &self.group);
        assert_eq!(
            (group.port, group.protocol, group.target_type),
            (want.port, want.protocol, want.target_type)
        );
        assert_eq!(
            (&group.protocol_version, &group.ip_address_type, &group.health_check, &group.tags),
            (&want.protocol_version, &want.ip_address_type, &want.health_check, &want.tags)
        );
        let (balancer, want) = (&seen.load_balancers[&self.name], &self.balancer);
        assert_eq!(
            (balancer.kind, balancer.scheme, balancer.ip_address_type),
            (want.kind, want.scheme, want.ip_address_type)
        );
        assert_eq!((&balancer.subnets, &balancer.tags), (&want.subnets, &want.tags));
        assert_eq!(balancer.security_groups, std::slice::from_ref(&security.id));
        let (listener, want) = (&balancer.listeners[&80], &self.listener);
        assert_eq!(
            (listener.protocol, &listener.default_actions, &listener.tags),
            (want.protocol, &want.default_actions, &want.tags)
        );
        assert_eq!(listener.rules.len(), usize::from(self.has_rules()));
        let (Some(rule), want) = (listener.rules.first(), &self.rule) else { return };
        assert_eq!(
            (rule.priority, &rule.conditions, &rule.transforms, &rule.actions, &rule.tags),
            (want.priority, &want.conditions, &want.transforms, &want.actions, &want.tags)
        );
        assert!(rule.unknown.is_empty(), "{rule:?}");
    }
}
