//! The peer's checkpoint: what was registered last, as two hashes in an annotation.
//!
//! `b64url(sha256(endpoints)) "/" b64url(sha256(spec))`, without padding. Endpoints are `id:port:created`, sorted as
//! strings and joined by commas; the spec is its compact JSON.
//! Source: AWS Load Balancer Controller 3.5, as its objects show.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fairway_crds::{TargetGroupBinding, TargetGroupBindingSpec};
use sha2::{Digest as _, Sha256};

use crate::endpoints::Endpoint;

/// Annotation that holds the checkpoint.
pub const CHECKPOINT: &str = "elbv2.k8s.aws/checkpoint";
/// Annotation that holds when it was written, in Unix seconds.
pub const CHECKPOINT_TIMESTAMP: &str = "elbv2.k8s.aws/checkpoint-timestamp";

/// The checkpoint that an object carries; an empty one is none.
#[must_use]
pub fn checkpoint_of(binding: &TargetGroupBinding) -> Option<String> {
    let annotations = binding.metadata.annotations.as_ref()?;
    annotations.get(CHECKPOINT).filter(|text| !text.is_empty()).cloned()
}

/// The checkpoint of `endpoints` under `spec`.
pub(super) fn of(
    endpoints: &BTreeSet<Endpoint>,
    spec: &TargetGroupBindingSpec,
) -> Result<String, serde_json::Error> {
    let spelled = |endpoint: &Endpoint| format!("{}:{}:{}", endpoint.id, endpoint.port, endpoint.created);
    let mut ids: Vec<String> = endpoints.iter().map(spelled).collect();
    ids.sort_unstable();
    let hash = |text: &str| URL_SAFE_NO_PAD.encode(Sha256::digest(text));
    Ok(format!("{}/{}", hash(&ids.join(",")), hash(&serde_json::to_string(spec)?)))
}
