//! Whose move a refusal of the API server is.

use fairway_core::{class::Class, report::Failure};

/// A request to the API server that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct ClusterError {
    /// What was being done, in a person's words.
    pub doing: String,
    /// What the client said.
    #[source]
    pub source: kube::Error,
}

/// HTTP status of a refusal, if the server answered at all.
#[must_use]
pub fn status(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

impl ClusterError {
    /// An error of doing something.
    #[must_use]
    pub fn new(doing: impl Into<String>, source: kube::Error) -> Self {
        Self { doing: doing.into(), source }
    }

    /// Whether the object is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        status(&self.source) == Some(404)
    }

    /// The error as a report carries it: permissions are an administrator's move, conflicts and lost connections nobody's.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let (class, code) = match status(&self.source) {
            Some(401 | 403) => (Class::Environment, "Forbidden"),
            Some(400 | 422) => (Class::Bug, "RefusedByApiServer"),
            _ => (Class::Transient, "ApiServer"),
        };
        Failure { class, code: code.to_owned(), message: format!("{}: {}", self.doing, self.source) }
    }
}
