//! Registered targets. AWS tells the zone of every target; only `all`, outside the VPC, is part of its identity.

use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetHealthDescription, TargetHealthStateEnum,
};
use fairway_aws::targets::{Target, TargetsObserved};

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
    for one in list {
        let target = required("Target", one.target())?;
        let port = target.port().and_then(|port| u16::try_from(port).ok());
        let decoded = Target {
            id: required("Target.Id", target.id())?.to_owned(),
            port: required("Target.Port", port)?,
            zone: target.availability_zone().filter(|zone| *zone == OUTSIDE).map(str::to_owned),
        };
        let state = one.target_health().and_then(|health| health.state());
        let leaving =
            matches!(state, Some(TargetHealthStateEnum::Draining | TargetHealthStateEnum::UnhealthyDraining));
        if leaving {
            seen.draining.insert(decoded)
        } else {
            seen.registered.insert(decoded)
        };
    }
    Ok(seen)
}
