//! Attributes of load balancers, target groups and listeners: known keys, defaults, ranges.
//!
//! Source: LoadBalancerAttribute, TargetGroupAttribute and ListenerAttribute in the API reference.

use fairway_aws::model::{Attributes, ListenerProtocol, LoadBalancerKind, TargetProtocol};

use super::{Answered, refuse};

const APPLICATION: &[(&str, &str)] = &[
    ("access_logs.s3.enabled", "false"),
    ("access_logs.s3.bucket", ""),
    ("access_logs.s3.prefix", ""),
    ("deletion_protection.enabled", "false"),
    ("idle_timeout.timeout_seconds", "60"),
    ("client_keep_alive.seconds", "3600"),
    ("routing.http.desync_mitigation_mode", "defensive"),
    ("routing.http.drop_invalid_header_fields.enabled", "false"),
    ("routing.http.preserve_host_header.enabled", "false"),
    ("routing.http.xff_client_port.enabled", "false"),
    ("routing.http.xff_header_processing.mode", "append"),
    ("routing.http2.enabled", "true"),
    ("waf.fail_open.enabled", "false"),
    ("load_balancing.cross_zone.enabled", "true"),
];

const NETWORK: &[(&str, &str)] = &[
    ("access_logs.s3.enabled", "false"),
    ("access_logs.s3.bucket", ""),
    ("access_logs.s3.prefix", ""),
    ("deletion_protection.enabled", "false"),
    ("load_balancing.cross_zone.enabled", "false"),
    ("dns_record.client_routing_policy", "any_availability_zone"),
];

const TARGET_GROUP: &[(&str, &str)] = &[
    ("stickiness.enabled", "false"),
    ("deregistration_delay.timeout_seconds", "300"),
    ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
];

const HTTP_GROUP: &[(&str, &str)] = &[
    ("stickiness.type", "lb_cookie"),
    ("stickiness.lb_cookie.duration_seconds", "86400"),
    ("slow_start.duration_seconds", "0"),
    ("load_balancing.algorithm.type", "round_robin"),
];

const L4_GROUP: &[(&str, &str)] = &[
    ("stickiness.type", "source_ip"),
    ("proxy_protocol_v2.enabled", "false"),
    ("preserve_client_ip.enabled", "true"),
    ("deregistration_delay.connection_termination.enabled", "false"),
];

const RANGES: &[(&str, u32, u32)] = &[
    ("client_keep_alive.seconds", 60, 604_800),
    ("deregistration_delay.timeout_seconds", 0, 3600),
    ("idle_timeout.timeout_seconds", 1, 4000),
    ("slow_start.duration_seconds", 0, 900),
    ("stickiness.lb_cookie.duration_seconds", 1, 604_800),
    ("tcp.idle_timeout.seconds", 60, 6000),
];

fn table(rows: &[&[(&str, &str)]]) -> Attributes {
    rows.iter()
        .flat_map(|rows| rows.iter())
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

pub(super) fn of_balancer(kind: LoadBalancerKind) -> Attributes {
    match kind {
        LoadBalancerKind::Application => table(&[APPLICATION]),
        LoadBalancerKind::Network => table(&[NETWORK]),
    }
}

pub(super) fn of_target_group(protocol: TargetProtocol) -> Attributes {
    match protocol {
        TargetProtocol::Http | TargetProtocol::Https => table(&[TARGET_GROUP, HTTP_GROUP]),
        _ => table(&[TARGET_GROUP, L4_GROUP]),
    }
}

pub(super) fn of_listener(protocol: ListenerProtocol) -> Attributes {
    match protocol {
        ListenerProtocol::Http | ListenerProtocol::Https => {
            table(&[&[("routing.http.response.server.enabled", "true")]])
        }
        ListenerProtocol::Tcp => table(&[&[("tcp.idle_timeout.seconds", "350")]]),
        _ => Attributes::new(),
    }
}

/// Applies all of `changes`, or none of them.
pub(super) fn change(current: &mut Attributes, changes: &Attributes) -> Answered<()> {
    changes.iter().try_for_each(|(key, value)| check(current, key, value))?;
    current.extend(changes.clone());
    Ok(())
}

fn check(current: &Attributes, key: &str, value: &str) -> Answered<()> {
    let Some(present) = current.get(key) else {
        return refuse("InvalidConfigurationRequest", format!("the attribute key '{key}' is not recognized"));
    };
    let switch = |text: &str| matches!(text, "true" | "false");
    if switch(present) && !switch(value) {
        return refuse("InvalidConfigurationRequest", format!("'{key}' must be true or false"));
    }
    let range = RANGES.iter().find(|(ranged, ..)| *ranged == key);
    match range {
        Some((_, low, high)) if !value.parse().is_ok_and(|n: u32| (*low..=*high).contains(&n)) => {
            refuse("InvalidConfigurationRequest", format!("'{key}' must be between {low} and {high}"))
        }
        _ => Ok(()),
    }
}
