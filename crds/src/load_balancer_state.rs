//! What is known of one stack: the status that an Ingress has no room for.
//!
//! | field              | unit or form                                   | bound              |
//! |--------------------|------------------------------------------------|--------------------|
//! | `addresses`        | host name or IP                                | [`LIMITS`]         |
//! | `fingerprint`      | lower-case hex digits                          | 128 digits         |
//! | `generation`       | replacements so far that had to change a name  | 0 or more          |
//! | `lastGood`         | `namespace/name` to JSON, opaque to this crate | [`LIMITS`]         |
//!
//! Shape: cluster-scoped, one per stack, named by the stack's hash. The spec only says whose state it is; nobody
//! wishes for anything by it.
//! What a caller must not assume: that the API server takes a status of any size. [`LoadBalancerStateStatus::bounded`]
//! makes one that it takes, and counts what was left out.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod bounds;

pub use bounds::{LIMITS, Limits};

/// Whose state it is.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
#[kube(
    group = "fairway.dev",
    version = "v1alpha1",
    kind = "LoadBalancerState",
    plural = "loadbalancerstates",
    shortname = "lbstate",
    status = "LoadBalancerStateStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "What Fairway knows of one load balancer and all it owns. Written by Fairway, read by everyone else.",
    printcolumn(name = "Stack", type_ = "string", json_path = ".spec.stack"),
    printcolumn(name = "Provider", type_ = "string", json_path = ".spec.provider"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(name = "Address", type_ = "string", json_path = ".status.address"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancerStateSpec {
    /// Identity of the stack, as plans and logs print it.
    #[schemars(length(min = 1, max = 512))]
    pub stack: String,
    /// Who provides the load balancer: `aws` or `in-cluster`.
    #[schemars(extend("enum" = ["aws", "in-cluster"]))]
    pub provider: String,
}

/// Type of the condition by which agents say that they answer for a stack's addresses. It is theirs: the operator reads
/// it and never writes it.
pub const ANNOUNCED: &str = "Announced";

/// What is known of the stack.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancerStateStatus {
    /// Ready and its parts, one each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = LIMITS.conditions),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"])
    )]
    pub conditions: Vec<Condition>,
    /// The first of `addresses`, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub address: Option<String>,
    /// Where clients reach the load balancer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = LIMITS.addresses))]
    pub addresses: Vec<LoadBalancerAddress>,
    /// Role in the stack to ARN, such as `loadBalancer`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = LIMITS.arns))]
    pub arns: BTreeMap<String, String>,
    /// The plan that was made last, whether or not all of it was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_plan: Option<LastPlan>,
    /// What somebody else changed, as of the last look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Hash of the model that was applied completely; absent while something is still to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9a-f]{1,128}$"))]
    pub fingerprint: Option<String>,
    /// When the provider was last seen to be as the fingerprint says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint_observed_at: Option<Time>,
    /// How many replacements had to change a name that is otherwise determined; part of what names are hashed from.
    /// Absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0))]
    pub generation: Option<i64>,
    /// `namespace/name` of a member to what was last good of it, as JSON that only its writer reads.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = LIMITS.last_good))]
    pub last_good: BTreeMap<String, String>,
    /// How many members are missing from `lastGood` because there was no room.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0))]
    pub last_good_omitted: Option<i32>,
}

/// Where clients reach a load balancer: either a host name or an address.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancerAddress {
    /// A host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255))]
    pub hostname: Option<String>,
    /// An IPv4 or IPv6 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 45))]
    pub ip: Option<String>,
    /// Hosted zone of the host name, as the provider reports it: what alias records need.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub hosted_zone_id: Option<String>,
}

/// A plan, cut to what a person reads.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase")]
pub struct LastPlan {
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Time>,
    /// How much there is of it.
    pub summary: PlanSummary,
    /// Its first lines, one an operation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = LIMITS.lines), inner(length(max = LIMITS.line_characters)))]
    pub lines: Vec<String>,
    /// How many lines were left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0))]
    pub lines_omitted: Option<i32>,
}

/// Operations of a plan, counted by what they do.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanSummary {
    /// Resources to create.
    #[serde(default)]
    pub create: i32,
    /// Resources to modify.
    #[serde(default)]
    pub modify: i32,
    /// Resources to replace.
    #[serde(default)]
    pub replace: i32,
    /// Resources to delete.
    #[serde(default)]
    pub delete: i32,
    /// Operations that policy does not admit.
    #[serde(default)]
    pub withheld: i32,
    /// Resources left alone because what is wanted of them cannot be read.
    #[serde(default)]
    pub held: i32,
}

/// What somebody else changed.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// When it was last looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Time>,
    /// Resources that differed; 0 when all was as applied.
    #[serde(default)]
    pub resources: i32,
    /// The first differences, one a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = LIMITS.lines), inner(length(max = LIMITS.line_characters)))]
    pub lines: Vec<String>,
    /// How many lines were left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0))]
    pub lines_omitted: Option<i32>,
}
