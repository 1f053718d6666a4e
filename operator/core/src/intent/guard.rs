//! Who is let through before a request is answered.
//!
//! | field            | unit    | range    | default                   |
//! |------------------|---------|----------|---------------------------|
//! | `timeout`        | seconds | 1-604800 | 604800                    |
//! | `cookie`         |         |          | `AWSELBAuthSessionCookie` |
//! | `scope`          |         |          | `openid`                  |
//! | `unauthenticated`|         |          | [`Unauthenticated::Authenticate`] |
//!
//! A Secret is named and never held: whoever asks its provider for anything reads it then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::settings::words::{ClaimFormat, Unauthenticated};

/// What a request needs to get through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// A session with a Cognito user pool.
    Cognito(UserPool, Session),
    /// A session with an OpenID Connect provider.
    Oidc(IdentityProvider, Session),
    /// A token of its own.
    Token(TokenCheck),
}

/// A Cognito user pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPool {
    /// ARN.
    pub arn: String,
    /// Id of the client that users sign in to.
    pub client: String,
    /// Prefix of the pool's domain, or a whole domain.
    pub domain: String,
    /// Further query parameters of the redirect to the pool, at most ten.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// An OpenID Connect provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityProvider {
    /// URL.
    pub issuer: String,
    /// URL.
    pub authorization: String,
    /// URL.
    pub token: String,
    /// URL.
    pub user_info: String,
    /// Secret of the member's namespace with the client's id and secret.
    pub secret: String,
    /// Further query parameters of the redirect to the provider, at most ten.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// How long, and for what, a user is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What becomes of requests without a session.
    pub unauthenticated: Unauthenticated,
    /// Claims that are asked for, between spaces.
    pub scope: String,
    /// Name of the cookie.
    pub cookie: String,
    /// Seconds.
    pub timeout: i64,
}

/// What a token has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCheck {
    /// URL of the keys by which tokens are signed.
    pub keys: String,
    /// `iss` of the token.
    pub issuer: String,
    /// Besides issuer and times, which are always checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
}

/// One claim of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// How its value is written.
    pub format: ClaimFormat,
    /// Its name.
    pub name: String,
    /// At least one.
    pub values: Vec<String>,
}
