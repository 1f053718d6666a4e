//! The settings mechanism: every annotation is one row, read with its provenance.
//!
//! A row says how a key is spelled, where it may be written, how members of one stack combine, which providers
//! honour it, and how its value is read. Raw values stay strings until a row reads them, so that what was last
//! good can be kept and read again. Rows of a dialect live in its module and are listed in its `ROWS`.

/// Declares rows and lists them, so that none can be missed.
///
/// Rows under `read` are read; those under `later` are known, named in the reference page, and reported when written.
/// A key that ends with a dot is a family: the rest of the annotation's key is its tail.
macro_rules! rows {
    (read { $( $name:ident: $type:ty = $key:literal, $origins:expr, $merge:ident, $honoured:expr, $parse:expr, $example:literal, $doc:literal; )* }
     later { $( $later:literal, $later_origins:expr, $later_doc:literal; )* }) => {
        $(
            #[doc = $doc]
            pub static $name: $crate::settings::Setting<$type> = $crate::settings::Setting {
                key: $key,
                origins: $origins,
                merge: $crate::settings::Merge::$merge,
                honoured_by: $honoured,
                parse: $parse,
                doc: $doc,
                example: $example,
            };
        )*
        /// Every row of the dialect.
        pub static ROWS: &[&dyn $crate::settings::Row] = &[
            $(&$name,)*
            $(&$crate::settings::Unhonoured { key: $later, origins: $later_origins, doc: $later_doc },)*
        ];
    };
}

pub mod alb;
pub mod dns;
pub mod documents;
pub mod front;
pub mod in_cluster;
pub mod nlb;
pub mod own;
pub mod registry;
pub mod value;
pub mod words;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    class::{Class, Classified},
    ids::{ObjectRef, ProviderKind},
};

/// Where a value may be written. The order of a row's `origins` is strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Origin {
    /// The class' parameters object.
    ClassParams,
    /// The Service that a backend names, or the member Service itself.
    Service,
    /// The Ingress.
    Ingress,
}

impl Origin {
    /// As the reference page names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClassParams => "class parameters",
            Self::Service => "Service",
            Self::Ingress => "Ingress",
        }
    }
}

/// How the values of several members of one stack combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// Members that say something must say the same.
    Exclusive,
    /// Key-wise union; one key with two values is a conflict.
    Union,
    /// Each member's value is its own.
    PerMember,
}

/// Who wrote a value, and under which key: what errors and plans quote. Written to files as it is displayed, because
/// there is one for every value of every backend that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Provenance {
    /// The object that carries the value.
    pub object: ObjectRef,
    /// The key as written: a full annotation key, or a field path such as `spec.scheme`.
    pub key: String,
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.object, self.key)
    }
}

impl From<Provenance> for String {
    fn from(provenance: Provenance) -> Self {
        provenance.to_string()
    }
}

impl TryFrom<String> for Provenance {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parse = || {
            // `Kind namespace/name key`: neither kind nor name has a space.
            let (end, _) = text.match_indices(' ').nth(1)?;
            let (object, key) = (text.get(..end)?, text.get(end + 1..)?);
            Some(Self { object: ObjectRef::parse(object)?, key: key.to_owned() })
        };
        parse().ok_or_else(|| format!("{text:?} does not name an object and a key"))
    }
}

/// A value and who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Who wrote it.
    pub from: Provenance,
}

/// What is wrong with one value, in words that follow `KEY: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(pub String);

/// A value that a row could not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem} (value {value:?})", from.key)]
pub struct Unreadable {
    /// Who wrote it.
    pub from: Provenance,
    /// What was written.
    pub value: String,
    /// What is wrong with it.
    pub problem: BadValue,
}

impl Classified for Unreadable {
    fn class(&self) -> Class {
        Class::Invalid
    }

    fn code(&self) -> &'static str {
        "InvalidSetting"
    }
}

/// One row of the settings table: the only place that knows how the key is spelled.
pub struct Setting<T: 'static> {
    /// Key without the dialect's prefix.
    pub key: &'static str,
    /// Where it may be written, strongest first.
    pub origins: &'static [Origin],
    /// How members of one stack combine.
    pub merge: Merge,
    /// Providers that honour it; on any other it is reported, never dropped silently.
    pub honoured_by: &'static [ProviderKind],
    /// Reads one value.
    pub parse: fn(&str) -> Result<T, BadValue>,
    /// First sentence is the row of the reference page.
    pub doc: &'static str,
    /// Parsed by a test.
    pub example: &'static str,
}

/// What the registry knows of a row without its value type.
pub trait Row: Sync {
    /// Key without the dialect's prefix.
    fn key(&self) -> &'static str;
    /// Where it may be written, strongest first.
    fn origins(&self) -> &'static [Origin];
    /// How members combine.
    fn merge(&self) -> Merge;
    /// Providers that honour it.
    fn honoured_by(&self) -> &'static [ProviderKind];
    /// Documentation.
    fn doc(&self) -> &'static str;
    /// A value that parses.
    fn example(&self) -> &'static str;
    /// Whether the value can be read, and what is wrong if not.
    ///
    /// # Errors
    /// What the row's parser says.
    fn check(&self, value: &str) -> Result<(), BadValue>;
}

impl<T: 'static> Row for Setting<T> {
    fn key(&self) -> &'static str {
        self.key
    }

    fn origins(&self) -> &'static [Origin] {
        self.origins
    }

    fn merge(&self) -> Merge {
        self.merge
    }

    fn honoured_by(&self) -> &'static [ProviderKind] {
        self.honoured_by
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn example(&self) -> &'static str {
        self.example
    }

    fn check(&self, value: &str) -> Result<(), BadValue> {
        (self.parse)(value).map(|_| ())
    }
}

/// A row that no provider honours yet: known, so that it can be told from a misspelt one.
#[derive(Debug)]
pub struct Unhonoured {
    /// Key without the dialect's prefix.
    pub key: &'static str,
    /// Where it may be written, strongest first.
    pub origins: &'static [Origin],
    /// First sentence is the row of the reference page.
    pub doc: &'static str,
}

impl Row for Unhonoured {
    fn key(&self) -> &'static str {
        self.key
    }

    fn origins(&self) -> &'static [Origin] {
        self.origins
    }

    fn merge(&self) -> Merge {
        Merge::PerMember
    }

    fn honoured_by(&self) -> &'static [ProviderKind] {
        &[]
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn example(&self) -> &'static str {
        ""
    }

    fn check(&self, _: &str) -> Result<(), BadValue> {
        Ok(())
    }
}

/// The raw values that apply to one member or one backend, each with its provenance, strongest first.
///
/// Class parameters appear under the key of the annotation that they override, spelled as the annotation would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    values: BTreeMap<String, Vec<Sourced<String>>>,
}

impl Settings {
    /// Adds a value behind those that are there for `key` (weaker than they are).
    pub fn push(&mut self, key: &str, value: Sourced<String>) {
        self.values.entry(key.to_owned()).or_default().push(value);
    }

    /// The strongest value of a row. Absent and unreadable are different things.
    ///
    /// # Errors
    /// The value that could not be read.
    pub fn get<T>(&self, row: &Setting<T>) -> Result<Option<Sourced<T>>, Box<Unreadable>> {
        self.values.get(row.key).and_then(|values| values.first()).map(|raw| read(row, raw)).transpose()
    }

    /// Every value of a row, strongest first: for rows that are merged key by key.
    ///
    /// # Errors
    /// The first value that could not be read.
    pub fn all<T>(&self, row: &Setting<T>) -> Result<Vec<Sourced<T>>, Box<Unreadable>> {
        self.values.get(row.key).into_iter().flatten().map(|raw| read(row, raw)).collect()
    }

    /// The strongest value of every tail of a family (a row whose key ends with a dot).
    ///
    /// # Errors
    /// The first value that could not be read.
    pub fn family<T>(&self, row: &Setting<T>) -> Result<BTreeMap<String, Sourced<T>>, Box<Unreadable>> {
        let tails = self.values.iter().filter_map(|(key, values)| Some((key.strip_prefix(row.key)?, values)));
        tails
            .filter_map(|(tail, values)| Some((tail.to_owned(), values.first()?)))
            .map(|(tail, raw)| Ok((tail, read(row, raw)?)))
            .collect()
    }

    /// The strongest value of one tail of a family.
    ///
    /// # Errors
    /// The value that could not be read.
    pub fn member<T>(&self, row: &Setting<T>, tail: &str) -> Result<Option<Sourced<T>>, Box<Unreadable>> {
        let values = self.values.get(&format!("{}{tail}", row.key));
        values.and_then(|values| values.first()).map(|raw| read(row, raw)).transpose()
    }

    /// Every value of every tail of a family, strongest first: for families that are merged key by key.
    ///
    /// # Errors
    /// The first value that could not be read.
    pub fn family_all<T>(
        &self,
        row: &Setting<T>,
    ) -> Result<BTreeMap<String, Vec<Sourced<T>>>, Box<Unreadable>> {
        let tails = self.values.iter().filter_map(|(key, values)| Some((key.strip_prefix(row.key)?, values)));
        tails
            .map(|(tail, values)| {
                let values = values.iter().map(|raw| read(row, raw)).collect::<Result<_, _>>()?;
                Ok((tail.to_owned(), values))
            })
            .collect()
    }

    /// The raw values under a key, strongest first.
    #[must_use]
    pub fn raw(&self, key: &str) -> &[Sourced<String>] {
        self.values.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// All keys that carry a value.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

fn read<T>(row: &Setting<T>, raw: &Sourced<String>) -> Result<Sourced<T>, Box<Unreadable>> {
    match (row.parse)(&raw.value) {
        Ok(value) => Ok(Sourced { value, from: raw.from.clone() }),
        Err(problem) => {
            Err(Box::new(Unreadable { from: raw.from.clone(), value: raw.value.clone(), problem }))
        }
    }
}
