//! Binds the endpoints of a Service to an AWS target group.
//!
//! Shape: the fields of the spec are declared in the order in which the peer writes them, because the checkpoint
//! annotation is a hash of that text: `serde_json::to_string` of the spec is byte for byte what the peer hashes.
//! Source: AWS Load Balancer Controller 3.5, TargetGroupBinding `elbv2.k8s.aws/v1beta1`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, LabelSelectorRequirement};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// Which endpoints go to which target group, and who may reach them.
#[derive(CustomResource, Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Default)]
#[kube(
    group = "elbv2.k8s.aws",
    version = "v1beta1",
    kind = "TargetGroupBinding",
    plural = "targetgroupbindings",
    namespaced,
    status = "TargetGroupBindingStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Binds the endpoints of a Service to an AWS target group.",
    printcolumn(
        name = "SERVICE-NAME",
        type_ = "string",
        description = "The Kubernetes Service's name",
        json_path = ".spec.serviceRef.name"
    ),
    printcolumn(
        name = "SERVICE-PORT",
        type_ = "string",
        description = "The Kubernetes Service's port",
        json_path = ".spec.serviceRef.port"
    ),
    printcolumn(
        name = "TARGET-TYPE",
        type_ = "string",
        description = "The AWS TargetGroup's TargetType",
        json_path = ".spec.targetType"
    ),
    printcolumn(
        name = "ARN",
        type_ = "string",
        description = "The AWS TargetGroup's Amazon Resource Name",
        json_path = ".spec.targetGroupARN",
        priority = 1
    ),
    printcolumn(
        name = "NAME",
        type_ = "string",
        description = "The AWS TargetGroup's Name",
        json_path = ".spec.targetGroupName",
        priority = 2
    ),
    printcolumn(name = "AGE", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct TargetGroupBindingSpec {
    /// ARN of the target group. One of ARN and name is required; immutable.
    #[serde(rename = "targetGroupARN", skip_serializing_if = "Option::is_none")]
    pub target_group_arn: Option<String>,
    /// Name of the target group, from which the ARN is found at admission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_group_name: Option<String>,
    /// Whether other clusters register targets in the same target group: only our own are then touched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_cluster_target_group: Option<bool>,
    /// Whether nodes or pods are registered. Immutable; taken from the target group when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["instance", "ip"]))]
    pub target_type: Option<String>,
    /// Protocol of the target group; taken from it when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"]))]
    pub target_group_protocol: Option<String>,
    /// Service of the same namespace whose endpoints are the targets.
    pub service_ref: ServiceReference,
    /// Traffic that is let through to the targets. Absent: rules are not touched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networking: Option<Networking>,
    /// Nodes that may be registered; for target type `instance` only.
    #[serde(serialize_with = "write_selector", skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<LabelSelector>,
    /// Address family of the target group. Immutable; `ipv4` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["ipv4", "ipv6"]))]
    pub ip_address_type: Option<String>,
    /// VPC of the target group. Immutable.
    #[serde(rename = "vpcID", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^vpc-[0-9a-f]{8}$|^vpc-[0-9a-f]{17}$|^vpc-[0-9a-f]{32}$"))]
    pub vpc_id: Option<String>,
    /// Role that is assumed for calls about this target group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iam_role_arn_to_assume: Option<String>,
    /// External ID given when the role is assumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assume_role_external_id: Option<String>,
}

/// A port of a Service of the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceReference {
    /// Name of the Service.
    pub name: String,
    /// Number or name of the Service port.
    pub port: IntOrString,
}

/// Traffic that is let through to the targets.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
pub struct Networking {
    /// Rules, each of which lets something in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ingress: Vec<NetworkingIngressRule>,
}

/// Lets `from` reach `ports`.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkingIngressRule {
    /// Who is let in; at least one.
    pub from: Vec<NetworkingPeer>,
    /// Where to.
    pub ports: Vec<NetworkingPort>,
}

/// An origin of traffic: exactly one of the two.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
#[serde(rename_all = "camelCase")]
pub struct NetworkingPeer {
    /// A range of addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_block: Option<IpBlock>,
    /// Whatever carries a security group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_group: Option<SecurityGroup>,
}

/// A range of addresses.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
pub struct IpBlock {
    /// The range, IPv4 or IPv6.
    pub cidr: String,
}

/// A security group.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
pub struct SecurityGroup {
    /// ID of the security group.
    #[serde(rename = "groupID")]
    pub group_id: String,
}

/// A port of the targets.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkingPort {
    /// Protocol; TCP when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["TCP", "UDP"]))]
    pub protocol: Option<String>,
    /// Number, or name of a container port where pods are targets. Absent: every port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<IntOrString>,
}

/// What became of the binding.
#[derive(Serialize, Deserialize, JsonSchema, Debug, Clone, PartialEq, Default)]
#[serde(rename_all = "camelCase")]
pub struct TargetGroupBindingStatus {
    /// Generation of the spec that was last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, TargetsRegistered and NetworkingReady, one each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// Writes the labels before the expressions, as the peer does and the generated type does not.
fn write_selector<S: Serializer>(selector: &Option<LabelSelector>, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct LabelsFirst<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        match_labels: Option<&'a BTreeMap<String, String>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        match_expressions: Option<&'a Vec<LabelSelectorRequirement>>,
    }
    selector
        .as_ref()
        .map(|selector| LabelsFirst {
            match_labels: selector.match_labels.as_ref().filter(|labels| !labels.is_empty()),
            match_expressions: selector.match_expressions.as_ref().filter(|terms| !terms.is_empty()),
        })
        .serialize(serializer)
}
