//! One Ingress, lowered alone: its rules, its target groups, and what it asks of the load balancer it shares.

use std::collections::BTreeMap;

use fairway_core::{
    ids::ObjectRef,
    intent::{Backend, HttpAsk, Listen, Member, PortName},
    settings::{Provenance, Sourced},
};

use super::{
    LowerError, Lowering, Scene,
    ask::FrontAsk,
    binding, certificate, rows, rule, security_group,
    subnet::{self, Placement},
    target_group,
};
use crate::{
    model::{
        Action, Binding, Condition, FixedResponse, Forward, IpAddressType, LoadBalancerKind, Ref,
        TargetGroup, WeightedTarget,
    },
    naming::{self, IngressTarget},
    tags,
};

/// What one Ingress contributes.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) object: ObjectRef,
    /// With subnets and security groups resolved to ids.
    pub(crate) front: FrontAsk,
    pub(crate) listens: Vec<Listen>,
    pub(crate) ssl_redirect: Option<Sourced<u16>>,
    pub(crate) certificates: Vec<String>,
    pub(crate) rules: Vec<RuleDraft>,
    pub(crate) default_action: Option<Action>,
    pub(crate) target_groups: BTreeMap<String, TargetGroup>,
    pub(crate) bindings: BTreeMap<String, Binding>,
}

/// A rule before it has a listener and a priority.
#[derive(Debug, Clone)]
pub(crate) struct RuleDraft {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) actions: Vec<Action>,
}

/// Lowers one Ingress.
pub(crate) fn part(scene: &Scene<'_>, member: &Member, ask: &HttpAsk) -> Lowering<Part> {
    let mut front = rows::ingress(&member.settings)?;
    resolve(scene, &mut front, LoadBalancerKind::Application)?;
    let arns = front.certificates.as_ref().map(|asked| asked.value.as_slice());
    let mut part = Part {
        object: member.object.clone(),
        certificates: certificate::of_ingress(scene, ask, arns)?,
        front,
        listens: ask.listens.clone(),
        ssl_redirect: ask.ssl_redirect.map(|port| Sourced {
            value: port.get(),
            from: Provenance {
                object: member.object.clone(),
                key: "alb.ingress.kubernetes.io/ssl-redirect".to_owned(),
            },
        }),
        rules: Vec::new(),
        default_action: None,
        target_groups: BTreeMap::new(),
        bindings: BTreeMap::new(),
    };
    for route in rule::in_order(&ask.routes) {
        let action = action(scene, member, &route.backend, &mut part)?;
        for conditions in rule::split(&rule::conditions(route)?) {
            part.rules.push(RuleDraft { conditions, actions: vec![action.clone()] });
        }
    }
    part.default_action =
        ask.default_backend.as_ref().map(|backend| action(scene, member, backend, &mut part)).transpose()?;
    Ok(part)
}

/// Turns names of subnets and security groups into ids, and checks that they can be used.
pub(crate) fn resolve(scene: &Scene<'_>, front: &mut FrontAsk, kind: LoadBalancerKind) -> Lowering<()> {
    let placement = Placement {
        kind,
        scheme: front.scheme.as_ref().map_or(scene.config.default_scheme, |asked| asked.value),
        ip_address_type: front.ip_address_type.as_ref().map_or(IpAddressType::Ipv4, |asked| asked.value),
    };
    if let Some(asked) = &mut front.subnets {
        asked.value = subnet::given(scene, &asked.value, placement)?;
    }
    if let Some(asked) = &mut front.security_groups {
        asked.value = security_group::given(scene, &asked.value)?;
    }
    if let Some(name) = front.name.as_ref().filter(|asked| asked.value.chars().count() > 32) {
        return Err(LowerError::NameTooLong(name.value.clone()).into());
    }
    Ok(())
}

fn action(scene: &Scene<'_>, member: &Member, backend: &Backend, part: &mut Part) -> Lowering<Action> {
    if backend.port == PortName::Name("use-annotation".to_owned()) {
        return Err(LowerError::AnnotationBackend(backend.service.name.clone()).into());
    }
    let Some(found) = &backend.found else {
        return Ok(missing_service());
    };
    let ask = rows::ingress_target(&backend.settings)?;
    let mut group = target_group::layer7(backend, found, &ask, scene.config.default_target_type)?;
    let key = &member.object.key;
    let target = IngressTarget {
        stack: scene.stack,
        ingress: key,
        service: &backend.service,
        uid: &found.uid,
        port: &backend.port,
    };
    group.name = naming::ingress_target_group(&scene.config.cluster, &target, &group);
    let resource = format!("{key}-{}:{}", backend.service.name, backend.port);
    group.tags = tags::of(scene.config, scene.stack, &resource, &group.tags);
    let binding = binding::of_ingress(scene, backend, found, (&group, &ask));
    let action = forward(&group.name);
    part.bindings.insert(binding.key.to_string(), binding);
    part.target_groups.insert(group.name.clone(), group);
    Ok(action)
}

/// A forward to one target group.
pub(crate) fn forward(name: &str) -> Action {
    Action::Forward(Forward {
        targets: vec![WeightedTarget { target_group: Ref::new(name), weight: 1 }],
        stickiness: None,
    })
}

/// What the peer answers where a Service does not exist.
fn missing_service() -> Action {
    Action::FixedResponse(FixedResponse {
        content_type: Some("text/plain".to_owned()),
        body: Some("Backend service does not exist".to_owned()),
        status_code: "503".to_owned(),
    })
}
