//! A call that failed, in the one form that thin and generated clients share, and whose move it is.
//!
//! | AWS says                                   | class       | code               |
//! |--------------------------------------------|-------------|--------------------|
//! | throttled, or a change still in flight     | Transient   | `Throttled`        |
//! | 5xx, no answer, an answer cut short        | Transient   | `AwsUnavailable`   |
//! | what we looked at is no longer so          | Transient   | `ChangedMeanwhile` |
//! | something still uses what is to be deleted | Pending     | `NotYetFree`       |
//! | no permission, no credentials              | Environment | `Forbidden`        |
//! | a quota                                    | Environment | `QuotaExceeded`    |
//! | deletion protection                        | Environment | `DeletionProtected`|
//! | a subnet, group or certificate is missing  | Environment | `MissingOnAws`     |
//! | the values contradict AWS's rules          | Invalid     | `RefusedByAws`     |
//! | a request that AWS cannot read             | Bug         | `BadRequest`       |
//!
//! Sources: common errors of Elastic Load Balancing, EC2, Route 53 and ACM API references.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use fairway_core::class::Class;
use fairway_engine::ports::Refusal;

use crate::thin::{CallError, Retry};

/// Long enough for the smallest of AWS's buckets to hold a few calls again.
const THROTTLE_HINT: Duration = Duration::from_secs(3);

/// Whether AWS may have done what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It did nothing.
    None,
    /// Nobody knows.
    Doubtful,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// `elbv2 CreateRule`.
    pub(crate) call: String,
    /// AWS's code, when it gave one.
    pub(crate) code: Option<String>,
    /// AWS's sentence, or the transport's.
    pub(crate) message: String,
    /// HTTP status, when there was an answer.
    pub(crate) status: Option<u16>,
    /// What may have come of it.
    pub(crate) effect: Effect,
}

impl Fault {
    /// An answer that is not what the API promises.
    pub(crate) fn unreadable(call: impl Into<String>, reason: impl Into<String>) -> Self {
        let (message, effect) = (format!("the answer cannot be read: {}", reason.into()), Effect::Doubtful);
        Self { call: call.into(), code: None, message, status: None, effect }
    }

    /// Of a generated client.
    pub(crate) fn of_sdk<E>(call: String, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let message = |error: &SdkError<E, HttpResponse>| with_causes(error);
        match &error {
            SdkError::ServiceError(context) => {
                let told =
                    (context.err().code().map(str::to_owned), context.err().message().map(str::to_owned));
                let (code, text) = match told {
                    (None, None) => change_batch_error(context.raw()).unwrap_or_default(),
                    told => told,
                };
                let effect = match status {
                    Some(status) if status >= 500 && !code.as_deref().is_some_and(is_throttle) => {
                        Effect::Doubtful
                    }
                    _ => Effect::None,
                };
                let text = text.unwrap_or_else(|| "no reason was given".to_owned());
                Self { call, code, message: text, status, effect }
            }
            SdkError::DispatchFailure(failure)
                if !failure.is_io() && !failure.is_timeout() && failure.as_other().is_none() =>
            {
                Self { call, code: None, message: message(&error), status, effect: Effect::None }
            }
            SdkError::ConstructionFailure(_) => {
                Self { call, code: None, message: message(&error), status, effect: Effect::None }
            }
            _ => Self { call, code: None, message: message(&error), status, effect: Effect::Doubtful },
        }
    }

    /// Whether AWS gave one of these codes.
    pub(crate) fn is(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }

    /// Whether AWS wants fewer calls.
    pub(crate) fn is_throttle(&self) -> bool {
        self.code.as_deref().is_some_and(is_throttle) && !self.is_quota_of_acm()
    }

    /// A code that means throttling everywhere else.
    fn is_quota_of_acm(&self) -> bool {
        self.is(&["LimitExceededException"]) && self.call.starts_with("acm ")
    }

    /// Whether what we believe to be there may be wrong: the next look has to read again.
    pub(crate) fn sows_doubt(&self) -> bool {
        self.effect == Effect::Doubtful
            || self
                .code
                .as_deref()
                .is_some_and(|code| is_stale(code) || is_taken(code) || is_group_gone(code))
    }

    fn verdict(&self) -> (Class, &'static str) {
        let Some(code) = self.code.as_deref() else {
            return match (self.effect, self.status) {
                (Effect::Doubtful, _) | (_, Some(500..)) => (Class::Transient, "AwsUnavailable"),
                (Effect::None, Some(401 | 403)) => (Class::Environment, "Forbidden"),
                (Effect::None, None) => (Class::Environment, "CannotReachAws"),
                (Effect::None, Some(_)) => (Class::Environment, "RefusedByAws"),
            };
        };
        if self.is_quota_of_acm() {
            (Class::Environment, "QuotaExceeded")
        } else if is_throttle(code) {
            (Class::Transient, "Throttled")
        } else if is_stale(code) || (code == "InvalidChangeBatch" && self.is_lost_race()) {
            (Class::Transient, "ChangedMeanwhile")
        } else if matches!(code, "ResourceInUse" | "ResourceInUseException" | "DependencyViolation") {
            (Class::Pending, "NotYetFree")
        } else if is_forbidden(code) {
            (Class::Environment, "Forbidden")
        } else if code == "OperationNotPermitted" {
            (Class::Environment, "DeletionProtected")
        } else if code == "TargetGroupAssociationLimit" {
            (Class::Conflict, "TargetGroupInUse")
        } else if is_taken(code) {
            (Class::Conflict, "NameTaken")
        } else if code.starts_with("TooMany") || code.ends_with("LimitExceeded") || code == "LimitsExceeded" {
            (Class::Environment, "QuotaExceeded")
        } else if is_missing(code) {
            (Class::Environment, "MissingOnAws")
        } else if matches!(
            code,
            "MissingParameter" | "InvalidAction" | "MalformedInput" | "SerializationException"
        ) {
            (Class::Bug, "BadRequest")
        } else if self.effect == Effect::Doubtful || is_outage(code) {
            (Class::Transient, "AwsUnavailable")
        } else {
            (Class::Invalid, "RefusedByAws")
        }
    }

    /// A zone changed between the look and the change.
    fn is_lost_race(&self) -> bool {
        self.message.contains("already exists") || self.message.contains("not found")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "{}: {code}: {}", self.call, self.message),
            None => write!(f, "{}: {}", self.call, self.message),
        }
    }
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        let effect = if error.may_have_applied() { Effect::Doubtful } else { Effect::None };
        let code = error.code().map(str::to_owned).or_else(|| {
            // Statuses that carry no code still say that the service is out.
            (error.refusal().is_some() && error.retry() == Retry::Transient)
                .then(|| "ServiceUnavailable".to_owned())
        });
        let told = error.message().map(str::to_owned);
        let call = error.call().to_string();
        let full = with_causes(&error);
        Self {
            message: told.unwrap_or_else(|| full.trim_start_matches(&format!("{call}: ")).to_owned()),
            call,
            code,
            status: error.refusal().map(|refusal| refusal.status),
            effect,
        }
    }
}

/// An error and its causes. The SDK's own form adds how Rust spells them, which is for nobody's eyes.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let (class, code) = fault.verdict();
        let retry_after = fault.is_throttle().then_some(THROTTLE_HINT);
        Self { retry_after, ..Self::new(class, code, fault.to_string()) }
    }
}

fn is_throttle(code: &str) -> bool {
    THROTTLING_ERRORS.contains(&code) || code == "PriorRequestNotComplete"
}

fn is_outage(code: &str) -> bool {
    matches!(
        code,
        "InternalError"
            | "InternalFailure"
            | "ServiceUnavailable"
            | "Unavailable"
            | "RequestTimeout"
            | "WAFInternalErrorException"
            | "WAFUnavailableEntityException"
    )
}

/// What we hold of AWS is out of date.
fn is_stale(code: &str) -> bool {
    matches!(
        code,
        "LoadBalancerNotFound"
            | "TargetGroupNotFound"
            | "ListenerNotFound"
            | "RuleNotFound"
            | "ResourceNotFoundException"
            | "InvalidPermission.NotFound"
            | "InvalidPermission.Duplicate"
            | "NoSuchHostedZone"
    )
}

fn is_taken(code: &str) -> bool {
    matches!(
        code,
        "DuplicateLoadBalancerName"
            | "DuplicateTargetGroupName"
            | "DuplicateListener"
            | "PriorityInUse"
            | "InvalidGroup.Duplicate"
    )
}

/// A security group that we took for there.
fn is_group_gone(code: &str) -> bool {
    matches!(code, "InvalidSecurityGroup" | "InvalidGroup.NotFound")
}

/// Something that somebody else has to provide.
fn is_missing(code: &str) -> bool {
    is_group_gone(code)
        || matches!(
            code,
            "SubnetNotFound"
                | "InvalidSubnet"
                | "InvalidSubnetID.NotFound"
                | "InvalidVpcID.NotFound"
                | "CertificateNotFound"
                | "SSLPolicyNotFound"
                | "TrustStoreNotFound"
                | "WAFNonexistentItemException"
                | "AvailabilityZoneNotSupported"
        )
}

fn is_forbidden(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "AuthFailure"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "OptInRequired"
    )
}

/// The body of Route 53 whose root is `InvalidChangeBatch` itself, with its messages inside: the generated client
/// reads neither code nor message from it.
fn change_batch_error(response: &HttpResponse) -> Option<(Option<String>, Option<String>)> {
    let body = std::str::from_utf8(response.body().bytes()?).ok()?;
    let inside = body.split_once("<InvalidChangeBatch")?.1;
    let messages = inside.split("<Message>").skip(1).filter_map(|rest| rest.split_once("</Message>"));
    let messages: Vec<String> = messages.map(|(text, _)| unescaped(text)).collect();
    Some((Some("InvalidChangeBatch".to_owned()), Some(messages.join("; "))))
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests;
