//! Secrets, read by name.
//!
//! | the Secret          | read again     |
//! |---------------------|----------------|
//! | is there            | after a period |
//! | is not there        | after 5 s      |
//!
//! Secrets are not watched: whoever may watch one by its name may watch them all. Those that were asked for are read again
//! for as long as something names them, and nothing of them is kept but their version.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fairway_core::ids::Key;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt as _};
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::error::ClusterError;

/// See the module's table.
const RETRY: Duration = Duration::from_secs(5);
/// For one request.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads Secrets, and knows which of them changed.
pub struct Secrets {
    client: Client,
    period: Duration,
    seen: Mutex<BTreeMap<Key, Seen>>,
}

/// What is known of a Secret that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// `metadata.resourceVersion`; `None`: there is no such Secret.
    version: Option<String>,
    /// When to read it again.
    due: Instant,
}

impl Secrets {
    /// Reads by `client`, those that are there once a `period`. Nothing is asked yet.
    #[must_use]
    pub fn new(client: &Client, period: Duration) -> Self {
        Self { client: client.clone(), period, seen: Mutex::default() }
    }

    /// A Secret as it is now; `None` when there is none.
    ///
    /// # Errors
    /// The API server's refusal, or its silence.
    pub async fn read(&self, key: &Key) -> Result<Option<Secret>, ClusterError> {
        let found = self.get(key).await?;
        self.note(key, found.as_ref());
        Ok(found)
    }

    /// Those that are not any more as they were read last. Only what was read before and is `named` still is read again,
    /// when it is due; one that cannot be read now is tried again.
    pub async fn changed(&self, named: &BTreeSet<Key>) -> Vec<Key> {
        let due = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.retain(|key, _| named.contains(key));
            let now = Instant::now();
            let due = seen.iter().filter(|(_, seen)| seen.due <= now);
            due.map(|(key, seen)| (key.clone(), seen.version.clone())).collect::<Vec<_>>()
        };
        let mut changed = Vec::new();
        for (key, before) in due {
            match self.get(&key).await {
                Ok(found) => {
                    let after = self.note(&key, found.as_ref());
                    changed.extend((before != after).then_some(key));
                }
                Err(error) => warn!(secret = %key, error = %error.source, "a Secret could not be read again"),
            }
        }
        changed
    }

    fn note(&self, key: &Key, found: Option<&Secret>) -> Option<String> {
        let wait = if found.is_some() { self.period } else { RETRY };
        let version = found.and_then(|secret| secret.resource_version());
        let seen = Seen { version: version.clone(), due: Instant::now() + wait };
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), seen);
        version
    }

    async fn get(&self, key: &Key) -> Result<Option<Secret>, ClusterError> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &key.namespace);
        let failed = |error| ClusterError::new(format!("Secret {key}"), error);
        match timeout(PATIENCE, api.get_opt(&key.name)).await {
            Ok(read) => read.map_err(failed),
            Err(_) => {
                let silent =
                    std::io::Error::new(std::io::ErrorKind::TimedOut, "the API server does not answer");
                Err(failed(kube::Error::Service(Box::new(silent))))
            }
        }
    }
}
