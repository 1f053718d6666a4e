//! The world and its answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fairway_aws::{
    config::Config,
    facts::{Answer, BoundGroup, Certificate, Interface, InterfaceGroup, Query, Subnet},
    observed::{CertificateKind, Issuance, StackObserved},
    secret::{ClientSeen, Secret, tls::TlsSeen},
    stack::{Stacks, secrets},
};
use fairway_core::{
    evaluate::{Evaluation, Facts, Input, LastGood, MAX_ROUNDS, Provider as _, Step},
    ids::{Key, StackId},
    plan::Bindings,
    snapshot::Snapshot,
};
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::{Value, json};

use super::recorded;

/// A certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub certificate: String,
    pub key: String,
}

impl Issued {
    /// A new one for a host.
    pub(crate) fn of(host: &str) -> Self {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap();
        Self { certificate: cert.pem(), key: signing_key.serialize_pem() }
    }
}

/// What AWS and the cluster hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub snapshot: Snapshot,
    pub observed: StackObserved,
    pub subnets: Vec<Subnet>,
    pub certificates: Vec<Certificate>,
    pub security_groups: BTreeMap<String, String>,
    pub interfaces: Vec<Interface>,
    /// How many entries they may have, by id.
    pub prefix_lists: BTreeMap<String, usize>,
    /// ARNs by name.
    pub trust_stores: BTreeMap<String, String>,
    /// ARNs by name.
    pub web_acls: BTreeMap<String, String>,
    pub shield_advanced: bool,
    /// Ranges of VPCs besides the cluster's own.
    pub vpcs: BTreeMap<String, Vec<String>>,
    /// ARNs of target groups without a healthy target.
    pub unhealthy: BTreeSet<String>,
    /// Target groups that users bind.
    pub bound_groups: Vec<BoundGroup>,
    /// By namespace and name.
    pub secrets: BTreeMap<Key, Secret>,
    /// Seconds since the epoch.
    pub now: i64,
    pub made: u32,
    pub last_good: LastGood,
    /// Answers that are not those of this world.
    pub facts: Facts<Stacks>,
}

pub(crate) const BACKEND: &str = "sg-backend";

impl World {
    /// The recorded environment, with its nodes, pods and Services, and nothing made yet.
    pub(crate) fn recorded() -> Self {
        let mut world = Self::from_environment(&recorded("environment.json"));
        world.add(&recorded("environment-objects.json"));
        world.put_client("oidc", "shop", "opensesame");
        world
    }

    pub(crate) fn from_environment(environment: &Value) -> Self {
        let list = |key: &str| environment[key].as_array().cloned().unwrap_or_default();
        Self {
            subnets: list("subnets").iter().map(subnet).collect(),
            certificates: vec![certificate(&environment["certificate"])],
            interfaces: list("instances")
                .iter()
                .flat_map(|instance| interfaces(instance, environment))
                .collect(),
            observed: StackObserved {
                backend_security_group: Some(BACKEND.to_owned()),
                ..StackObserved::default()
            },
            ..Self::default()
        }
    }

    /// Adds a list of objects, without what a controller writes.
    pub(crate) fn add(&mut self, objects: &Value) {
        for object in objects.as_array().unwrap() {
            if object["kind"] == "TargetGroupBinding" {
                continue;
            }
            let mut object = object.clone();
            if matches!(object["kind"].as_str(), Some("Ingress" | "Service")) {
                object["metadata"].as_object_mut().unwrap().remove("finalizers");
                object.as_object_mut().unwrap().remove("status");
            }
            self.snapshot.add(&object).unwrap();
        }
    }

    /// Applies an Ingress of the default namespace as its author does: finalizers stay.
    pub(crate) fn change(&mut self, object: &Value) {
        let key = Key::new("default", object["metadata"]["name"].as_str().unwrap());
        let finalizers = self.snapshot.ingresses.get(&key).and_then(|old| old.metadata.finalizers.clone());
        self.add(&json!([object]));
        self.ingress(&key).metadata.finalizers = finalizers;
    }

    /// Asks for the deletion of an Ingress of the default namespace.
    pub(crate) fn delete(&mut self, name: &str) {
        let time = serde_json::from_value(json!("2026-11-23T03:00:00Z")).unwrap();
        self.ingress(&Key::new("default", name)).metadata.deletion_timestamp = Some(time);
    }

    fn ingress(&mut self, key: &Key) -> &mut Ingress {
        Arc::make_mut(Arc::make_mut(&mut self.snapshot.ingresses).get_mut(key).unwrap())
    }

    pub(crate) fn answer(&self, query: &Query) -> Answer {
        if let Some(answer) = self.facts.get(query) {
            return answer.clone();
        }
        match query {
            Query::Vpc => Answer::Vpc { ipv4: vec!["10.0.0.0/16".to_owned()], ipv6: Vec::new() },
            Query::Subnets => Answer::Subnets(self.subnets.clone()),
            Query::SecurityGroup(name) => {
                let found = self.security_groups.iter().filter(|(id, tag)| *id == name || *tag == name);
                Answer::SecurityGroup(found.map(|(id, _)| id.clone()).collect())
            }
            Query::PrefixList(id) => Answer::PrefixList(self.prefix_lists.get(id).copied()),
            Query::Certificates => Answer::Certificates(self.certificates.clone()),
            Query::Certificate(arn) => {
                Answer::Certificate(self.certificates.iter().find(|one| one.arn == *arn).cloned())
            }
            Query::Client(secret) => Answer::Client(ClientSeen::of(self.secrets.get(secret))),
            Query::TlsSecret(secret) => Answer::TlsSecret(TlsSeen::of(self.secrets.get(secret), self.now)),
            Query::TargetGroup(name) => Answer::TargetGroup((name != "missing").then(|| {
                format!("arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/{name}/0")
            })),
            Query::TrustStore(name) => {
                let found = self.trust_stores.iter().find(|(own, arn)| *own == name || *arn == name);
                Answer::TrustStore(found.map(|(_, arn)| arn.clone()))
            }
            Query::WebAcl(name) => Answer::WebAcl(self.web_acls.get(name).cloned()),
            Query::ShieldAdvanced => Answer::ShieldAdvanced(self.shield_advanced),
            Query::BackendSecurityGroup => {
                Answer::BackendSecurityGroup(self.observed.backend_security_group.clone())
            }
            Query::Interfaces { addresses, instances } => {
                let wanted = |interface: &&Interface| {
                    interface.addresses.iter().any(|address| addresses.contains(address))
                        || interface.instance.as_ref().is_some_and(|id| instances.contains(id))
                };
                Answer::Interfaces(self.interfaces.iter().filter(wanted).cloned().collect())
            }
            Query::Healthy(arn) => Answer::Healthy(!self.unhealthy.contains(arn)),
            Query::VpcOf(vpc) => Answer::VpcOf(self.vpcs.get(vpc).cloned()),
            Query::BoundGroup { named, .. } => {
                let found = self.bound_groups.iter().find(|group| {
                    group.arn == *named || group.arn.contains(&format!(":targetgroup/{named}/"))
                });
                Answer::BoundGroup(found.cloned())
            }
        }
    }

    /// Evaluates a stack; also says whether it had to be observed.
    pub(crate) fn look(&self, config: &Config, unit: &StackId) -> (Evaluation<Stacks>, bool) {
        let (mut facts, mut observed) = (Facts::default(), None);
        for _ in 0..MAX_ROUNDS {
            let input = Input {
                unit,
                config,
                snapshot: &self.snapshot,
                facts: &facts,
                observed,
                last_good: &self.last_good,
            };
            match Stacks::evaluate(&input) {
                Step::NeedFacts(queries) => {
                    assert!(!queries.is_empty(), "asks for nothing");
                    for query in queries {
                        let answer = self.answer(&query);
                        facts.insert(query, answer);
                    }
                }
                Step::NeedObserved(_) => observed = Some(&self.observed),
                Step::Done(evaluation) => {
                    let existing = evaluation.bindings.keys().cloned().collect();
                    evaluation.plan.lint(&existing).unwrap();
                    return (*evaluation, observed.is_some());
                }
            }
        }
        panic!("evaluate did not settle");
    }

    /// What is known of Secrets and certificates is kept from look to look; the rest is seen anew.
    pub(crate) fn remember(&mut self, bindings: &Bindings) {
        let kept = |key: &str| key == secrets::key().0 || key.starts_with("certificate/");
        self.last_good.resources.retain(|key, _| !kept(key));
        let known = bindings.iter().filter(|(key, _)| kept(&key.0));
        self.last_good.resources.extend(known.map(|(key, handle)| (key.0.clone(), handle.id.clone())));
    }

    /// A Secret with a client.
    pub(crate) fn put_client(&mut self, name: &str, id: &str, secret: &str) {
        let entry = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        let entries = [entry("clientID", id), entry("clientSecret", secret)].into();
        self.secrets.insert(Key::new("default", name), Secret { uid: format!("uid-{name}"), entries });
    }

    /// A Secret with a certificate, as an issuer of certificates keeps it.
    pub(crate) fn put_tls(&mut self, name: &str, pair: &Issued) {
        let entry = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        let entries = [entry("tls.crt", &pair.certificate), entry("tls.key", &pair.key)].into();
        self.secrets.insert(Key::new("default", name), Secret { uid: format!("uid-{name}"), entries });
    }

    /// As [`World::settle`], and ACM issues whatever is asked of it.
    pub(crate) fn settle_issuing(&mut self, config: &Config, unit: &StackId) {
        self.settle(config, unit);
        if self.issue() {
            self.settle(config, unit);
        }
    }

    /// ACM issues whatever was asked of it; says whether there was something.
    pub(crate) fn issue(&mut self) -> bool {
        let mut awaited = false;
        for seen in self.observed.certificates.values_mut() {
            if let CertificateKind::Requested(request) = &mut seen.kind {
                awaited |= request.issuance != Issuance::Issued;
                request.issuance = Issuance::Issued;
            }
        }
        awaited
    }

    /// Looks and applies until nothing is left to do; the plans that were applied, without the empty last one.
    pub(crate) fn settle(&mut self, config: &Config, unit: &StackId) -> Vec<Evaluation<Stacks>> {
        let mut done = Vec::new();
        for _ in 0..5 {
            let (evaluation, _) = self.look(config, unit);
            self.last_good.members = evaluation.good.clone();
            self.remember(&evaluation.bindings);
            self.apply_finalizers(&evaluation.finalizers);
            if evaluation.plan.is_empty() {
                return done;
            }
            for planned in evaluation.plan.ops() {
                self.apply(&planned.op);
            }
            done.push(evaluation);
        }
        panic!("plans do not become empty: {:#?}", done.last().map(|one| &one.plan));
    }
}

fn tags(list: &Value) -> BTreeMap<String, String> {
    let pair =
        |tag: &Value| (tag["Key"].as_str().unwrap().to_owned(), tag["Value"].as_str().unwrap().to_owned());
    list.as_array().into_iter().flatten().map(pair).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn subnet(value: &Value) -> Subnet {
    Subnet {
        id: text(&value["SubnetId"]),
        zone: text(&value["AvailabilityZone"]),
        zone_id: text(&value["AvailabilityZoneId"]),
        zone_type: "availability-zone".to_owned(),
        cidr: text(&value["CidrBlock"]),
        ipv6_cidrs: Vec::new(),
        free_addresses: u32::try_from(value["AvailableIpAddressCount"].as_u64().unwrap()).unwrap(),
        tags: tags(&value["Tags"]),
    }
}

fn certificate(value: &Value) -> Certificate {
    Certificate {
        arn: text(&value["CertificateArn"]),
        names: value["SubjectAlternativeNames"].as_array().unwrap().iter().map(text).collect(),
        issued: value["Status"] == "ISSUED",
    }
}

fn interfaces(instance: &Value, environment: &Value) -> Vec<Interface> {
    let group = |value: &Value| {
        let id = text(&value["GroupId"]);
        let groups = environment["securityGroups"].as_array().unwrap();
        let known = groups.iter().find(|group| group["GroupId"] == value["GroupId"]).unwrap();
        InterfaceGroup { id, tags: tags(&known["Tags"]) }
    };
    let interface = |value: &Value| Interface {
        id: text(&value["NetworkInterfaceId"]),
        instance: Some(text(&instance["InstanceId"])),
        addresses: value["PrivateIpAddresses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|address| text(&address["PrivateIpAddress"]))
            .collect(),
        groups: value["Groups"].as_array().unwrap().iter().map(group).collect(),
    };
    instance["NetworkInterfaces"].as_array().unwrap().iter().map(interface).collect()
}
