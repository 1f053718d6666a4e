//! AWS in memory, with the rules that a load balancer controller depends on.
//!
//! | value                      | unit    | default |
//! |----------------------------|---------|---------|
//! | `provisioning`             | seconds | 0       |
//! | `target_initial`           | seconds | 0       |
//! | `interface_linger`         | seconds | 1       |
//! | `change_pending`           | seconds | 0       |
//! | `zone_busy`                | seconds | 0       |
//!
//! Shape: one value per account and region; cloning it is a picture of the account at that moment. Time is set by
//! whoever owns it. Resources refer to each other by ARN or id; where the model has a [`fairway_aws::model::Ref`] to a
//! target group, its name is the ARN here.
//! Errors: [`AwsError`] with AWS's own code.

mod addons;
mod attributes;
mod certificate;
mod listener;
mod load_balancer;
mod network;
mod record;
mod rule;
mod security_group;
mod tag;
mod target;
mod target_group;

use std::collections::BTreeMap;

use fairway_aws::facts::{Certificate, Interface, Subnet};

pub(crate) use certificate::VALIDATIONS;
pub use certificate::{ImportedRow, RequestedRow};
pub use listener::{ListenerAsk, ListenerChange, ListenerRow};
pub use load_balancer::{BalancerAsk, BalancerRow, State};
pub use network::Seed;
pub(crate) use record::reversed;
pub use record::{Status, ZoneRow};
pub(crate) use rule::targets;
pub use rule::{RuleAsk, RuleChange, RuleRow};
pub use security_group::GroupRow;
pub use target::{Health, TargetRow};
pub use target_group::{HealthCheckChange, TargetGroupAsk, TargetGroupRow};

/// An error as AWS answers it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// AWS's code, such as `ResourceInUse`.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
}

/// What AWS answers.
pub type Answered<T> = Result<T, AwsError>;

pub(crate) fn refuse<T>(code: &'static str, message: impl Into<String>) -> Answered<T> {
    Err(AwsError { code, message: message.into() })
}

pub(crate) fn unless(holds: bool, code: &'static str, message: &str) -> Answered<()> {
    if holds { Ok(()) } else { refuse(code, message) }
}

/// How long things take, and how many there may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Seconds until a load balancer is active.
    pub provisioning: u64,
    /// Seconds until a target is healthy.
    pub target_initial: u64,
    /// Seconds for which a deleted load balancer's interfaces keep its security groups in use.
    pub interface_linger: u64,
    /// Seconds until a change of records is in sync.
    pub change_pending: u64,
    /// Seconds for which a zone refuses another change.
    pub zone_busy: u64,
    /// By AWS's name of the quota; the defaults otherwise.
    pub quotas: BTreeMap<String, usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            provisioning: 0,
            target_initial: 0,
            interface_linger: 1,
            change_pending: 0,
            zone_busy: 0,
            quotas: BTreeMap::new(),
        }
    }
}

/// An account in one region, with one VPC.
#[derive(Debug, Clone, Default)]
pub struct Aws {
    /// How long things take.
    pub settings: Settings,
    /// Seconds since the world began.
    pub now: u64,
    pub(crate) serial: u64,
    pub(crate) vpc: String,
    pub(crate) vpc_cidrs: Vec<String>,
    pub(crate) default_group: String,
    pub(crate) subnets: BTreeMap<String, Subnet>,
    pub(crate) groups: BTreeMap<String, GroupRow>,
    pub(crate) interfaces: BTreeMap<String, Interface>,
    pub(crate) instances: BTreeMap<String, String>,
    pub(crate) certificates: BTreeMap<String, Certificate>,
    /// Those of them that were imported.
    pub(crate) imported: BTreeMap<String, ImportedRow>,
    /// Beside them, those that were requested.
    pub(crate) requested: BTreeMap<String, RequestedRow>,
    /// The tokens of all requests ever.
    pub(crate) requests: Vec<String>,
    /// ARNs by name.
    pub(crate) trust_stores: BTreeMap<String, String>,
    /// ARNs by name.
    pub(crate) web_acls: BTreeMap<String, String>,
    pub(crate) balancers: BTreeMap<String, BalancerRow>,
    pub(crate) listeners: BTreeMap<String, ListenerRow>,
    pub(crate) rules: BTreeMap<String, RuleRow>,
    pub(crate) target_groups: BTreeMap<String, TargetGroupRow>,
    /// Security groups that are in use until then, although their load balancer is gone.
    pub(crate) lingering: Vec<(u64, Vec<String>)>,
    pub(crate) zones: BTreeMap<String, ZoneRow>,
    pub(crate) changes: BTreeMap<String, u64>,
}

impl Aws {
    /// A number that was not used before.
    pub(crate) fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(crate) fn quota(&self, name: &str, default: usize) -> usize {
        self.settings.quotas.get(name).copied().unwrap_or(default)
    }
}

pub(crate) const REGION: &str = "us-east-1";
pub(crate) const ARN: &str = "arn:aws:elasticloadbalancing:us-east-1:000000000000";
