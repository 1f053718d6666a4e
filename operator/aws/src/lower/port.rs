//! What members ask of one port together.

use fairway_core::{
    ids::ObjectRef,
    intent::{HttpProtocol, Listen},
    settings::Sourced,
};

use super::{
    LowerError,
    ask::SourcedMap,
    ingress::Part,
    merge::{agree, unite},
    security_group::Door,
};
use crate::model::{Action, Certificate, ClientCertificates, Ref};

/// One port of a group, as far as its members agreed.
#[derive(Debug, Clone)]
pub(super) struct PortAsk {
    pub(super) protocol: HttpProtocol,
    first: ObjectRef,
    pub(super) ssl_policy: Option<Sourced<String>>,
    inbound_cidrs: Option<Sourced<Vec<String>>>,
    prefix_lists: Option<Sourced<Vec<String>>>,
    /// With its guard, where it has one.
    pub(super) default: Option<(Vec<Action>, ObjectRef)>,
    /// Members that ask for another default.
    rivals: Vec<ObjectRef>,
    pub(super) certificates: Vec<Ref<Certificate>>,
    pub(super) client_certificates: Option<Sourced<ClientCertificates>>,
    pub(super) attributes: SourcedMap,
    pub(super) tags: SourcedMap,
}

impl PortAsk {
    pub(super) fn door(&self, port: u16) -> Door<'_> {
        Door {
            protocol: "tcp",
            port,
            cidrs: self.inbound_cidrs.as_ref().map_or(&[], |asked| asked.value.as_slice()),
            prefix_lists: self.prefix_lists.as_ref().map_or(&[], |asked| asked.value.as_slice()),
        }
    }

    /// Members whose default another one has taken.
    pub(super) fn two_defaults(&self, port: u16) -> impl Iterator<Item = (ObjectRef, LowerError)> {
        let first = self.default.iter().map(|(_, first)| first);
        first.flat_map(move |first| {
            let error = move || LowerError::TwoDefaults { port, first: first.clone() };
            self.rivals.iter().map(move |rival| (rival.clone(), error()))
        })
    }

    pub(super) fn new(protocol: HttpProtocol, first: &ObjectRef) -> Self {
        Self {
            protocol,
            first: first.clone(),
            ssl_policy: None,
            inbound_cidrs: None,
            prefix_lists: None,
            default: None,
            rivals: Vec::new(),
            certificates: Vec::new(),
            client_certificates: None,
            attributes: SourcedMap::new(),
            tags: SourcedMap::new(),
        }
    }

    pub(super) fn join(&mut self, listen: Listen, part: &Part) -> Result<(), LowerError> {
        let (number, protocol) = (listen.port.get(), listen.protocol);
        if self.protocol != protocol {
            return Err(LowerError::ProtocolClash {
                port: number,
                protocol: spelled(protocol),
                first_protocol: spelled(self.protocol),
                first: self.first.clone(),
            });
        }
        if protocol == HttpProtocol::Https {
            agree(&mut self.ssl_policy, part.front.ssl_policy.as_ref())?;
            agree(&mut self.client_certificates, part.client_certificates.get(&number))?;
        }
        if let Some(asked) = part.front.listener_attributes.get(&format!("{}-{number}", spelled(protocol))) {
            unite(&mut self.attributes, asked)?;
        }
        agree(&mut self.inbound_cidrs, part.front.inbound_cidrs.as_ref())?;
        agree(&mut self.prefix_lists, part.front.prefix_lists.as_ref())?;
        unite(&mut self.tags, &part.front.tags)?;
        match &part.default_action {
            Some(_) if self.default.is_some() => self.rivals.push(part.object.clone()),
            Some(action) => {
                let guard = part.default_guard.as_ref().filter(|_| protocol == HttpProtocol::Https);
                let actions = guard.into_iter().chain([action]).cloned().collect();
                self.default = Some((actions, part.object.clone()));
            }
            None => {}
        }
        let new = part.certificates.all.iter().filter(|one| !self.certificates.contains(one));
        let new: Vec<Ref<Certificate>> = new.cloned().collect();
        self.certificates.extend(new);
        Ok(())
    }
}

const fn spelled(protocol: HttpProtocol) -> &'static str {
    match protocol {
        HttpProtocol::Http => "HTTP",
        HttpProtocol::Https => "HTTPS",
    }
}
