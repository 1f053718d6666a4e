//! From rows of the settings table to what AWS is asked for. Rows are neutral; the words here are AWS's own.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    intent::HttpProtocol,
    settings::{
        Settings, Sourced, Unreadable, alb, nlb, own,
        value::TextMap,
        words::{self, CheckPort, CheckProtocol},
    },
};
use ipnet::IpNet;

use super::{
    addons::AddonsAsk,
    ask::{FrontAsk, HealthAsk, NlbAsk, ProxyProtocol, SourcedMap, SubnetsAsk, TargetAsk},
    target_group::TRAFFIC_PORT,
};
use crate::model::{IpAddressType, Scheme, TargetProtocol, TargetType};

type Read<T> = Result<T, Box<Unreadable>>;

/// What an Ingress asks of its load balancer.
pub(crate) fn ingress(settings: &Settings) -> Read<FrontAsk> {
    Ok(FrontAsk {
        name: settings.get(&alb::LOAD_BALANCER_NAME)?,
        scheme: settings.get(&alb::SCHEME)?.map(|asked| convert(asked, scheme)),
        ip_address_type: settings.get(&alb::IP_ADDRESS_TYPE)?.map(|asked| convert(asked, ip_address_type)),
        subnets: ingress_subnets(settings)?,
        security_groups: some_of(settings.get(&alb::SECURITY_GROUPS)?),
        manage_backend_rules: settings.get(&alb::MANAGE_BACKEND_SECURITY_GROUP_RULES)?,
        attributes: first_wins(settings.all(&alb::LOAD_BALANCER_ATTRIBUTES)?),
        tags: first_wins(settings.all(&alb::TAGS)?),
        ssl_policy: settings.get(&alb::SSL_POLICY)?,
        certificates: some_of(settings.get(&alb::CERTIFICATE_ARN)?),
        import_certificates: settings.get(&own::IMPORT_CERTIFICATES)?.is_some_and(|asked| asked.value),
        request_certificate: settings.get(&alb::CREATE_ACM_CERT)?.is_some_and(|asked| asked.value),
        authority: settings.get(&alb::ACM_PCA_ARN)?.map(|asked| asked.value),
        inbound_cidrs: as_set(settings.get(&alb::INBOUND_CIDRS)?.map(|asked| convert(asked, spelled))),
        prefix_lists: as_set(settings.get(&alb::SECURITY_GROUP_PREFIX_LISTS)?),
        listener_attributes: settings
            .family_all(&alb::LISTENER_ATTRIBUTES)?
            .into_iter()
            .map(|(listener, all)| (listener, first_wins(all)))
            .collect(),
        client_certificates: settings.get(&alb::MUTUAL_AUTHENTICATION)?,
        customer_owned_pool: settings.get(&alb::CUSTOMER_OWNED_IPV4_POOL)?,
        ipv4_pool: settings.get(&alb::IPAM_IPV4_POOL_ID)?.filter(|asked| !asked.value.is_empty()),
        addons: AddonsAsk::read(settings)?,
    })
}

/// A class selects by ids or by tags; either is stronger than the annotation.
fn ingress_subnets(settings: &Settings) -> Read<Option<Sourced<SubnetsAsk>>> {
    match settings.get(&alb::SUBNETS_TAGS)? {
        Some(asked) => Ok(Some(convert(asked, SubnetsAsk::Tagged))),
        None => Ok(settings.get(&alb::SUBNETS)?.map(|asked| convert(asked, SubnetsAsk::Named))),
    }
}

/// What an Ingress and its Service ask of the target group of `backend`, which is `<service>.<port>`. Every row reads class parameters, then the Service, then the
/// Ingress, in the order in which the settings hold them.
pub(crate) fn ingress_target(settings: &Settings, backend: &str) -> Read<TargetAsk> {
    Ok(TargetAsk {
        target_type: settings.get(&alb::TARGET_TYPE)?.map(|asked| target_type(asked.value)),
        protocol: settings.get(&alb::BACKEND_PROTOCOL)?.map(|asked| match asked.value {
            HttpProtocol::Http => TargetProtocol::Http,
            HttpProtocol::Https => TargetProtocol::Https,
        }),
        protocol_version: settings
            .get(&alb::BACKEND_PROTOCOL_VERSION)?
            .map(|asked| asked.value.as_str().to_owned()),
        attributes: value(settings.get(&alb::TARGET_GROUP_ATTRIBUTES)?),
        health: HealthAsk {
            protocol: settings.get(&alb::HEALTHCHECK_PROTOCOL)?.map(check_protocol),
            port: settings.get(&alb::HEALTHCHECK_PORT)?.map(check_port),
            path: settings.get(&alb::HEALTHCHECK_PATH)?.map(|asked| asked.value),
            codes: settings.get(&alb::SUCCESS_CODES)?.map(|asked| asked.value),
            interval: settings.get(&alb::HEALTHCHECK_INTERVAL_SECONDS)?.map(|asked| asked.value),
            timeout: settings.get(&alb::HEALTHCHECK_TIMEOUT_SECONDS)?.map(|asked| asked.value),
            healthy: settings.get(&alb::HEALTHY_THRESHOLD_COUNT)?.map(|asked| asked.value),
            unhealthy: settings.get(&alb::UNHEALTHY_THRESHOLD_COUNT)?.map(|asked| asked.value),
        },
        tags: super::ask::plain(&first_wins(settings.all(&alb::TAGS)?)),
        node_labels: value(settings.get(&alb::TARGET_NODE_LABELS)?),
        multi_cluster: settings.all(&alb::MULTI_CLUSTER_TARGET_GROUP)?.iter().any(|asked| asked.value),
        shared: settings.get(&own::SHARE_TARGET_GROUPS)?.is_some_and(|asked| asked.value),
        control_port: settings
            .member(&alb::TARGET_CONTROL_PORT, backend)?
            .map(|asked| i32::from(asked.value.get())),
    })
}

/// What a Service asks for.
pub(crate) fn service(settings: &Settings) -> Read<NlbAsk> {
    Ok(NlbAsk {
        front: service_front(settings)?,
        target: service_target(settings)?,
        ssl_ports: settings.get(&nlb::SSL_PORTS)?.map(|asked| asked.value),
        tls_to_targets: settings.get(&nlb::BACKEND_PROTOCOL)?.is_some_and(|asked| asked.value == "ssl"),
        alpn_policy: settings.get(&nlb::ALPN_POLICY)?.map(|asked| asked.value.as_str().to_owned()),
        proxy_protocol: match (settings.get(&nlb::PROXY_PROTOCOL)?, settings.get(&nlb::PROXY_PROTOCOL_PORTS)?)
        {
            (Some(_), _) => ProxyProtocol::All,
            (None, Some(ports)) => {
                ProxyProtocol::Ports(ports.value.into_iter().map(|port| port.get()).collect())
            }
            (None, None) => ProxyProtocol::Unsaid,
        },
        port_attributes: settings
            .family(&nlb::TARGET_GROUP_ATTRIBUTES_OF_PORT)?
            .into_iter()
            .map(|(port, asked)| (port, asked.value))
            .collect(),
    })
}

fn service_front(settings: &Settings) -> Read<FrontAsk> {
    let internal = settings.get(&nlb::INTERNAL)?.map(|asked| {
        convert(asked, |internal| if internal { Scheme::Internal } else { Scheme::InternetFacing })
    });
    let asked_scheme = settings.get(&nlb::SCHEME)?.map(|asked| convert(asked, scheme));
    Ok(FrontAsk {
        name: settings.get(&nlb::NAME)?,
        scheme: asked_scheme.or(internal),
        ip_address_type: settings.get(&nlb::IP_ADDRESS_TYPE)?.map(|asked| convert(asked, ip_address_type)),
        subnets: settings.get(&nlb::SUBNETS)?.map(|asked| convert(asked, SubnetsAsk::Named)),
        security_groups: some_of(settings.get(&nlb::SECURITY_GROUPS)?),
        manage_backend_rules: settings.get(&nlb::MANAGE_BACKEND_SECURITY_GROUP_RULES)?,
        attributes: service_attributes(settings)?,
        tags: first_wins(settings.all(&nlb::TAGS)?),
        ssl_policy: settings.get(&nlb::SSL_NEGOTIATION_POLICY)?,
        certificates: some_of(settings.get(&nlb::SSL_CERT)?),
        inbound_cidrs: settings.get(&nlb::SOURCE_RANGES)?.map(|asked| convert(asked, spelled)),
        prefix_lists: settings.get(&nlb::SECURITY_GROUP_PREFIX_LISTS)?,
        ..FrontAsk::default()
    })
}

/// The generic attributes, and the older annotations of their own, which are stronger.
fn service_attributes(settings: &Settings) -> Read<SourcedMap> {
    let mut attributes = first_wins(settings.all(&nlb::ATTRIBUTES)?);
    let mut set = |key: &str, asked: Option<Sourced<String>>| {
        attributes.extend(asked.map(|asked| (key.to_owned(), asked)));
    };
    let cross_zone = settings.get(&nlb::CROSS_ZONE)?.map(|asked| convert(asked, |on: bool| on.to_string()));
    set("load_balancing.cross_zone.enabled", cross_zone);
    // False leaves the logs as they are, as it does for the peer.
    let logs = settings.get(&nlb::ACCESS_LOG_ENABLED)?.filter(|asked| asked.value);
    if let Some(logs) = logs {
        set("access_logs.s3.enabled", Some(convert(logs, |on: bool| on.to_string())));
        set("access_logs.s3.bucket", settings.get(&nlb::ACCESS_LOG_BUCKET)?);
        set("access_logs.s3.prefix", settings.get(&nlb::ACCESS_LOG_PREFIX)?);
    }
    Ok(attributes)
}

fn service_target(settings: &Settings) -> Read<TargetAsk> {
    let forced = settings.get(&nlb::TYPE)?.filter(|asked| asked.value == "nlb-ip").map(|_| TargetType::Ip);
    let asked = settings.get(&nlb::TARGET_TYPE)?.map(|asked| target_type(asked.value));
    Ok(TargetAsk {
        target_type: forced.or(asked),
        protocol: None,
        protocol_version: None,
        attributes: value(settings.get(&nlb::TARGET_GROUP_ATTRIBUTES)?),
        health: HealthAsk {
            protocol: settings.get(&nlb::HEALTHCHECK_PROTOCOL)?.map(check_protocol),
            port: settings.get(&nlb::HEALTHCHECK_PORT)?.map(check_port),
            path: settings.get(&nlb::HEALTHCHECK_PATH)?.map(|asked| asked.value),
            codes: settings.get(&nlb::HEALTHCHECK_SUCCESS_CODES)?.map(|asked| asked.value),
            interval: settings.get(&nlb::HEALTHCHECK_INTERVAL)?.map(|asked| asked.value),
            timeout: settings.get(&nlb::HEALTHCHECK_TIMEOUT)?.map(|asked| asked.value),
            healthy: settings.get(&nlb::HEALTHCHECK_HEALTHY)?.map(|asked| asked.value),
            unhealthy: settings.get(&nlb::HEALTHCHECK_UNHEALTHY)?.map(|asked| asked.value),
        },
        tags: super::ask::plain(&first_wins(settings.all(&nlb::TAGS)?)),
        node_labels: value(settings.get(&nlb::TARGET_NODE_LABELS)?),
        multi_cluster: false,
        shared: false,
        control_port: None,
    })
}

pub(super) fn convert<A, B>(asked: Sourced<A>, with: impl Fn(A) -> B) -> Sourced<B> {
    Sourced { value: with(asked.value), from: asked.from }
}

/// An empty list counts as not set.
pub(super) fn some_of(asked: Option<Sourced<Vec<String>>>) -> Option<Sourced<Vec<String>>> {
    asked.filter(|asked| !asked.value.is_empty())
}

/// In one order, each once: members that say the same in another order agree.
fn as_set(asked: Option<Sourced<Vec<String>>>) -> Option<Sourced<Vec<String>>> {
    let sorted = |all: Vec<String>| all.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    some_of(asked).map(|asked| convert(asked, sorted))
}

fn value(asked: Option<Sourced<TextMap>>) -> BTreeMap<String, String> {
    asked.map(|asked| asked.value).unwrap_or_default()
}

/// One map of several, strongest first.
fn first_wins(all: Vec<Sourced<TextMap>>) -> SourcedMap {
    let mut merged = SourcedMap::new();
    for asked in all {
        for (key, value) in asked.value {
            merged.entry(key).or_insert_with(|| Sourced { value, from: asked.from.clone() });
        }
    }
    merged
}

fn spelled(ranges: Vec<IpNet>) -> Vec<String> {
    ranges.iter().map(ToString::to_string).collect()
}

pub(super) const fn scheme(word: words::Scheme) -> Scheme {
    match word {
        words::Scheme::Internal => Scheme::Internal,
        words::Scheme::InternetFacing => Scheme::InternetFacing,
    }
}

const fn ip_address_type(word: words::IpAddressType) -> IpAddressType {
    match word {
        words::IpAddressType::Ipv4 => IpAddressType::Ipv4,
        words::IpAddressType::Dualstack => IpAddressType::Dualstack,
        words::IpAddressType::DualstackWithoutPublicIpv4 => IpAddressType::DualstackWithoutPublicIpv4,
    }
}

const fn target_type(word: words::TargetType) -> TargetType {
    match word {
        words::TargetType::Instance => TargetType::Instance,
        words::TargetType::Ip => TargetType::Ip,
    }
}

fn check_protocol(asked: Sourced<CheckProtocol>) -> String {
    asked.value.as_str().to_owned()
}

fn check_port(asked: Sourced<CheckPort>) -> String {
    spelled_check_port(asked.value)
}

pub(super) fn spelled_check_port(port: CheckPort) -> String {
    match port {
        CheckPort::Traffic => TRAFFIC_PORT.to_owned(),
        CheckPort::Number(number) => number.to_string(),
        CheckPort::Name(name) => name,
    }
}
