//! A certificate of ACM that is the stack's.

use serde::{Deserialize, Serialize};

use super::{ResourceKind, SecretRef, Tags};

/// A certificate. Its ARN is not known before it exists: it is matched with what exists by the tag that holds its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Which of the stack's it is: `imported/<namespace>/<Secret>`.
    pub name: String,
    /// Where it comes from, and which content of it is wanted.
    pub secret: SecretRef,
    /// All tags, ownership and digest included.
    pub tags: Tags,
}

impl ResourceKind for Certificate {
    const KIND: &'static str = "certificate";
}

impl Certificate {
    /// What others call it by.
    #[must_use]
    pub fn reference(&self) -> super::Ref<Self> {
        super::Ref::new(&self.name)
    }
}

impl super::Ref<Certificate> {
    /// Whether it is one of the stack's that does not exist yet, rather than an ARN.
    #[must_use]
    pub fn is_to_be_made(&self) -> bool {
        !self.name().starts_with("arn:")
    }
}
