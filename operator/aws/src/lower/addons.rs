//! What members ask other services to put on the load balancer they share.
//!
//! Errors: a web ACL or a trust store that is not there holds who names it. An account without Shield Advanced is told
//! to who asks for it, and nothing else comes of it: that is how the peer does it, too.

use fairway_core::{
    ids::ObjectRef,
    note::Note,
    settings::{Provenance, Settings, Sourced, Unreadable, alb, front::Attachment},
};

use super::{LowerError, Lowering, Scene, merge::agree};
use crate::{
    facts::{Answer, Query},
    model::Addons,
};

/// What is asked for, and who asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AddonsAsk {
    /// Capacity units.
    pub(crate) capacity: Option<Sourced<i32>>,
    pub(crate) web_acl_arn: Option<Sourced<Attachment>>,
    /// By name, until it is resolved; then by ARN. Stronger than `web_acl_arn`, whoever asks.
    pub(crate) web_acl_name: Option<Sourced<Attachment>>,
    pub(crate) classic_acl: Option<Sourced<Attachment>>,
    pub(crate) shield: Option<Sourced<bool>>,
}

impl AddonsAsk {
    /// What an Ingress asks for.
    pub(crate) fn read(settings: &Settings) -> Result<Self, Box<Unreadable>> {
        let classic = settings.get(&alb::WAF_ACL_ID)?.or(settings.get(&alb::WEB_ACL_ID)?);
        Ok(Self {
            capacity: settings.get(&alb::MINIMUM_LOAD_BALANCER_CAPACITY)?,
            web_acl_arn: settings.get(&alb::WAFV2_ACL_ARN)?,
            web_acl_name: settings.get(&alb::WAFV2_ACL_NAME)?,
            classic_acl: classic.and_then(|asked| Some(Sourced { value: asked.value?, from: asked.from })),
            shield: settings.get(&alb::SHIELD_ADVANCED_PROTECTION)?,
        })
    }

    /// Turns the name of a web ACL into its ARN, and leaves Shield alone where the account does not have it.
    pub(crate) fn resolve(&mut self, scene: &Scene<'_>, about: &ObjectRef) -> Lowering<Vec<Note>> {
        let wants_shield = self.shield.as_ref().is_some_and(|asked| asked.value);
        let named = self.web_acl_name.as_ref().and_then(|asked| match &asked.value {
            Attachment::This(name) => Some(Query::WebAcl(name.clone())),
            Attachment::Nothing => None,
        });
        scene.ask_all(named.into_iter().chain(wants_shield.then_some(Query::ShieldAdvanced)))?;
        if let Some(asked) = &mut self.web_acl_name
            && let Attachment::This(name) = &asked.value
        {
            match scene.ask(Query::WebAcl(name.clone()))? {
                Answer::WebAcl(Some(arn)) => asked.value = Attachment::This(arn.clone()),
                _ => return Err(LowerError::WebAclNotFound(name.clone()).into()),
            }
        }
        if wants_shield && *scene.ask(Query::ShieldAdvanced)? != Answer::ShieldAdvanced(true) {
            self.shield = None;
            return Ok(vec![Note::warn(about, &LowerError::NoShield)]);
        }
        Ok(Vec::new())
    }

    /// Takes over what a later member asks for.
    pub(crate) fn join(&mut self, asked: &Self) -> Result<(), LowerError> {
        agree(&mut self.capacity, asked.capacity.as_ref())?;
        agree(&mut self.web_acl_arn, asked.web_acl_arn.as_ref())?;
        agree(&mut self.web_acl_name, asked.web_acl_name.as_ref())?;
        agree(&mut self.classic_acl, asked.classic_acl.as_ref())?;
        agree(&mut self.shield, asked.shield.as_ref())
    }

    /// In AWS's own words.
    pub(crate) fn lower(&self) -> Addons {
        let web_acl = self.web_acl_name.as_ref().or(self.web_acl_arn.as_ref());
        Addons {
            capacity: self.capacity.as_ref().map(|asked| asked.value),
            web_acl: web_acl.map(|asked| asked.value.clone()),
            classic_acl: self.classic_acl.as_ref().map(|asked| asked.value.clone()),
            shield: self.shield.as_ref().map(|asked| asked.value),
        }
    }

    /// Who wrote something of it.
    pub(crate) fn written(&self) -> impl Iterator<Item = Provenance> {
        let of = |asked: Option<&Sourced<Attachment>>| asked.map(|asked| asked.from.clone());
        let all = [
            self.capacity.as_ref().map(|asked| asked.from.clone()),
            of(self.web_acl_arn.as_ref()),
            of(self.web_acl_name.as_ref()),
            of(self.classic_acl.as_ref()),
            self.shield.as_ref().map(|asked| asked.from.clone()),
        ];
        all.into_iter().flatten()
    }
}
