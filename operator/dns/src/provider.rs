//! [`Zones`]: DNS as a provider of the engine, one unit a hosted zone.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    record::RecordSet,
    zone::{HostedZone, ZoneId},
};

/// The compiler from members and published addresses to changes of hosted zones.
#[derive(Debug, Clone, Copy)]
pub enum Zones {}

/// What is reconciled as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneUnit {
    /// The records of one hosted zone.
    Hosted(ZoneId),
    /// Names that no zone takes, and names that are none: it changes nothing and only tells their objects.
    Unassigned,
}

impl fmt::Display for ZoneUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hosted(id) => write!(f, "zone:{id}"),
            Self::Unassigned => write!(f, "zone:none"),
        }
    }
}

/// A question about the account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Query {
    /// Every hosted zone of the account, complete; with tags when asked for (ten zones a call).
    HostedZones {
        /// Whether tags are needed.
        tags: bool,
    },
}

/// The answer to the [`Query`] of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// In the order of their ids.
    HostedZones(Vec<HostedZone>),
}

/// What has to be observed to compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every record set of the zone.
    WholeZone(ZoneId),
}

/// What is there: every record set of the zone, of every type, or the observation failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneObserved {
    /// In no particular order.
    pub records: Vec<RecordSet>,
}
