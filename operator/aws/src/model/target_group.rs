//! A target group: where requests or connections of one backend go.

use serde::{Deserialize, Serialize};

use super::{Attributes, ResourceKind, Tags};

/// A target group. Name, ports, protocol, version, target type and address type are fixed at creation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroup {
    /// At most 32 characters.
    pub name: String,
    /// Port of targets that name none.
    pub port: i32,
    /// Protocol to the targets.
    pub protocol: TargetProtocol,
    /// `HTTP1`, `HTTP2` or `GRPC`; `None` for layer 4.
    pub protocol_version: Option<String>,
    /// What is registered.
    pub target_type: TargetType,
    /// `ipv4` or `ipv6`.
    pub ip_address_type: String,
    /// Where the target optimizer's agent is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_port: Option<i32>,
    /// How targets are judged.
    pub health_check: HealthCheck,
    /// Only those that someone asked for.
    pub attributes: Attributes,
    /// All tags, ownership included.
    pub tags: Tags,
}

impl ResourceKind for TargetGroup {
    const KIND: &'static str = "target-group";
}

/// What is registered in a target group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetType {
    /// EC2 instances, reached at a node port.
    Instance,
    /// Pod addresses.
    Ip,
    /// One application load balancer.
    Alb,
}

impl TargetType {
    /// AWS's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Ip => "ip",
            Self::Alb => "alb",
        }
    }
}

/// Protocol of a target group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TargetProtocol {
    /// HTTP.
    Http,
    /// HTTPS.
    Https,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// TLS.
    Tls,
    /// TCP and UDP on one port.
    #[serde(rename = "TCP_UDP")]
    TcpUdp,
}

impl TargetProtocol {
    /// AWS's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Tls => "TLS",
            Self::TcpUdp => "TCP_UDP",
        }
    }
}

/// How targets are judged. Seconds and counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// `HTTP`, `HTTPS` or `TCP`.
    pub protocol: String,
    /// A number or `traffic-port`.
    pub port: String,
    /// `None` for TCP.
    pub path: Option<String>,
    /// HTTP codes such as `200-399`; `None` for TCP and gRPC.
    pub http_codes: Option<String>,
    /// gRPC codes.
    pub grpc_codes: Option<String>,
    /// Seconds between checks.
    pub interval: i32,
    /// Seconds before a check has failed.
    pub timeout: i32,
    /// Checks until healthy.
    pub healthy: i32,
    /// Checks until unhealthy.
    pub unhealthy: i32,
}
