//! Whose records are ours, how their ownership is written, and which zones are looked at.
//!
//! | field                    | flag                            | default  |
//! |--------------------------|---------------------------------|----------|
//! | `owner`                  | `--txt-owner-id`                | off      |
//! | `naming.prefix`          | `--txt-prefix`                  | none     |
//! | `naming.suffix`          | `--txt-suffix`                  | none     |
//! | `naming.wildcard`        | `--txt-wildcard-replacement`    | none     |
//! | `filter.domains`         | `--domain-filter`               | all      |
//! | `filter.excluded`        | `--exclude-domains`             | none     |
//! | `filter.zone_ids`        | `--zone-id-filter`              | all      |
//! | `filter.visibility`      | `--aws-zone-type`               | any      |
//! | `filter.tags`            | `--aws-zone-tags`               | any      |
//! | `evaluate_target_health` | `--aws-evaluate-target-health`  | true     |
//!
//! DNS is off while there is no owner: nothing is asked and nothing is changed.

use serde::{Deserialize, Serialize};

/// Bytes in an owner id: the text that names it has 255, and the object needs its part.
const MAX_OWNER: usize = 128;

/// What does not change while the process runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsConfig {
    /// Owner id, exact and case-sensitive; `None` switches DNS off.
    pub owner: Option<String>,
    /// How ownership records are named.
    pub naming: TxtNaming,
    /// Which zones and names are looked at.
    pub filter: ZoneFilter,
    /// Whether aliases follow the health of their targets, unless an object says otherwise.
    pub evaluate_target_health: bool,
}

/// How ownership records are named. Lower case; prefix and suffix exclude each other and may hold `%{record_type}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxtNaming {
    /// In front of the first label.
    pub prefix: String,
    /// Behind the first label.
    pub suffix: String,
    /// In place of an asterisk; empty keeps it.
    pub wildcard: String,
}

/// Which zones and names are looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneFilter {
    /// `example.com` takes the name and all below it, `.example.com` only what is below. Empty takes all.
    pub domains: Vec<String>,
    /// As `domains`, and stronger.
    pub excluded: Vec<String>,
    /// Zone ids, with or without `/hostedzone/`. Empty takes all.
    pub zone_ids: Vec<String>,
    /// `None` takes both.
    pub visibility: Option<crate::zone::Visibility>,
    /// `key` or `key=value`; all must match.
    pub tags: Vec<String>,
}

impl Default for DnsConfig {
    fn default() -> Self {
        Self {
            owner: None,
            naming: TxtNaming::default(),
            filter: ZoneFilter::default(),
            evaluate_target_health: true,
        }
    }
}

impl DnsConfig {
    /// All zones, no affix, under this owner id.
    #[must_use]
    pub fn owned_by(owner: &str) -> Self {
        Self { owner: Some(owner.to_owned()), ..Self::default() }
    }
}

/// A configuration under which ownership could not be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Texts have no escapes.
    #[error(
        "the owner id {0:?} must be 1 to 128 printable characters without commas, quotes and backslashes"
    )]
    Owner(String),
    /// They exclude each other, as with the peer.
    #[error("a prefix and a suffix for ownership records exclude each other")]
    TwoAffixes,
    /// Names would not be DNS names.
    #[error("{0:?} cannot be part of a DNS name")]
    Affix(String),
}

impl DnsConfig {
    /// Whether ownership can be kept; to be asked once, when the process starts.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        let writable = |owner: &str| {
            let plain = |c: char| (c == ' ' || c.is_ascii_graphic()) && !matches!(c, ',' | '"' | '\\');
            (1..=MAX_OWNER).contains(&owner.len()) && owner.chars().all(plain)
        };
        if let Some(owner) = self.owner.as_ref().filter(|owner| !writable(owner)) {
            return Err(ConfigError::Owner(owner.clone()));
        }
        let TxtNaming { prefix, suffix, wildcard } = &self.naming;
        if !prefix.is_empty() && !suffix.is_empty() {
            return Err(ConfigError::TwoAffixes);
        }
        let part = |text: &str| {
            let text = text.replace("%{record_type}", "a");
            !text.contains("..")
                && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        let odd = [prefix, suffix, wildcard].into_iter().find(|text| !part(text));
        odd.map_or(Ok(()), |text| Err(ConfigError::Affix(text.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ownership_has_to_be_writable() {
        let of = |owner: &str, prefix: &str, suffix: &str, wildcard: &str| {
            let naming =
                TxtNaming { prefix: prefix.into(), suffix: suffix.into(), wildcard: wildcard.into() };
            DnsConfig { naming, ..DnsConfig::owned_by(owner) }.check()
        };
        let owner = |text: &str| Err(ConfigError::Owner(text.to_owned()));
        let long = "o".repeat(129);
        let cases = [
            ("the peer's default", of("default", "", "", ""), Ok(())),
            ("a template", of("o", "%{record_type}-own.", "", "any"), Ok(())),
            ("a comma ends an owner", of("a,b", "", "", ""), owner("a,b")),
            ("an owner is something", of("", "", "", ""), owner("")),
            ("an owner leaves room for the object", of(&long, "", "", ""), owner(&long)),
            ("one affix", of("o", "p-", "-s", ""), Err(ConfigError::TwoAffixes)),
            ("an affix is part of a name", of("o", "a b", "", ""), Err(ConfigError::Affix("a b".to_owned()))),
            ("no empty labels", of("o", "a..", "", ""), Err(ConfigError::Affix("a..".to_owned()))),
        ];
        for (name, got, want) in cases {
            assert_eq!(got, want, "{name}");
        }
        assert_eq!(DnsConfig::default().check(), Ok(()), "off is fine");
    }
}
