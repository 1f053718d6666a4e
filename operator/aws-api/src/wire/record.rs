//! Record sets of Route 53.
//!
//! A record set that a traffic policy made has neither values nor an alias target: it is `None`, because it can be
//! changed through its policy only.

use aws_sdk_route53::types::{
    AliasTarget, Change as WireChange, ChangeAction, CidrRoutingConfig, Coordinates, GeoLocation,
    GeoProximityLocation, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover,
    ResourceRecordSetRegion, RrType,
};
use aws_smithy_types::error::operation::BuildError;
use fairway_dns::change::{Action, Change};
use fairway_dns::name::Name;
use fairway_dns::record::{Alias, Content, RecordSet, RecordType, Routing, RoutingPolicy};

use crate::fault::Fault;

pub(crate) fn decode(record: &ResourceRecordSet) -> Result<Option<RecordSet>, Fault> {
    let content = if let Some(alias) = record.alias_target() {
        Content::Alias(Alias {
            target: Name::observed(alias.dns_name()),
            zone_id: alias.hosted_zone_id().to_owned(),
            evaluate_target_health: alias.evaluate_target_health(),
        })
    } else if let Some(ttl) = record.ttl() {
        let values = record.resource_records().iter().map(|one| one.value().to_owned()).collect();
        let unreadable = |_| Fault::unreadable("route53 ListResourceRecordSets", format!("TTL {ttl}"));
        Content::Values { ttl: u32::try_from(ttl).map_err(unreadable)?, values }
    } else {
        return Ok(None);
    };
    Ok(Some(RecordSet {
        name: Name::observed(record.name()),
        kind: RecordType::from(record.r#type().as_str().to_owned()),
        routing: decode_routing(record)?,
        content,
    }))
}

fn decode_routing(record: &ResourceRecordSet) -> Result<Option<Routing>, Fault> {
    let Some(set_identifier) = record.set_identifier() else { return Ok(None) };
    let policy = decode_policy(record).ok_or_else(|| {
        let reason = format!("record set {} [{set_identifier}] has no routing policy", record.name());
        Fault::unreadable("route53 ListResourceRecordSets", reason)
    })?;
    Ok(Some(Routing {
        set_identifier: set_identifier.to_owned(),
        policy,
        health_check: record.health_check_id().map(str::to_owned),
    }))
}

fn decode_policy(record: &ResourceRecordSet) -> Option<RoutingPolicy> {
    let text = |text: Option<&str>| text.map(str::to_owned);
    if let Some(weight) = record.weight() {
        return u8::try_from(weight).ok().map(RoutingPolicy::Weighted);
    }
    if let Some(region) = record.region() {
        return Some(RoutingPolicy::Latency(region.as_str().to_owned()));
    }
    if let Some(failover) = record.failover() {
        return Some(RoutingPolicy::Failover(failover.as_str().to_owned()));
    }
    if let Some(place) = record.geo_location() {
        return Some(RoutingPolicy::GeoLocation {
            continent: text(place.continent_code()),
            country: text(place.country_code()),
            subdivision: text(place.subdivision_code()),
        });
    }
    if let Some(place) = record.geo_proximity_location() {
        let coordinates = place.coordinates();
        return Some(RoutingPolicy::GeoProximity {
            region: text(place.aws_region()),
            local_zone_group: text(place.local_zone_group()),
            coordinates: coordinates.map(|at| (at.latitude().to_owned(), at.longitude().to_owned())),
            bias: place.bias(),
        });
    }
    if let Some(cidr) = record.cidr_routing_config() {
        let (collection, location) = (cidr.collection_id().to_owned(), cidr.location_name().to_owned());
        return Some(RoutingPolicy::Cidr { collection, location });
    }
    (record.multi_value_answer() == Some(true)).then_some(RoutingPolicy::MultiValue)
}

pub(crate) fn encode(change: &Change) -> Result<WireChange, BuildError> {
    let action = match change.action {
        Action::Delete => ChangeAction::Delete,
        Action::Create => ChangeAction::Create,
        Action::Upsert => ChangeAction::Upsert,
    };
    WireChange::builder().action(action).resource_record_set(encode_record(&change.record)?).build()
}

fn encode_record(record: &RecordSet) -> Result<ResourceRecordSet, BuildError> {
    let mut wire =
        ResourceRecordSet::builder().name(record.name.as_str()).r#type(RrType::from(record.kind.as_str()));
    match &record.content {
        Content::Values { ttl, values } => {
            wire = wire.ttl(i64::from(*ttl));
            for value in values {
                wire = wire.resource_records(ResourceRecord::builder().value(value).build()?);
            }
        }
        Content::Alias(alias) => {
            let target = AliasTarget::builder()
                .dns_name(alias.target.as_str())
                .hosted_zone_id(&alias.zone_id)
                .evaluate_target_health(alias.evaluate_target_health);
            wire = wire.alias_target(target.build()?);
        }
    }
    if let Some(routing) = &record.routing {
        wire = wire.set_identifier(&routing.set_identifier).set_health_check_id(routing.health_check.clone());
        wire = encode_policy(wire, &routing.policy)?;
    }
    wire.build()
}

fn encode_policy(
    wire: aws_sdk_route53::types::builders::ResourceRecordSetBuilder,
    policy: &RoutingPolicy,
) -> Result<aws_sdk_route53::types::builders::ResourceRecordSetBuilder, BuildError> {
    Ok(match policy {
        RoutingPolicy::Weighted(weight) => wire.weight(i64::from(*weight)),
        RoutingPolicy::Latency(region) => wire.region(ResourceRecordSetRegion::from(region.as_str())),
        RoutingPolicy::Failover(role) => wire.failover(ResourceRecordSetFailover::from(role.as_str())),
        RoutingPolicy::GeoLocation { continent, country, subdivision } => wire.geo_location(
            GeoLocation::builder()
                .set_continent_code(continent.clone())
                .set_country_code(country.clone())
                .set_subdivision_code(subdivision.clone())
                .build(),
        ),
        RoutingPolicy::GeoProximity { region, local_zone_group, coordinates, bias } => {
            let mut place = GeoProximityLocation::builder()
                .set_aws_region(region.clone())
                .set_local_zone_group(local_zone_group.clone())
                .set_bias(*bias);
            if let Some((latitude, longitude)) = coordinates {
                let at = Coordinates::builder().latitude(latitude).longitude(longitude);
                place = place.coordinates(at.build()?);
            }
            wire.geo_proximity_location(place.build())
        }
        RoutingPolicy::MultiValue => wire.multi_value_answer(true),
        RoutingPolicy::Cidr { collection, location } => {
            let config = CidrRoutingConfig::builder().collection_id(collection).location_name(location);
            wire.cidr_routing_config(config.build()?)
        }
    })
}
