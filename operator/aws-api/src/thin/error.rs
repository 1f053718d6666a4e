//! What can go wrong with a call, in the one form that all thin clients share.
//!
//! | variant      | reached AWS | may have been applied       |
//! |--------------|-------------|-----------------------------|
//! | `Refused`    | yes         | no, unless the status is 5xx |
//! | `TimedOut`   | perhaps     | yes                         |
//! | `NoAnswer`   | perhaps     | yes                         |
//! | `Unreadable` | yes         | yes                         |
//! | `NotSent`    | no          | no                          |
//!
//! The error is that of the last attempt. An earlier attempt may have been applied although its answer was lost, so a
//! create that is refused as a duplicate, or a delete as not found, can be our own doing.

use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::retry::{Retry, retry_of};
use crate::calls::Call;

/// Why a client cannot be made from the configuration at hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// Neither flags, environment nor profile name a region.
    #[error("no AWS region is configured")]
    NoRegion,
    /// The configuration has no source of credentials at all.
    #[error("no AWS credentials are configured")]
    NoCredentials,
}

/// A call that did not give its result, after all retries.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// AWS answered with an error.
    #[error("{call}: {refusal}")]
    Refused {
        /// What was called.
        call: Call,
        /// AWS' words.
        refusal: Box<Refusal>,
    },
    /// No answer within the time allowed.
    #[error("{call}: timed out")]
    TimedOut {
        /// What was called.
        call: Call,
        /// Which limit was hit.
        #[source]
        source: BoxError,
    },
    /// The connection failed or was lost before the answer was complete.
    #[error("{call}: no answer")]
    NoAnswer {
        /// What was called.
        call: Call,
        /// What the transport says.
        #[source]
        source: BoxError,
    },
    /// An answer came that is not what the protocol promises.
    #[error("{call}: the answer cannot be read: {reason}")]
    Unreadable {
        /// What was called.
        call: Call,
        /// What is wrong with it.
        reason: String,
    },
    /// The request could not be made: no credentials, or a bad endpoint.
    #[error("{call}: cannot be sent")]
    NotSent {
        /// What was called.
        call: Call,
        /// What was missing.
        #[source]
        source: BoxError,
    },
}

impl CallError {
    /// What was called.
    pub fn call(&self) -> &Call {
        match self {
            Self::Refused { call, .. }
            | Self::TimedOut { call, .. }
            | Self::NoAnswer { call, .. }
            | Self::Unreadable { call, .. }
            | Self::NotSent { call, .. } => call,
        }
    }

    /// AWS' error code, `InvalidGroup.NotFound`, when AWS gave one.
    pub fn code(&self) -> Option<&str> {
        self.refusal()?.code()
    }

    /// AWS' sentence about the error, when AWS gave one.
    pub fn message(&self) -> Option<&str> {
        self.refusal()?.message()
    }

    /// The id by which AWS support finds the request.
    pub fn request_id(&self) -> Option<&str> {
        self.refusal()?.request_id()
    }

    /// AWS' answer, if the call failed with one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(&**refusal),
            _ => None,
        }
    }

    /// Whether trying again later can help without anybody acting.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Refused { refusal, .. } => retry_of(refusal),
            Self::TimedOut { .. } | Self::NoAnswer { .. } | Self::Unreadable { .. } => Retry::Transient,
            Self::NotSent { .. } => Retry::Never,
        }
    }

    /// Whether AWS may have done what was asked, although the caller sees an error.
    pub fn may_have_applied(&self) -> bool {
        match self {
            Self::Refused { refusal, .. } => refusal.status >= 500 && self.retry() != Retry::Throttled,
            Self::TimedOut { .. } | Self::NoAnswer { .. } | Self::Unreadable { .. } => true,
            Self::NotSent { .. } => false,
        }
    }
}

/// An error answer of AWS.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    meta: ErrorMetadata,
    request_id: Option<String>,
}

impl Refusal {
    /// `code` and `message` are absent when the body is not in AWS' form, as from a proxy in between.
    pub(crate) fn new(
        status: u16,
        code: Option<String>,
        message: Option<String>,
        request_id: Option<String>,
    ) -> Self {
        let mut meta = ErrorMetadata::builder();
        if let Some(code) = code {
            meta = meta.code(code);
        }
        if let Some(message) = message {
            meta = meta.message(message);
        }
        Self { status, meta: meta.build(), request_id }
    }

    /// The id by which AWS support finds the request.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.meta
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code() {
            Some(code) => write!(f, "{code}")?,
            None => write!(f, "HTTP status {}", self.status)?,
        }
        if let Some(message) = self.message() {
            write!(f, ": {message}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
