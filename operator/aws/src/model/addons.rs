//! What other services, or other calls than the usual ones, put on a load balancer.
//!
//! | field           | unit | absent                          |
//! |-----------------|------|---------------------------------|
//! | `capacity`      | LCU  | a reservation stays as it is    |
//! | `web_acl`       | ARN  | an association stays as it is   |
//! | `classic_acl`   | id   | an association stays as it is   |
//! | `shield`        |      | a protection stays as it is     |
//!
//! What is absent is not looked at either: a look costs calls of its own.
//! Source: ModifyCapacityReservation; AWS WAF, AWS WAF Classic and AWS Shield API references.

use std::collections::BTreeSet;

use fairway_core::settings::front::Attachment;
use serde::{Deserialize, Serialize};

/// Name of the protections that are ours, as the peer writes it.
pub const PROTECTION_NAME: &str = "managed by aws-load-balancer-controller";

/// What is asked for beside the load balancer itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addons {
    /// Capacity units that are kept ready; 0 gives a reservation back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<i32>,
    /// Web ACL of WAFv2, by ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_acl: Option<Attachment>,
    /// Web ACL of WAF Classic, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classic_acl: Option<Attachment>,
    /// Whether Shield Advanced protects it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shield: Option<bool>,
}

/// One of [`Addons`], as something to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Addon {
    /// `capacity`.
    Capacity,
    /// `web_acl`.
    WebAcl,
    /// `classic_acl`.
    ClassicAcl,
    /// `shield`.
    Shield,
}

impl Addons {
    /// What has to be looked at.
    #[must_use]
    pub fn asked(&self) -> BTreeSet<Addon> {
        let all = [
            self.capacity.map(|_| Addon::Capacity),
            self.web_acl.as_ref().map(|_| Addon::WebAcl),
            self.classic_acl.as_ref().map(|_| Addon::ClassicAcl),
            self.shield.map(|_| Addon::Shield),
        ];
        all.into_iter().flatten().collect()
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.asked().is_empty()
    }
}
