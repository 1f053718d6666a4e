//! Registered targets. AWS tells the zone of every target; only `all`, outside the VPC, is part of its identity.

use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetHealthDescription, TargetHealthStateEnum,
};
use fairway_aws::targets::{Health, HealthByTarget, Target, TargetsObserved};

use super::required;
use crate::fault::Fault;

const OUTSIDE: &str = "all";

pub(crate) fn encode(target: &Target) -> TargetDescription {
    TargetDescription::builder()
        .id(&target.id)
        .port(i32::from(target.port))
        .set_availability_zone(target.zone.clone())
        .build()
}

/// Reads the members of a group.
pub(crate) fn decode(list: &[TargetHealthDescription]) -> Result<TargetsObserved, Fault> {
    let mut seen = TargetsObserved { found: true, ..TargetsObserved::default() };
    let mut told = HealthByTarget::new();
    for one in list {
        let target = required("Target", one.target())?;
        let port = target.port().and_then(|port| u16::try_from(port).ok());
        let decoded = Target {
            id: required("Target.Id", target.id())?.to_owned(),
            port: required("Target.Port", port)?,
            zone: target.availability_zone().filter(|zone| *zone == OUTSIDE).map(str::to_owned),
        };
        told.insert(decoded.to_string(), health(one));
        let state = one.target_health().and_then(|health| health.state());
        let leaving =
            matches!(state, Some(TargetHealthStateEnum::Draining | TargetHealthStateEnum::UnhealthyDraining));
        if leaving {
            seen.draining.insert(decoded)
        } else {
            seen.registered.insert(decoded)
        };
    }
    seen.health = Some(told);
    Ok(seen)
}

/// AWS's word on one target.
fn health(one: &TargetHealthDescription) -> Health {
    let told = one.target_health();
    let state = told.and_then(|told| told.state()).map(|state| state.as_str());
    let reason = told.and_then(|told| told.reason()).map(|reason| reason.as_str());
    let description = told.and_then(|told| told.description());
    Health {
        state: state.unwrap_or_default().to_owned(),
        reason: reason.unwrap_or_default().to_owned(),
        description: description.unwrap_or_default().to_owned(),
    }
}
