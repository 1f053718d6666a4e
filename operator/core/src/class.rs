//! Whose move is it? The class of an error alone decides event, condition and delay.

use serde::{Deserialize, Serialize};

/// Who has to act before things can go on. Ordered by how loudly a person has to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Time will do: a load balancer is being provisioned, a certificate validated.
    Pending,
    /// Nobody: a throttle, a 5xx, a lost connection. Tried again with back-off.
    Transient,
    /// The object's author: the value cannot be read or contradicts itself.
    Invalid,
    /// The author or another owner: two ask for one thing.
    Conflict,
    /// An administrator: permissions, quotas, tags, subnets.
    Environment,
    /// We must: something that cannot be, is.
    Bug,
}

impl Class {
    /// Stable spelling, used in metrics and conditions.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Transient => "Transient",
            Self::Invalid => "Invalid",
            Self::Conflict => "Conflict",
            Self::Environment => "Environment",
            Self::Bug => "InternalError",
        }
    }

    /// Whether the objects' author or an administrator is told by a Warning event.
    #[must_use]
    pub const fn warns(self) -> bool {
        matches!(self, Self::Invalid | Self::Conflict | Self::Environment | Self::Bug)
    }
}

/// An error that knows whose move it is and how it is called.
pub trait Classified: std::error::Error {
    /// Whose move it is.
    fn class(&self) -> Class;
    /// Stable CamelCase code: the event's and the condition's reason.
    fn code(&self) -> &'static str;
    /// Whether nothing is missing because of it: something was written that has no effect, and all that has one is
    /// in place.
    fn is_advice(&self) -> bool {
        false
    }
}
