//! Load balancers, as AWS answers with them.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{
    AvailabilityZone, IpAddressType as WireIp, LoadBalancer as Wire, LoadBalancerSchemeEnum,
    LoadBalancerStateEnum, LoadBalancerTypeEnum, SubnetMapping,
};
use fairway_aws::model::{Attributes, IpAddressType, LoadBalancerKind, Scheme, Tags};
use fairway_aws::observed::{AddonsSeen, LoadBalancerSeen};
use fairway_core::plan::Handle;

use super::required;
use crate::fault::Fault;

/// Reads a load balancer without its listeners and attributes; `None` for gateway load balancers.
pub(crate) fn decode(balancer: &Wire, tags: Tags) -> Result<Option<LoadBalancerSeen>, Fault> {
    let kind = match required("Type", balancer.r#type())? {
        LoadBalancerTypeEnum::Application => LoadBalancerKind::Application,
        LoadBalancerTypeEnum::Network => LoadBalancerKind::Network,
        _ => return Ok(None),
    };
    let scheme = match required("Scheme", balancer.scheme())? {
        LoadBalancerSchemeEnum::InternetFacing => Scheme::InternetFacing,
        _ => Scheme::Internal,
    };
    Ok(Some(LoadBalancerSeen {
        handle: handle(balancer)?,
        name: required("LoadBalancerName", balancer.load_balancer_name())?.to_owned(),
        kind,
        scheme,
        ip_address_type: balancer.ip_address_type().map_or(IpAddressType::Ipv4, decode_ip),
        subnets: subnets(balancer.availability_zones()),
        security_groups: balancer.security_groups().to_vec(),
        attributes: Attributes::new(),
        customer_owned_pool: text(balancer.customer_owned_ipv4_pool()),
        allocations: allocations(balancer.availability_zones()),
        ipv4_pool: text(balancer.ipam_pools().and_then(|pools| pools.ipv4_ipam_pool_id())),
        addons: AddonsSeen::default(),
        tags,
        listeners: BTreeMap::new(),
    }))
}

fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// How it is reached, and whether it can be.
pub(crate) fn handle(balancer: &Wire) -> Result<Handle, Fault> {
    let state = balancer.state().and_then(|state| state.code());
    Ok(Handle {
        id: required("LoadBalancerArn", balancer.load_balancer_arn())?.to_owned(),
        dns_name: balancer.dns_name().map(str::to_owned),
        zone_id: balancer.canonical_hosted_zone_id().map(str::to_owned),
        // Impaired ones carry traffic too: AWS could not scale them as it wished.
        ready: matches!(state, Some(LoadBalancerStateEnum::Active | LoadBalancerStateEnum::ActiveImpaired)),
    })
}

/// Sorted.
pub(crate) fn subnets(zones: &[AvailabilityZone]) -> Vec<String> {
    let mut ids: Vec<String> =
        zones.iter().filter_map(AvailabilityZone::subnet_id).map(str::to_owned).collect();
    ids.sort();
    ids
}

/// Elastic addresses, in the order of the subnets.
pub(crate) fn allocations(zones: &[AvailabilityZone]) -> Vec<String> {
    let mut zones: Vec<&AvailabilityZone> = zones.iter().collect();
    zones.sort_by_key(|zone| zone.subnet_id());
    let addresses = zones.into_iter().flat_map(AvailabilityZone::load_balancer_addresses);
    addresses.filter_map(|address| text(address.allocation_id())).collect()
}

/// Subnets with an elastic address each, if there are any.
pub(crate) fn mappings(subnets: &[String], allocations: &[String]) -> Option<Vec<SubnetMapping>> {
    let pairs = subnets.iter().zip(allocations);
    let one =
        |(subnet, allocation)| SubnetMapping::builder().subnet_id(subnet).allocation_id(allocation).build();
    (!allocations.is_empty()).then(|| pairs.map(one).collect())
}

pub(crate) fn decode_ip(kind: &WireIp) -> IpAddressType {
    match kind {
        WireIp::Dualstack => IpAddressType::Dualstack,
        WireIp::DualstackWithoutPublicIpv4 => IpAddressType::DualstackWithoutPublicIpv4,
        _ => IpAddressType::Ipv4,
    }
}

pub(crate) fn encode_ip(kind: IpAddressType) -> WireIp {
    match kind {
        IpAddressType::Ipv4 => WireIp::Ipv4,
        IpAddressType::Dualstack => WireIp::Dualstack,
        IpAddressType::DualstackWithoutPublicIpv4 => WireIp::DualstackWithoutPublicIpv4,
    }
}

pub(crate) fn encode_kind(kind: LoadBalancerKind) -> LoadBalancerTypeEnum {
    match kind {
        LoadBalancerKind::Application => LoadBalancerTypeEnum::Application,
        LoadBalancerKind::Network => LoadBalancerTypeEnum::Network,
    }
}
