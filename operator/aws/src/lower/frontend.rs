//! A network load balancer in front: what one member asks of it, and what its group does.
//!
//! One member that says `enable-frontend-nlb: "true"` is enough for all of a group; without any, whatever else is said of
//! it counts for nothing. Each member exposes the ports that it listens on, or those that it maps. Who contradicts an
//! earlier member is refused; who says nothing contradicts nobody.

mod build;

use std::collections::BTreeMap;

use fairway_core::{
    ids::{ObjectRef, Port},
    settings::{Provenance, Settings, Sourced, alb, value::TextMap},
};

use super::{
    LowerError, Lowering, Scene, Stop,
    ingress::Part,
    merge::{agree, agree_in_any_order, agree_on},
    rows, security_group,
    subnet::{self, Placement},
};
use crate::model::{IpAddressType, LoadBalancerKind, Scheme};

/// What one member asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct FrontendAsk {
    enabled: Option<Sourced<bool>>,
    front: FrontAsk,
    /// Listener behind each port.
    mapping: Option<Sourced<BTreeMap<u16, u16>>>,
    health: HealthAsk,
    /// What is asked for and not there; it counts only where there is such a load balancer.
    broken: Option<LowerError>,
}

/// What is asked of the load balancer as a whole.
#[derive(Debug, Clone, Default)]
struct FrontAsk {
    scheme: Option<Sourced<Scheme>>,
    /// Ids, sorted.
    subnets: Option<Sourced<Vec<String>>>,
    /// Ids, in order.
    security_groups: Option<Sourced<Vec<String>>>,
    allocations: Option<Sourced<Vec<String>>>,
    attributes: Option<Sourced<TextMap>>,
    tags: Option<Sourced<TextMap>>,
}

/// What is asked of the health check of one port. Seconds and counts.
#[derive(Debug, Clone, Default)]
struct HealthAsk {
    port: Option<Sourced<String>>,
    protocol: Option<Sourced<String>>,
    path: Option<Sourced<String>>,
    codes: Option<Sourced<String>>,
    interval: Option<Sourced<i32>>,
    timeout: Option<Sourced<i32>>,
    healthy: Option<Sourced<i32>>,
    unhealthy: Option<Sourced<i32>>,
}

/// What a group asks for.
#[derive(Debug, Clone)]
pub(crate) struct Frontend {
    enabled: Sourced<bool>,
    front: FrontAsk,
    ports: BTreeMap<u16, PortAsk>,
    /// Those that were asked for, or those that are found.
    subnets: Result<Vec<String>, LowerError>,
}

#[derive(Debug, Clone, Default)]
struct PortAsk {
    /// Port of the listener behind.
    behind: Option<Sourced<u16>>,
    health: HealthAsk,
}

/// What members come to together, and who contradicts whom.
#[derive(Debug, Default)]
pub(crate) struct Combined {
    pub(crate) frontend: Option<Frontend>,
    pub(crate) refused: Vec<(ObjectRef, LowerError)>,
}

impl FrontendAsk {
    /// What an Ingress asks for, with names of subnets and security groups resolved.
    pub(crate) fn read(
        scene: &Scene<'_>,
        settings: &Settings,
        ip_address_type: IpAddressType,
    ) -> Lowering<Self> {
        let mapping = settings.get(&alb::FRONTEND_NLB_LISTENER_PORT_MAPPING)?;
        let numbers = |ports: BTreeMap<Port, Port>| {
            ports.into_iter().map(|(front, behind)| (front.get(), behind.get())).collect()
        };
        let mut ask = Self {
            enabled: settings.get(&alb::ENABLE_FRONTEND_NLB)?,
            front: FrontAsk::read(settings)?,
            mapping: mapping.map(|asked| rows::convert(asked, numbers)),
            health: HealthAsk::read(settings)?,
            broken: None,
        };
        match ask.front.resolve(scene, ip_address_type) {
            Err(Stop::Error(error)) => ask.broken = Some(error),
            resolved => resolved?,
        }
        Ok(ask)
    }
}

impl FrontAsk {
    fn read(settings: &Settings) -> Lowering<Self> {
        let scheme = settings.get(&alb::FRONTEND_NLB_SCHEME)?;
        Ok(Self {
            scheme: scheme.map(|asked| rows::convert(asked, rows::scheme)),
            subnets: rows::some_of(settings.get(&alb::FRONTEND_NLB_SUBNETS)?),
            security_groups: rows::some_of(settings.get(&alb::FRONTEND_NLB_SECURITY_GROUPS)?),
            allocations: rows::some_of(settings.get(&alb::FRONTEND_NLB_EIP_ALLOCATIONS)?),
            attributes: settings.get(&alb::FRONTEND_NLB_ATTRIBUTES)?,
            tags: settings.get(&alb::FRONTEND_NLB_TAGS)?,
        })
    }

    fn resolve(&mut self, scene: &Scene<'_>, ip_address_type: IpAddressType) -> Lowering<()> {
        let placement = self.placement(scene, ip_address_type);
        let named = self.security_groups.as_ref().map_or(&[][..], |asked| asked.value.as_slice());
        let groups = security_group::given(scene, named);
        if let Some(asked) = &mut self.subnets {
            asked.value = subnet::given(scene, &asked.value, placement)?;
        }
        if let Some(asked) = &mut self.security_groups {
            asked.value = groups?;
        }
        Ok(())
    }

    fn placement(&self, scene: &Scene<'_>, ip_address_type: IpAddressType) -> Placement {
        Placement { kind: LoadBalancerKind::Network, scheme: self.scheme(scene), ip_address_type }
    }

    fn scheme(&self, scene: &Scene<'_>) -> Scheme {
        self.scheme.as_ref().map_or(scene.config.default_scheme, |asked| asked.value)
    }

    fn join(&mut self, asked: &Self) -> Result<(), LowerError> {
        agree(&mut self.scheme, asked.scheme.as_ref())?;
        agree(&mut self.subnets, asked.subnets.as_ref())?;
        agree(&mut self.security_groups, asked.security_groups.as_ref())?;
        agree_in_any_order(&mut self.allocations, asked.allocations.as_ref())?;
        agree(&mut self.attributes, asked.attributes.as_ref())?;
        agree(&mut self.tags, asked.tags.as_ref())
    }

    /// Who wrote something of it.
    fn written(&self) -> impl Iterator<Item = Provenance> {
        fn from<T>(asked: Option<&Sourced<T>>) -> Option<Provenance> {
            asked.map(|asked| asked.from.clone())
        }
        let all = [
            from(self.scheme.as_ref()),
            from(self.subnets.as_ref()),
            from(self.security_groups.as_ref()),
            from(self.allocations.as_ref()),
            from(self.attributes.as_ref()),
            from(self.tags.as_ref()),
        ];
        all.into_iter().flatten()
    }
}

impl HealthAsk {
    fn read(settings: &Settings) -> Lowering<Self> {
        let port = settings.get(&alb::FRONTEND_NLB_HEALTHCHECK_PORT)?;
        let protocol = settings.get(&alb::FRONTEND_NLB_HEALTHCHECK_PROTOCOL)?;
        Ok(Self {
            port: port.map(|asked| rows::convert(asked, rows::spelled_check_port)),
            protocol: protocol.map(|asked| rows::convert(asked, |protocol| protocol.as_str().to_owned())),
            path: settings.get(&alb::FRONTEND_NLB_HEALTHCHECK_PATH)?,
            codes: settings.get(&alb::FRONTEND_NLB_HEALTHCHECK_SUCCESS_CODES)?,
            interval: settings.get(&alb::FRONTEND_NLB_HEALTHCHECK_INTERVAL_SECONDS)?,
            timeout: settings.get(&alb::FRONTEND_NLB_HEALTHCHECK_TIMEOUT_SECONDS)?,
            healthy: settings.get(&alb::FRONTEND_NLB_HEALTHCHECK_HEALTHY_THRESHOLD_COUNT)?,
            unhealthy: settings.get(&alb::FRONTEND_NLB_HEALTHCHECK_UNHEALTHY_THRESHOLD_COUNT)?,
        })
    }

    fn join(&mut self, asked: &Self) -> Result<(), LowerError> {
        agree(&mut self.port, asked.port.as_ref())?;
        agree(&mut self.protocol, asked.protocol.as_ref())?;
        agree(&mut self.path, asked.path.as_ref())?;
        agree(&mut self.codes, asked.codes.as_ref())?;
        agree(&mut self.interval, asked.interval.as_ref())?;
        agree(&mut self.timeout, asked.timeout.as_ref())?;
        agree(&mut self.healthy, asked.healthy.as_ref())?;
        agree(&mut self.unhealthy, asked.unhealthy.as_ref())
    }
}

/// What members ask for together, in their order.
///
/// # Errors
/// None but a question: who cannot be followed is among those refused, and left out.
pub(crate) fn combine(
    scene: &Scene<'_>,
    parts: &[Part],
    ip_address_type: IpAddressType,
) -> Lowering<Combined> {
    let (mut enabled, mut refused) = (None, Vec::new());
    for part in parts {
        if let Err(error) = agree(&mut enabled, part.frontend.enabled.as_ref()) {
            refused.push((part.object.clone(), error));
        }
    }
    let Some(enabled) = enabled.filter(|asked| asked.value) else {
        return Ok(Combined { frontend: None, refused });
    };
    let none = LowerError::NoSubnets { scheme: Scheme::Internal.as_str(), candidates: Vec::new() };
    let mut frontend =
        Frontend { enabled, front: FrontAsk::default(), ports: BTreeMap::new(), subnets: Err(none) };
    for part in parts {
        let mut next = frontend.clone();
        match next.join(part) {
            Ok(()) => frontend = next,
            Err(error) => refused.push((part.object.clone(), error)),
        }
    }
    frontend.subnets = match frontend.place(scene, ip_address_type) {
        Err(Stop::Error(error)) => Err(error),
        placed => Ok(placed?),
    };
    refused.extend(frontend.addresses_that_do_not_fit(scene));
    Ok(Combined { frontend: Some(frontend), refused })
}

impl Frontend {
    fn join(&mut self, part: &Part) -> Result<(), LowerError> {
        if let Some(error) = &part.frontend.broken {
            return Err(error.clone());
        }
        self.front.join(&part.frontend.front)?;
        for (front, behind) in exposed(part) {
            let port = self.ports.entry(front).or_default();
            agree_on(&front.to_string(), &mut port.behind, &behind)?;
            port.health.join(&part.frontend.health)?;
        }
        Ok(())
    }

    fn place(&self, scene: &Scene<'_>, ip_address_type: IpAddressType) -> Lowering<Vec<String>> {
        match &self.front.subnets {
            Some(given) => Ok(given.value.clone()),
            None => subnet::discovered(scene, self.front.placement(scene, ip_address_type)),
        }
    }

    /// Elastic addresses that cannot be used are left out, and who asks for them is refused.
    fn addresses_that_do_not_fit(&mut self, scene: &Scene<'_>) -> Option<(ObjectRef, LowerError)> {
        let asked = self.front.allocations.as_ref()?;
        let addresses = asked.value.len();
        // While there are no subnets, that is what has to be said.
        let subnets = self.subnets.as_ref().map_or(addresses, Vec::len);
        let error = match self.front.scheme(scene) {
            Scheme::Internal => LowerError::AddressesOfInternal,
            Scheme::InternetFacing if addresses != subnets => LowerError::AddressCount { addresses, subnets },
            Scheme::InternetFacing => return None,
        };
        let refused = (asked.from.object.clone(), error);
        self.front.allocations = None;
        Some(refused)
    }

    /// Whether subnets were asked for, so that an existing load balancer is moved to them.
    pub(crate) const fn subnets_given(&self) -> bool {
        self.front.subnets.is_some()
    }

    /// Who asked for it first, and why there are no subnets for it.
    pub(crate) fn no_subnets(&self) -> Option<(ObjectRef, LowerError)> {
        let error = self.subnets.as_ref().err()?;
        Some((self.enabled.from.object.clone(), error.clone()))
    }

    /// Who wrote something of it.
    pub(crate) fn written(&self) -> Vec<Provenance> {
        let mut all: Vec<Provenance> = self.front.written().chain([self.enabled.from.clone()]).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// Ports of a member, each with the listener behind. A mapping to where the member does not listen is none.
fn exposed(part: &Part) -> Vec<(u16, Sourced<u16>)> {
    let listens = part.listens.iter().map(|listen| listen.port.get());
    match &part.frontend.mapping {
        None => {
            let key = format!("{}{}", alb::PREFIX, alb::LISTEN_PORTS.key);
            let from = Provenance { object: part.object.clone(), key };
            listens.map(|port| (port, Sourced { value: port, from: from.clone() })).collect()
        }
        Some(mapping) => {
            let listens: Vec<u16> = listens.collect();
            let pairs = mapping.value.iter().filter(|(_, behind)| listens.contains(behind));
            pairs
                .map(|(front, behind)| (*front, Sourced { value: *behind, from: mapping.from.clone() }))
                .collect()
        }
    }
}
