//! Keeps current what all replicas share, and what the API server trusts.
//!
//! Every replica looks at the keyring and serves what it says. Whoever comes first makes or changes it: a write over
//! another's write is refused, and the next look reads what the other wrote. Only the leader tells the API server whom
//! to trust.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use fairway_core::report::Failure;
use tokio::sync::watch;
use tracing::{debug, info, warn};

use crate::{
    certificate::CertificateError,
    keyring::{Due, Keyring, Terms},
    server::Serving,
};

/// Between two looks, at most; a forty-eighth of a shorter lifetime.
const LOOK: Duration = Duration::from_secs(10);

/// What is kept, and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The keyring as it was written; `None` when its place is empty.
    pub keyring: Option<String>,
    /// Named when it is written over.
    pub version: String,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It stands.
    Written,
    /// Somebody else wrote in between; theirs stands.
    Beaten,
}

/// Where the keyring is kept, and who is told whom to trust.
#[async_trait]
pub trait Cabinet: Send + Sync {
    /// What is kept; `None` when there is not even a place for it.
    async fn load(&self) -> Result<Option<Kept>, Failure>;
    /// Writes the keyring, and its bundle beside it for people, over what was loaded.
    async fn save(&self, keyring: &str, bundle: &str, over: Option<&str>) -> Result<Saved, Failure>;
    /// The bundles that API servers use, one a webhook.
    async fn in_use(&self) -> Result<Vec<String>, Failure>;
    /// Has API servers use a bundle.
    async fn trust(&self, bundle: &str) -> Result<(), Failure>;
    /// Whether this process is the one that tells API servers.
    fn leads(&self) -> bool;
}

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The cabinet's words.
    #[error("{0}")]
    Cabinet(String),
    /// No certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The keyring cannot be written as text.
    #[error("the keyring cannot be written as text")]
    Text(#[from] serde_json::Error),
}

impl From<Failure> for KeepError {
    fn from(failure: Failure) -> Self {
        Self::Cabinet(failure.message)
    }
}

/// Seconds since the Unix epoch.
pub type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// See the module.
pub struct Keeper {
    cabinet: Arc<dyn Cabinet>,
    terms: Terms,
    now: Now,
    serving: Arc<Serving>,
}

impl Keeper {
    /// Keeps what is served as the terms say. Nothing is done yet.
    #[must_use]
    pub fn new(cabinet: Arc<dyn Cabinet>, terms: Terms, now: Now, serving: Arc<Serving>) -> Self {
        Self { cabinet, terms, now, serving }
    }

    /// Looks again and again until told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let pause = LOOK.min(Duration::from_secs(self.terms.lifetime) / 48);
        loop {
            if let Err(error) = self.look().await {
                warn!(error = %error, "the webhook's certificate could not be looked after");
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// One look.
    ///
    /// # Errors
    /// What the cabinet refused; what is served stays as it is.
    pub async fn look(&self) -> Result<(), KeepError> {
        let kept = self.cabinet.load().await?;
        let Some(ring) = kept.as_ref().and_then(read) else {
            let ring = Keyring::make(&self.terms, (self.now)())?;
            return self.save(&ring, kept.as_ref(), "made the webhook's certificate").await;
        };
        self.serving.set(&ring.serving)?;
        let bundle = ring.bundle();
        let in_use = self.cabinet.in_use().await?;
        if self.cabinet.leads() && in_use.iter().any(|used| *used != bundle) {
            self.cabinet.trust(&bundle).await?;
            info!("told the API server whom to trust");
        }
        match ring.due(&self.terms, (self.now)(), &in_use) {
            Due::Nothing => Ok(()),
            Due::Prepare => {
                let next = ring.prepared(&self.terms, (self.now)())?;
                self.save(&next, kept.as_ref(), "made the webhook's next certificate").await
            }
            Due::Promote => {
                self.save(&ring.promoted(), kept.as_ref(), "changed the webhook's certificate").await
            }
        }
    }

    async fn save(&self, ring: &Keyring, over: Option<&Kept>, did: &str) -> Result<(), KeepError> {
        let (text, version) = (serde_json::to_string(ring)?, over.map(|kept| kept.version.as_str()));
        match self.cabinet.save(&text, &ring.bundle(), version).await? {
            Saved::Written => {
                info!(until = ring.serving.until, "{did}");
                self.serving.set(&ring.serving)?;
            }
            Saved::Beaten => debug!("another replica was quicker"),
        }
        Ok(())
    }
}

/// What is kept, if it can be read and used. Anything else is made anew: it cannot be served.
fn read(kept: &Kept) -> Option<Keyring> {
    let ring = serde_json::from_str::<Keyring>(kept.keyring.as_deref()?).ok()?;
    ring.serving.certified().ok().map(|_| ring)
}

#[cfg(test)]
mod tests;
