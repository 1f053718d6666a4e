//! What was written on one object, sorted by what may be done with it: read, advised about, or refused.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::error::{Advice, ReadError};
use crate::{
    ids::{ObjectRef, ProviderKind},
    settings::{
        Merge, Origin, Provenance, Row, Settings, Sourced, alb,
        front::{self, ClientCertificateMode, ClientCertificates},
        registry::Dialect,
    },
};

/// A value that a row of the provider reads.
#[derive(Clone)]
pub(super) struct Entry {
    row: &'static dyn Row,
    dialect: Dialect,
    /// Without prefix; longer than the row's for members of families.
    key: String,
    value: Sourced<String>,
}

/// All that was written on one object.
#[derive(Default)]
pub(super) struct Written {
    pub(super) entries: Vec<Entry>,
    pub(super) advice: Vec<Advice>,
    pub(super) errors: Vec<ReadError>,
}

impl Written {
    pub(super) fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.advice.extend(other.advice);
        self.errors.extend(other.errors);
    }
}

/// Whose values are sorted, and for whom.
#[derive(Clone, Copy)]
pub(super) struct Sorter<'a> {
    pub(super) provider: ProviderKind,
    pub(super) dialect: Dialect,
    pub(super) origin: Origin,
    /// What annotations of rules may speak of.
    pub(super) named: &'a Named,
}

/// Names of an Ingress' backends, whether they are Services or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    /// Those of paths: what `conditions.` and `transforms.` speak of.
    pub(super) routed: BTreeSet<String>,
    /// Those that stand for an annotation: what `actions.` speaks of.
    pub(super) actions: BTreeSet<String>,
}

/// Rows of the documents that rules are made from.
const RULES: [&str; 5] = [
    alb::ACTIONS.key,
    alb::CONDITIONS.key,
    alb::TRANSFORMS.key,
    alb::USE_REGEX_PATH_MATCH.key,
    alb::JWT_VALIDATION.key,
];

impl Sorter<'_> {
    /// Sorts the annotations of an object. Of several prefixes the strongest wins, key by key.
    pub(super) fn annotations(&self, object: &ObjectRef, meta: &ObjectMeta) -> Written {
        let mut written = Written::default();
        let mut seen = BTreeMap::new();
        for prefix in self.dialect.prefixes() {
            let all = meta.annotations.iter().flatten();
            for (key, text, value) in
                all.filter_map(|(key, value)| Some((key.strip_prefix(prefix)?, key, value)))
            {
                match seen.get(key) {
                    Some((_, same)) if *same == value => {}
                    Some((stronger, _)) => written.advice.push(Advice::WithoutEffect {
                        at: text.clone(),
                        why: format!("differs from {stronger}, which is stronger"),
                    }),
                    None => {
                        seen.insert(key, (text, value));
                        let from = Provenance { object: object.clone(), key: text.clone() };
                        self.sort(key, Sourced { value: value.clone(), from }, &mut written);
                    }
                }
            }
        }
        written
    }

    /// Sorts one value.
    pub(super) fn sort(&self, key: &str, value: Sourced<String>, written: &mut Written) {
        let at = || spell(&value.from);
        match self.dialect.find(key).filter(|row| self.origin == Origin::ClassParams || can_be_written(*row))
        {
            None => written.advice.push(Advice::Unknown { at: at(), meant: self.meant(key, &value.from) }),
            Some(row) if !row.origins().contains(&self.origin) => {
                let why = format!("is not read on a {}", self.origin.as_str());
                written.advice.push(Advice::WithoutEffect { at: at(), why });
            }
            Some(row) if let Some(why) = self.unused(row.key(), key) => {
                written.advice.push(Advice::WithoutEffect { at: at(), why: why.to_owned() });
            }
            Some(row) if !row.honoured_by().contains(&self.provider) => {
                self.lose(row, &value, written);
            }
            Some(row) => {
                written.entries.push(Entry { row, dialect: self.dialect, key: key.to_owned(), value })
            }
        }
    }

    /// Says what follows from a value that the provider does not honour.
    fn lose(&self, row: &dyn Row, value: &Sourced<String>, written: &mut Written) {
        let at = spell(&value.from);
        let nobody = row.honoured_by().is_empty();
        let why = format!("means nothing on {} class", article(self.provider));
        match self.loss(row.key(), &value.value) {
            Loss::Protection if nobody => written.errors.push(ReadError::Unfaithful { at }),
            Loss::Protection => written.errors.push(ReadError::Unguarded { at, why }),
            Loss::Feature if nobody => written.advice.push(Advice::Unsupported { at }),
            Loss::Feature => written.advice.push(Advice::WithoutEffect { at, why }),
            Loss::Nothing => {}
        }
    }

    fn meant(&self, key: &str, from: &Provenance) -> Option<String> {
        let prefix = from.key.strip_suffix(key).unwrap_or_default();
        self.dialect.nearest(key).map(|nearest| format!("{prefix}{nearest}"))
    }

    /// Why a document is not looked at: no backend bears its name.
    fn unused(&self, row: &str, key: &str) -> Option<&'static str> {
        let name = key.strip_prefix(row).filter(|_| self.dialect == Dialect::Alb)?;
        let (names, why) = if row == alb::ACTIONS.key {
            (&self.named.actions, "is named by no backend whose port is use-annotation")
        } else if row == alb::CONDITIONS.key || row == alb::TRANSFORMS.key {
            (&self.named.routed, "is named by no backend of a path")
        } else {
            return None;
        };
        (!names.contains(name)).then_some(why)
    }

    /// What is lost when a setting that the provider does not honour is left out.
    fn loss(&self, row: &str, text: &str) -> Loss {
        let unless = |harmless: bool| if harmless { Loss::Nothing } else { Loss::Protection };
        match (self.dialect, row) {
            (Dialect::Alb, "auth-type") => unless(text == "none"),
            (Dialect::Alb, "wafv2-acl-arn" | "wafv2-acl-name" | "waf-acl-id" | "web-acl-id")
                if !matches!(text, "" | "none") =>
            {
                Loss::Protection
            }
            (Dialect::Alb, "jwt-validation" | "security-group-prefix-lists") => Loss::Protection,
            (Dialect::Alb, "mutual-authentication") => unless(asks_for_none(text)),
            (Dialect::Nlb, "actions.") => Loss::Protection,
            // What another controller writes for people to read.
            (Dialect::Alb, "dry-run-plan") => Loss::Nothing,
            _ => Loss::Feature,
        }
    }
}

/// Whether no listener would ask for a client certificate.
fn asks_for_none(text: &str) -> bool {
    let off = |asked: &ClientCertificates| asked.mode == ClientCertificateMode::Off;
    front::client_certificates(text).is_ok_and(|all| all.iter().all(off))
}

/// What is lost when a setting is left out.
enum Loss {
    /// It decides who gets through or what a route means: without it something broader, or something else, is built.
    Protection,
    /// The load balancer does what it is there for.
    Feature,
    Nothing,
}

fn can_be_written(row: &dyn Row) -> bool {
    *row.origins() != [Origin::ClassParams]
}

const fn article(provider: ProviderKind) -> &'static str {
    match provider {
        ProviderKind::Aws => "an AWS",
        ProviderKind::InCluster => "an in-cluster",
    }
}

/// Where a value is written, as its author knows it: an annotation alone, a field with its object.
fn spell(from: &Provenance) -> String {
    if from.key.starts_with("spec.") { from.to_string() } else { from.key.clone() }
}

/// The entries as settings, in their order: strongest first.
pub(super) fn settings<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Settings {
    let mut settings = Settings::default();
    entries.into_iter().for_each(|entry| settings.push(&entry.key, entry.value.clone()));
    settings
}

/// What cannot be read of the values that count: the strongest of each key, and all where keys are united.
pub(super) fn unreadable<'a>(
    about: &ObjectRef,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Vec<ReadError> {
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    for Entry { row, key, value, .. } in entries {
        let counts = seen.insert(key) || row.merge() == Merge::Union;
        if let Some(problem) = counts.then(|| row.check(&value.value).err()).flatten() {
            errors.push(ReadError::Value {
                at: place(about, &value.from),
                value: value.value.clone(),
                problem,
            });
        }
    }
    errors
}

/// Where a value is written, as seen from `about`.
pub(super) fn place(about: &ObjectRef, from: &Provenance) -> String {
    if from.object == *about { from.key.clone() } else { from.to_string() }
}

/// Whether rules are made from the value.
pub(super) fn is_of_rules(entry: &Entry) -> bool {
    entry.dialect == Dialect::Alb && RULES.contains(&entry.row.key())
}

/// Whether a backend reads the value, rather than the load balancer alone.
pub(super) fn is_of_backend(entry: &&Entry) -> bool {
    matches!(entry.dialect, Dialect::Alb | Dialect::Own) && entry.row.origins().contains(&Origin::Service)
}

/// Whether the load balancer reads the value. United values are read by both.
pub(super) fn is_of_balancer(entry: &&Entry) -> bool {
    !is_of_backend(entry) || entry.row.merge() == Merge::Union
}
