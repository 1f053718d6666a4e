//! Hosted zones, filters, and which zone a name belongs to.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use crate::{config::ZoneFilter, name::Name};

/// Id of a hosted zone, without `/hostedzone/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ZoneId(String);

/// Who can ask a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// The VPCs that it is associated with.
    Private,
}

/// One hosted zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HostedZone {
    /// Its id.
    pub id: ZoneId,
    /// Its apex.
    pub name: Name,
    /// Who can ask it. A zone without a configuration is public.
    pub visibility: Visibility,
    /// Its tags; left empty when no tag filter is set, because reading them costs calls.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

impl ZoneId {
    /// Takes both forms, `/hostedzone/Z1` and `Z1`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.rsplit('/').next().unwrap_or_default().to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ZoneId {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<ZoneId> for String {
    fn from(id: ZoneId) -> Self {
        id.0
    }
}

impl fmt::Display for ZoneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ZoneFilter {
    /// Whether a zone is looked at.
    #[must_use]
    pub fn takes_zone(&self, zone: &HostedZone) -> bool {
        let id = self.zone_ids.is_empty() || self.zone_ids.iter().any(|id| ZoneId::new(id) == zone.id);
        let visibility = self.visibility.is_none_or(|visibility| visibility == zone.visibility);
        let tags = self.tags.iter().all(|filter| match filter.split_once('=') {
            Some((key, value)) => zone.tags.get(key).is_some_and(|have| have == value),
            None => zone.tags.contains_key(filter),
        });
        id && visibility && tags && self.takes_name(&zone.name)
    }

    /// Whether a name is looked at.
    #[must_use]
    pub fn takes_name(&self, name: &Name) -> bool {
        let any = |list: &[String]| list.iter().any(|entry| matches(entry, name));
        (self.domains.is_empty() || any(&self.domains)) && !any(&self.excluded)
    }
}

/// `example.com` matches itself and all below it, `.example.com` only what is below.
fn matches(entry: &str, name: &Name) -> bool {
    let entry = entry.trim();
    match entry.strip_prefix('.') {
        Some(parent) => {
            let parent = Name::observed(parent);
            *name != parent && name.is_in(&parent)
        }
        None => name.is_in(&Name::observed(entry)),
    }
}

/// The zones that a name is written to: for each visibility all zones that bear the longest name that the record
/// lies in. Private zones may share a name (one a VPC), and a public one may stand beside them.
#[must_use]
pub fn zones_of<'a>(name: &Name, zones: &'a [HostedZone]) -> BTreeSet<&'a ZoneId> {
    let longest = |visibility: Visibility| {
        let candidates: Vec<&HostedZone> =
            zones.iter().filter(|zone| zone.visibility == visibility && name.is_in(&zone.name)).collect();
        let length = candidates.iter().map(|zone| zone.name.as_str().len()).max();
        candidates.into_iter().filter(move |zone| Some(zone.name.as_str().len()) == length)
    };
    longest(Visibility::Public).chain(longest(Visibility::Private)).map(|zone| &zone.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(id: &str, name: &str, visibility: Visibility) -> HostedZone {
        HostedZone { id: ZoneId::new(id), name: Name::observed(name), visibility, tags: BTreeMap::new() }
    }

    #[test]
    fn a_name_goes_to_the_longest_zone_of_each_visibility() {
        use Visibility::{Private, Public};
        let zones = [
            zone("/hostedzone/ZCOM", "example.com", Public),
            zone("ZDEV", "dev.example.com.", Public),
            zone("ZIN", "example.com", Private),
            zone("ZIN2", "example.com", Private),
        ];
        let cases = [
            ("www.example.com", vec!["ZCOM", "ZIN", "ZIN2"]),
            ("www.dev.example.com", vec!["ZDEV", "ZIN", "ZIN2"]),
            ("dev.example.com", vec!["ZDEV", "ZIN", "ZIN2"]),
            ("baddev.example.com", vec!["ZCOM", "ZIN", "ZIN2"]),
            ("example.org", vec![]),
        ];
        for (name, want) in cases {
            let found: Vec<&str> =
                zones_of(&Name::observed(name), &zones).into_iter().map(ZoneId::as_str).collect();
            assert_eq!(found, want, "{name}");
        }
    }

    #[test]
    fn filters_take_what_they_name() {
        let of = |change: fn(&mut ZoneFilter)| {
            let mut filter = ZoneFilter::default();
            change(&mut filter);
            filter
        };
        let mut here = zone("Z1", "example.com", Visibility::Public);
        here.tags.insert("team".to_owned(), "dns".to_owned());
        let cases = [
            ("nothing set takes all", of(|_| {}), true),
            ("its domain", of(|f| f.domains = vec!["Example.com.".into()]), true),
            ("a parent domain", of(|f| f.domains = vec!["com".into()]), true),
            ("a domain below", of(|f| f.domains = vec!["dev.example.com".into()]), false),
            ("only what is below", of(|f| f.domains = vec![".example.com".into()]), false),
            ("exclusion wins", of(|f| f.excluded = vec!["example.com".into()]), false),
            ("its id in the long form", of(|f| f.zone_ids = vec!["/hostedzone/Z1".into()]), true),
            ("another id", of(|f| f.zone_ids = vec!["Z2".into()]), false),
            ("another visibility", of(|f| f.visibility = Some(Visibility::Private)), false),
            ("a tag key", of(|f| f.tags = vec!["team".into()]), true),
            ("tag values, all of them", of(|f| f.tags = vec!["team=dns".into(), "team=web".into()]), false),
        ];
        for (name, filter, want) in cases {
            assert_eq!(filter.takes_zone(&here), want, "{name}");
        }
    }
}
