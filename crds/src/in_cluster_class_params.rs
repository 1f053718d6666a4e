//! Parameters of an IngressClass whose controller is `fairway.dev/in-cluster`.
//!
//! Shape: cluster-scoped, because the IngressClass that refers to it is.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What every Ingress of an in-cluster class has in common.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
#[kube(
    group = "fairway.dev",
    version = "v1alpha1",
    kind = "InClusterClassParams",
    plural = "inclusterclassparams",
    derive = "PartialEq",
    derive = "Default",
    doc = "Parameters of an IngressClass whose controller is fairway.dev/in-cluster.",
    printcolumn(name = "Pools", type_ = "string", json_path = ".spec.ipAddressPools"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct InClusterClassParamsSpec {
    /// Names of the IPAddressPools from which addresses are taken, tried in this order. Empty: any pool that assigns
    /// automatically.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub ip_address_pools: Vec<String>,
}
