//! Why a name is not published although a zone could hold it.

use fairway_core::class::{Class, Classified};

use crate::{name::Name, record::RecordType};

/// Why a name is not published although a zone could hold it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Obstacle {
    #[error("{kind} {name} is owned by {owner:?}, not by us; it is left alone")]
    OwnedBy { name: Name, kind: RecordType, owner: String },
    #[error("{kind} {name} is there already and not owned by us; it is left alone")]
    NotOwned { name: Name, kind: RecordType },
    #[error(
        "the ownership of {name} cannot be kept: {txt} is too long for a DNS name; use an affix with a dot"
    )]
    LongOwnershipName { name: Name, txt: Name },
    #[error("{kind} {name} would stand in the way of another name's ownership record; it is not published")]
    Reserved { name: Name, kind: RecordType },
}

impl Classified for Obstacle {
    fn class(&self) -> Class {
        match self {
            Self::OwnedBy { .. } | Self::NotOwned { .. } | Self::Reserved { .. } => Class::Conflict,
            Self::LongOwnershipName { .. } => Class::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::OwnedBy { .. } | Self::NotOwned { .. } | Self::Reserved { .. } => "RecordConflict",
            Self::LongOwnershipName { .. } => "OwnershipNameTooLong",
        }
    }
}
