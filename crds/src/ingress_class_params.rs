//! Parameters of an IngressClass whose controller is `ingress.k8s.aws/alb`. Each field is stronger than the
//! annotation of the same meaning.
//!
//! Shape: cluster-scoped, no status. `PrefixListsIDs` and `prefixListsIDs` are two spellings of one field; the schema
//! refuses both together.
//! Source: AWS Load Balancer Controller 3.5, IngressClassParams `elbv2.k8s.aws/v1beta1`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What every Ingress of an ALB class has in common.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Default)]
#[kube(
    group = "elbv2.k8s.aws",
    version = "v1beta1",
    kind = "IngressClassParams",
    plural = "ingressclassparams",
    derive = "PartialEq",
    derive = "Default",
    doc = "Parameters of an IngressClass whose controller is ingress.k8s.aws/alb.",
    printcolumn(
        name = "GROUP-NAME",
        type_ = "string",
        description = "The Ingress Group name",
        json_path = ".spec.group.name"
    ),
    printcolumn(
        name = "SCHEME",
        type_ = "string",
        description = "The AWS Load Balancer scheme",
        json_path = ".spec.scheme"
    ),
    printcolumn(
        name = "IP-ADDRESS-TYPE",
        type_ = "string",
        description = "The AWS Load Balancer ipAddressType",
        json_path = ".spec.ipAddressType"
    ),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!(has(self.prefixListsIDs) && has(self.PrefixListsIDs))",
    "message": "prefixListsIDs and PrefixListsIDs are two spellings of one field: set only one of them"
}]))]
pub struct IngressClassParamsSpec {
    /// Name of the load balancer, in place of the generated one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer_name: Option<String>,
    /// ARNs of the certificates for HTTPS listeners.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificate_arn: Vec<String>,
    /// Namespaces whose Ingresses may use the class. Absent or empty: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// Group that all Ingresses of the class join.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<IngressGroup>,
    /// Whether clients outside the network can reach the load balancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["internal", "internet-facing"]))]
    pub scheme: Option<String>,
    /// Ranges of client addresses that are let in, without host bits.
    #[serde(rename = "inboundCIDRs", default, skip_serializing_if = "Vec::is_empty")]
    pub inbound_cidrs: Vec<String>,
    /// Security policy of HTTPS listeners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_policy: Option<String>,
    /// Port of the HTTPS listener to which plain HTTP is redirected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_redirect_port: Option<String>,
    /// Subnets of the load balancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnets: Option<SubnetSelector>,
    /// Address families of the load balancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["ipv4", "dualstack", "dualstack-without-public-ipv4"]))]
    pub ip_address_type: Option<String>,
    /// Tags of the AWS resources; stronger, key by key, than those of the annotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<KeyValue>,
    /// Whether nodes or pods are registered as targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["instance", "ip"]))]
    pub target_type: Option<String>,
    /// Attributes of the load balancer; stronger, key by key, than those of the annotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub load_balancer_attributes: Vec<KeyValue>,
    /// Attributes of listeners that exist for another reason; makes none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<Listener>,
    /// Capacity that AWS keeps ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_load_balancer_capacity: Option<MinimumLoadBalancerCapacity>,
    /// Where the load balancer's public addresses come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipam_configuration: Option<IpamConfiguration>,
    /// Older spelling of `prefixListsIDs`.
    #[serde(rename = "PrefixListsIDs", default, skip_serializing_if = "Vec::is_empty")]
    pub legacy_prefix_lists_ids: Vec<String>,
    /// IDs of the prefix lists that are let in.
    #[serde(rename = "prefixListsIDs", default, skip_serializing_if = "Vec::is_empty")]
    pub prefix_lists_ids: Vec<String>,
    /// ARN of the WAFv2 web ACL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wafv2_acl_arn: Option<String>,
    /// Name of the WAFv2 web ACL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wafv2_acl_name: Option<String>,
}

/// A group of Ingresses that share a load balancer.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
pub struct IngressGroup {
    /// Name of the group.
    pub name: String,
}

/// Subnets, either named or found by their tags: exactly one of the two.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
pub struct SubnetSelector {
    /// IDs of the subnets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1), inner(regex(pattern = r"subnet-[0-9a-f]+")))]
    pub ids: Vec<String>,
    /// Key of a tag to the values of which the subnet has one; every key must match.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Vec<String>>,
}

/// A tag or an attribute of an AWS resource.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyValue {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// Attributes of the listener on one port.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// Protocol of the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Port of the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// Attributes of the listener; stronger, key by key, than those of the annotation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listener_attributes: Vec<KeyValue>,
}

/// Capacity that AWS keeps ready.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase")]
pub struct MinimumLoadBalancerCapacity {
    /// Load balancer capacity units.
    pub capacity_units: i32,
}

/// Where the load balancer's public addresses come from.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
pub struct IpamConfiguration {
    /// ID of the IPAM pool for IPv4 addresses.
    #[serde(rename = "ipv4IPAMPoolId", skip_serializing_if = "Option::is_none")]
    pub ipv4_ipam_pool_id: Option<String>,
}
