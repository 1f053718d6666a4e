//! Actions that decide who gets through. They stand before the action that answers, on HTTPS listeners only.
//!
//! A client's secret is never here: a Secret is named, and a digest says which content of it is meant.

use std::collections::BTreeMap;

use fairway_core::ids::Key;
use serde::{Deserialize, Serialize};

/// Users sign in to a Cognito user pool.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cognito {
    /// ARN of the pool.
    pub user_pool: String,
    /// Id of the pool's client.
    pub client: String,
    /// Prefix of the pool's domain, or a whole one.
    pub domain: String,
    /// How long and for what.
    pub session: Session,
}

/// Users sign in to an OpenID Connect provider.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Oidc {
    /// URL.
    pub issuer: String,
    /// URL.
    pub authorization: String,
    /// URL.
    pub token: String,
    /// URL.
    pub user_info: String,
    /// SHA-256 of the client's id.
    pub client: String,
    /// Where the client's secret is; `None` when seen: AWS never gives it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
    /// How long and for what.
    pub session: Session,
}

/// A Secret and which content of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SecretRef {
    /// Its name.
    pub secret: Key,
    /// Says nothing of the content but whether it is the same.
    pub digest: String,
}

/// How long, and for what, a user is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Session {
    /// `authenticate`, `allow` or `deny`.
    pub unauthenticated: String,
    /// Claims between spaces.
    pub scope: String,
    /// Name of the cookie.
    pub cookie: String,
    /// Seconds.
    pub timeout: i64,
    /// Query parameters of the redirect to the provider.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// Requests carry a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Jwt {
    /// URL of the keys.
    pub keys: String,
    /// Issuer.
    pub issuer: String,
    /// Further claims.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
}

/// One claim of a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// `single-string`, `string-array` or `space-separated-values`.
    pub format: String,
    /// Its name.
    pub name: String,
    /// At least one.
    pub values: Vec<String>,
}
