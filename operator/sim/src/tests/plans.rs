//! The golden plans of `operator/aws/tests/golden`, each as a scenario in a world of its own.
//!
//! `before.yaml`, where there is one, is what users do first, and `in.yaml` second; what `in.yaml` shows as deleted, and
//! what it leaves out, is deleted. The account has what the case's facts say. What somebody did to AWS in between
//! (`drift.yaml`) is not done here: `tests/drift.rs` does such things to scenarios. Of cases that come to be equal, one is
//! played.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use fairway_aws::{
    facts::{Answer, Query},
    secret::{ClientSeen, Secret},
};
use serde_json::Value;

use crate::{
    cluster::Cluster,
    foreign, harness,
    scenario::{Scenario, Step, manifests},
    world::{Aws, GroupRow, TargetGroupAsk},
};

/// What cases name by ARN.
const THEIRS: &str =
    "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/theirs/0123456789abcdef";
const WEB_ACLS: [(&str, &str); 1] = [("by-arn", "arn:guard")];
/// Services of the recorded cluster, for the pods of the simulated one.
const SERVICES: &str = "
apiVersion: v1
kind: Service
metadata: {name: web2, namespace: default}
spec:
  type: NodePort
  ports: [{name: http, port: 80, targetPort: 8080, nodePort: 31080, protocol: TCP}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web2-1, namespace: default, labels: {kubernetes.io/service-name: web2}}
addressType: IPv4
ports: [{name: http, port: 8080, protocol: TCP}]
endpoints:
  - {addresses: [10.0.16.33], nodeName: node1, conditions: {ready: true}, targetRef: {kind: Pod, name: web-1, namespace: default}}
";

/// All of them, by name.
pub(super) fn scenarios() -> Vec<Scenario> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../aws/tests/golden");
    let mut folders: Vec<PathBuf> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    let shared = answers(&root);
    let mut played = BTreeSet::new();
    let all = folders.iter().map(|folder| (scenario(folder, &shared), answers(folder)));
    let all = all.filter(|(scenario, own)| {
        let steps = scenario.steps.iter().map(|step| format!("{:?} {:?}", step.objects, step.delete));
        played.insert((steps.collect::<Vec<_>>(), format!("{own:?} {:?}", scenario.quotas)))
    });
    all.map(|(scenario, _)| scenario).collect()
}

fn scenario(folder: &Path, shared: &[(Query, Answer)]) -> Scenario {
    let own = answers(folder);
    let (aws, theirs) = account(shared.iter().chain(&own));
    let read = |name: &str| Some(fs::read_to_string(folder.join(name)).ok()?.replace(THEIRS, &theirs));
    let text = read("in.yaml").unwrap();
    let quotas = text.lines().find_map(|line| line.strip_prefix("# quotas: "));
    let (before, after) = (read("before.yaml"), manifests(&text).unwrap());
    let before = before.map(|text| manifests(&text).unwrap());
    let say = |what: &str| what.to_owned();
    let second = step(say("what the plan is about"), after, before.as_deref().unwrap_or_default());
    let steps = before.map(|objects| step(say("what was applied earlier"), objects, &[])).into_iter();
    Scenario {
        name: format!("golden {}", folder.file_name().unwrap().to_string_lossy()),
        dns: false,
        quotas: quotas.map(|text| serde_saphyr::from_str(text).unwrap()).unwrap_or_default(),
        steps: steps.chain([second]).collect(),
        world: Some(Arc::new((aws, cluster(&own)))),
    }
}

/// What users do to come from some objects to others.
fn step(say: String, objects: Vec<Value>, before: &[Value]) -> Step {
    let going = |object: &Value| object["metadata"]["deletionTimestamp"].is_string();
    let here: Vec<String> = objects.iter().filter(|object| !going(object)).map(name).collect();
    let gone = objects.iter().filter(|object| going(object)).chain(before);
    let mut delete: Vec<String> = gone.map(name).filter(|name| !here.contains(name)).collect();
    delete.dedup();
    delete.sort();
    delete.dedup();
    let objects = objects.into_iter().filter(|object| !going(object)).map(written).collect();
    Step { say, objects, delete, ..Step::default() }
}

/// As its author writes it.
fn written(mut object: Value) -> Value {
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("finalizers");
    metadata.remove("uid");
    object
}

/// As steps name objects that are deleted.
fn name(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
}

fn cluster(own: &[(Query, Answer)]) -> Cluster {
    let (_, mut cluster) = harness::BEGINNING.clone();
    let known = own.iter().filter_map(|one| match one {
        (Query::Client(key), Answer::Client(ClientSeen::Known { .. })) => Some(key),
        _ => None,
    });
    for key in known {
        let entries = [("clientID", "shop"), ("clientSecret", "opensesame")];
        let entries = entries.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        cluster.secrets.insert(key.clone(), Secret { uid: key.to_string(), entries: entries.into() });
    }
    for object in manifests(SERVICES).unwrap() {
        cluster.apply(object, 0).unwrap();
    }
    cluster
}

fn answers(folder: &Path) -> Vec<(Query, Answer)> {
    let Ok(text) = fs::read_to_string(folder.join("facts.yaml")) else { return Vec::new() };
    let mut facts: BTreeMap<String, Vec<(Query, Answer)>> = serde_saphyr::from_str(&text).unwrap();
    facts.remove("answers").unwrap()
}

/// An account that answers as the facts say, with somebody else's things in it, and the ARN of the target group there
/// that cases name by one.
fn account<'a>(facts: impl Iterator<Item = &'a (Query, Answer)>) -> (Aws, String) {
    let (mut aws, _) = harness::BEGINNING.clone();
    let theirs = TargetGroupAsk { name: "theirs".to_owned(), ..foreign::target_group() };
    let theirs = aws.create_target_group(theirs).unwrap().arn;
    for (name, arn) in WEB_ACLS {
        aws.web_acls.insert(name.to_owned(), arn.to_owned());
    }
    for (query, answer) in facts.cloned() {
        match (query, answer) {
            (_, Answer::Subnets(all)) => {
                aws.subnets = all.into_iter().map(|subnet| (subnet.id.clone(), subnet)).collect();
            }
            (_, Answer::Certificates(all)) => {
                aws.certificates = all.into_iter().map(|one| (one.arn.clone(), one)).collect();
            }
            (_, Answer::Certificate(Some(one))) => drop(aws.certificates.insert(one.arn.clone(), one)),
            (Query::TrustStore(name), Answer::TrustStore(Some(arn))) => {
                aws.trust_stores.insert(name, arn);
            }
            (Query::WebAcl(name), Answer::WebAcl(Some(arn))) => drop(aws.web_acls.insert(name, arn)),
            (Query::SecurityGroup(name), Answer::SecurityGroup(ids)) => {
                let tags = [("Name".to_owned(), name.clone())];
                let row = |id: &String| GroupRow::new(id, &name, "by hand", tags.clone().into());
                aws.groups.extend(ids.iter().map(|id| (id.clone(), row(id))));
            }
            (Query::TargetGroup(name), Answer::TargetGroup(Some(_))) if name != "theirs" => {
                let ask = TargetGroupAsk { name, ..foreign::target_group() };
                aws.create_target_group(ask).unwrap();
            }
            _ => {}
        }
    }
    (aws, theirs)
}
