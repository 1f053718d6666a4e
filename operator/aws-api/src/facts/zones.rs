//! Hosted zones of the account.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_route53::types::{HostedZone as Wire, TagResourceType};
use fairway_dns::name::Name;
use fairway_dns::zone::{HostedZone, Visibility, ZoneId};

use crate::Aws;
use crate::cached::CachedBy;
use crate::fault::Fault;

const ZONES: Duration = Duration::from_secs(60);
/// The most that ListTagsForResources takes.
const TAGGED: usize = 10;

/// By whether tags were asked for.
pub(crate) type Zones = CachedBy<bool, Vec<HostedZone>>;

impl Aws {
    /// Every hosted zone, in the order of ids.
    pub(crate) async fn hosted_zones(&self, tags: bool) -> Result<Vec<HostedZone>, Fault> {
        self.answers.zones.get(tags, ZONES, self.read_zones(tags)).await
    }

    async fn read_zones(&self, tags: bool) -> Result<Vec<HostedZone>, Fault> {
        let mut zones: Vec<HostedZone> = self.list_zones().await?.iter().map(decode).collect();
        if tags {
            for part in zones.chunks_mut(TAGGED) {
                self.tag_zones(part).await?;
            }
        }
        zones.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(zones)
    }

    async fn list_zones(&self) -> Result<Vec<Wire>, Fault> {
        let mut all = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let request = self.route53.list_hosted_zones().set_marker(marker.clone());
            let page = self.call("route53", "ListHostedZones", request.send()).await?;
            all.extend_from_slice(page.hosted_zones());
            if !page.is_truncated() {
                return Ok(all);
            }
            let next = page.next_marker().map(str::to_owned);
            if next.is_none() || next == marker {
                return Err(Fault::unreadable("route53 ListHostedZones", "the next page is not told"));
            }
            marker = next;
        }
    }

    async fn tag_zones(&self, zones: &mut [HostedZone]) -> Result<(), Fault> {
        let ids = zones.iter().map(|zone| zone.id.as_str().to_owned()).collect();
        let request = self
            .route53
            .list_tags_for_resources()
            .resource_type(TagResourceType::Hostedzone)
            .set_resource_ids(Some(ids));
        let answer = self.call("route53", "ListTagsForResources", request.send()).await?;
        let mut told = BTreeMap::new();
        for set in answer.resource_tag_sets() {
            let tags = set
                .tags()
                .iter()
                .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())));
            let tags: BTreeMap<String, String> = tags.collect();
            told.extend(set.resource_id().map(|id| (ZoneId::new(id), tags)));
        }
        for zone in zones {
            let missing = || {
                Fault::unreadable("route53 ListTagsForResources", format!("nothing is said of {}", zone.id))
            };
            zone.tags = told.remove(&zone.id).ok_or_else(missing)?;
        }
        Ok(())
    }
}

fn decode(zone: &Wire) -> HostedZone {
    let private = zone.config().is_some_and(|config| config.private_zone());
    HostedZone {
        id: ZoneId::new(zone.id()),
        name: Name::observed(zone.name()),
        visibility: if private { Visibility::Private } else { Visibility::Public },
        tags: BTreeMap::new(),
    }
}
