//! What is said about an object: the material of events, conditions and the `plan` page.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    class::{Class, Classified},
    ids::ObjectRef,
};

/// One sentence about one object, in the words of its manifest.
///
/// `code` is stable CamelCase and listed in `docs/reference/reasons.md`. `held` says that the object's last good
/// state is kept because of it; `advice` that nothing is missing because of it. Never both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// Who is told.
    pub about: ObjectRef,
    /// Whose move it is.
    pub class: Class,
    /// Reason of the event and the condition.
    pub code: String,
    /// One sentence without a final period.
    pub message: String,
    /// Whether the object is held at its last good state.
    pub held: bool,
    /// Whether everything is in place all the same: the unit can be ready.
    #[serde(default)]
    pub advice: bool,
}

impl Note {
    /// A note from an error, without holding the object.
    #[must_use]
    pub fn warn(about: &ObjectRef, error: &impl Classified) -> Self {
        Self {
            about: about.clone(),
            class: error.class(),
            code: error.code().to_owned(),
            message: error.to_string(),
            held: false,
            advice: error.is_advice(),
        }
    }

    /// A note from an error that holds the object at its last good state.
    #[must_use]
    pub fn hold(about: &ObjectRef, error: &impl Classified) -> Self {
        Self { held: true, advice: false, ..Self::warn(about, error) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = if self.held { " (held)" } else { "" };
        write!(f, "{} {}: {}{held}", self.about, self.code, self.message)
    }
}
