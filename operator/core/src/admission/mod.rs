//! What the API server is answered about one object before it stores it.
//!
//! Shape: a [`Change`] in, an [`Answer`] out; one function a kind of object. An object that is not ours is always
//! allowed, and so is one that is being deleted: its finalizers have to come off whatever it says.
//!
//! An update is refused only for what it makes worse: an object that was bad before can be labelled, repaired step by
//! step, and deleted.

mod class_params;
mod ingress;
mod service;

use std::fmt::Display;

use serde_json::Value;

pub use class_params::class_params;
pub use ingress::{Annotations, ingress};
pub use service::service;

/// An object that is about to be stored.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a, K> {
    /// As it would be.
    pub new: &'a K,
    /// As it is; `None` when it is created.
    pub old: Option<&'a K>,
}

/// What the API server is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What becomes of the object.
    pub verdict: Verdict,
    /// Sentences for whoever writes the object; they refuse nothing.
    pub warnings: Vec<String>,
}

/// What becomes of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored as it is.
    Allow,
    /// It is stored with these edits, made one after the other.
    Edit(Vec<Edit>),
    /// It is not stored; the sentence is for its author.
    Refuse(String),
}

/// Sets one field, whether it is there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// JSON pointer.
    pub path: String,
    /// What is set.
    pub value: Value,
}

impl Edit {
    /// Sets the field at a JSON pointer.
    #[must_use]
    pub fn set(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { path: path.into(), value: value.into() }
    }
}

impl Answer {
    /// Nothing stands against it.
    #[must_use]
    pub const fn allow() -> Self {
        Self { verdict: Verdict::Allow, warnings: Vec::new() }
    }

    /// It is not stored.
    #[must_use]
    pub fn refuse(why: impl Into<String>) -> Self {
        Self { verdict: Verdict::Refuse(why.into()), warnings: Vec::new() }
    }

    /// It is stored with these edits; without any, as it is.
    #[must_use]
    pub fn edit(edits: Vec<Edit>) -> Self {
        let verdict = if edits.is_empty() { Verdict::Allow } else { Verdict::Edit(edits) };
        Self { verdict, warnings: Vec::new() }
    }

    /// The same, with sentences for the author.
    #[must_use]
    pub fn warn<W: Display>(mut self, warnings: impl IntoIterator<Item = W>) -> Self {
        self.warnings.extend(warnings.into_iter().map(|warning| warning.to_string()));
        self
    }

    /// Refused for problems, all in one sentence; allowed when there are none.
    #[must_use]
    pub fn judge<P: Display>(problems: impl IntoIterator<Item = P>) -> Self {
        let problems: Vec<String> = problems.into_iter().map(|problem| problem.to_string()).collect();
        if problems.is_empty() { Self::allow() } else { Self::refuse(problems.join("; ")) }
    }
}

/// The problems that an update brings: those that were there before are not held against it.
pub fn brought<P: PartialEq>(now: Vec<P>, before: &[P]) -> Vec<P> {
    now.into_iter().filter(|problem| !before.contains(problem)).collect()
}

#[cfg(test)]
mod tests;
