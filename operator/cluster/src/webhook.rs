//! What the admission webhook keeps in the cluster: a keyring in one Secret, and an authority in the webhook
//! configurations of one name.
//!
//! Nothing else of either is touched. A configuration that is not there is nobody's to make here: it belongs to the chart.
//! Where we stand in for another controller, its configurations, of a name that an administrator gives, are opened: what
//! nobody answers any more refuses nothing.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, ObjectMeta, Patch, PatchParams, PostParams},
    core::GroupVersionKind,
};
use serde_json::{Value, json};

use crate::{
    error::{ClusterError, status},
    write::FIELD_MANAGER,
};

const KEYRING: &str = "keyring.json";
/// For people, and for programs that want to put a question themselves.
const BUNDLE: &str = "ca.crt";

/// A Secret's content and version.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptKeyring {
    /// What was written last; `None` while the Secret is empty.
    pub text: Option<String>,
    /// Of the Secret.
    pub version: String,
}

/// Access to the Secret and the configurations.
#[derive(Clone)]
pub struct Webhook {
    secrets: Api<Secret>,
    secret: String,
    configurations: [Api<DynamicObject>; 2],
    configuration: Option<String>,
}

impl Webhook {
    /// The Secret of a namespace, and the ValidatingWebhookConfiguration and MutatingWebhookConfiguration of one name;
    /// `None`: nobody is told whom to trust.
    #[must_use]
    pub fn new(client: &Client, namespace: &str, secret: &str, configuration: Option<&str>) -> Self {
        let kinds = [
            ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
            ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
        ];
        let api = |(kind, plural): (&str, &str)| {
            let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
            Api::all_with(client.clone(), &ApiResource::from_gvk_with_plural(&kind, plural))
        };
        Self {
            secrets: Api::namespaced(client.clone(), namespace),
            secret: secret.to_owned(),
            configurations: kinds.map(api),
            configuration: configuration.map(str::to_owned),
        }
    }

    /// What the Secret holds; `None` when there is no Secret.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn load(&self) -> Result<Option<KeptKeyring>, ClusterError> {
        let found = self.secrets.get_opt(&self.secret).await.map_err(|error| self.of_secret(error))?;
        Ok(found.map(|secret| KeptKeyring {
            text: secret.data.and_then(|mut data| String::from_utf8(data.remove(KEYRING)?.0).ok()),
            version: secret.metadata.resource_version.unwrap_or_default(),
        }))
    }

    /// Writes over the version that was read, or makes the Secret when there was none. `false`: somebody else wrote in
    /// between.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn save(&self, keyring: &str, bundle: &str, over: Option<&str>) -> Result<bool, ClusterError> {
        let data = json!({KEYRING: STANDARD.encode(keyring), BUNDLE: STANDARD.encode(bundle)});
        let written = match over {
            Some(version) => {
                let patch = json!({"metadata": {"resourceVersion": version}, "data": data});
                self.secrets.patch(&self.secret, &params(), &Patch::Merge(&patch)).await.map(drop)
            }
            None => {
                let text = |text: &str| k8s_openapi::ByteString(text.as_bytes().to_vec());
                let secret = Secret {
                    metadata: ObjectMeta { name: Some(self.secret.clone()), ..ObjectMeta::default() },
                    data: Some(
                        [(KEYRING.to_owned(), text(keyring)), (BUNDLE.to_owned(), text(bundle))].into(),
                    ),
                    ..Secret::default()
                };
                self.secrets.create(&PostParams::default(), &secret).await.map(drop)
            }
        };
        match written {
            Ok(()) => Ok(true),
            Err(error) if status(&error) == Some(409) => Ok(false),
            Err(error) => Err(self.of_secret(error)),
        }
    }

    /// The bundle of every webhook, as PEM; empty where none is set.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn bundles(&self) -> Result<Vec<String>, ClusterError> {
        let mut bundles = Vec::new();
        for (_, found) in self.configurations().await? {
            bundles.extend(hooks(&found).iter().map(bundle));
        }
        Ok(bundles)
    }

    /// Sets the bundle of every webhook that has another one.
    ///
    /// # Errors
    /// The API server's refusal. A configuration that somebody else changed in between is one: it is for the next look.
    pub async fn set_bundle(&self, wanted: &str) -> Result<(), ClusterError> {
        for (api, found) in self.configurations().await? {
            if hooks(&found).iter().all(|hook| bundle(hook) == wanted) {
                continue;
            }
            let mut hooks = hooks(&found).to_vec();
            for client in hooks.iter_mut().filter_map(|hook| hook.get_mut("clientConfig")?.as_object_mut()) {
                client.insert("caBundle".to_owned(), json!(STANDARD.encode(wanted)));
            }
            write(api, &found, &hooks).await?;
        }
        Ok(())
    }

    async fn configurations(&self) -> Result<Vec<(&Api<DynamicObject>, DynamicObject)>, ClusterError> {
        match &self.configuration {
            Some(name) => self.named(name).await,
            None => Ok(Vec::new()),
        }
    }

    /// Has every webhook of another controller's configurations fail open, and gives the kinds of those that did not.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn open(&self, name: &str) -> Result<Vec<String>, ClusterError> {
        let mut opened = Vec::new();
        for (api, found) in self.named(name).await? {
            if hooks(&found).iter().all(is_open) {
                continue;
            }
            let mut hooks = hooks(&found).to_vec();
            for hook in hooks.iter_mut().filter_map(Value::as_object_mut) {
                hook.insert("failurePolicy".to_owned(), json!("Ignore"));
            }
            write(api, &found, &hooks).await?;
            opened.extend(found.types.map(|types| types.kind));
        }
        Ok(opened)
    }

    async fn named(&self, name: &str) -> Result<Vec<(&Api<DynamicObject>, DynamicObject)>, ClusterError> {
        let mut all = Vec::new();
        for api in &self.configurations {
            let found = api.get_opt(name).await;
            let found =
                found.map_err(|error| ClusterError::new(format!("webhook configuration {name}"), error))?;
            all.extend(found.map(|found| (api, found)));
        }
        Ok(all)
    }

    fn of_secret(&self, error: kube::Error) -> ClusterError {
        ClusterError::new(format!("Secret {}", self.secret), error)
    }
}

fn hooks(configuration: &DynamicObject) -> &[Value] {
    configuration.data.get("webhooks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Lists of hooks are written whole: the version makes the server refuse it if they changed since.
async fn write(api: &Api<DynamicObject>, found: &DynamicObject, hooks: &[Value]) -> Result<(), ClusterError> {
    let name = found.metadata.name.as_deref().unwrap_or_default();
    let patch = json!({"metadata": {"resourceVersion": found.metadata.resource_version}, "webhooks": hooks});
    let written = api.patch(name, &params(), &Patch::Merge(&patch)).await;
    written.map(drop).map_err(|error| ClusterError::new(format!("webhook configuration {name}"), error))
}

/// Left out, it is closed.
fn is_open(hook: &Value) -> bool {
    hook.get("failurePolicy").and_then(Value::as_str) == Some("Ignore")
}

fn bundle(hook: &Value) -> String {
    let text = hook.pointer("/clientConfig/caBundle").and_then(Value::as_str).unwrap_or_default();
    STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn params() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() }
}
