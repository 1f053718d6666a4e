//! One spelling for every DNS name.
//!
//! A zone returns names absolute, in lower case and with every byte outside `a-z 0-9 - _` as three octal digits;
//! manifests write them as people do. [`Name`] is lower-case, without the final dot, with printable bytes as
//! themselves (`\052` is `*`) and everything else escaped. A dot inside a label stays `\056`: it separates nothing.
//!
//! Errors: [`NameError`], only for names that somebody asks for. What a zone holds is taken as it is.

use std::fmt;

use fairway_core::class::{Class, Classified};
use serde::{Deserialize, Serialize};

/// Bytes in a label.
const LABEL: usize = 63;
/// Visible characters in a name: 255 on the wire, less the first length byte and the root label.
const TOTAL: usize = 253;

/// A DNS name in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Name(String);

/// Why a name cannot be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing between two dots, or nothing at all.
    #[error("the DNS name {0:?} has an empty label")]
    EmptyLabel(String),
    /// A label is too long.
    #[error("the DNS name {0:?} has a label of more than 63 characters")]
    LongLabel(String),
    /// The name is too long.
    #[error("the DNS name {0:?} has more than 253 characters")]
    TooLong(String),
    /// A character that host names do not have, or an asterisk that is not the whole first label.
    #[error("the DNS name {name:?} has the character {character:?} where none is allowed")]
    Character {
        /// As written.
        name: String,
        /// The first that does not belong there.
        character: char,
    },
}

impl Classified for NameError {
    fn class(&self) -> Class {
        match self {
            Self::EmptyLabel(_) | Self::LongLabel(_) | Self::TooLong(_) | Self::Character { .. } => {
                Class::Invalid
            }
        }
    }

    fn code(&self) -> &'static str {
        "InvalidHostname"
    }
}

impl Name {
    /// The name of something that a zone holds, or of a target: taken as it is, in the one spelling.
    #[must_use]
    pub fn observed(text: &str) -> Self {
        let text = text.trim();
        let mut name = String::with_capacity(text.len());
        let mut bytes = text.trim_end_matches('.').bytes().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' => push_literal(&mut name, escaped(&mut bytes)),
                b'.' => name.push('.'),
                other => push_literal(&mut name, other),
            }
        }
        Self(name)
    }

    /// A name that somebody asks for.
    ///
    /// # Errors
    /// What no resolver would ask for, or a zone would refuse.
    pub fn wanted(text: &str) -> Result<Self, NameError> {
        let name = Self::observed(text);
        let written = || text.to_owned();
        if name.0.len() > TOTAL {
            return Err(NameError::TooLong(written()));
        }
        for (position, label) in name.0.split('.').enumerate() {
            if label.is_empty() {
                return Err(NameError::EmptyLabel(written()));
            }
            if label.len() > LABEL {
                return Err(NameError::LongLabel(written()));
            }
            let wildcard = position == 0 && label == "*";
            let odd = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            if let Some(character) = label.chars().find(odd).filter(|_| !wildcard) {
                return Err(NameError::Character { name: written(), character });
            }
        }
        Ok(name)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first label and the rest; the rest is empty for a name of one label.
    #[must_use]
    pub fn split_first(&self) -> (&str, &str) {
        self.0.split_once('.').unwrap_or((&self.0, ""))
    }

    /// Whether the name is `zone` or lies below it.
    #[must_use]
    pub fn is_in(&self, zone: &Self) -> bool {
        self.0.strip_suffix(&zone.0).is_some_and(|head| head.is_empty() || head.ends_with('.'))
    }

    /// Whether some label is longer than a zone takes.
    #[must_use]
    pub fn has_long_label(&self) -> bool {
        self.0.len() > TOTAL || self.0.split('.').any(|label| label.len() > LABEL)
    }
}

/// The byte that an escape stands for, after its backslash; a backslash that starts no escape stands for itself.
fn escaped(bytes: &mut std::iter::Peekable<std::str::Bytes<'_>>) -> u8 {
    let mut ahead = bytes.clone();
    let digits: Option<Vec<u32>> =
        (0..3).map(|_| ahead.next().and_then(|byte| char::from(byte).to_digit(8))).collect();
    let value = digits.map(|digits| digits.iter().fold(0_u32, |sum, digit| sum * 8 + digit));
    match value.and_then(|value| u8::try_from(value).ok()) {
        Some(value) => {
            *bytes = ahead;
            value
        }
        None => b'\\',
    }
}

fn push_literal(name: &mut String, byte: u8) {
    use fmt::Write as _;
    if byte.is_ascii_graphic() && !matches!(byte, b'.' | b'\\') {
        name.push(char::from(byte.to_ascii_lowercase()));
    } else {
        // Writing to a String cannot fail.
        let _ = write!(name, "\\{byte:03o}");
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::observed(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests;
