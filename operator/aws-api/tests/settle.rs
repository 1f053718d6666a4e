//! What Ingresses and Services ask for, applied to the emulator over HTTP, needs no further change: not for the
//! process that applied it, nor for one that reads all of it back.
//!
//! As for the thin clients: `FAIRWAY_TEST_AWS_ENDPOINT` names a running emulator, each test has its own account.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod site;
mod world;

use fairway_aws::model::SecurityGroup;
use fairway_aws::network::{Cluster, Network, NetworkOp};
use fairway_aws::stack::{StackOp, Stacks};
use fairway_aws::tags;
use fairway_aws_api::Aws;
use fairway_core::evaluate::{Evaluation, Facts, Input, LastGood, MAX_ROUNDS, Provider, Step};
use fairway_core::ids::{Key, ProviderKind, StackId, StackKey};
use fairway_core::plan::{Bindings, Handle, Operation as _};
use fairway_core::snapshot::Snapshot;
use fairway_engine::ports::{Answer, Applied, Apply, Observe};
use serde_json::{Value, json};

use site::Site;

/// One stack and its cluster.
struct Case {
    unit: StackId,
    snapshot: Snapshot,
}

impl Case {
    fn new(unit: StackKey, objects: &[Value]) -> Self {
        let mut snapshot = Snapshot::default();
        let class = json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "alb"},
                           "spec": {"controller": "ingress.k8s.aws/alb"}});
        for object in objects.iter().chain([&class]) {
            snapshot.add(object).unwrap();
        }
        Self { unit: StackId::new(ProviderKind::Aws, unit), snapshot }
    }

    /// The engine's loop, without the engine.
    async fn look(&self, site: &Site, aws: &Aws) -> Evaluation<Stacks> {
        let (mut facts, mut observed, last_good) = (Facts::default(), None, LastGood::default());
        for _ in 0..MAX_ROUNDS {
            let input = Input::<Stacks> {
                unit: &self.unit,
                config: &site.config,
                snapshot: &self.snapshot,
                facts: &facts,
                observed: observed.as_ref(),
                last_good: &last_good,
            };
            match Stacks::evaluate(&input) {
                Step::NeedFacts(queries) => {
                    let more = Answer::<Stacks>::answer(aws, &self.unit, &queries).await.unwrap();
                    facts.extend(more);
                }
                Step::NeedObserved(scope) => {
                    observed = Some(Observe::<Stacks>::observe(aws, &self.unit, &scope).await.unwrap());
                }
                Step::Done(evaluation) => return *evaluation,
            }
        }
        panic!("the look did not end");
    }

    async fn apply(&mut self, aws: &Aws, evaluation: Evaluation<Stacks>) {
        let mut bindings = evaluation.bindings;
        for planned in evaluation.plan.into_ops() {
            let applied = match &planned.op {
                StackOp::PutBinding(binding) => self.bind(binding, &bindings),
                op => Apply::<Stacks>::apply(aws, &self.unit, op, &bindings).await,
            };
            match applied {
                Ok(Applied::Produced { key, handle }) => drop(bindings.insert(key, handle)),
                Ok(_) => {}
                Err(refusal) => panic!("{}: {refusal:?}", planned.op.describe()),
            }
        }
    }

    fn bind(
        &mut self,
        binding: &fairway_aws::model::Binding,
        bindings: &Bindings,
    ) -> Result<Applied, fairway_engine::ports::Refusal> {
        let backend =
            bindings.iter().find(|(key, _)| key.0 == fairway_aws::model::SecurityGroupRef::BACKEND_KEY);
        let backend = backend.map(|(_, handle)| handle.id.as_str());
        let arn = &bindings.get(&binding.target_group.key()).unwrap().id;
        let object = json!({
            "apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding",
            "metadata": {"namespace": binding.key.namespace, "name": binding.key.name, "labels": binding.labels},
            "spec": binding.spec(arn, backend),
        });
        self.snapshot.add(&object).unwrap();
        Ok(Applied::Produced { key: binding.reference().key(), handle: Handle::default() })
    }
}

fn service(annotations: &Value, spec: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service",
           "metadata": {"namespace": "default", "name": "web", "uid": "uid-web", "annotations": annotations},
           "spec": spec})
}

fn ingress(annotations: &Value, backend: &str, port: &Value) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
           "metadata": {"namespace": "default", "name": "shop", "uid": "uid-shop", "annotations": annotations},
           "spec": {"ingressClassName": "alb", "rules": [{"host": "shop.example.com", "http": {"paths": [
               {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": backend, "port": port}}}]}}]}})
}

/// What is asked for, by the name of what is special about it.
fn cases(site: &Site, certificates: &str) -> Vec<(&'static str, Case)> {
    let subnets = site.subnets.get(..2).unwrap().join(",");
    let web = service(
        &json!({}),
        &json!({"type": "NodePort", "selector": {"app": "web"},
        "ports": [{"port": 80, "targetPort": 8080, "nodePort": 30080, "protocol": "TCP"}]}),
    );
    let alb = |extra: &[(&str, &str)], backend: &str, port: Value| {
        let own = [("target-type", "ip"), ("subnets", subnets.as_str()), ("scheme", "internet-facing")];
        let all: serde_json::Map<String, Value> = own
            .iter()
            .chain(extra)
            .map(|(key, value)| (format!("alb.ingress.kubernetes.io/{key}"), json!(value)))
            .collect();
        let key = StackKey::Ingress(Key::new("default", "shop"));
        Case::new(key, &[web.clone(), ingress(&Value::Object(all), backend, &port)])
    };
    let number = || json!({"number": 80});
    let nlb = |extra: &[(&str, &str)]| {
        let own = [("subnets", subnets.as_str()), ("nlb-target-type", "ip")];
        let all: serde_json::Map<String, Value> = own
            .iter()
            .chain(extra)
            .map(|(key, value)| (format!("service.beta.kubernetes.io/aws-load-balancer-{key}"), json!(value)))
            .collect();
        let spec = json!({"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb", "selector": {"app": "web"},
            "ports": [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30080, "protocol": "TCP"},
                      {"name": "dns", "port": 53, "targetPort": 5353, "nodePort": 30053, "protocol": "UDP"}]});
        Case::new(StackKey::Service(Key::new("default", "web")), &[service(&Value::Object(all), &spec)])
    };
    vec![
        ("a plain Ingress", alb(&[], "web", number())),
        (
            "attributes and health checks",
            alb(
                &[
                    (
                        "load-balancer-attributes",
                        "idle_timeout.timeout_seconds=120,routing.http2.enabled=false",
                    ),
                    (
                        "target-group-attributes",
                        "deregistration_delay.timeout_seconds=5,stickiness.enabled=true,stickiness.lb_cookie.duration_seconds=60",
                    ),
                    ("healthcheck-path", "/ready"),
                    ("success-codes", "200-299"),
                    ("tags", "team=a,env=b"),
                ],
                "web",
                number(),
            ),
        ),
        ("gRPC", alb(&[("backend-protocol-version", "GRPC")], "web", number())),
        (
            "encrypted beside plain",
            alb(
                &[
                    ("listen-ports", r#"[{"HTTP": 80}, {"HTTPS": 443}]"#),
                    ("certificate-arn", certificates),
                    ("ssl-redirect", "443"),
                ],
                "web",
                number(),
            ),
        ),
        ("nodes as targets", alb(&[("target-type", "instance")], "web", number())),
        ("a Service", nlb(&[])),
        (
            "a Service that faces the internet",
            nlb(&[
                ("scheme", "internet-facing"),
                ("attributes", "load_balancing.cross_zone.enabled=true"),
                ("healthcheck-protocol", "http"),
                ("healthcheck-path", "/ready"),
                ("healthcheck-port", "8081"),
            ]),
        ),
    ]
}

/// As the Network unit does before the first load balancer.
async fn make_shared_group(site: &Site, aws: &Aws) {
    let shared = SecurityGroup {
        name: fairway_aws::naming::backend_security_group("demo"),
        description: "[k8s] Shared Backend SecurityGroup for LoadBalancer".to_owned(),
        permissions: std::collections::BTreeSet::new(),
        tags: tags::backend_marks(&site.config),
    };
    Apply::<Network>::apply(aws, &Cluster, &NetworkOp::CreateBackend(shared), &Bindings::new())
        .await
        .unwrap();
}

#[tokio::test]
async fn what_was_applied_needs_no_change() {
    let Some(site) = Site::open(51).await else { return };
    make_shared_group(&site, &site.aws()).await;
    let certificates =
        [site.certificate("a.example.com").await, site.certificate("b.example.com").await].join(",");
    for (name, mut case) in cases(&site, &certificates) {
        let aws = site.aws();
        let first = case.look(&site, &aws).await;
        assert!(first.model.is_some() && first.notes.is_empty(), "{name}: {:?}", first.notes);
        assert!(!first.plan.is_empty(), "{name}");
        case.apply(&aws, first).await;
        for (who, aws) in [("its author", &aws), ("another process", &site.aws())] {
            let again = case.look(&site, aws).await;
            let left: Vec<String> = again
                .plan
                .ops()
                .iter()
                .map(|planned| format!("{} {:?}", planned.op.describe(), planned.op.details()))
                .collect();
            assert!(left.is_empty(), "{name}: {who} would still {left:#?}");
        }
    }
}

#[tokio::test]
async fn a_new_ingress_costs_seven_calls_at_most() {
    const INGRESSES: u64 = 10;
    let Some(site) = Site::open(52).await else { return };
    let aws = site.aws();
    let subnets = site.subnets.get(..2).unwrap().join(",");
    let ingresses = (0..INGRESSES).map(|number| {
        let name = format!("shop-{number}");
        let annotations = json!({"alb.ingress.kubernetes.io/target-type": "ip",
            "alb.ingress.kubernetes.io/subnets": subnets,
            "alb.ingress.kubernetes.io/manage-backend-security-group-rules": "false"});
        let mut object = ingress(&annotations, "web", &json!({"number": 80}));
        *object.pointer_mut("/metadata/name").unwrap() = json!(name);
        let service =
            service(&json!({}), &json!({"ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]}));
        Case::new(StackKey::Ingress(Key::new("default", &name)), &[service, object])
    });
    make_shared_group(&site, &aws).await;
    let before = site.calls();
    for mut case in ingresses {
        let first = case.look(&site, &aws).await;
        case.apply(&aws, first).await;
        assert!(case.look(&site, &aws).await.plan.is_empty());
    }
    let counted = site.calls_since(&before);
    let writes = counted.iter().filter(|(call, _)| !call.operation.starts_with("Describe"));
    let per_ingress: u64 = writes.map(|(_, count)| count).sum::<u64>().div_ceil(INGRESSES);
    assert_eq!(per_ingress, 6, "and one RegisterTargets: {counted:#?}");
    let reads: u64 =
        counted.iter().filter(|(call, _)| call.operation.starts_with("Describe")).map(|(_, n)| n).sum();
    // Subnets, zones, VPC, the three lists, and states now and then.
    assert!(reads < INGRESSES, "{counted:#?}");
}
