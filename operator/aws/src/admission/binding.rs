//! TargetGroupBindings: what is left out is filled in from AWS when one is made, and what cannot work is refused.
//!
//! Filling asks AWS, and must not wait for it: when AWS does not answer in time, the object is stored as it is, with a
//! warning. What is said afterwards needs no AWS.

use fairway_core::{
    admission::{Answer, Change, Edit, brought},
    ids::Key,
    snapshot::Objects,
};
use fairway_crds::{TargetGroupBinding, TargetGroupBindingSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{
    facts::{BoundGroup, Query},
    targets::query,
};

/// What asking AWS for a binding's target group gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// It is there.
    Found(BoundGroup),
    /// It is not.
    Missing,
    /// AWS cannot be asked, or did not answer in time; why.
    Unknown(String),
}

/// What has to be asked of AWS about a new binding. `None`: every field that is filled in is there already, or nothing
/// names a target group, which the validation that follows refuses.
#[must_use]
pub fn question(binding: &TargetGroupBinding) -> Option<Query> {
    let spec = &binding.spec;
    let fields = [&spec.target_type, &spec.target_group_protocol, &spec.ip_address_type, &spec.vpc_id];
    let complete = arn(spec).is_some() && fields.iter().all(|field| field.is_some());
    if complete { None } else { query(spec).ok() }
}

/// What the API server is answered about a new binding whose target group was looked up.
#[must_use]
pub fn fill(binding: &TargetGroupBinding, found: &Lookup) -> Answer {
    let spec = &binding.spec;
    let named = arn(spec).or(spec.target_group_name.as_deref()).unwrap_or_default();
    let group = match found {
        Lookup::Found(group) => group,
        Lookup::Missing => return Answer::refuse(format!("there is no target group {named}")),
        Lookup::Unknown(why) => {
            let warning =
                format!("target group {named} could not be looked at, and nothing was filled in: {why}");
            return Answer::allow().warn([warning]);
        }
    };
    if !matches!(group.target_type.as_str(), "ip" | "instance") {
        let kind = &group.target_type;
        return Answer::refuse(format!(
            "target group {named} is for targets of type {kind}; only ip and instance can be bound"
        ));
    }
    let fields = [
        ("targetGroupARN", arn(spec), real(&group.arn)),
        ("targetType", spec.target_type.as_deref(), real(&group.target_type)),
        ("targetGroupProtocol", spec.target_group_protocol.as_deref(), real(&group.protocol)),
        ("ipAddressType", spec.ip_address_type.as_deref(), real(&group.ip_address_type)),
        ("vpcID", spec.vpc_id.as_deref(), real(&group.vpc)),
    ];
    let (mut edits, mut problems) = (Vec::new(), Vec::new());
    for (field, written, real) in fields {
        match (written, real) {
            (None, Some(real)) => edits.push(Edit::set(format!("/spec/{field}"), real)),
            (Some(written), Some(real)) if written != real => {
                problems
                    .push(format!("spec.{field} is {written}, and that of target group {named} is {real}"));
            }
            _ => {}
        }
    }
    if problems.is_empty() { Answer::edit(edits) } else { Answer::judge(problems) }
}

/// What AWS does not say of a group is empty.
fn real(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// What the API server is answered about a binding that is made or changed, among those that are there.
#[must_use]
pub fn check(bindings: &Objects<TargetGroupBinding>, change: Change<'_, TargetGroupBinding>) -> Answer {
    let Change { new, old } = change;
    if new.metadata.deletion_timestamp.is_some() || old.is_some_and(|old| old.spec == new.spec) {
        return Answer::allow();
    }
    let before = old.map(|old| problems(bindings, old)).unwrap_or_default();
    let mut all = brought(problems(bindings, new), &before);
    all.extend(old.into_iter().flat_map(|old| fixed(&old.spec, &new.spec)));
    Answer::judge(all)
}

fn problems(bindings: &Objects<TargetGroupBinding>, binding: &TargetGroupBinding) -> Vec<String> {
    let spec = &binding.spec;
    let kind = spec.target_type.as_deref();
    let mut problems = Vec::new();
    let mut say = |wrong: bool, problem: &str| {
        if wrong {
            problems.push(problem.to_owned());
        }
    };
    let named = spec.target_group_name.as_deref().is_some_and(|name| !name.is_empty());
    say(arn(spec).is_none() && !named, "either spec.targetGroupARN or spec.targetGroupName has to be given");
    say(
        kind == Some("ip") && spec.node_selector.is_some(),
        "spec.nodeSelector means nothing with targetType ip",
    );
    say(
        kind == Some("instance") && spec.iam_role_arn_to_assume.is_some(),
        "spec.iamRoleArnToAssume works with targetType ip only",
    );
    say(
        kind == Some("instance")
            && matches!(spec.target_group_protocol.as_deref(), Some("QUIC" | "TCP_QUIC")),
        "target groups of QUIC work with targetType ip only",
    );
    problems.extend(rival(bindings, binding));
    problems
}

/// Another binding of the same target group: each would take the other's targets out, unless both keep to their own.
fn rival(bindings: &Objects<TargetGroupBinding>, binding: &TargetGroupBinding) -> Option<String> {
    let arn = arn(&binding.spec)?;
    let shared = |spec: &TargetGroupBindingSpec| spec.multi_cluster_target_group == Some(true);
    let own = key(&binding.metadata);
    let mut others =
        bindings.iter().filter(|(key, other)| **key != own && self::arn(&other.spec) == Some(arn));
    let (other, _) = others.find(|(_, other)| !(shared(&binding.spec) && shared(&other.spec)))?;
    Some(format!(
        "target group {arn} is bound by TargetGroupBinding {other} already; several need spec.multiClusterTargetGroup on each"
    ))
}

/// Fields that stay as they are once they are there. An address type that was left out was ipv4.
fn fixed(old: &TargetGroupBindingSpec, new: &TargetGroupBindingSpec) -> Vec<String> {
    let ipv4 = Some("ipv4".to_owned());
    let fields = [
        ("targetGroupARN", &old.target_group_arn, &new.target_group_arn),
        ("targetType", &old.target_type, &new.target_type),
        (
            "ipAddressType",
            old.ip_address_type.as_ref().map_or(&ipv4, |_| &old.ip_address_type),
            &new.ip_address_type,
        ),
        ("vpcID", &old.vpc_id, &new.vpc_id),
    ];
    let changed = |old: &Option<String>, new: &Option<String>, field: &str| {
        let dropped_default = field == "ipAddressType" && new.is_none() && *old == ipv4;
        old.is_some() && old != new && !dropped_default
    };
    let changed = fields.iter().filter(|(field, old, new)| changed(old, new, field));
    changed
        .map(|(field, ..)| format!("spec.{field} cannot be changed: make another TargetGroupBinding"))
        .collect()
}

/// The ARN that a spec names. An empty one is none.
fn arn(spec: &TargetGroupBindingSpec) -> Option<&str> {
    spec.target_group_arn.as_deref().filter(|arn| !arn.is_empty())
}

fn key(meta: &ObjectMeta) -> Key {
    Key::new(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}
