//! What is done with requests, and the target groups that it takes.
//!
//! A target group that somebody else made is referred to by its ARN: nothing of it is wanted, so nothing is compared.

use std::collections::BTreeSet;

use fairway_core::intent::{self, Backend, GroupName, HttpAsk, Member, Share, Split, Target};

use super::{LowerError, Lowering, Scene, binding, ingress::Part, rows, target_group};
use crate::{
    facts::{Answer, Query},
    model::{Action, FixedResponse, Forward, Redirect, Ref, TargetGroup, WeightedTarget},
    naming::{self, IngressTarget},
    tags,
};

/// What has to be known before any action of the Ingress can be lowered.
pub(super) fn questions(ask: &HttpAsk) -> impl Iterator<Item = Query> {
    let actions = ask.routes.iter().map(|route| &route.action).chain(&ask.default);
    let splits = actions.filter_map(|action| match action {
        intent::Action::Split(split) => Some(split),
        intent::Action::Service(_) | intent::Action::Redirect(_) | intent::Action::Answer(_) => None,
    });
    splits.flat_map(|split| &split.shares).filter_map(|share| match &share.target {
        Target::Group(GroupName::Name(name)) => Some(Query::TargetGroup(name.clone())),
        Target::Group(GroupName::Arn(_)) | Target::Service(_) => None,
    })
}

/// Lowers one action; the target groups that are made for it go to `part`.
pub(super) fn lower(
    scene: &Scene<'_>,
    member: &Member,
    action: &intent::Action,
    part: &mut Part,
) -> Lowering<Action> {
    match action {
        intent::Action::Service(backend) => {
            let group = service(scene, member, backend, part)?;
            Ok(group.map_or_else(missing_service, |group| forward(group.name())))
        }
        intent::Action::Split(asked) => split(scene, member, asked, part),
        intent::Action::Redirect(asked) => Ok(Action::Redirect(redirect(asked))),
        intent::Action::Answer(asked) => Ok(Action::FixedResponse(FixedResponse {
            content_type: asked.content_type.clone(),
            body: asked.body.clone(),
            status_code: asked.status.to_string(),
        })),
    }
}

fn split(scene: &Scene<'_>, member: &Member, asked: &Split, part: &mut Part) -> Lowering<Action> {
    let mut targets: Vec<WeightedTarget> = Vec::new();
    for Share { weight, target } in &asked.shares {
        let group = match target {
            Target::Group(name) => Some(external(scene, name)?),
            Target::Service(backend) => service(scene, member, backend, part)?,
        };
        // Only a lone share can be without its Service; readings with several are not good ones.
        let Some(target_group) = group else { return Ok(missing_service()) };
        targets.push(WeightedTarget { target_group, weight: i32::from(*weight) });
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = targets.iter().find(|target| !seen.insert(target.target_group.name())) {
        return Err(LowerError::TargetTwice(twice.target_group.name().to_owned()).into());
    }
    let stickiness = asked.stickiness.and_then(|seconds| i32::try_from(seconds).ok());
    Ok(Action::Forward(Forward { targets, stickiness }))
}

fn external(scene: &Scene<'_>, name: &GroupName) -> Lowering<Ref<TargetGroup>> {
    match name {
        GroupName::Arn(arn) => Ok(Ref::new(arn.as_str())),
        GroupName::Name(name) => match scene.ask(Query::TargetGroup(name.clone()))? {
            Answer::TargetGroup(Some(arn)) => Ok(Ref::new(arn.as_str())),
            _ => Err(LowerError::TargetGroupNotFound(name.clone()).into()),
        },
    }
}

/// The target group of a Service; `None` where there is no such Service.
fn service(
    scene: &Scene<'_>,
    member: &Member,
    backend: &Backend,
    part: &mut Part,
) -> Lowering<Option<Ref<TargetGroup>>> {
    let Some(found) = &backend.found else { return Ok(None) };
    let written = format!("{}.{}", backend.service.name, backend.port);
    let ask = rows::ingress_target(&backend.settings, &written)?;
    let mut group = target_group::layer7(backend, found, &ask, scene.config.default_target_type)?;
    let target = IngressTarget {
        stack: scene.stack,
        ingress: &member.object.key,
        service: &backend.service,
        uid: &found.uid,
        port: &backend.port,
    };
    let resource = if ask.shared {
        let nameless = binding::of_ingress(scene, backend, found, (&group, &ask));
        let settings = naming::target_group_settings(&group, &nameless);
        group.name = naming::shared_target_group(&scene.config.cluster, &target, &settings);
        format!("{}:{}-{settings}", backend.service, backend.port)
    } else {
        group.name = naming::ingress_target_group(&scene.config.cluster, &target, &group);
        format!("{}-{}:{}", target.ingress, backend.service.name, backend.port)
    };
    group.tags = tags::of(scene.config, scene.stack, &resource, &group.tags);
    let binding = binding::of_ingress(scene, backend, found, (&group, &ask));
    let reference = Ref::new(group.name.as_str());
    part.bindings.insert(binding.key.to_string(), binding);
    part.target_groups.insert(group.name.clone(), group);
    Ok(Some(reference))
}

/// A forward to one target group.
pub(super) fn forward(name: &str) -> Action {
    Action::Forward(Forward {
        targets: vec![WeightedTarget { target_group: Ref::new(name), weight: 1 }],
        stickiness: None,
    })
}

fn redirect(asked: &intent::Redirect) -> Redirect {
    let or = |part: &Option<String>, same: &str| part.clone().unwrap_or_else(|| same.to_owned());
    Redirect {
        host: or(&asked.host, "#{host}"),
        path: or(&asked.path, "/#{path}"),
        port: or(&asked.port, "#{port}"),
        protocol: or(&asked.protocol, "#{protocol}"),
        query: or(&asked.query, "#{query}"),
        status_code: format!("HTTP_{}", asked.status),
    }
}

/// What the peer answers where a Service does not exist.
fn missing_service() -> Action {
    Action::FixedResponse(FixedResponse {
        content_type: Some("text/plain".to_owned()),
        body: Some("Backend service does not exist".to_owned()),
        status_code: "503".to_owned(),
    })
}
