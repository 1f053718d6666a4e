//! Record sets as a zone holds them.
//!
//! | field            | unit or form                                                            |
//! |------------------|-------------------------------------------------------------------------|
//! | `ttl`            | seconds                                                                 |
//! | `values`         | record data as the API writes it; TXT with its quotes                   |
//! | `Alias::target`  | the one spelling of [`Name`]; `dualstack.` in front is kept             |
//! | `Alias::zone_id` | the hosted zone of the target, as its load balancer reports it          |
//!
//! Shape: a record set is identified by name, type and set identifier. It is read whole, because a deletion has to
//! repeat it exactly.
//! Source: Route 53 API reference, ResourceRecordSet.

use std::{fmt, net::IpAddr};

use fairway_core::plan::{Handle, ResourceKey};
use serde::{Deserialize, Serialize};

use crate::name::Name;

/// Type of a record set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum RecordType {
    /// IPv4 address, or alias.
    A,
    /// IPv6 address, or alias.
    Aaaa,
    /// Another name.
    Cname,
    /// Text: ownership is kept in these.
    Txt,
    /// Any other; in upper case.
    Other(String),
}

impl RecordType {
    /// As the API spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Txt => "TXT",
            Self::Other(other) => other,
        }
    }

    /// Whether Fairway publishes records of this type, ownership aside.
    #[must_use]
    pub const fn is_published(&self) -> bool {
        matches!(self, Self::A | Self::Aaaa | Self::Cname)
    }
}

impl From<String> for RecordType {
    fn from(text: String) -> Self {
        match text.to_ascii_uppercase().as_str() {
            "A" => Self::A,
            "AAAA" => Self::Aaaa,
            "CNAME" => Self::Cname,
            "TXT" => Self::Txt,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<RecordType> for String {
    fn from(kind: RecordType) -> Self {
        kind.as_str().to_owned()
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One record set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordSet {
    /// Where it is.
    pub name: Name,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: RecordType,
    /// `None`: simple routing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Routing>,
    /// What it says.
    pub content: Content,
}

/// Identity of a record set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordKey {
    /// Where it is.
    pub name: Name,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: RecordType,
    /// Empty for simple routing.
    pub set_identifier: String,
}

/// How a record set shares its name with others. A set identifier without a policy does not exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Routing {
    /// `SetIdentifier`.
    pub set_identifier: String,
    /// Which policy.
    pub policy: RoutingPolicy,
    /// `HealthCheckId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<String>,
}

/// Routing policies, with the fields that the API has for each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoutingPolicy {
    /// `Weight`.
    Weighted(u8),
    /// `Region`.
    Latency(String),
    /// `Failover`: `PRIMARY` or `SECONDARY`.
    Failover(String),
    /// `GeoLocation`.
    GeoLocation {
        /// `ContinentCode`.
        continent: Option<String>,
        /// `CountryCode`.
        country: Option<String>,
        /// `SubdivisionCode`.
        subdivision: Option<String>,
    },
    /// `GeoProximityLocation`.
    GeoProximity {
        /// `AWSRegion`.
        region: Option<String>,
        /// `LocalZoneGroup`.
        local_zone_group: Option<String>,
        /// `Coordinates`: latitude and longitude, as written.
        coordinates: Option<(String, String)>,
        /// `Bias`.
        bias: Option<i32>,
    },
    /// `MultiValueAnswer`.
    MultiValue,
    /// `CidrRoutingConfig`.
    Cidr {
        /// `CollectionId`.
        collection: String,
        /// `LocationName`.
        location: String,
    },
}

/// What a record set says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// `TTL` and `ResourceRecords`.
    Values {
        /// Seconds.
        ttl: u32,
        /// As the zone holds them; order means nothing, except that ownership is in the first value of a TXT.
        values: Vec<String>,
    },
    /// `AliasTarget`.
    Alias(Alias),
}

/// An alias to a load balancer or another name that AWS knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Alias {
    /// `DNSName`.
    pub target: Name,
    /// `HostedZoneId`.
    pub zone_id: String,
    /// `EvaluateTargetHealth`.
    pub evaluate_target_health: bool,
}

impl RecordSet {
    /// Its identity.
    #[must_use]
    pub fn key(&self) -> RecordKey {
        RecordKey {
            name: self.name.clone(),
            kind: self.kind.clone(),
            set_identifier: self.set_identifier().to_owned(),
        }
    }

    /// Empty for simple routing.
    #[must_use]
    pub fn set_identifier(&self) -> &str {
        self.routing.as_ref().map(|routing| routing.set_identifier.as_str()).unwrap_or_default()
    }

    /// Values that the API counts, and the characters in them. An alias counts as one value, its target.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        match &self.content {
            Content::Values { values, .. } => {
                (values.len(), values.iter().map(|value| value.chars().count()).sum())
            }
            Content::Alias(alias) => (1, alias.target.as_str().len()),
        }
    }

    /// Host names that the record points at, in the spelling of [`target_key`], or its addresses.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        match (&self.content, &self.kind) {
            (Content::Alias(alias), _) => vec![target_key(alias.target.as_str())],
            (Content::Values { values, .. }, RecordType::Cname) => {
                values.iter().map(|v| target_key(v)).collect()
            }
            (Content::Values { values, .. }, RecordType::A | RecordType::Aaaa) => {
                let address = |text: &String| text.parse::<IpAddr>().ok();
                values.iter().filter_map(address).map(|address| address.to_string()).collect()
            }
            (Content::Values { .. }, _) => Vec::new(),
        }
    }

    /// How plans and the board call it.
    #[must_use]
    pub fn resource(&self) -> ResourceKey {
        let set = self.set_identifier();
        let separator = if set.is_empty() { "" } else { "/" };
        ResourceKey::new("record", &format!("{}/{}{separator}{set}", self.name, self.kind))
    }

    /// What it points at, separated by spaces, for whoever waits until no record does; `None` for texts.
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        let dns_name = Some(self.targets().join(" ")).filter(|targets| !targets.is_empty())?;
        Some(Handle { id: self.name.to_string(), dns_name: Some(dns_name), zone_id: None, ready: true })
    }

    /// Whether the record says what `wanted` asks for. A TTL counts only where one was asked for; addresses are
    /// compared as addresses, names as names, `dualstack.` in front of an alias target is nothing.
    #[must_use]
    pub fn says(&self, wanted: &Self, ttl_matters: bool) -> bool {
        let same = match (&self.content, &wanted.content) {
            (Content::Alias(have), Content::Alias(want)) => {
                target_key(have.target.as_str()) == target_key(want.target.as_str())
                    && have.zone_id == want.zone_id
                    && have.evaluate_target_health == want.evaluate_target_health
            }
            (
                Content::Values { ttl: have_ttl, values: have },
                Content::Values { ttl: want_ttl, values: want },
            ) => (!ttl_matters || have_ttl == want_ttl) && self.canonical(have) == self.canonical(want),
            _ => false,
        };
        same && self.key() == wanted.key() && self.routing == wanted.routing
    }

    fn canonical(&self, values: &[String]) -> Vec<String> {
        let canonical = |value: &String| match self.kind {
            RecordType::A | RecordType::Aaaa => {
                value.trim().parse().map_or_else(|_| value.clone(), |ip: IpAddr| ip.to_string())
            }
            RecordType::Cname => target_key(value),
            RecordType::Txt | RecordType::Other(_) => value.clone(),
        };
        let mut all: Vec<String> = values.iter().map(canonical).collect();
        all.sort();
        all
    }
}

/// A target's host name as targets are compared: the spelling of [`Name`], without `dualstack.` in front.
#[must_use]
pub fn target_key(host: &str) -> String {
    let name = Name::observed(host);
    name.as_str().strip_prefix("dualstack.").unwrap_or(name.as_str()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_addresses_points_at_all_of_them() {
        let values = ["192.0.2.2", "192.0.2.1"].map(str::to_owned).to_vec();
        let record = RecordSet {
            name: Name::observed("shop.example.com"),
            kind: RecordType::A,
            routing: None,
            content: Content::Values { ttl: 300, values },
        };
        let handle = record.handle().unwrap();
        assert_eq!(handle.dns_name.as_deref(), Some("192.0.2.2 192.0.2.1"));
    }
}
