//! Ingresses: what could never be read is refused in the words of whoever wrote it.
//!
//! What another object can still put right, a Service or a class that is not there yet, is a warning: objects are
//! applied in any order.

use k8s_openapi::api::networking::v1::Ingress;

use super::{Answer, Change, brought};
use crate::{
    read::{self, ReadConfig},
    settings::alb,
    snapshot::Snapshot,
};

/// Which annotations may come into use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Annotations {
    /// `--disable-ingress-class-annotation`: no Ingress becomes ours by `kubernetes.io/ingress.class`.
    pub without_class: bool,
    /// `--disable-ingress-group-name-annotation`: no Ingress joins or leaves a group by its annotation.
    pub without_group: bool,
}

/// What the API server is answered about an Ingress.
#[must_use]
pub fn ingress(
    snapshot: &Snapshot,
    config: &ReadConfig,
    annotations: Annotations,
    change: Change<'_, Ingress>,
) -> Answer {
    let Change { new, old } = change;
    let untouched =
        |old: &Ingress| old.spec == new.spec && old.metadata.annotations == new.metadata.annotations;
    if new.metadata.deletion_timestamp.is_some() || old.is_some_and(untouched) {
        return Answer::allow();
    }
    let Some(said) = read::alone(snapshot, config, new) else { return Answer::allow() };
    let before = old.and_then(|old| read::alone(snapshot, config, old)).map(|said| said.faults);
    let faults = brought(said.faults, before.as_deref().unwrap_or_default());
    let faults = faults.iter().map(ToString::to_string).chain(forbidden(config, annotations, change));
    Answer::judge(faults).warn(said.waits).warn(said.advice)
}

/// What flags forbid. What was in use before stays in use.
fn forbidden(
    config: &ReadConfig,
    annotations: Annotations,
    Change { new, old }: Change<'_, Ingress>,
) -> Vec<String> {
    let of = |ingress: &Ingress, key: &str| ingress.metadata.annotations.as_ref()?.get(key).cloned();
    let mut problems = Vec::new();
    let classed = |ingress: &Ingress| read::is_ours_by_annotation(config, ingress);
    if annotations.without_class && classed(new) && !old.is_some_and(classed) {
        problems.push(format!(
            "{}: new Ingresses name their class in spec.ingressClassName here",
            read::CLASS_ANNOTATION
        ));
    }
    let group = format!("{}{}", alb::PREFIX, alb::GROUP_NAME.key);
    let named = of(new, &group);
    if annotations.without_group && named.is_some() && named != old.and_then(|old| of(old, &group)) {
        problems.push(format!("{group}: groups are named in spec.group of IngressClassParams here"));
    }
    problems
}
