//! Target groups, as AWS answers with them.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetGroup as Wire, TargetGroupIpAddressTypeEnum, TargetTypeEnum,
};
use fairway_aws::model::{Attributes, HealthCheck, Tags, TargetType};
use fairway_aws::observed::TargetGroupSeen;

use super::{required, target_protocol};
use crate::fault::Fault;

/// Reads a target group without its attributes; `None` for kinds that are never made here (functions, appliances).
pub(crate) fn decode(group: &Wire, tags: Tags) -> Result<Option<TargetGroupSeen>, Fault> {
    let target_type = match group.target_type() {
        Some(TargetTypeEnum::Instance) => TargetType::Instance,
        Some(TargetTypeEnum::Ip) => TargetType::Ip,
        Some(TargetTypeEnum::Alb) => TargetType::Alb,
        _ => return Ok(None),
    };
    let Some(protocol) = group.protocol().and_then(target_protocol) else { return Ok(None) };
    let family = group.ip_address_type().map_or("ipv4", TargetGroupIpAddressTypeEnum::as_str);
    Ok(Some(TargetGroupSeen {
        arn: required("TargetGroupArn", group.target_group_arn())?.to_owned(),
        name: required("TargetGroupName", group.target_group_name())?.to_owned(),
        port: required("Port", group.port())?,
        protocol,
        protocol_version: group.protocol_version().map(str::to_owned),
        target_type,
        ip_address_type: family.to_owned(),
        control_port: group.target_control_port(),
        health_check: health_check(group)?,
        attributes: Attributes::new(),
        load_balancers: BTreeSet::new(),
        tags,
    }))
}

/// How its targets are judged.
pub(crate) fn health_check(group: &Wire) -> Result<HealthCheck, Fault> {
    let text = |value: Option<&str>| value.filter(|text| !text.is_empty()).map(str::to_owned);
    let protocol = group.health_check_protocol().map(ProtocolEnum::as_str);
    Ok(HealthCheck {
        protocol: required("HealthCheckProtocol", protocol)?.to_owned(),
        port: required("HealthCheckPort", group.health_check_port())?.to_owned(),
        path: text(group.health_check_path()),
        http_codes: text(group.matcher().and_then(Matcher::http_code)),
        grpc_codes: text(group.matcher().and_then(Matcher::grpc_code)),
        interval: required("HealthCheckIntervalSeconds", group.health_check_interval_seconds())?,
        timeout: required("HealthCheckTimeoutSeconds", group.health_check_timeout_seconds())?,
        healthy: required("HealthyThresholdCount", group.healthy_threshold_count())?,
        unhealthy: required("UnhealthyThresholdCount", group.unhealthy_threshold_count())?,
    })
}

/// The codes that count as healthy, if any are named.
pub(crate) fn matcher(check: &HealthCheck) -> Option<Matcher> {
    let named = check.http_codes.is_some() || check.grpc_codes.is_some();
    let matcher =
        Matcher::builder().set_http_code(check.http_codes.clone()).set_grpc_code(check.grpc_codes.clone());
    named.then(|| matcher.build())
}
