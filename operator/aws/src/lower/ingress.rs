//! One Ingress, lowered alone: its rules, its target groups, and what it asks of the load balancer it shares.

use std::collections::BTreeMap;

use fairway_core::{
    ids::ObjectRef,
    intent::{HttpAsk, Listen, Member},
    note::Note,
    settings::{Provenance, Sourced},
};

use super::{
    LowerError, Lowering, Scene, action,
    ask::{FrontAsk, SubnetsAsk},
    certificate::{self, Certificates},
    client_certificate,
    frontend::FrontendAsk,
    guard, rows, rule, security_group,
    subnet::{self, Placement},
};
use crate::{
    facts::Query,
    model::{
        Action, Binding, ClientCertificates, Condition, IpAddressType, LoadBalancerKind, TargetGroup,
        Transform,
    },
};

/// What one Ingress contributes.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) object: ObjectRef,
    /// With subnets and security groups resolved to ids.
    pub(crate) front: FrontAsk,
    /// What stands in front of it.
    pub(crate) frontend: FrontendAsk,
    pub(crate) listens: Vec<Listen>,
    pub(crate) ssl_redirect: Option<Sourced<u16>>,
    pub(crate) certificates: Certificates,
    /// By port.
    pub(crate) client_certificates: BTreeMap<u16, Sourced<ClientCertificates>>,
    /// What its author should know although it is lowered.
    pub(crate) notes: Vec<Note>,
    pub(crate) rules: Vec<RuleDraft>,
    pub(crate) default_action: Option<Action>,
    /// Who is let through to it, on HTTPS listeners.
    pub(crate) default_guard: Option<Action>,
    pub(crate) target_groups: BTreeMap<String, TargetGroup>,
    pub(crate) bindings: BTreeMap<String, Binding>,
}

/// A rule before it has a listener and a priority.
#[derive(Debug, Clone)]
pub(crate) struct RuleDraft {
    /// All that has to hold.
    pub(crate) conditions: Vec<Condition>,
    /// The same in as many rules as AWS needs for it.
    pub(crate) rules: Vec<Vec<Condition>>,
    pub(crate) transforms: Vec<Transform>,
    /// Who is let through, on HTTPS listeners.
    pub(crate) guard: Option<Action>,
    pub(crate) action: Action,
}

/// Lowers one Ingress.
pub(crate) fn part(scene: &Scene<'_>, member: &Member, ask: &HttpAsk) -> Lowering<Part> {
    let mut front = rows::ingress(&member.settings)?;
    // All questions are asked before the first that has no answer ends this: each alone would cost a round.
    let subnets = scene.ask(Query::Subnets);
    let resolved = resolve(scene, &mut front, LoadBalancerKind::Application);
    let ip_address_type = front.ip_address_type.as_ref().map_or(IpAddressType::Ipv4, |asked| asked.value);
    let frontend = FrontendAsk::read(scene, &member.settings, ip_address_type);
    let notes = front.addons.resolve(scene, &member.object);
    let client_certificates = client_certificate::by_port(scene, front.client_certificates.take());
    let certificates = certificate::of_ingress(scene, &member.object, ask, &front);
    let named = scene.ask_all(action::questions(ask).chain(guard::questions(member, ask)));
    subnets.and(resolved)?;
    named?;
    let mut part = Part {
        object: member.object.clone(),
        certificates: certificates?,
        client_certificates: client_certificates?,
        notes: notes?,
        front,
        frontend: frontend?,
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
        default_guard: guard::lower(scene, member, ask, ask.default_guard.as_ref())?,
        target_groups: BTreeMap::new(),
        bindings: BTreeMap::new(),
    };
    for route in rule::in_order(&ask.routes) {
        let conditions = rule::conditions(route)?;
        let draft = RuleDraft {
            rules: rule::split(&conditions).map_err(|excess| excess.of(&route.path))?,
            conditions,
            transforms: rule::transforms(route),
            guard: guard::lower(scene, member, ask, route.guard.as_ref())?,
            action: action::lower(scene, member, &route.action, &mut part)?,
        };
        part.rules.push(draft);
    }
    let default = ask.default.as_ref();
    part.default_action = default.map(|asked| action::lower(scene, member, asked, &mut part)).transpose()?;
    Ok(part)
}

/// Turns names of subnets and security groups into ids, and checks that they can be used.
pub(crate) fn resolve(scene: &Scene<'_>, front: &mut FrontAsk, kind: LoadBalancerKind) -> Lowering<()> {
    let placement = Placement {
        kind,
        scheme: front.scheme.as_ref().map_or(scene.config.default_scheme, |asked| asked.value),
        ip_address_type: front.ip_address_type.as_ref().map_or(IpAddressType::Ipv4, |asked| asked.value),
    };
    let named = front.security_groups.as_ref().map_or(&[][..], |asked| asked.value.as_slice());
    let groups = security_group::given(scene, named);
    let lists = front.prefix_lists.iter().flat_map(|asked| asked.value.iter().cloned());
    let lists = scene.ask_all(lists.map(Query::PrefixList));
    if let Some(asked) = &mut front.subnets {
        match &mut asked.value {
            SubnetsAsk::Named(names) => *names = subnet::given(scene, names, placement)?,
            // Refuses here, so that who asks is held, and is resolved where the load balancer is.
            SubnetsAsk::Tagged(tags) => drop(subnet::tagged(scene, tags, placement)?),
        }
    }
    if let Some(asked) = &mut front.security_groups {
        asked.value = groups?;
    }
    lists?;
    if let Some(name) = front.name.as_ref().filter(|asked| asked.value.chars().count() > 32) {
        return Err(LowerError::NameTooLong(name.value.clone()).into());
    }
    Ok(())
}
