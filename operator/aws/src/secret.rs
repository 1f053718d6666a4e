//! Secrets of the cluster, as far as AWS is told their content.
//!
//! | use                        | entries                                                                  |
//! |----------------------------|--------------------------------------------------------------------------|
//! | certificate of a listener  | see [`tls`]                                                              |
//! | client of a provider       | `clientID` (or `clientId`), without spaces at its end; `clientSecret`, without control characters at its end |
//!
//! What leaves this module for a model, a plan or a state is a digest. That of a client is salted with the object's uid, so that equal
//! content of two Secrets does not show.
//! Source: AWS Load Balancer Controller 3.5.

use std::{collections::BTreeMap, fmt};

use fairway_core::ids::sha256_hex;
use serde::{Deserialize, Serialize};

pub mod tls;

/// A Secret, whole. Its content is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret {
    /// `metadata.uid`.
    pub uid: String,
    /// Content by name.
    pub entries: BTreeMap<String, Vec<u8>>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("uid", &self.uid).field("entries", &self.entries.keys()).finish()
    }
}

/// The client by which a load balancer is known to a provider. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// What may be known of a client everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientSeen {
    /// There is one.
    Known {
        /// [`client_digest`] of its id.
        client: String,
        /// Which content of the Secret it is.
        digest: String,
    },
    /// There is no such Secret.
    Missing,
    /// The Secret is there, and does not hold a client, or may not be read.
    Unusable(String),
}

impl Client {
    /// The client that a Secret holds.
    ///
    /// # Errors
    /// What is missing or no text, as the end of a sentence that begins with the Secret.
    pub fn of(secret: &Secret) -> Result<Self, String> {
        let text = |names: &[&str]| {
            let found = names.iter().find_map(|name| secret.entries.get(*name));
            let name = names.first().copied().unwrap_or_default();
            let bytes = found.ok_or_else(|| format!("has no entry {name}"))?;
            String::from_utf8(bytes.clone()).map_err(|_| format!("has an entry {name} that is no text"))
        };
        let id = text(&["clientID", "clientId"])?.trim_end().to_owned();
        let own = text(&["clientSecret"])?.trim_end_matches(char::is_control).to_owned();
        match (id.is_empty(), own.is_empty()) {
            (true, _) => Err("has an empty entry clientID".to_owned()),
            (_, true) => Err("has an empty entry clientSecret".to_owned()),
            _ => Ok(Self { id, secret: own }),
        }
    }

    /// Which content of the Secret it is.
    #[must_use]
    pub fn digest(&self, secret: &Secret) -> String {
        sha256_hex([secret.uid.as_str(), &self.id, &self.secret])
    }
}

impl ClientSeen {
    /// What may be known of a Secret.
    #[must_use]
    pub fn of(secret: Option<&Secret>) -> Self {
        let Some(secret) = secret else { return Self::Missing };
        match Client::of(secret) {
            Ok(client) => Self::Known { client: client_digest(&client.id), digest: client.digest(secret) },
            Err(problem) => Self::Unusable(problem),
        }
    }
}

/// How the id of a client is compared.
#[must_use]
pub fn client_digest(id: &str) -> String {
    sha256_hex([id])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Id and secret, or what is wrong.
    type Read<'a> = Result<(&'a str, &'a str), &'a str>;

    fn secret(uid: &str, entries: &[(&str, &[u8])]) -> Secret {
        let entries = entries.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
        Secret { uid: uid.to_owned(), entries: entries.collect() }
    }

    #[test]
    fn a_client_is_read_as_the_peer_reads_it() {
        let cases: [(&str, Secret, Read<'_>); 7] = [
            ("as it is", secret("1", &[("clientID", b"a"), ("clientSecret", b"b")]), Ok(("a", "b"))),
            (
                "the other spelling",
                secret("1", &[("clientId", b"a"), ("clientSecret", b"b")]),
                Ok(("a", "b")),
            ),
            ("ends", secret("1", &[("clientID", b"a \n"), ("clientSecret", b"b \r\n")]), Ok(("a", "b "))),
            ("no id", secret("1", &[("clientSecret", b"b")]), Err("has no entry clientID")),
            ("no secret", secret("1", &[("clientID", b"a")]), Err("has no entry clientSecret")),
            (
                "empty",
                secret("1", &[("clientID", b"a"), ("clientSecret", b"\n")]),
                Err("has an empty entry clientSecret"),
            ),
            (
                "no text",
                secret("1", &[("clientID", &[0xff]), ("clientSecret", b"b")]),
                Err("has an entry clientID that is no text"),
            ),
        ];
        for (what, secret, want) in cases {
            let read = Client::of(&secret);
            let read = read.as_ref().map(|client| (client.id.as_str(), client.secret.as_str()));
            assert_eq!(read.map_err(String::as_str), want, "{what}");
        }
    }

    #[test]
    fn nothing_of_the_content_shows() {
        let secret = secret("1", &[("clientID", b"ident"), ("clientSecret", b"opensesame")]);
        let printed = format!("{secret:?} {:?}", ClientSeen::of(Some(&secret)));
        assert!(!printed.contains("opensesame") && !printed.contains("ident"), "{printed}");
        let other = Secret { uid: "2".to_owned(), ..secret.clone() };
        assert_ne!(ClientSeen::of(Some(&secret)), ClientSeen::of(Some(&other)));
    }
}
