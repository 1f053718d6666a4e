//! Secrets of the cluster, asked for by name: when a decision needs to know whether there is one, and again when AWS is
//! told its content. Nothing of it is kept here.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use fairway_aws::model::{Action, SecretRef};
use fairway_aws::secret::tls::{KeyPair, TlsSeen};
use fairway_aws::secret::{Client, ClientSeen, Secret};
use fairway_core::class::Class;
use fairway_core::ids::Key;
use fairway_engine::ports::Refusal;

use crate::Aws;

/// Who can read Secrets.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The Secret as it is now; `None` when there is none.
    async fn read(&self, secret: &Key) -> Result<Option<Secret>, Refusal>;

    /// Time since the epoch: what is kept in a Secret may expire.
    fn now(&self) -> Duration;
}

/// There are none.
pub(crate) struct NoSecrets;

#[async_trait]
impl Secrets for NoSecrets {
    async fn read(&self, _: &Key) -> Result<Option<Secret>, Refusal> {
        Ok(None)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// Clients by Secret, for one call.
pub(crate) type Clients = BTreeMap<Key, Client>;

impl Aws {
    /// What may be known of the client that a Secret holds. A Secret that may not be read is its user's trouble alone.
    pub(crate) async fn client_seen(&self, secret: &Key) -> Result<ClientSeen, Refusal> {
        match self.secrets.read(secret).await {
            Ok(found) => Ok(ClientSeen::of(found.as_ref())),
            Err(refusal) if refusal.failure.class == Class::Environment => {
                Ok(ClientSeen::Unusable(format!("cannot be read: {}", refusal.failure.message)))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// What may be known of the certificate that a Secret holds.
    pub(crate) async fn tls_seen(&self, secret: &Key) -> Result<TlsSeen, Refusal> {
        let now = i64::try_from(self.secrets.now().as_secs()).unwrap_or(i64::MAX);
        match self.secrets.read(secret).await {
            Ok(found) => Ok(TlsSeen::of(found.as_ref(), now)),
            Err(refusal) if refusal.failure.class == Class::Environment => {
                Ok(TlsSeen::Unusable(format!("cannot be read: {}", refusal.failure.message)))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// The certificate that was decided on, with its key.
    pub(crate) async fn key_pair(&self, wanted: &SecretRef) -> Result<KeyPair, Refusal> {
        let found = self.secrets.read(&wanted.secret).await?;
        let pair = found.as_ref().and_then(|secret| KeyPair::of(secret).ok());
        pair.filter(|pair| pair.digest() == wanted.digest).ok_or_else(|| changed(&wanted.secret))
    }

    /// The clients that actions name.
    pub(crate) async fn clients(&self, actions: &[Action]) -> Result<Clients, Refusal> {
        let mut clients = Clients::new();
        for action in actions {
            if let Action::Oidc(asked) = action
                && let Some(wanted) = &asked.secret
            {
                clients.insert(wanted.secret.clone(), self.client(wanted).await?);
            }
        }
        Ok(clients)
    }

    async fn client(&self, wanted: &SecretRef) -> Result<Client, Refusal> {
        let found = self.secrets.read(&wanted.secret).await?;
        let client = found.as_ref().and_then(|secret| Some((secret, Client::of(secret).ok()?)));
        match client {
            Some((secret, client)) if client.digest(secret) == wanted.digest => Ok(client),
            _ => Err(changed(&wanted.secret)),
        }
    }
}

/// The change is a reason for another look, which decides anew.
fn changed(secret: &Key) -> Refusal {
    Refusal::new(Class::Transient, "SecretChanged", format!("Secret {secret} has changed in the meantime"))
}
