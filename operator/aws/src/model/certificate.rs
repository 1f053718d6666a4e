//! A certificate of ACM that is the stack's.

use fairway_core::ids::sha256_hex;
use serde::{Deserialize, Serialize};

use super::{ResourceKind, SecretRef, Tags};

/// A certificate. Its ARN is not known before it exists: it is matched with what exists by the tag that holds its
/// resource id, and by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Which of the stack's it is: the resource id, and for a requested one behind it what tells its contents apart, as
    /// there are two while one replaces the other.
    pub name: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: CertificateSource,
    /// All tags, ownership and digest included.
    pub tags: Tags,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateSource {
    /// It is imported; which content of the Secret is wanted.
    Secret(SecretRef),
    /// ACM is asked for it.
    Request(CertificateRequest),
}

/// What ACM is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRequest {
    /// All names, sorted; the first is the domain name. Never empty.
    pub hosts: Vec<String>,
    /// ARN of the private authority; `None`: Amazon issues it, once who asks is seen to hold the domains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
}

impl CertificateRequest {
    /// What tells it from other requests of the same resource id.
    #[must_use]
    pub fn digest(&self) -> String {
        let text = format!("{} {}", self.hosts.join(","), self.authority.as_deref().unwrap_or_default());
        sha256_hex([text.as_str()]).chars().take(8).collect()
    }
}

impl Certificate {
    /// What others call it by.
    #[must_use]
    pub fn reference(&self) -> super::Ref<Self> {
        super::Ref::new(&self.name)
    }

    /// What ACM is asked for, unless it is imported.
    #[must_use]
    pub const fn request(&self) -> Option<&CertificateRequest> {
        match &self.source {
            CertificateSource::Request(request) => Some(request),
            CertificateSource::Secret(_) => None,
        }
    }

    /// The Secret that it is imported from.
    #[must_use]
    pub const fn secret(&self) -> Option<&SecretRef> {
        match &self.source {
            CertificateSource::Secret(secret) => Some(secret),
            CertificateSource::Request(_) => None,
        }
    }
}

impl ResourceKind for Certificate {
    const KIND: &'static str = "certificate";
}

impl super::Ref<Certificate> {
    /// Whether it is one of the stack's that does not exist yet, rather than an ARN.
    #[must_use]
    pub fn is_to_be_made(&self) -> bool {
        !self.name().starts_with("arn:")
    }
}
