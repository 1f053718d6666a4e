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
