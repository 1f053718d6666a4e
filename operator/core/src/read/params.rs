//! Class parameters as values of the annotations that they stand for.

use fairway_crds::{InClusterClassParams, IngressClassParams, KeyValue};

use super::{
    class::Params,
    error::ReadError,
    written::{Sorter, Written},
};
use crate::{
    ids::{Key, Kind, ObjectRef},
    settings::{BadValue, Provenance, Sourced, alb, in_cluster, value},
};

/// Which annotation a field stands for, and what it says in that annotation's grammar.
struct Field {
    key: String,
    path: &'static str,
    value: String,
}

pub(super) fn read(params: Params<'_>, sorter: &Sorter<'_>) -> Result<Written, ReadError> {
    let (object, fields) = match params {
        Params::None => return Ok(Written::default()),
        Params::Aws(params) => {
            (reference(Kind::IngressClassParams, params.metadata.name.as_deref()), of_aws(params)?)
        }
        Params::InCluster(class, params) => {
            (reference(Kind::IngressClass, Some(class)), of_in_cluster(params))
        }
    };
    let mut written = Written::default();
    for Field { key, path, value } in fields {
        let from = Provenance { object: object.clone(), key: path.to_owned() };
        sorter.sort(&key, Sourced { value, from }, &mut written);
    }
    Ok(written)
}

fn reference(kind: Kind, name: Option<&str>) -> ObjectRef {
    ObjectRef::new(kind, Key::cluster(name.unwrap_or_default()))
}

fn of_in_cluster(params: &InClusterClassParams) -> Vec<Field> {
    list(in_cluster::IP_ADDRESS_POOLS.key, "spec.parameters", &params.spec.ip_address_pools)
        .into_iter()
        .collect()
}

fn of_aws(params: &IngressClassParams) -> Result<Vec<Field>, ReadError> {
    let spec = &params.spec;
    let name = params.metadata.name.as_deref().unwrap_or_default();
    let pairs = |key: &str, path, values: &[KeyValue]| map(name, key, path, values);
    let group = spec.group.as_ref().map(|group| group.name.clone());
    let capacity = spec.minimum_load_balancer_capacity.as_ref();
    let capacity = capacity.map(|capacity| format!("CapacityUnits={}", capacity.capacity_units));
    let pool = spec.ipam_configuration.as_ref().and_then(|ipam| ipam.ipv4_ipam_pool_id.clone());
    let ids = spec.subnets.as_ref().map(|subnets| subnets.ids.as_slice()).unwrap_or_default();
    let tags = spec.subnets.as_ref().map(|subnets| &subnets.tags).filter(|tags| !tags.is_empty());
    let tags = tags.map(|tags| serde_json::json!(tags).to_string());
    let prefix_lists = [spec.prefix_lists_ids.as_slice(), spec.legacy_prefix_lists_ids.as_slice()].concat();
    let mut fields: Vec<Field> = [
        one(alb::LOAD_BALANCER_NAME.key, "spec.loadBalancerName", spec.load_balancer_name.clone()),
        one(alb::GROUP_NAME.key, "spec.group.name", group),
        one(alb::SCHEME.key, "spec.scheme", spec.scheme.clone()),
        one(alb::SSL_POLICY.key, "spec.sslPolicy", spec.ssl_policy.clone()),
        one(alb::SSL_REDIRECT.key, "spec.sslRedirectPort", spec.ssl_redirect_port.clone()),
        one(alb::IP_ADDRESS_TYPE.key, "spec.ipAddressType", spec.ip_address_type.clone()),
        one(alb::TARGET_TYPE.key, "spec.targetType", spec.target_type.clone()),
        one(alb::SUBNETS_TAGS.key, "spec.subnets.tags", tags),
        one(alb::MINIMUM_LOAD_BALANCER_CAPACITY.key, "spec.minimumLoadBalancerCapacity", capacity),
        one(alb::IPAM_IPV4_POOL_ID.key, "spec.ipamConfiguration.ipv4IPAMPoolId", pool),
        one(alb::WAFV2_ACL_ARN.key, "spec.wafv2AclArn", spec.wafv2_acl_arn.clone()),
        one(alb::WAFV2_ACL_NAME.key, "spec.wafv2AclName", spec.wafv2_acl_name.clone()),
        list(alb::CERTIFICATE_ARN.key, "spec.certificateArn", &spec.certificate_arn),
        list(alb::INBOUND_CIDRS.key, "spec.inboundCIDRs", &spec.inbound_cidrs),
        list(alb::SUBNETS.key, "spec.subnets.ids", ids),
        list(alb::SECURITY_GROUP_PREFIX_LISTS.key, "spec.prefixListsIDs", &prefix_lists),
        pairs(alb::TAGS.key, "spec.tags", &spec.tags)?,
        pairs(
            alb::LOAD_BALANCER_ATTRIBUTES.key,
            "spec.loadBalancerAttributes",
            &spec.load_balancer_attributes,
        )?,
    ]
    .into_iter()
    .flatten()
    .collect();
    for listener in &spec.listeners {
        let protocol = listener.protocol.as_deref().unwrap_or_default();
        let key = format!("{}{protocol}-{}", alb::LISTENER_ATTRIBUTES.key, listener.port.unwrap_or_default());
        fields.extend(pairs(&key, "spec.listeners", &listener.listener_attributes)?);
    }
    Ok(fields)
}

/// An empty text is a field that nobody set.
fn one(key: &str, path: &'static str, value: Option<String>) -> Option<Field> {
    value.filter(|value| !value.is_empty()).map(|value| Field { key: key.to_owned(), path, value })
}

fn list(key: &str, path: &'static str, items: &[String]) -> Option<Field> {
    (!items.is_empty()).then(|| Field { key: key.to_owned(), path, value: items.join(",") })
}

fn map(name: &str, key: &str, path: &'static str, pairs: &[KeyValue]) -> Result<Option<Field>, ReadError> {
    let text = pairs.iter().map(|pair| (pair.key.as_str(), pair.value.as_str()));
    let value = value::write_map(text).map_err(|BadValue(problem)| ReadError::Shape {
        at: format!("IngressClassParams {name} {path}"),
        problem,
    })?;
    Ok(one(key, path, (!pairs.is_empty()).then_some(value)))
}
