//! Certificates from Secrets, read by name.
//!
//! | the Secret                         | what its hosts get                                     | read again      |
//! |------------------------------------|--------------------------------------------------------|-----------------|
//! | is fine                            | the certificate                                        | after 60 s      |
//! | is not there, or was never good    | refused handshakes                                     | after 5 s       |
//! | was good and cannot be used now    | the certificate it had                                 | after 5 s       |
//!
//! Secrets are not watched: an agent may read those that are named to it, and no others.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fairway_core::ids::Key;
use fairway_l7::{Certificate, CertificateError, Credential};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until, timeout, timeout_at},
};
use tracing::{info, warn};

use crate::translate::Credentials;

/// See the module's table.
const REFRESH: Duration = Duration::from_secs(60);
/// See the module's table.
const RETRY: Duration = Duration::from_secs(5);
/// For one request.
const PATIENCE: Duration = Duration::from_secs(5);
const CHAIN: &str = "tls.crt";
const KEY: &str = "tls.key";

/// Why a Secret gives no certificate.
#[derive(Debug, thiserror::Error)]
enum SecretError {
    #[error("there is no such Secret")]
    Missing,
    #[error("it has no {0}")]
    NoKey(&'static str),
    #[error(transparent)]
    Unusable(#[from] CertificateError),
    #[error("it cannot be read: {0}")]
    Api(#[source] kube::Error),
    #[error("the API server does not answer")]
    Silent,
}

/// The certificates of the Secrets that are named, as far as they are known.
pub(crate) struct Certificates {
    client: Client,
    known: BTreeMap<Key, Known>,
    reading: JoinSet<(Key, Result<Secret, SecretError>)>,
    epoch: u64,
}

struct Known {
    credential: Credential,
    /// `metadata.resourceVersion` of what was read.
    version: Option<String>,
    problem: Option<String>,
    state: State,
}

/// Where the reading of a Secret stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    ReadingFirst,
    ReadingAgain,
    Due(Instant),
}

impl Certificates {
    /// Knows nothing yet.
    pub(crate) fn new(client: Client) -> Self {
        Self { client, known: BTreeMap::new(), reading: JoinSet::new(), epoch: 0 }
    }

    /// Counts changes: what was made from certificates of another epoch is out of date.
    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Makes these the Secrets that are read; what is not named any more is forgotten.
    pub(crate) fn want(&mut self, names: &BTreeSet<Key>) {
        self.known.retain(|name, _| names.contains(name));
        for name in names {
            if !self.known.contains_key(name) {
                self.read(name);
                let first = Known {
                    credential: Credential::Refuse,
                    version: None,
                    problem: None,
                    state: State::ReadingFirst,
                };
                self.known.insert(name.clone(), first);
            }
        }
    }

    /// Waits until every Secret was read or could not be, but not longer than `patience`.
    pub(crate) async fn settle(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.known.values().any(|known| known.state == State::ReadingFirst) {
            match timeout_at(deadline, self.reading.join_next()).await {
                Ok(Some(read)) => drop(self.take(read)),
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Reads what is due, and returns after a reading: whether a certificate changed.
    pub(crate) async fn changed(&mut self) -> bool {
        loop {
            let due = self.known.values().filter_map(|known| match known.state {
                State::Due(at) => Some(at),
                State::ReadingFirst | State::ReadingAgain => None,
            });
            let due = due.min().unwrap_or_else(|| Instant::now() + REFRESH);
            tokio::select! {
                Some(read) = self.reading.join_next() => return self.take(read),
                () = sleep_until(due) => self.read_due(),
            }
        }
    }

    /// How many Secrets cannot be used at the moment.
    pub(crate) fn problems(&self) -> usize {
        self.known.values().filter(|known| known.problem.is_some()).count()
    }

    fn read_due(&mut self) {
        let now = Instant::now();
        let is_due = |known: &Known| matches!(known.state, State::Due(at) if at <= now);
        let due: Vec<Key> =
            self.known.iter().filter(|(_, known)| is_due(known)).map(|(name, _)| name.clone()).collect();
        for name in due {
            self.read(&name);
            if let Some(known) = self.known.get_mut(&name) {
                known.state = State::ReadingAgain;
            }
        }
    }

    fn read(&mut self, name: &Key) {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &name.namespace);
        let name = name.clone();
        self.reading.spawn(async move {
            let read = match timeout(PATIENCE, api.get_opt(&name.name)).await {
                Ok(Ok(Some(secret))) => Ok(secret),
                Ok(Ok(None)) => Err(SecretError::Missing),
                Ok(Err(error)) => Err(SecretError::Api(error)),
                Err(_) => Err(SecretError::Silent),
            };
            (name, read)
        });
    }

    /// Whether a certificate changed.
    fn take(&mut self, read: Result<(Key, Result<Secret, SecretError>), JoinError>) -> bool {
        // A reading is never cancelled and does not panic; one that did would be a Secret that stays as it is.
        let Ok((name, read)) = read else { return false };
        let Some(known) = self.known.get_mut(&name) else { return false };
        let changed = known.take(&name, read);
        self.epoch += u64::from(changed);
        changed
    }
}

impl Credentials for Certificates {
    fn credential(&self, name: &Key) -> Credential {
        self.known.get(name).map_or(Credential::Refuse, |known| known.credential.clone())
    }
}

impl Known {
    fn take(&mut self, name: &Key, read: Result<Secret, SecretError>) -> bool {
        let now = Instant::now();
        let version = read.as_ref().ok().and_then(|secret| secret.metadata.resource_version.clone());
        if self.problem.is_none() && version.is_some() && version == self.version {
            self.state = State::Due(now + spread(name));
            return false;
        }
        match read.and_then(|secret| certificate(&secret)) {
            Ok(certificate) => {
                info!(secret = %name, "certificate read");
                *self = Self {
                    credential: Credential::Serve(certificate),
                    version,
                    problem: None,
                    state: State::Due(now + spread(name)),
                };
                true
            }
            Err(error) => {
                let gone =
                    matches!(error, SecretError::Missing) && matches!(self.credential, Credential::Serve(_));
                if gone {
                    self.credential = Credential::Refuse;
                }
                self.tell(name, &error);
                self.state = State::Due(now + RETRY);
                gone
            }
        }
    }

    /// Says what is wrong once.
    fn tell(&mut self, name: &Key, error: &SecretError) {
        let problem = error.to_string();
        if self.problem.as_ref() != Some(&problem) {
            let hosts = match self.credential {
                Credential::Serve(_) => "keep the certificate it had",
                Credential::Refuse => "are refused",
            };
            warn!(secret = %name, problem, hosts, "no certificate");
        }
        self.problem = Some(problem);
    }
}

fn certificate(secret: &Secret) -> Result<Certificate, SecretError> {
    let part = |key: &'static str| {
        let found = secret.data.as_ref().and_then(|parts| parts.get(key));
        found.map(|bytes| bytes.0.as_slice()).ok_or(SecretError::NoKey(key))
    };
    Ok(Certificate::from_pem(part(CHAIN)?, part(KEY)?)?)
}

/// Three quarters to five quarters of the period, by name: a thousand Secrets are not read in one burst.
fn spread(name: &Key) -> Duration {
    let sum: u32 = name.to_string().bytes().map(u32::from).sum();
    REFRESH.mul_f64(0.75 + f64::from(sum % 100) / 200.0)
}

#[cfg(test)]
mod tests;
