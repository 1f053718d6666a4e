//! The name of an ownership record: from a record set to its TXT, and back.
//!
//! Written: `prefix` + `type-` + first label + `suffix`, then the rest of the name. With `%{record_type}` in the affix
//! the type stands there instead. Read: the same backwards; a name without a type is of the releases before v0.12 and
//! speaks for every type but AAAA.
//!
//! The name of an apex falls outside its zone under nearly every affix; then ownership is kept at
//! `fairway-apex-TYPE` in the zone. external-dns leaves such records unowned.
//!
//! Source: the TXT registry of external-dns v0.22.

use crate::{config::TxtNaming, name::Name, record::RecordType};

const TEMPLATE: &str = "%{record_type}";
const APEX: &str = "fairway-apex-";
/// In the order in which an ambiguous template is tried.
const KNOWN: [&str; 10] = ["a", "aaaa", "cname", "ns", "mx", "ptr", "srv", "naptr", "txt", "dname"];

/// What an ownership record speaks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The record's name, with the wildcard replacement still in place.
    pub name: Name,
    /// `None`: any type but AAAA.
    pub kind: Option<RecordType>,
}

impl TxtNaming {
    /// Where the ownership of a record set is kept.
    #[must_use]
    pub fn txt_name(&self, name: &Name, kind: &RecordType, apex: &Name) -> Name {
        let kind = kind.as_str().to_lowercase();
        let replaced = self.replace_wildcard(name);
        let (label, rest) = replaced.split_first();
        let templated = self.prefix.contains(TEMPLATE) || self.suffix.contains(TEMPLATE);
        let typed = if templated { label.to_owned() } else { format!("{kind}-{label}") };
        let expand = |affix: &str| affix.to_lowercase().replace(TEMPLATE, &kind);
        let written =
            Name::observed(&format!("{}{typed}{}.{rest}", expand(&self.prefix), expand(&self.suffix)));
        if written.is_in(apex) { written } else { Name::observed(&format!("{APEX}{kind}.{apex}")) }
    }

    /// What the ownership record of this name speaks for; `None` when the name does not fit the affix.
    #[must_use]
    pub fn subject(&self, txt: &Name, apex: &Name) -> Option<Subject> {
        let (label, rest) = txt.split_first();
        if let Some(kind) =
            label.strip_prefix(APEX).filter(|kind| rest == apex.as_str() && KNOWN.contains(kind))
        {
            return Some(Subject { name: apex.clone(), kind: Some(RecordType::from(kind.to_owned())) });
        }
        if self.suffix.is_empty() {
            let strip = |text: &str, prefix: &str| text.strip_prefix(prefix).map(str::to_owned);
            let (name, kind) = untyped(txt.as_str(), &self.prefix, strip)?;
            return Some(Subject { name: Name::observed(&name), kind });
        }
        let labels = 1 + self.suffix.matches('.').count();
        let (head, rest) = split_labels(txt.as_str(), labels);
        let strip = |text: &str, suffix: &str| text.strip_suffix(suffix).map(str::to_owned);
        let (head, kind) = untyped(head, &self.suffix, strip)?;
        Some(Subject { name: Name::observed(&format!("{head}{rest}")), kind })
    }

    /// The name as ownership records spell it: with the replacement for an asterisk.
    #[must_use]
    pub fn replace_wildcard(&self, name: &Name) -> Name {
        match name.split_first() {
            ("*", rest) if !self.wildcard.is_empty() => {
                Name::observed(&format!("{}.{rest}", self.wildcard.to_lowercase()))
            }
            _ => name.clone(),
        }
    }
}

/// Takes the affix off, and the type with it.
fn untyped(
    text: &str,
    affix: &str,
    strip: impl Fn(&str, &str) -> Option<String>,
) -> Option<(String, Option<RecordType>)> {
    let affix = affix.to_lowercase();
    if affix.contains(TEMPLATE) {
        let typed =
            |kind: &&'static str| strip(text, &affix.replace(TEMPLATE, kind)).map(|name| (name, *kind));
        if let Some((name, kind)) = KNOWN.iter().find_map(typed) {
            return Some((name, Some(RecordType::from(kind.to_owned()))));
        }
    }
    let name = strip(text, &affix.replace(TEMPLATE, ""))?;
    match name.split_once('-').filter(|(kind, _)| KNOWN.contains(kind)) {
        Some((kind, rest)) => Some((rest.to_owned(), Some(RecordType::from(kind.to_owned())))),
        None => Some((name, None)),
    }
}

/// The first `count` labels, and the rest with its dot.
fn split_labels(text: &str, count: usize) -> (&str, &str) {
    let mut dots = text.match_indices('.').map(|(position, _)| position);
    let end = dots.nth(count.saturating_sub(1)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests;
