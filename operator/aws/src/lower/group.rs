//! Members of a group, combined: one load balancer, one protocol a port, rules in the order of the members.

use std::collections::{BTreeMap, BTreeSet};

use fairway_core::{
    ids::ObjectRef,
    intent::HttpProtocol,
    note::Note,
    plan::ResourceKey,
    settings::{Provenance, Sourced},
};

use super::{
    Front, LowerError, Lowering, Scene,
    ask::{FrontAsk, plain},
    because::written,
    frontend::{self, Combined},
    ingress::{Part, RuleDraft},
    limits::{self, Claimant, Limited, Needs},
    merge::{agree, unite},
    port::PortAsk,
    redirect,
    security_group::{self, Door},
};
use crate::{
    model::{
        Action, FixedResponse, IpAddressType, Listener, ListenerProtocol, LoadBalancerKind, Redirect, Ref,
        Rule, StackModel, TargetGroup,
    },
    naming, tags,
};

/// What members agreed on so far. The earlier member wins; a later one that contradicts is refused whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    front: FrontAsk,
    ports: BTreeMap<u16, PortAsk>,
    ssl_redirect: Option<(Sourced<u16>, ObjectRef)>,
    parts: Vec<Part>,
}

impl Group {
    /// Adds a member.
    ///
    /// # Errors
    /// With whom it disagrees; the group is then as it was before.
    pub(crate) fn join(&mut self, part: Part) -> Result<(), LowerError> {
        let mut next = self.clone();
        next.agree_on_front(&part.front)?;
        next.agree_on_redirect(&part)?;
        for listen in &part.listens {
            let port = next.ports.entry(listen.port.get());
            port.or_insert_with(|| PortAsk::new(listen.protocol, &part.object)).join(*listen, &part)?;
        }
        next.parts.push(part);
        *self = next;
        Ok(())
    }

    /// The member whose `ssl-redirect` names no HTTPS listener, if there is one.
    pub(crate) fn redirect_to_nothing(&self) -> Option<(ObjectRef, LowerError)> {
        let (port, member) = self.ssl_redirect.as_ref()?;
        let target = self.ports.get(&port.value);
        let https = target.is_some_and(|port| port.protocol == HttpProtocol::Https);
        (!https).then(|| (member.clone(), LowerError::RedirectToNothing(port.value)))
    }

    /// Members whose HTTPS listener has a certificate of nobody.
    pub(crate) fn without_certificate(&self) -> Vec<(ObjectRef, LowerError)> {
        let bare = |(_, asked): &(&u16, &PortAsk)| {
            asked.protocol == HttpProtocol::Https && asked.certificates.is_empty()
        };
        let bare: BTreeSet<u16> = self.ports.iter().filter(bare).map(|(port, _)| *port).collect();
        let listens = |part: &&Part| part.listens.iter().any(|listen| bare.contains(&listen.port.get()));
        let members = self.parts.iter().filter(listens);
        members.map(|part| (part.object.clone(), LowerError::NoHost)).collect()
    }

    /// Members whose default backend is another's already, on a port where it would be used.
    pub(crate) fn two_defaults(&self) -> Vec<(ObjectRef, LowerError)> {
        self.forwarding().flat_map(|(port, asked)| asked.two_defaults(port)).collect()
    }

    /// Ports that do not send everybody on to HTTPS.
    fn forwarding(&self) -> impl Iterator<Item = (u16, &PortAsk)> {
        let forwards = |asked: &PortAsk| asked.protocol == HttpProtocol::Https || self.ssl_redirect.is_none();
        self.ports.iter().filter(move |(_, asked)| forwards(asked)).map(|(port, asked)| (*port, asked))
    }

    /// Whether anybody gets through to a member's targets.
    fn forwards_to(&self, part: &Part) -> bool {
        let mut listens = part.listens.iter();
        self.ssl_redirect.is_none() || listens.any(|listen| listen.protocol == HttpProtocol::Https)
    }

    /// Members that do not fit any more.
    pub(crate) fn excess(
        &self,
        scene: &Scene<'_>,
        settled: impl Fn(&ObjectRef) -> bool,
    ) -> Vec<(ObjectRef, LowerError)> {
        let (rules, entries) = (self.rule_counts(), security_group::entries(scene, &self.doors()));
        let claimant = |part: &Part| Claimant {
            object: part.object.clone(),
            needs: self.needs(part, &rules, &entries),
            settled: settled(&part.object),
        };
        let claimants: Vec<Claimant> = self.parts.iter().map(claimant).collect();
        limits::excess(&scene.config.quotas, &claimants)
    }

    /// How many rules each member has on each port, by its name.
    fn rule_counts(&self) -> BTreeMap<(String, u16), usize> {
        let mut counts = BTreeMap::new();
        for (port, _) in self.forwarding() {
            for (part, draft) in self.drafts(port) {
                *counts.entry((part.object.to_string(), port)).or_default() += draft.rules.len();
            }
        }
        counts
    }

    fn needs(
        &self,
        part: &Part,
        rules: &BTreeMap<(String, u16), usize>,
        entries: &BTreeMap<String, usize>,
    ) -> Needs {
        let mut needs = Needs::default();
        let ip_address_type = self.ip_address_type();
        if self.forwards_to(part) {
            part.target_groups.keys().for_each(|name| needs.add(Limited::TargetGroups, name));
        }
        for port in part.listens.iter().map(|listen| listen.port.get()) {
            needs.add(Limited::Listeners, port.to_string());
            let own = rules.get(&(part.object.to_string(), port)).copied().unwrap_or_default();
            (0..own).for_each(|rule| needs.add(Limited::Rules, format!("{}:{port}:{rule}", part.object)));
            let Some(asked) = self.ports.get(&port) else { continue };
            if asked.protocol == HttpProtocol::Https {
                let own = part.certificates.all.iter();
                own.for_each(|one| needs.add(Limited::Certificates(port), one.name()));
            }
            if self.front.security_groups.is_none() {
                for one in security_group::open(&asked.door(port), ip_address_type) {
                    let weight = security_group::weight(&one, entries);
                    needs.add_weighing(Limited::Permissions, one.to_string(), weight);
                }
            }
        }
        needs
    }

    /// What authors should know although their members are lowered.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &Note> {
        self.parts.iter().flat_map(|part| part.notes.iter().chain(&part.certificates.notes))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    fn agree_on_front(&mut self, asked: &FrontAsk) -> Result<(), LowerError> {
        let mine = &mut self.front;
        agree(&mut mine.name, asked.name.as_ref())?;
        agree(&mut mine.scheme, asked.scheme.as_ref())?;
        agree(&mut mine.ip_address_type, asked.ip_address_type.as_ref())?;
        agree(&mut mine.subnets, asked.subnets.as_ref())?;
        agree(&mut mine.security_groups, asked.security_groups.as_ref())?;
        agree(&mut mine.manage_backend_rules, asked.manage_backend_rules.as_ref())?;
        agree(&mut mine.customer_owned_pool, asked.customer_owned_pool.as_ref())?;
        agree(&mut mine.ipv4_pool, asked.ipv4_pool.as_ref())?;
        mine.addons.join(&asked.addons)?;
        unite(&mut mine.attributes, &asked.attributes)?;
        unite(&mut mine.tags, &asked.tags)
    }

    fn agree_on_redirect(&mut self, part: &Part) -> Result<(), LowerError> {
        let mut so_far = self.ssl_redirect.as_ref().map(|(asked, _)| asked.clone());
        agree(&mut so_far, part.ssl_redirect.as_ref())?;
        if self.ssl_redirect.is_none() {
            self.ssl_redirect = so_far.map(|asked| (asked, part.object.clone()));
        }
        Ok(())
    }

    /// What stands in front of it, and who cannot be followed in that.
    pub(crate) fn combine_frontend(&self, scene: &Scene<'_>) -> Lowering<Combined> {
        frontend::combine(scene, &self.parts, self.ip_address_type())
    }

    fn ip_address_type(&self) -> IpAddressType {
        self.front.ip_address_type.as_ref().map_or(IpAddressType::Ipv4, |asked| asked.value)
    }

    /// The load balancer's front: what is asked of it as a whole.
    pub(crate) fn front(&self, scene: &Scene<'_>) -> Front {
        let scheme = self.front.scheme.as_ref().map_or(scene.config.default_scheme, |asked| asked.value);
        Front {
            kind: LoadBalancerKind::Application,
            generated_name: naming::alb(&scene.config.cluster, scene.stack, scheme),
            security_group_name: naming::alb_security_group(&scene.config.cluster, scene.stack),
            scheme,
            ask: self.front.clone(),
        }
    }

    /// The doors of the managed security group.
    pub(crate) fn doors(&self) -> Vec<Door<'_>> {
        self.ports.iter().map(|(number, port)| port.door(*number)).collect()
    }

    /// Listeners, rules, target groups and bindings on the load balancer called `name`.
    pub(crate) fn build(&self, scene: &Scene<'_>, name: &str) -> StackModel {
        let mut model = StackModel::default();
        for (number, port) in &self.ports {
            let redirect = self.ssl_redirect.as_ref().map(|(asked, _)| asked.value);
            let redirect = redirect.filter(|_| port.protocol == HttpProtocol::Http);
            let listener = self.listener(scene, name, (*number, port), redirect);
            if redirect.is_none() {
                model.rules.insert(*number, self.rules(scene, &listener));
            }
            model.listeners.insert(*number, listener);
        }
        for part in &self.parts {
            if self.forwards_to(part) {
                model.target_groups.extend(part.target_groups.clone());
                model.bindings.extend(part.bindings.clone());
            }
            for own in &part.certificates.own {
                model.certificates.entry(own.name.clone()).or_insert_with(|| own.clone());
            }
        }
        model
    }

    /// Which member each rule, target group and binding is there for.
    pub(super) fn owners(&self, model: &StackModel) -> BTreeMap<ResourceKey, Vec<Provenance>> {
        let mut owners: BTreeMap<ResourceKey, Vec<Provenance>> = BTreeMap::new();
        for part in &self.parts {
            let names = part.target_groups.keys();
            let groups = names.map(|name| Ref::<TargetGroup>::new(name.as_str()).key());
            let bindings = part.bindings.values().map(|binding| binding.reference().key());
            let targets = groups.chain(bindings).filter(|_| self.forwards_to(part));
            let certificates = part.certificates.own.iter().map(|own| own.reference().key());
            for key in targets.chain(certificates) {
                owners.entry(key).or_default().push(written(&part.object, true));
            }
        }
        for (port, rules) in &model.rules {
            let asked = self.drafts(*port).into_iter();
            let asked = asked.flat_map(|(part, draft)| draft.rules.iter().map(|_| &part.object));
            let rules = rules.iter().zip(asked);
            owners.extend(rules.map(|(rule, object)| (rule.reference().key(), vec![written(object, true)])));
        }
        owners
    }

    /// What is asked of a port's rules, in order, without what a redirect makes needless.
    fn drafts(&self, port: u16) -> Vec<(&Part, &RuleDraft)> {
        let Some(asked) = self.ports.get(&port) else { return Vec::new() };
        let all = self.on_port(port).flat_map(|part| part.rules.iter().map(move |draft| (part, draft)));
        let mut kept: Vec<(&Part, &RuleDraft)> = Vec::new();
        for (part, draft) in all {
            let covered = kept.iter().any(|(_, earlier)| redirect::covers(earlier, draft));
            if !covered && !redirect::loops(draft, port, asked.protocol) {
                kept.push((part, draft));
            }
        }
        kept
    }

    fn on_port(&self, port: u16) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.listens.iter().any(|listen| listen.port.get() == port))
    }

    fn listener(
        &self,
        scene: &Scene<'_>,
        name: &str,
        (number, port): (u16, &PortAsk),
        redirect: Option<u16>,
    ) -> Listener {
        let https = port.protocol == HttpProtocol::Https;
        let default = port.default.as_ref().map(|(actions, _)| actions.clone());
        let policy =
            port.ssl_policy.as_ref().map_or(&scene.config.default_ssl_policy, |asked| &asked.value).clone();
        Listener {
            load_balancer: Ref::new(name),
            port: number,
            protocol: if https { ListenerProtocol::Https } else { ListenerProtocol::Http },
            default_actions: match redirect {
                Some(port) => vec![to_https(port)],
                None => default.unwrap_or_else(|| vec![not_found()]),
            },
            ssl_policy: https.then_some(policy),
            certificates: if https { port.certificates.clone() } else { Vec::new() },
            alpn_policy: None,
            client_certificates: port.client_certificates.as_ref().map(|asked| asked.value.clone()),
            attributes: plain(&port.attributes),
            tags: tags::of(scene.config, scene.stack, &tags::listener(number), &plain(&port.tags)),
        }
    }

    fn rules(&self, scene: &Scene<'_>, listener: &Listener) -> Vec<Rule> {
        let drafts = self.drafts(listener.port).into_iter().flat_map(|(part, draft)| {
            let asked = plain(&part.front.tags);
            draft.rules.iter().map(move |conditions| (conditions, draft, asked.clone()))
        });
        drafts
            .zip(1..)
            .map(|((conditions, draft, asked), priority)| Rule {
                listener: listener.reference(),
                priority,
                conditions: conditions.clone(),
                transforms: draft.transforms.clone(),
                actions: guarded(listener.protocol, draft.guard.as_ref(), &draft.action),
                tags: tags::of(scene.config, scene.stack, &tags::rule(listener.port, priority), &asked),
            })
            .collect()
    }
}

/// What a listener does: guards stand on HTTPS listeners only.
fn guarded(protocol: ListenerProtocol, guard: Option<&Action>, action: &Action) -> Vec<Action> {
    let guard = guard.filter(|_| protocol == ListenerProtocol::Https);
    guard.into_iter().chain([action]).cloned().collect()
}

/// What a listener without a default backend answers.
pub(crate) fn not_found() -> Action {
    Action::FixedResponse(FixedResponse {
        content_type: Some("text/plain".to_owned()),
        body: None,
        status_code: "404".to_owned(),
    })
}

fn to_https(port: u16) -> Action {
    Action::Redirect(Redirect {
        host: "#{host}".to_owned(),
        path: "/#{path}".to_owned(),
        port: port.to_string(),
        protocol: "HTTPS".to_owned(),
        query: "#{query}".to_owned(),
        status_code: "HTTP_301".to_owned(),
    })
}
