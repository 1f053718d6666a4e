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

    pub(super) fn new(protocol: HttpProtocol, first: &ObjectRef) -> Self {
        Self {
            protocol,
            first: first.clone(),
            ssl_policy: None,
            inbound_cidrs: None,
            prefix_lists: None,
            default: None,
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
        if let Some(action) = &part.default_action {
            if let Some((_, first)) = &self.default {
                return Err(LowerError::TwoDefaults { port: number, first: first.clone() });
            }
            let guard = part.default_guard.as_ref().filter(|_| protocol == HttpProtocol::Https);
            let actions = guard.into_iter().chain([action]).cloned().collect();
            self.default = Some((actions, part.object.clone()));
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
