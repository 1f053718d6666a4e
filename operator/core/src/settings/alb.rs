//! Annotations of Ingresses (and of Services behind them) under `alb.ingress.kubernetes.io/`.
//!
//! Source: AWS Load Balancer Controller 3.5, Ingress annotations.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::{
    BadValue, Origin,
    documents::{action, condition, guard, transform},
    front::{self, Attachment, ClientCertificates},
    nlb,
    value::{self, TextMap},
    words::{
        AuthenticationType, CheckPort, CheckProtocol, IpAddressType, ProtocolVersion, Scheme, TargetType,
        Unauthenticated,
    },
};
use crate::{
    ids::{Port, ProviderKind},
    intent::{HttpProtocol, IdentityProvider, Listen, Match, Rewrite, TokenCheck, UserPool},
};

/// What every key of the dialect starts with.
pub const PREFIX: &str = "alb.ingress.kubernetes.io/";

const INGRESS: &[Origin] = &[Origin::Ingress];
const CLASS: &[Origin] = &[Origin::ClassParams, Origin::Ingress];
const BACKEND: &[Origin] = &[Origin::Service, Origin::Ingress];
const CLASS_BACKEND: &[Origin] = &[Origin::ClassParams, Origin::Service, Origin::Ingress];

const AWS: &[ProviderKind] = &[ProviderKind::Aws];
const BOTH: &[ProviderKind] = &[ProviderKind::Aws, ProviderKind::InCluster];

rows! {
    read {
        GROUP_NAME: String = "group.name", CLASS, PerMember, BOTH, group_name, "shop",
            "Group of Ingresses that share a load balancer, across namespaces.";
        GROUP_ORDER: i32 = "group.order", INGRESS, PerMember, BOTH, group_order, "-5",
            "Place of the Ingress in its group, -1000 to 1000; smaller ones come first.";
        LISTEN_PORTS: Vec<Listen> = "listen-ports", INGRESS, PerMember, BOTH, value::listens, r#"[{"HTTP":80},{"HTTPS":443}]"#,
            "Ports that the load balancer listens on for this Ingress.";
        SSL_REDIRECT: Port = "ssl-redirect", CLASS, Exclusive, BOTH, value::port, "443",
            "HTTPS port that every plain listener of the group redirects to.";
        LOAD_BALANCER_NAME: String = "load-balancer-name", CLASS, Exclusive, AWS, value::short_name, "shop",
            "Name of the load balancer, in place of the generated one.";
        SCHEME: Scheme = "scheme", CLASS, Exclusive, AWS, Scheme::parse, "internet-facing",
            "Whether clients outside the network can reach the load balancer.";
        IP_ADDRESS_TYPE: IpAddressType = "ip-address-type", CLASS, Exclusive, AWS, IpAddressType::parse, "dualstack",
            "Address families of the load balancer.";
        SUBNETS: Vec<String> = "subnets", CLASS, Exclusive, AWS, value::list, "subnet-0a1, subnet-0b2",
            "Subnets of the load balancer, by id or by Name tag.";
        SUBNETS_TAGS: BTreeMap<String, Vec<String>> = "subnets.tags", &[Origin::ClassParams], Exclusive, AWS, front::tag_values, r#"{"tier":["public"]}"#,
            "Subnets of the load balancer, by tags: for each key, one of its values.";
        LOAD_BALANCER_ATTRIBUTES: TextMap = "load-balancer-attributes", CLASS, Union, AWS, value::map, "idle_timeout.timeout_seconds=90",
            "Attributes of the load balancer.";
        TAGS: TextMap = "tags", CLASS_BACKEND, Union, AWS, value::map, "team=a,env=prod",
            "Tags of everything that is made.";
        SECURITY_GROUPS: Vec<String> = "security-groups", INGRESS, Exclusive, AWS, value::list, "sg-0a1, web",
            "Security groups of the load balancer, by id or by Name tag, in place of the managed one.";
        MANAGE_BACKEND_SECURITY_GROUP_RULES: bool = "manage-backend-security-group-rules", INGRESS, Exclusive, AWS, value::boolean, "true",
            "Whether, with security groups given, the rules that let the load balancer reach its targets are managed.";
        INBOUND_CIDRS: Vec<IpNet> = "inbound-cidrs", CLASS, Exclusive, BOTH, value::ranges, "10.0.0.0/8, fd00::/8",
            "Ranges of client addresses that are let in: by the managed security group, or by the node.";
        SECURITY_GROUP_PREFIX_LISTS: Vec<String> = "security-group-prefix-lists", CLASS, Exclusive, AWS, value::list, "pl-0a1",
            "Prefix lists that the managed security group lets in.";
        CERTIFICATE_ARN: Vec<String> = "certificate-arn", CLASS, PerMember, AWS, value::list, "arn:aws:acm:us-east-1:000000000000:certificate/a",
            "Certificates of HTTPS listeners; the first is the default.";
        CREATE_ACM_CERT: bool = "create-acm-cert", INGRESS, PerMember, AWS, value::boolean, "true",
            "Whether a certificate is requested from ACM for the hosts of the Ingress; certificate-arn takes its place.";
        ACM_PCA_ARN: String = "acm-pca-arn", INGRESS, PerMember, AWS, value::text, "arn:aws:acm-pca:us-east-1:000000000000:certificate-authority/a",
            "Private authority that issues the requested certificate; without one Amazon does.";
        SSL_POLICY: String = "ssl-policy", CLASS, Exclusive, AWS, value::text, "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "Security policy of HTTPS listeners.";
        LISTENER_ATTRIBUTES: TextMap = "listener-attributes.", CLASS, Union, AWS, value::map, "routing.http.response.server.enabled=false",
            "Attributes of the listener of one protocol and port, such as `listener-attributes.HTTPS-443`.";
        MUTUAL_AUTHENTICATION: Vec<ClientCertificates> = "mutual-authentication", INGRESS, Exclusive, AWS, front::client_certificates, r#"[{"port":443,"mode":"verify","trustStore":"staff"}]"#,
            "Client certificates of HTTPS listeners, port by port: off, passthrough, or verify with a trust store.";
        MINIMUM_LOAD_BALANCER_CAPACITY: i32 = "minimum-load-balancer-capacity", CLASS, Exclusive, AWS, front::capacity_units, "CapacityUnits=500",
            "Capacity that AWS keeps ready; 0 gives it back.";
        IPAM_IPV4_POOL_ID: String = "ipam-ipv4-pool-id", CLASS, Exclusive, AWS, value::text, "ipam-pool-0a1",
            "IPAM pool of public addresses.";
        CUSTOMER_OWNED_IPV4_POOL: String = "customer-owned-ipv4-pool", INGRESS, Exclusive, AWS, front::named, "ipv4pool-coip-0a1",
            "Pool of customer-owned addresses, fixed when the load balancer is made.";
        WAFV2_ACL_ARN: Attachment = "wafv2-acl-arn", CLASS, Exclusive, AWS, Attachment::parse, "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/shop/1",
            "WAFv2 web ACL, by ARN; `none` takes away the one that is there.";
        WAFV2_ACL_NAME: Attachment = "wafv2-acl-name", CLASS, Exclusive, AWS, Attachment::parse_name, "shop",
            "WAFv2 web ACL, by name, in place of any ARN; `none` takes away the one that is there.";
        WAF_ACL_ID: Option<Attachment> = "waf-acl-id", INGRESS, Exclusive, AWS, Attachment::parse_id, "499e8b99-6671-4614-a86d-adb1810b7fbe",
            "WAF Classic web ACL, by id; `none` takes away the one that is there.";
        WEB_ACL_ID: Option<Attachment> = "web-acl-id", INGRESS, Exclusive, AWS, Attachment::parse_id, "499e8b99-6671-4614-a86d-adb1810b7fbe",
            "Older spelling of waf-acl-id, which is stronger.";
        SHIELD_ADVANCED_PROTECTION: bool = "shield-advanced-protection", INGRESS, Exclusive, AWS, value::boolean, "true",
            "Whether Shield Advanced protects the load balancer.";
        ENABLE_FRONTEND_NLB: bool = "enable-frontend-nlb", INGRESS, Exclusive, AWS, value::boolean, "true",
            "Whether a network load balancer stands in front and passes connections on.";
        FRONTEND_NLB_SCHEME: Scheme = "frontend-nlb-scheme", INGRESS, Exclusive, AWS, Scheme::parse, "internet-facing",
            "Whether clients outside the network can reach the network load balancer in front; not taken from `scheme`.";
        FRONTEND_NLB_SUBNETS: Vec<String> = "frontend-nlb-subnets", INGRESS, Exclusive, AWS, value::list, "subnet-0a1, subnet-0b2",
            "Subnets of the network load balancer in front, by id or by Name tag.";
        FRONTEND_NLB_SECURITY_GROUPS: Vec<String> = "frontend-nlb-security-groups", INGRESS, Exclusive, AWS, value::list, "sg-0a1, web",
            "Security groups of the network load balancer in front, by id or by Name tag, in place of those behind it.";
        FRONTEND_NLB_EIP_ALLOCATIONS: Vec<String> = "frontend-nlb-eip-allocations", INGRESS, Exclusive, AWS, value::list, "eipalloc-0a1, eipalloc-0b2",
            "Elastic addresses of an internet-facing network load balancer in front, one a subnet in the order of subnet ids; fixed when it is made.";
        FRONTEND_NLB_LISTENER_PORT_MAPPING: BTreeMap<Port, Port> = "frontend-nlb-listener-port-mapping", INGRESS, Exclusive, AWS, front::port_mapping, "8443=443",
            "Ports of the network load balancer in front, each with the listener behind it; without it, every port maps to itself.";
        FRONTEND_NLB_HEALTHCHECK_PORT: CheckPort = "frontend-nlb-healthcheck-port", INGRESS, Exclusive, AWS, CheckPort::parse_number, "traffic-port",
            "Port of health checks of the network load balancer in front: a number, or traffic-port.";
        FRONTEND_NLB_HEALTHCHECK_PROTOCOL: CheckProtocol = "frontend-nlb-healthcheck-protocol", INGRESS, Exclusive, AWS, CheckProtocol::parse_http, "HTTP",
            "Protocol of health checks of the network load balancer in front.";
        FRONTEND_NLB_HEALTHCHECK_PATH: String = "frontend-nlb-healthcheck-path", INGRESS, Exclusive, AWS, value::text, "/healthz",
            "Path of health checks of the network load balancer in front.";
        FRONTEND_NLB_HEALTHCHECK_INTERVAL_SECONDS: i32 = "frontend-nlb-healthcheck-interval-seconds", INGRESS, Exclusive, AWS, value::int32, "15",
            "Seconds between health checks of the network load balancer in front.";
        FRONTEND_NLB_HEALTHCHECK_TIMEOUT_SECONDS: i32 = "frontend-nlb-healthcheck-timeout-seconds", INGRESS, Exclusive, AWS, value::int32, "5",
            "Seconds after which a health check of the network load balancer in front has failed.";
        FRONTEND_NLB_HEALTHCHECK_HEALTHY_THRESHOLD_COUNT: i32 = "frontend-nlb-healthcheck-healthy-threshold-count", INGRESS, Exclusive, AWS, value::int32, "2",
            "Health checks of the network load balancer in front until what is behind it is healthy.";
        FRONTEND_NLB_HEALTHCHECK_UNHEALTHY_THRESHOLD_COUNT: i32 = "frontend-nlb-healthcheck-unhealthy-threshold-count", INGRESS, Exclusive, AWS, value::int32, "2",
            "Failed health checks of the network load balancer in front until what is behind it is unhealthy.";
        FRONTEND_NLB_HEALTHCHECK_SUCCESS_CODES: String = "frontend-nlb-healthcheck-success-codes", INGRESS, Exclusive, AWS, value::text, "200-399",
            "Status codes with which health checks of the network load balancer in front are content.";
        FRONTEND_NLB_ATTRIBUTES: TextMap = "frontend-nlb-attributes", INGRESS, Exclusive, AWS, nlb::attributes, "load_balancing.cross_zone.enabled=true",
            "Attributes of the network load balancer in front.";
        FRONTEND_NLB_TAGS: TextMap = "frontend-nlb-tags", INGRESS, Exclusive, AWS, value::map, "team=edge",
            "Tags of the network load balancer in front, in place of those of the load balancer behind it and of all default tags.";
        TARGET_TYPE: TargetType = "target-type", CLASS_BACKEND, PerMember, AWS, TargetType::parse, "ip",
            "Whether nodes or pods are registered as targets.";
        BACKEND_PROTOCOL: HttpProtocol = "backend-protocol", BACKEND, PerMember, AWS, value::protocol, "HTTPS",
            "Protocol that is spoken to targets.";
        BACKEND_PROTOCOL_VERSION: ProtocolVersion = "backend-protocol-version", BACKEND, PerMember, AWS, ProtocolVersion::parse, "GRPC",
            "Version of HTTP that is spoken to targets.";
        TARGET_GROUP_ATTRIBUTES: TextMap = "target-group-attributes", BACKEND, PerMember, AWS, value::map, "stickiness.enabled=true",
            "Attributes of the target group; the Service's value replaces the Ingress' whole.";
        TARGET_NODE_LABELS: TextMap = "target-node-labels", BACKEND, PerMember, AWS, value::map, "pool=edge",
            "Labels of the nodes that are registered as targets.";
        HEALTHCHECK_PORT: CheckPort = "healthcheck-port", BACKEND, PerMember, AWS, CheckPort::parse, "traffic-port",
            "Port of health checks: a number, a port's name, or traffic-port.";
        HEALTHCHECK_PROTOCOL: CheckProtocol = "healthcheck-protocol", BACKEND, PerMember, AWS, CheckProtocol::parse_http, "HTTP",
            "Protocol of health checks.";
        HEALTHCHECK_PATH: String = "healthcheck-path", BACKEND, PerMember, AWS, value::text, "/healthz",
            "Path of health checks.";
        HEALTHCHECK_INTERVAL_SECONDS: i32 = "healthcheck-interval-seconds", BACKEND, PerMember, AWS, value::int32, "15",
            "Seconds between health checks.";
        HEALTHCHECK_TIMEOUT_SECONDS: i32 = "healthcheck-timeout-seconds", BACKEND, PerMember, AWS, value::int32, "5",
            "Seconds after which a health check has failed.";
        HEALTHY_THRESHOLD_COUNT: i32 = "healthy-threshold-count", BACKEND, PerMember, AWS, value::int32, "2",
            "Health checks in a row until a target is healthy.";
        UNHEALTHY_THRESHOLD_COUNT: i32 = "unhealthy-threshold-count", BACKEND, PerMember, AWS, value::int32, "2",
            "Failed health checks in a row until a target is unhealthy.";
        SUCCESS_CODES: String = "success-codes", BACKEND, PerMember, AWS, value::text, "200-299",
            "Status codes of a healthy target.";
        MULTI_CLUSTER_TARGET_GROUP: bool = "multi-cluster-target-group", BACKEND, PerMember, AWS, value::boolean, "true",
            "Whether other clusters register targets in the target group, which are then left alone: true if the Ingress or the Service says so.";
        TARGET_CONTROL_PORT: Port = "target-control-port.", BACKEND, PerMember, AWS, value::port, "3000",
            "Port at which the target optimizer's agent is asked, for one backend: `target-control-port.<service>.<port>`.";
        ACTIONS: action::Document = "actions.", INGRESS, PerMember, BOTH, action::parse, r#"{"type":"fixed-response","fixedResponseConfig":{"statusCode":"503"}}"#,
            "Redirect, fixed response or forward that a backend of this name with port `use-annotation` means.";
        CONDITIONS: Vec<Match> = "conditions.", INGRESS, PerMember, BOTH, condition::parse, r#"[{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"X-Beta","values":["1"]}}]"#,
            "Further conditions of the rules of one backend.";
        TRANSFORMS: Vec<Rewrite> = "transforms.", INGRESS, PerMember, BOTH, transform::parse, r#"[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/api/(.*)$","replace":"/$1"}]}}]"#,
            "Rewrites of URL and host for one backend.";
        USE_REGEX_PATH_MATCH: bool = "use-regex-path-match", INGRESS, PerMember, BOTH, value::boolean, "true",
            "Whether ImplementationSpecific paths are regular expressions; their first character, a slash, is left out.";
        AUTH_TYPE: AuthenticationType = "auth-type", BACKEND, PerMember, AWS, AuthenticationType::parse, "oidc",
            "How users are authenticated on HTTPS listeners; a Service's annotations count where a path leads to it alone.";
        AUTH_IDP_COGNITO: UserPool = "auth-idp-cognito", BACKEND, PerMember, AWS, guard::cognito, r#"{"userPoolARN":"arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_a","userPoolClientID":"shop","userPoolDomain":"shop"}"#,
            "Cognito user pool of auth-type cognito.";
        AUTH_IDP_OIDC: IdentityProvider = "auth-idp-oidc", BACKEND, PerMember, AWS, guard::oidc, r#"{"issuer":"https://id.example.com","authorizationEndpoint":"https://id.example.com/authorize","tokenEndpoint":"https://id.example.com/token","userInfoEndpoint":"https://id.example.com/me","secretName":"oidc"}"#,
            "OpenID Connect provider of auth-type oidc; the Secret of the Ingress' namespace has clientID and clientSecret.";
        AUTH_ON_UNAUTHENTICATED_REQUEST: Unauthenticated = "auth-on-unauthenticated-request", BACKEND, PerMember, AWS, Unauthenticated::parse, "deny",
            "What becomes of requests of users who are not signed in.";
        AUTH_SCOPE: String = "auth-scope", BACKEND, PerMember, AWS, front::named, "openid email",
            "Claims that are asked for, between spaces.";
        AUTH_SESSION_COOKIE: String = "auth-session-cookie", BACKEND, PerMember, AWS, front::named, "shop",
            "Name of the cookie that holds the session.";
        AUTH_SESSION_TIMEOUT: i64 = "auth-session-timeout", BACKEND, PerMember, AWS, session_timeout, "3600",
            "Seconds that a session lasts, at most a week.";
        JWT_VALIDATION: TokenCheck = "jwt-validation", INGRESS, PerMember, AWS, guard::token, r#"{"jwksEndpoint":"https://id.example.com/jwks","issuer":"https://id.example.com"}"#,
            "Tokens that requests must carry on HTTPS listeners; not together with auth-type.";
    }
    later {
        "dry-run-plan", INGRESS, "Written by the AWS Load Balancer Controller, read by nobody.";
    }
}

/// A group's name: 1 to 63 characters of `a-z0-9.-`, an alphanumeric one at both ends.
///
/// # Errors
/// Everything else.
pub fn group_name(text: &str) -> Result<String, BadValue> {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let inner = text.chars().all(|c| alphanumeric(c) || matches!(c, '-' | '.'));
    let ends = text.starts_with(alphanumeric) && text.ends_with(alphanumeric);
    if (1..=63).contains(&text.len()) && inner && ends {
        Ok(text.to_owned())
    } else {
        Err(BadValue(
            "must have 1 to 63 characters of a-z, 0-9, - and ., with a letter or digit at both ends".into(),
        ))
    }
}

fn group_order(text: &str) -> Result<i32, BadValue> {
    match value::int32(text)? {
        order @ -1000..=1000 => Ok(order),
        _ => Err(BadValue("must be from -1000 to 1000".into())),
    }
}

/// Elastic Load Balancing takes a week at most.
fn session_timeout(text: &str) -> Result<i64, BadValue> {
    match value::int64(text)? {
        seconds @ 1..=604_800 => Ok(seconds),
        _ => Err(BadValue("must be from 1 to 604800 seconds".into())),
    }
}
