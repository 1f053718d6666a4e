//! The load balancer, its security group, and what hangs on both.

use super::{
    LowerError, Lowering, Scene,
    ask::{FrontAsk, SubnetsAsk, plain},
    security_group::{self, Door},
    subnet::{self, Placement},
};
use crate::{
    model::{IpAddressType, LoadBalancer, LoadBalancerKind, Scheme, StackModel},
    tags,
};

/// What is asked of the load balancer as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    pub(crate) kind: LoadBalancerKind,
    /// Unless a name was given.
    pub(crate) generated_name: String,
    pub(crate) security_group_name: String,
    pub(crate) scheme: Scheme,
    pub(crate) ask: FrontAsk,
}

impl Front {
    /// The load balancer's name.
    pub(crate) fn name(&self) -> &str {
        self.ask.name.as_ref().map_or(&self.generated_name, |asked| &asked.value)
    }

    fn ip_address_type(&self) -> IpAddressType {
        self.ask.ip_address_type.as_ref().map_or(IpAddressType::Ipv4, |asked| asked.value)
    }

    /// Those that were asked for, or those that are found. An error here need not be one: a load balancer that exists
    /// keeps the subnets it has.
    pub(crate) fn subnets(&self, scene: &Scene<'_>) -> Lowering<Vec<String>> {
        let placement =
            Placement { kind: self.kind, scheme: self.scheme, ip_address_type: self.ip_address_type() };
        match self.ask.subnets.as_ref().map(|asked| &asked.value) {
            Some(SubnetsAsk::Named(ids)) => Ok(ids.clone()),
            Some(SubnetsAsk::Tagged(tags)) => subnet::tagged(scene, tags, placement),
            None => subnet::discovered(scene, placement),
        }
    }

    /// Completes `model`, which holds everything else.
    pub(crate) fn complete(
        &self,
        scene: &Scene<'_>,
        doors: &[Door<'_>],
        subnets: Result<Vec<String>, LowerError>,
        mut model: StackModel,
    ) -> StackModel {
        let given = self.ask.security_groups.as_ref().map(|asked| asked.value.as_slice());
        let asked_tags = plain(&self.ask.tags);
        let own = given.is_none().then(|| {
            let name = self.security_group_name.clone();
            security_group::managed(scene, name, (self.ip_address_type(), doors), &asked_tags)
        });
        let manage = self.ask.manage_backend_rules.as_ref().is_some_and(|asked| asked.value);
        if own.is_none() && !manage {
            model.bindings.values_mut().for_each(|binding| binding.networking.clear());
        }
        model.load_balancer = Some(LoadBalancer {
            name: self.name().to_owned(),
            kind: self.kind,
            scheme: self.scheme,
            ip_address_type: self.ip_address_type(),
            subnets: subnets.unwrap_or_default(),
            security_groups: security_group::of_load_balancer(
                own.as_ref(),
                given.unwrap_or_default(),
                manage,
            ),
            attributes: plain(&self.ask.attributes),
            customer_owned_pool: self.ask.customer_owned_pool.as_ref().map(|asked| asked.value.clone()),
            allocations: Vec::new(),
            ipv4_pool: self.ask.ipv4_pool.as_ref().map(|asked| asked.value.clone()),
            addons: self.ask.addons.lower(),
            tags: tags::of(scene.config, scene.stack, tags::LOAD_BALANCER, &asked_tags),
        });
        model.security_group = own;
        model
    }
}
