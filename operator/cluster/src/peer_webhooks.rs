//! Webhook configurations of the AWS Load Balancer Controller: without a server behind them, they refuse writes.
//!
//! They are known by the names of their webhooks, which end as in `SUFFIX`, and by the Service they name, which has
//! the controller's name in it. Nothing here is written.

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, RuleWithOperations, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use kube::{Api, Client, ResourceExt as _, api::ListParams};

use fairway_core::ids::Key;

use crate::error::ClusterError;

/// How the peer's webhooks are called.
const SUFFIX: &str = ".elbv2.k8s.aws";
/// What the name of the Service begins with that the peer's chart makes, whatever the release is called.
const SERVICE: &str = "aws-load-balancer-";

/// One webhook of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// `ValidatingWebhookConfiguration NAME` or `MutatingWebhookConfiguration NAME`.
    pub configuration: String,
    /// Its own name.
    pub name: String,
    /// Whether what it cannot be asked about is refused.
    pub fails_closed: bool,
    /// Resources that it is asked about.
    pub resources: Vec<String>,
    /// The Service behind it.
    pub service: Key,
}

/// The peer's webhooks.
///
/// # Errors
/// The API server's refusal.
pub async fn peer_webhooks(client: &Client) -> Result<Vec<Webhook>, ClusterError> {
    let failed = |error| ClusterError::new("webhook configurations", error);
    let validating: Api<ValidatingWebhookConfiguration> = Api::all(client.clone());
    let mutating: Api<MutatingWebhookConfiguration> = Api::all(client.clone());
    let mut found = Vec::new();
    for one in validating.list(&ListParams::default()).await.map_err(failed)? {
        let configuration = format!("ValidatingWebhookConfiguration {}", one.name_any());
        for hook in one.webhooks.unwrap_or_default() {
            let said = (hook.failure_policy.as_deref(), hook.rules.as_deref().unwrap_or_default());
            found.extend(webhook(&configuration, &hook.name, &hook.client_config, said));
        }
    }
    for one in mutating.list(&ListParams::default()).await.map_err(failed)? {
        let configuration = format!("MutatingWebhookConfiguration {}", one.name_any());
        for hook in one.webhooks.unwrap_or_default() {
            let said = (hook.failure_policy.as_deref(), hook.rules.as_deref().unwrap_or_default());
            found.extend(webhook(&configuration, &hook.name, &hook.client_config, said));
        }
    }
    Ok(found)
}

fn webhook(
    configuration: &str,
    name: &str,
    client: &WebhookClientConfig,
    (policy, rules): (Option<&str>, &[RuleWithOperations]),
) -> Option<Webhook> {
    let service = client.service.as_ref()?;
    if !(name.ends_with(SUFFIX) && service.name.starts_with(SERVICE)) {
        return None;
    }
    let resources = rules.iter().flat_map(|rule| rule.resources.iter().flatten()).cloned().collect();
    Some(Webhook {
        configuration: configuration.to_owned(),
        name: name.to_owned(),
        // As the API server fills it in.
        fails_closed: policy.unwrap_or("Fail") == "Fail",
        resources,
        service: Key::new(&service.namespace, &service.name),
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::admissionregistration::v1::ServiceReference;

    use super::*;

    fn client(service: Option<&str>) -> WebhookClientConfig {
        let reference = |name: &str| ServiceReference {
            name: name.to_owned(),
            namespace: "kube-system".to_owned(),
            ..ServiceReference::default()
        };
        WebhookClientConfig { service: service.map(reference), ..WebhookClientConfig::default() }
    }

    #[test]
    fn only_the_peers_webhooks_count() {
        let rule = RuleWithOperations {
            resources: Some(vec!["ingresses".to_owned()]),
            ..RuleWithOperations::default()
        };
        let found = |name, service, policy| {
            webhook(
                "ValidatingWebhookConfiguration w",
                name,
                &client(service),
                (policy, std::slice::from_ref(&rule)),
            )
        };
        let peers = Some("aws-load-balancer-webhook-service");
        let one = found("vingress.elbv2.k8s.aws", peers, None);
        assert_eq!(
            one.as_ref().map(|one| (one.fails_closed, one.resources.clone())),
            Some((true, vec!["ingresses".to_owned()]))
        );
        assert_eq!(
            one.map(|one| one.service),
            Some(Key::new("kube-system", "aws-load-balancer-webhook-service"))
        );
        assert_eq!(
            found("vingress.elbv2.k8s.aws", peers, Some("Ignore")).map(|one| one.fails_closed),
            Some(false)
        );
        assert_eq!(
            found("vingress.elbv2.k8s.aws", Some("fairway"), None),
            None,
            "of the same name, and another's"
        );
        assert_eq!(found("policy.example.com", peers, None), None);
        assert_eq!(found("vingress.elbv2.k8s.aws", None, None), None, "a URL is nobody's we know");
    }
}
