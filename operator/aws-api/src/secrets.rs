//! Secrets of the cluster, asked for by name: when a decision needs to know whether there is one, and again when AWS is
//! told its content. Nothing of it is kept here.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fairway_aws::model::{Action, SecretRef};
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
}

/// There are none.
pub(crate) struct NoSecrets;

#[async_trait]
impl Secrets for NoSecrets {
    async fn read(&self, _: &Key) -> Result<Option<Secret>, Refusal> {
        Ok(None)
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
            // The change is a reason for another look, which decides anew.
            _ => {
                let message = format!("Secret {} has changed in the meantime", wanted.secret);
                Err(Refusal::new(Class::Transient, "SecretChanged", message))
            }
        }
    }
}
