//! Ownership is a type: only what carries our marks can be changed or deleted.

use fairway_core::class::{Class, Classified};
use serde::Serialize;

use crate::model::Tags;

/// Something that exists and carries the ownership tags of one stack (or of the cluster). There is no other way to
/// make one than [`Owned::claim`], and nothing that is not `Owned` can be put into a modification or a deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Owned<R> {
    resource: R,
}

/// Something without our marks is where ours should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {name} exists and is not ours; it is left as it is")]
pub struct Taken {
    /// What it is.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

impl Taken {
    /// A `kind` called `name`.
    #[must_use]
    pub fn new(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.to_owned() }
    }
}

impl Classified for Taken {
    fn class(&self) -> Class {
        Class::Conflict
    }

    fn code(&self) -> &'static str {
        "NameTaken"
    }
}

/// Something that can carry tags.
pub trait Tagged {
    /// Its tags, as AWS has them.
    fn tags(&self) -> &Tags;
}

impl<R: Tagged> Owned<R> {
    /// The resource as ours, if it carries every one of `marks`; the resource itself otherwise.
    ///
    /// # Errors
    /// The resource: it is foreign and stays as it is.
    pub fn claim(resource: R, marks: &Tags) -> Result<Self, R> {
        let ours =
            !marks.is_empty() && marks.iter().all(|(key, value)| resource.tags().get(key) == Some(value));
        if ours { Ok(Self { resource }) } else { Err(resource) }
    }
}

impl<R> Owned<R> {
    /// The resource.
    pub const fn get(&self) -> &R {
        &self.resource
    }
}
