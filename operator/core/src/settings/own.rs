//! Annotations of our own, for what no other controller has a key for.

use super::{Origin, value};
use crate::ids::ProviderKind;

/// What every key of the dialect starts with.
pub const PREFIX: &str = "fairway.dev/";

const INGRESS: &[Origin] = &[Origin::Ingress];
const BACKEND: &[Origin] = &[Origin::Service, Origin::Ingress];
const AWS: &[ProviderKind] = &[ProviderKind::Aws];

rows! {
    read {
        IMPORT_CERTIFICATES: bool = "import-certificates", INGRESS, PerMember, AWS, value::boolean, "true",
            "Whether the Secrets of `spec.tls` are imported into ACM, for HTTPS listeners; certificate-arn adds to them.";
        SHARE_TARGET_GROUPS: bool = "share-target-groups", BACKEND, PerMember, AWS, value::boolean, "true",
            "Whether Ingresses of one group that forward to one port of a Service with equal settings have one target group together.";
    }
    later {
    }
}
