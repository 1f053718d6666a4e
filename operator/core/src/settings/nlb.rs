//! Annotations of LoadBalancer Services under `service.beta.kubernetes.io/`.
//!
//! Source: AWS Load Balancer Controller 3.5, Service annotations.

use ipnet::IpNet;

use super::{
    BadValue, Origin,
    value::{self, TextMap},
    words::{AlpnPolicy, CheckPort, CheckProtocol, IpAddressType, Scheme, TargetType},
};
use crate::ids::{Port, ProviderKind};

/// What every key of the dialect starts with.
pub const PREFIX: &str = "service.beta.kubernetes.io/";

const SERVICE: &[Origin] = &[Origin::Service];
const AWS: &[ProviderKind] = &[ProviderKind::Aws];

rows! {
    read {
        TYPE: String = "aws-load-balancer-type", SERVICE, PerMember, AWS, value::text, "external",
            "Who serves a Service without a class: `external` and `nlb-ip` are ours; `nlb-ip` also forces pods as targets.";
        TARGET_TYPE: TargetType = "aws-load-balancer-nlb-target-type", SERVICE, PerMember, AWS, TargetType::parse_network, "ip",
            "Whether nodes or pods are registered as targets; everything but `ip` means nodes.";
        NAME: String = "aws-load-balancer-name", SERVICE, PerMember, AWS, value::short_name, "shop",
            "Name of the load balancer, in place of the generated one.";
        SCHEME: Scheme = "aws-load-balancer-scheme", SERVICE, PerMember, AWS, Scheme::parse, "internet-facing",
            "Whether clients outside the network can reach the load balancer.";
        INTERNAL: bool = "aws-load-balancer-internal", SERVICE, PerMember, AWS, value::boolean, "true",
            "Older form of aws-load-balancer-scheme, which is stronger.";
        IP_ADDRESS_TYPE: IpAddressType = "aws-load-balancer-ip-address-type", SERVICE, PerMember, AWS, IpAddressType::parse_network, "dualstack",
            "Address families of the load balancer.";
        SUBNETS: Vec<String> = "aws-load-balancer-subnets", SERVICE, PerMember, AWS, value::list, "subnet-0a1, subnet-0b2",
            "Subnets of the load balancer, by id or by Name tag.";
        ATTRIBUTES: TextMap = "aws-load-balancer-attributes", SERVICE, PerMember, AWS, attributes, "load_balancing.cross_zone.enabled=true",
            "Attributes of the load balancer.";
        CROSS_ZONE: bool = "aws-load-balancer-cross-zone-load-balancing-enabled", SERVICE, PerMember, AWS, value::boolean, "true",
            "Whether targets of all zones are used; stronger than the attribute.";
        ACCESS_LOG_ENABLED: bool = "aws-load-balancer-access-log-enabled", SERVICE, PerMember, AWS, value::boolean, "true",
            "Whether access logs are written; false leaves them as they are.";
        ACCESS_LOG_BUCKET: String = "aws-load-balancer-access-log-s3-bucket-name", SERVICE, PerMember, AWS, value::text, "logs",
            "Bucket of the access logs.";
        ACCESS_LOG_PREFIX: String = "aws-load-balancer-access-log-s3-bucket-prefix", SERVICE, PerMember, AWS, value::text, "shop/",
            "Prefix of the access logs in their bucket.";
        TAGS: TextMap = "aws-load-balancer-additional-resource-tags", SERVICE, PerMember, AWS, value::map, "team=a,env=prod",
            "Tags of everything that is made.";
        SECURITY_GROUPS: Vec<String> = "aws-load-balancer-security-groups", SERVICE, PerMember, AWS, value::list, "sg-0a1, web",
            "Security groups of the load balancer, by id or by Name tag, in place of the managed one.";
        MANAGE_BACKEND_SECURITY_GROUP_RULES: bool = "aws-load-balancer-manage-backend-security-group-rules", SERVICE, PerMember, AWS, value::boolean, "true",
            "Whether, with security groups given, the rules that let the load balancer reach its targets are managed.";
        SOURCE_RANGES: Vec<IpNet> = "load-balancer-source-ranges", SERVICE, PerMember, AWS, value::ranges, "10.0.0.0/8",
            "Ranges of client addresses that the managed security group lets in, unless the Service's spec names some.";
        SECURITY_GROUP_PREFIX_LISTS: Vec<String> = "aws-load-balancer-security-group-prefix-lists", SERVICE, PerMember, AWS, value::list, "pl-0a1",
            "Prefix lists that the managed security group lets in.";
        SSL_CERT: Vec<String> = "aws-load-balancer-ssl-cert", SERVICE, PerMember, AWS, value::list, "arn:aws:acm:us-east-1:000000000000:certificate/a",
            "Certificates of TLS listeners; the first is the default.";
        SSL_PORTS: Vec<String> = "aws-load-balancer-ssl-ports", SERVICE, PerMember, AWS, value::list, "443, https",
            "Ports that terminate TLS, by number or name; all when absent.";
        SSL_NEGOTIATION_POLICY: String = "aws-load-balancer-ssl-negotiation-policy", SERVICE, PerMember, AWS, value::text, "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "Security policy of TLS listeners.";
        ALPN_POLICY: AlpnPolicy = "aws-load-balancer-alpn-policy", SERVICE, PerMember, AWS, AlpnPolicy::parse, "HTTP2Preferred",
            "Application protocols that TLS listeners offer.";
        BACKEND_PROTOCOL: String = "aws-load-balancer-backend-protocol", SERVICE, PerMember, AWS, value::text, "ssl",
            "`ssl`: targets behind TLS listeners are spoken to in TLS as well.";
        PROXY_PROTOCOL: bool = "aws-load-balancer-proxy-protocol", SERVICE, PerMember, AWS, everywhere, "*",
            "`*`: all targets get the client's address by proxy protocol 2.";
        PROXY_PROTOCOL_PORTS: Vec<Port> = "aws-load-balancer-proxy-protocol-per-target-group", SERVICE, PerMember, AWS, value::ports, "80, 443",
            "Ports whose targets get the client's address by proxy protocol 2; those of all others do not.";
        TARGET_GROUP_ATTRIBUTES: TextMap = "aws-load-balancer-target-group-attributes", SERVICE, PerMember, AWS, target_attributes, "preserve_client_ip.enabled=true",
            "Attributes of all target groups.";
        TARGET_GROUP_ATTRIBUTES_OF_PORT: TextMap = "aws-load-balancer-target-group-attributes.", SERVICE, PerMember, AWS, target_attributes, "preserve_client_ip.enabled=true",
            "Attributes of the target group of one port, key by key over those of all; empty values override nothing.";
        TARGET_NODE_LABELS: TextMap = "aws-load-balancer-target-node-labels", SERVICE, PerMember, AWS, value::map, "pool=edge",
            "Labels of the nodes that are registered as targets.";
        HEALTHCHECK_PROTOCOL: CheckProtocol = "aws-load-balancer-healthcheck-protocol", SERVICE, PerMember, AWS, CheckProtocol::parse_any_case, "http",
            "Protocol of health checks.";
        HEALTHCHECK_PORT: CheckPort = "aws-load-balancer-healthcheck-port", SERVICE, PerMember, AWS, CheckPort::parse, "traffic-port",
            "Port of health checks: a number, a port's name, or traffic-port.";
        HEALTHCHECK_PATH: String = "aws-load-balancer-healthcheck-path", SERVICE, PerMember, AWS, value::text, "/healthz",
            "Path of health checks.";
        HEALTHCHECK_INTERVAL: i32 = "aws-load-balancer-healthcheck-interval", SERVICE, PerMember, AWS, value::int32, "10",
            "Seconds between health checks.";
        HEALTHCHECK_TIMEOUT: i32 = "aws-load-balancer-healthcheck-timeout", SERVICE, PerMember, AWS, value::int32, "10",
            "Seconds after which a health check has failed.";
        HEALTHCHECK_HEALTHY: i32 = "aws-load-balancer-healthcheck-healthy-threshold", SERVICE, PerMember, AWS, value::int32, "3",
            "Health checks in a row until a target is healthy.";
        HEALTHCHECK_UNHEALTHY: i32 = "aws-load-balancer-healthcheck-unhealthy-threshold", SERVICE, PerMember, AWS, value::int32, "3",
            "Failed health checks in a row until a target is unhealthy.";
        HEALTHCHECK_SUCCESS_CODES: String = "aws-load-balancer-healthcheck-success-codes", SERVICE, PerMember, AWS, value::text, "200-399",
            "Status codes of a healthy target.";
    }
    later {
        "actions.", SERVICE, "Weighted target groups of the listener of one protocol and port.";
        "aws-load-balancer-eip-allocations", SERVICE, "Elastic addresses, one a subnet.";
        "aws-load-balancer-private-ipv4-addresses", SERVICE, "Private IPv4 addresses, one a subnet.";
        "aws-load-balancer-ipv6-addresses", SERVICE, "IPv6 addresses, one a subnet.";
        "aws-load-balancer-inbound-sg-rules-on-private-link-traffic", SERVICE, "Whether security groups judge PrivateLink traffic.";
        "aws-load-balancer-listener-attributes.", SERVICE, "Attributes of the listener of one protocol and port.";
        "aws-load-balancer-multi-cluster-target-group", SERVICE, "Whether targets of other clusters are left alone.";
        "aws-load-balancer-enable-prefix-for-ipv6-source-nat", SERVICE, "Whether IPv6 sources are translated to a prefix.";
        "aws-load-balancer-source-nat-ipv6-prefixes", SERVICE, "Prefixes that IPv6 sources are translated to.";
        "aws-load-balancer-minimum-load-balancer-capacity", SERVICE, "Capacity that AWS keeps ready.";
        "aws-load-balancer-enable-icmp-for-path-mtu-discovery", SERVICE, "Whether the managed security group lets path MTU discovery in.";
        "aws-load-balancer-enable-tcp-udp-listener", SERVICE, "Whether TCP and UDP ports of one number become one listener.";
        "aws-load-balancer-disable-nlb-sg", SERVICE, "Whether the load balancer is made without security groups.";
        "aws-load-balancer-quic-enabled-ports", SERVICE, "Ports that speak QUIC.";
    }
}

fn everywhere(text: &str) -> Result<bool, BadValue> {
    if text == "*" { Ok(true) } else { Err(BadValue("the only value is *".into())) }
}

const CLIENT_ROUTING: &str = "dns_record.client_routing_policy";
const ROUTING_WORDS: [&str; 3] =
    ["availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone"];

/// Attributes of a network load balancer.
///
/// # Errors
/// No map, or a routing policy that there is not.
pub(super) fn attributes(text: &str) -> Result<TextMap, BadValue> {
    let all = value::map(text)?;
    match all.get(CLIENT_ROUTING) {
        Some(word) if !ROUTING_WORDS.contains(&word.as_str()) => {
            Err(BadValue(format!("{CLIENT_ROUTING} must be one of {}", ROUTING_WORDS.join(", "))))
        }
        _ => Ok(all),
    }
}

const PRESERVE_CLIENT: &str = "preserve_client_ip.enabled";

fn target_attributes(text: &str) -> Result<TextMap, BadValue> {
    let all = value::map(text)?;
    let preserve =
        all.get(PRESERVE_CLIENT).filter(|value| !value.is_empty()).map(|value| value::boolean(value));
    preserve.transpose().map_err(|BadValue(problem)| BadValue(format!("{PRESERVE_CLIENT} {problem}")))?;
    Ok(all)
}
