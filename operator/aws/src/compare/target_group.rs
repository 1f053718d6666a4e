//! A target group: what can be changed in place, and what makes it another one.

use crate::{
    model::{HealthCheck, TargetGroup},
    observed::TargetGroupSeen,
    ownership::Owned,
    stack::StackOp,
};

/// Whether nothing that is fixed at creation differs.
pub(crate) fn same_kind(want: &TargetGroup, have: &TargetGroupSeen) -> bool {
    want.port == have.port
        && want.protocol == have.protocol
        && want.protocol_version == have.protocol_version
        && want.target_type == have.target_type
        && want.ip_address_type == have.ip_address_type
        && want.control_port == have.control_port
}

/// Changes in place.
pub(crate) fn changes(want: &TargetGroup, have: &Owned<TargetGroupSeen>) -> Vec<StackOp> {
    let mut ops = Vec::new();
    if !healthy_alike(&want.health_check, &have.get().health_check) {
        ops.push(StackOp::ModifyHealthCheck(have.clone(), want.health_check.clone()));
    }
    let attributes = super::attributes(&want.attributes, &have.get().attributes);
    if !attributes.is_empty() {
        ops.push(StackOp::ModifyTargetGroupAttributes(crate::model::Ref::new(want.name.clone()), attributes));
    }
    ops
}

fn healthy_alike(want: &HealthCheck, have: &HealthCheck) -> bool {
    let said = |want: &Option<String>, have: &Option<String>| want.is_none() || want == have;
    let numbers = |check: &HealthCheck| (check.interval, check.timeout, check.healthy, check.unhealthy);
    want.protocol == have.protocol
        && want.port == have.port
        && numbers(want) == numbers(have)
        && said(&want.path, &have.path)
        && said(&want.http_codes, &have.http_codes)
        && said(&want.grpc_codes, &have.grpc_codes)
}
