//! Which failures are worth another attempt.
//!
//! The SDK's standard strategy decides how often and when; this says only what counts. Throttling is recognised by
//! its code, whatever the status: EC2 sends it as 503 `RequestLimitExceeded`, the JSON services as 400
//! `ThrottlingException`, and the status alone would take the second for the caller's mistake.

use aws_runtime::retries::classifiers::{AwsErrorCodeClassifier, THROTTLING_ERRORS};
use aws_runtime::service_clock_skew::ServiceClockSkewClassifier;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::error::Refusal;

/// Whether a failed call can succeed by being made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// AWS wants fewer calls; nothing was applied.
    Throttled,
    /// A fault on the way or inside AWS.
    Transient,
    /// The same call fails again.
    Never,
}

/// Codes that AWS documents as "retry your request", sent with status 400 by some services.
/// Sources: EC2 API error codes; AWS WAF API reference, common errors.
const TRANSIENT_CODES: &[&str] = &[
    "InternalError",
    "InternalFailure",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "Unavailable",
    "WAFInternalErrorException",
    "WAFUnavailableEntityException",
];

/// Statuses that a server fault has, with or without a code. As the SDK's own list.
const TRANSIENT_STATUSES: [u16; 4] = [500, 502, 503, 504];

pub(crate) fn retry_of(refusal: &Refusal) -> Retry {
    match refusal.code() {
        Some(code) if THROTTLING_ERRORS.contains(&code) => Retry::Throttled,
        Some(code) if TRANSIENT_CODES.contains(&code) => Retry::Transient,
        _ if TRANSIENT_STATUSES.contains(&refusal.status) => Retry::Transient,
        _ => Retry::Never,
    }
}

/// The SDK's classifiers, over our error type, in the order that generated clients use.
pub(crate) fn with_classifiers(components: RuntimeComponentsBuilder) -> RuntimeComponentsBuilder {
    let codes = AwsErrorCodeClassifier::<Refusal>::builder().transient_errors(TRANSIENT_CODES).build();
    components
        .with_retry_classifier(HttpStatusCodeClassifier::new_from_codes(TRANSIENT_STATUSES.to_vec()))
        .with_retry_classifier(TransientErrorClassifier::<Refusal>::new())
        .with_retry_classifier(codes)
        .with_retry_classifier(ServiceClockSkewClassifier::<Refusal>::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_before_the_status() {
        let cases = [
            ("EC2 throttles with 503", 503, Some("RequestLimitExceeded"), Retry::Throttled),
            ("JSON services throttle with 400", 400, Some("ThrottlingException"), Retry::Throttled),
            ("the query services throttle with 400", 400, Some("Throttling"), Retry::Throttled),
            ("WAF asks for a retry with 400", 400, Some("WAFUnavailableEntityException"), Retry::Transient),
            ("a proxy's 502 has no code", 502, None, Retry::Transient),
            ("a wrong id stays wrong", 400, Some("InvalidGroup.NotFound"), Retry::Never),
            ("a 404 without a code stays", 404, None, Retry::Never),
        ];
        for (name, status, code, want) in cases {
            let refusal = Refusal::new(status, code.map(str::to_owned), None, None);
            assert_eq!(retry_of(&refusal), want, "{name}");
        }
    }
}
