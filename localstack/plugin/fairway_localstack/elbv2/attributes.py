"""Attributes of load balancers, target groups and listeners: known keys, defaults, ranges.

Source: LoadBalancerAttribute, TargetGroupAttribute and ListenerAttribute in the API reference. Prefix: none.
"""

from ..errors import refuse

_LOGS = {
    f"{kind}_logs.s3.{key}": value
    for kind in ("access", "connection", "health_check")
    for key, value in (("enabled", "false"), ("bucket", ""), ("prefix", ""))
}

APPLICATION = {
    **_LOGS,
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "client_keep_alive.seconds": "3600",
    "ipv6.deny_all_igw_traffic": "false",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "load_balancing.cross_zone.enabled": "true",
    "zonal_shift.config.enabled": "false",
}

NETWORK = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "zonal_shift.config.enabled": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
}

_TARGET_GROUP = {
    "stickiness.enabled": "false",
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}

TARGET_GROUP_HTTP = {
    **_TARGET_GROUP,
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "slow_start.duration_seconds": "0",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
}

TARGET_GROUP_L4 = {
    **_TARGET_GROUP,
    "stickiness.type": "source_ip",
    "proxy_protocol_v2.enabled": "false",
    "preserve_client_ip.enabled": "true",
    "deregistration_delay.connection_termination.enabled": "false",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}

_RESPONSE_HEADERS = (
    "strict_transport_security",
    "access_control_allow_origin",
    "access_control_allow_methods",
    "access_control_allow_headers",
    "access_control_allow_credentials",
    "access_control_expose_headers",
    "access_control_max_age",
    "content_security_policy",
    "x_content_type_options",
    "x_frame_options",
)
_REQUEST_HEADERS = (
    "x_amzn_mtls_clientcert_serial_number",
    "x_amzn_mtls_clientcert_issuer",
    "x_amzn_mtls_clientcert_subject",
    "x_amzn_mtls_clientcert_validity",
    "x_amzn_mtls_clientcert_leaf",
    "x_amzn_mtls_clientcert",
    "x_amzn_tls_version",
    "x_amzn_tls_cipher_suite",
)
LISTENER_HTTP = {
    "routing.http.response.server.enabled": "true",
    **{f"routing.http.response.{name}.header_value": "" for name in _RESPONSE_HEADERS},
}
LISTENER_HTTPS = {**LISTENER_HTTP, **{f"routing.http.request.{name}.header_name": "" for name in _REQUEST_HEADERS}}
LISTENER_TCP = {"tcp.idle_timeout.seconds": "350"}

RANGES = {
    "client_keep_alive.seconds": (60, 604800),
    "deregistration_delay.timeout_seconds": (0, 3600),
    "idle_timeout.timeout_seconds": (1, 4000),
    "slow_start.duration_seconds": (0, 900),
    "stickiness.app_cookie.duration_seconds": (1, 604800),
    "stickiness.lb_cookie.duration_seconds": (1, 604800),
    "target_health_state.unhealthy.draining_interval_seconds": (0, 360000),
    "tcp.idle_timeout.seconds": (60, 6000),
}


def defaults_of_listener(load_balancer_type, protocol):
    if load_balancer_type == "application":
        return dict(LISTENER_HTTPS if protocol == "HTTPS" else LISTENER_HTTP)
    return dict(LISTENER_TCP) if protocol == "TCP" else {}


def change(current, attributes):
    """Applies all of `attributes` to `current`, or none of them."""
    for attribute in attributes or []:
        _check(current, attribute["Key"], attribute.get("Value") or "")
    current.update({attribute["Key"]: attribute.get("Value") or "" for attribute in attributes or []})
    return listed(current)


def listed(current):
    return {"Attributes": [{"Key": key, "Value": value} for key, value in current.items()]}


def _check(current, key, value):
    if key not in current:
        refuse("InvalidConfigurationRequest", f"The attribute key '{key}' is not recognized")
    if current[key] in ("true", "false") and value not in ("true", "false"):
        refuse("InvalidConfigurationRequest", f"The value of '{key}' must be true or false")
    if key in RANGES:
        low, high = RANGES[key]
        if not (value.isdigit() and low <= int(value) <= high):
            refuse("InvalidConfigurationRequest", f"The value of '{key}' must be between {low} and {high}")
