//! What a TargetGroupBinding says of its target group, and what AWS says of it where the binding is silent.
//!
//! Bindings that stacks made say everything and are believed. Those of users are filled in at admission; one that came
//! past it is filled in here, and none may contradict its target group.

use std::borrow::Cow;

use fairway_core::class::{Class, Classified};
use fairway_crds::{TargetGroupBinding, TargetGroupBindingSpec};

use crate::facts::{Answer, BoundGroup, Query, Role};

/// What is wrong with what a binding says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BoundError {
    #[error("one of spec.targetGroupARN and spec.targetGroupName is needed")]
    Nameless,
    #[error("target group {0} does not exist")]
    NoTargetGroup(String),
    #[error("{field} is {asked}, but that of target group {group} is {real}")]
    Mismatch { field: &'static str, asked: String, group: String, real: String },
    #[error("{field} is for target type {needed} only")]
    Misplaced { field: &'static str, needed: &'static str },
}

impl Classified for BoundError {
    fn class(&self) -> Class {
        match self {
            Self::Nameless | Self::Mismatch { .. } | Self::Misplaced { .. } => Class::Invalid,
            Self::NoTargetGroup(_) => Class::Environment,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Nameless => "NoTargetGroupARN",
            Self::NoTargetGroup(_) => "TargetGroupNotFound",
            Self::Mismatch { .. } => "TargetGroupMismatch",
            Self::Misplaced { .. } => "InvalidBinding",
        }
    }
}

/// Whether a stack made the binding, ours or the peer's; users put no such labels on theirs.
#[must_use]
pub fn made_by_a_stack(binding: &TargetGroupBinding) -> bool {
    let of_a_stack = |key: &String| {
        key.split_once('/').is_some_and(|(prefix, name)| {
            prefix.contains("k8s.aws") && matches!(name, "stack" | "stack-name")
        })
    };
    binding.metadata.labels.iter().flatten().any(|(key, _)| of_a_stack(key))
}

/// The role that calls about the group are made in.
pub(crate) fn role(spec: &TargetGroupBindingSpec) -> Option<Role> {
    let arn = spec.iam_role_arn_to_assume.clone().filter(|arn| !arn.is_empty())?;
    Some(Role { arn, external_id: spec.assume_role_external_id.clone() })
}

/// Asks for what AWS says of the group.
pub(crate) fn query(spec: &TargetGroupBindingSpec) -> Result<Query, BoundError> {
    let written = [&spec.target_group_arn, &spec.target_group_name];
    let named = written.into_iter().flatten().find(|text| !text.is_empty()).ok_or(BoundError::Nameless)?;
    Ok(Query::BoundGroup { named: named.clone(), role: role(spec) })
}

/// The binding with everything said; `None`: the answer to [`query`] is needed for it.
pub(crate) fn filled<'a>(
    binding: &'a TargetGroupBinding,
    answer: Option<&Answer>,
) -> Result<Option<Cow<'a, TargetGroupBinding>>, BoundError> {
    let spec = &binding.spec;
    if spec.target_group_arn.is_some() && spec.target_type.is_some() {
        return Ok(Some(Cow::Borrowed(binding)));
    }
    let Some(Answer::BoundGroup(group)) = answer else { return Ok(None) };
    let named = || spec.target_group_arn.clone().or_else(|| spec.target_group_name.clone());
    let group = group.as_ref().ok_or_else(|| BoundError::NoTargetGroup(named().unwrap_or_default()))?;
    let mut whole = binding.clone();
    let said = &mut whole.spec;
    said.target_group_arn.get_or_insert_with(|| group.arn.clone());
    said.target_type.get_or_insert_with(|| group.target_type.clone());
    said.ip_address_type.get_or_insert_with(|| group.ip_address_type.clone());
    said.target_group_protocol.get_or_insert_with(|| group.protocol.clone());
    said.vpc_id.get_or_insert_with(|| group.vpc.clone());
    Ok(Some(Cow::Owned(whole)))
}

/// What a binding may not say, whatever its group is.
pub(crate) fn plausible(spec: &TargetGroupBindingSpec) -> Result<(), BoundError> {
    let quic = spec.target_group_protocol.as_deref().is_some_and(|protocol| protocol.contains("QUIC"));
    let misplaced = |field, needed| Err(BoundError::Misplaced { field, needed });
    match spec.target_type.as_deref() {
        Some("ip") if spec.node_selector.is_some() => misplaced("spec.nodeSelector", "instance"),
        Some("instance") if role(spec).is_some() => misplaced("spec.iamRoleArnToAssume", "ip"),
        Some("instance") if quic => misplaced("a protocol of QUIC", "ip"),
        _ => Ok(()),
    }
}

/// What a binding says has to be what AWS says.
pub(crate) fn agrees(spec: &TargetGroupBindingSpec, group: &BoundGroup) -> Result<(), BoundError> {
    let said = [
        ("spec.targetType", &spec.target_type, &group.target_type),
        ("spec.ipAddressType", &spec.ip_address_type, &group.ip_address_type),
        ("spec.vpcID", &spec.vpc_id, &group.vpc),
        ("spec.targetGroupProtocol", &spec.target_group_protocol, &group.protocol),
    ];
    let wrong = said.into_iter().find(|(_, asked, real)| asked.as_ref().is_some_and(|asked| asked != *real));
    match wrong {
        None => Ok(()),
        Some((field, asked, real)) => Err(BoundError::Mismatch {
            field,
            asked: asked.clone().unwrap_or_default(),
            group: group.arn.clone(),
            real: real.clone(),
        }),
    }
}
