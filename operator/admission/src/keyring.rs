//! Which certificate is served, which is next, and when one takes the other's place.
//!
//! | time                       | what                                                                       |
//! |----------------------------|----------------------------------------------------------------------------|
//! | two thirds of the lifetime | the next certificate is made, and its authority joins the bundle           |
//! | a twelfth later, at most an hour | it is served, if the API server was told of its authority            |
//! | after that                 | the old authority stays in the bundle until the next one is made           |
//!
//! So whatever a replica serves, and whatever bundle an API server has, fit together. A certificate that has ended is
//! replaced at once: nobody trusts it any more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::certificate::{CertificateError, Pair};

/// A new authority is known for so long, at most, before its certificate is served.
const OVERLAP: u64 = 3600;

/// What certificates are for and how long they last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// DNS names and addresses of the webhook.
    pub names: BTreeSet<String>,
    /// Seconds.
    pub lifetime: u64,
}

impl Terms {
    const fn overlap(&self) -> u64 {
        let share = self.lifetime / 12;
        if share < OVERLAP { share } else { OVERLAP }
    }
}

/// What all replicas share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyring {
    /// Served.
    pub serving: Pair,
    /// Served next; its authority is trusted already.
    pub next: Option<Pair>,
    /// Authority, PEM, of what was served before: a replica may serve it for a moment longer.
    pub retired: Option<String>,
}

/// What time has come for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// Making the next certificate.
    Prepare,
    /// Serving it.
    Promote,
}

impl Keyring {
    /// A first certificate.
    ///
    /// # Errors
    /// A name that can be in no certificate.
    pub fn make(terms: &Terms, now: u64) -> Result<Self, CertificateError> {
        let serving = Pair::make(&terms.names, now, terms.lifetime)?;
        Ok(Self { serving, next: None, retired: None })
    }

    /// All authorities that have to be trusted, PEM, the serving one first.
    #[must_use]
    pub fn bundle(&self) -> String {
        let next = self.next.as_ref().map(|next| next.authority.as_str());
        [Some(self.serving.authority.as_str()), next, self.retired.as_deref()].into_iter().flatten().collect()
    }

    /// What time has come for, given the bundles that are in use.
    #[must_use]
    pub fn due(&self, terms: &Terms, now: u64, in_use: &[String]) -> Due {
        let ended = now >= self.serving.until;
        match &self.next {
            Some(next) if next.names != terms.names || now >= next.until => Due::Prepare,
            Some(next) => {
                let known = in_use.iter().all(|bundle| bundle.contains(&next.authority));
                let waited = now >= next.made + terms.overlap();
                if ended || (known && waited) { Due::Promote } else { Due::Nothing }
            }
            None if ended || self.serving.names != terms.names => Due::Prepare,
            None if now >= self.serving.made + terms.lifetime * 2 / 3 => Due::Prepare,
            None => Due::Nothing,
        }
    }

    /// With the next certificate made.
    ///
    /// # Errors
    /// A name that can be in no certificate.
    pub fn prepared(&self, terms: &Terms, now: u64) -> Result<Self, CertificateError> {
        let next = Pair::make(&terms.names, now, terms.lifetime)?;
        Ok(Self { serving: self.serving.clone(), next: Some(next), retired: None })
    }

    /// With the next certificate served; unchanged without one.
    #[must_use]
    pub fn promoted(self) -> Self {
        match self.next {
            Some(next) => Self { retired: Some(self.serving.authority), serving: next, next: None },
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3600;

    fn terms(name: &str) -> Terms {
        Terms { names: BTreeSet::from([name.to_owned()]), lifetime: 90 * DAY }
    }

    #[test]
    fn a_certificate_is_replaced_well_before_its_end_once_its_successor_is_trusted() {
        let terms = terms("hook.test.svc");
        let first = Keyring::make(&terms, 0).unwrap();
        assert_eq!(first.due(&terms, 60 * DAY - 1, &[]), Due::Nothing);
        assert_eq!(first.due(&terms, 60 * DAY, &[]), Due::Prepare);

        let prepared = first.prepared(&terms, 60 * DAY).unwrap();
        let (old, both) = (first.bundle(), prepared.bundle());
        assert!(both.contains(&old), "the authority that is served stays in the bundle");
        let hour = 60 * DAY + 3600;
        let cases = [
            ("too early, although known", hour - 1, vec![both.clone()], Due::Nothing),
            ("not known everywhere", hour, vec![both.clone(), old.clone()], Due::Nothing),
            ("known", hour, vec![both.clone(), both.clone()], Due::Promote),
            ("nobody is to be told", hour, Vec::new(), Due::Promote),
            ("ended, known or not", 90 * DAY, vec![old.clone()], Due::Promote),
        ];
        for (name, now, in_use, want) in cases {
            assert_eq!(prepared.due(&terms, now, &in_use), want, "{name}");
        }

        let promoted = prepared.promoted();
        assert!(promoted.bundle().contains(&old), "who serves the old one for a moment longer is trusted");
        assert_eq!(promoted.due(&terms, hour, &[both]), Due::Nothing);
        assert!(!promoted.prepared(&terms, 120 * DAY).unwrap().bundle().contains(&old));
    }

    #[test]
    fn other_names_ask_for_another_certificate() {
        let first = Keyring::make(&terms("a.test"), 0).unwrap();
        let now = terms("b.test");
        assert_eq!(first.due(&now, 1, &[]), Due::Prepare);
        let prepared = first.prepared(&now, 1).unwrap();
        assert_eq!(prepared.due(&now, 2, &[]), Due::Nothing);
        assert_eq!(prepared.due(&terms("c.test"), 2, &[]), Due::Prepare);
    }

    #[test]
    fn a_keyring_survives_being_written_and_hides_its_keys() {
        let ring = Keyring::make(&terms("127.0.0.1"), 0).unwrap();
        let text = serde_json::to_string(&ring).unwrap();
        assert_eq!(serde_json::from_str::<Keyring>(&text).unwrap(), ring);
        assert!(text.contains("PRIVATE KEY") && !format!("{ring:?}").contains("PRIVATE KEY"));
        ring.serving.certified().unwrap();
    }
}
