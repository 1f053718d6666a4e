//! Addresses that may be given to Services and Ingresses outside AWS.
//!
//! Source: MetalLB, IPAddressPool `metallb.io/v1beta1`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Ranges of addresses and who may have one.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq)]
#[kube(
    group = "metallb.io",
    version = "v1beta1",
    kind = "IPAddressPool",
    plural = "ipaddresspools",
    namespaced,
    status = "IPAddressPoolStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "A pool of addresses for Services and Ingresses outside AWS.",
    printcolumn(name = "Auto Assign", type_ = "boolean", json_path = ".spec.autoAssign"),
    printcolumn(name = "Avoid Buggy IPs", type_ = "boolean", json_path = ".spec.avoidBuggyIPs"),
    printcolumn(name = "Addresses", type_ = "string", json_path = ".spec.addresses")
)]
#[serde(rename_all = "camelCase")]
pub struct IPAddressPoolSpec {
    /// Ranges, each a CIDR or `first-last`; IPv4 and IPv6 may be mixed.
    pub addresses: Vec<String>,
    /// Whether addresses are given to those who did not ask for this pool.
    #[serde(default = "yes")]
    pub auto_assign: bool,
    /// Whether IPv4 addresses that end in .0 or .255 are never given out.
    #[serde(rename = "avoidBuggyIPs", default)]
    pub avoid_buggy_ips: bool,
    /// Who may have an address of this pool. Absent: everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_allocation: Option<ServiceAllocation>,
}

/// Who may have an address of a pool.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAllocation {
    /// Of the pools that fit, the one with the lowest value is preferred. Absent or 0: last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Namespaces by name, united with those by label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Namespaces by label, united with those by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespace_selectors: Vec<LabelSelector>,
    /// Services by label, within those namespaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_selectors: Vec<LabelSelector>,
}

/// How much of a pool is in use, in addresses. A count beyond the range of the type is its maximum.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
pub struct IPAddressPoolStatus {
    /// IPv4 addresses given out.
    #[serde(rename = "assignedIPv4", default)]
    pub assigned_ipv4: i64,
    /// IPv6 addresses given out.
    #[serde(rename = "assignedIPv6", default)]
    pub assigned_ipv6: i64,
    /// IPv4 addresses left.
    #[serde(rename = "availableIPv4", default)]
    pub available_ipv4: i64,
    /// IPv6 addresses left.
    #[serde(rename = "availableIPv6", default)]
    pub available_ipv6: i64,
}

impl Default for IPAddressPoolSpec {
    fn default() -> Self {
        Self { addresses: Vec::new(), auto_assign: yes(), avoid_buggy_ips: false, service_allocation: None }
    }
}

fn yes() -> bool {
    true
}
