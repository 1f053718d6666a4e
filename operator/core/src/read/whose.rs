//! Why an object is not ours, for people who expected it to be.

use k8s_openapi::api::{core::v1::Service, networking::v1::Ingress};

use super::{Candidate, ReadConfig, class};
use crate::{ids::Key, snapshot::Snapshot};

/// One sentence without a final period. Meaningful only for an object that no stack has as a member, see
/// [`stacks_of`](super::stacks_of).
#[must_use]
pub fn why_not_ours(snapshot: &Snapshot, config: &ReadConfig, candidate: Candidate<'_>) -> String {
    if candidate.meta().deletion_timestamp.is_some() {
        return "it is being deleted, and carries no finalizer of ours".to_owned();
    }
    match candidate {
        Candidate::Ingress(ingress) => ingress_elsewhere(snapshot, config, ingress),
        Candidate::Service(service) => service_elsewhere(config, service),
    }
}

fn ingress_elsewhere(snapshot: &Snapshot, config: &ReadConfig, ingress: &Ingress) -> String {
    if let Some(name) = class::annotated(ingress) {
        let ours = class::annotation_of_ours(config);
        return format!("its annotation {} is {name}; ours is {ours}", class::CLASS_ANNOTATION);
    }
    let Some(name) = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_deref()) else {
        return "it names no class, and no IngressClass is the default one".to_owned();
    };
    match snapshot.ingress_classes.get(&Key::cluster(name)) {
        None => format!("there is no IngressClass {name}"),
        Some(found) => {
            let controller =
                found.spec.as_ref().and_then(|spec| spec.controller.as_deref()).unwrap_or("nobody");
            format!(
                "IngressClass {name} is served by {controller}; ours are {} and {}",
                class::AWS_CONTROLLER,
                class::IN_CLUSTER_CONTROLLER
            )
        }
    }
}

fn service_elsewhere(config: &ReadConfig, service: &Service) -> String {
    let spec = service.spec.as_ref();
    let kind = spec.and_then(|spec| spec.type_.as_deref()).unwrap_or("ClusterIP");
    if kind != "LoadBalancer" {
        return format!(
            "its type is {kind}, not LoadBalancer, and no annotation of it asks for a load balancer"
        );
    }
    let ours = format!("{} and {}", config.load_balancer_class, class::IN_CLUSTER_CLASS);
    match spec.and_then(|spec| spec.load_balancer_class.as_deref()) {
        Some(name) => format!("its spec.loadBalancerClass is {name}; ours are {ours}"),
        None => format!("it has no spec.loadBalancerClass; ours are {ours}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn ingress(annotations: Value, spec: Value) -> Ingress {
        serde_json::from_value(json!({
            "metadata": {"namespace": "shop", "name": "front", "annotations": annotations}, "spec": spec
        }))
        .unwrap()
    }

    #[test]
    fn each_way_to_be_somebody_elses_is_told() {
        let mut snapshot = Snapshot::default();
        let class = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}
        });
        snapshot.add(&class).unwrap();
        let of_class = |name: &str| ingress(json!({}), json!({"ingressClassName": name}));
        let cases = [
            (
                ingress(json!({"kubernetes.io/ingress.class": "nginx"}), json!({})),
                "its annotation kubernetes.io/ingress.class is nginx; ours is alb",
            ),
            (of_class("gone"), "there is no IngressClass gone"),
            (
                of_class("nginx"),
                "IngressClass nginx is served by k8s.io/ingress-nginx; ours are ingress.k8s.aws/alb and fairway.dev/in-cluster",
            ),
            (ingress(json!({}), json!({})), "it names no class, and no IngressClass is the default one"),
        ];
        for (ingress, said) in cases {
            assert_eq!(why_not_ours(&snapshot, &ReadConfig::default(), Candidate::Ingress(&ingress)), said);
        }
    }

    #[test]
    fn a_service_says_type_or_class() {
        let say = |spec: Value| {
            let service: Service = serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap();
            why_not_ours(&Snapshot::default(), &ReadConfig::default(), Candidate::Service(&service))
        };
        assert!(say(json!({})).starts_with("its type is ClusterIP, not LoadBalancer"));
        assert!(say(json!({"type": "LoadBalancer"})).starts_with("it has no spec.loadBalancerClass;"));
        let other = say(json!({"type": "LoadBalancer", "loadBalancerClass": "x/y"}));
        assert!(other.starts_with("its spec.loadBalancerClass is x/y;"), "{other}");
    }
}
