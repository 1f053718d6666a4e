//! Every record set of one hosted zone.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_route53::types::RrType;
use fairway_dns::provider::ZoneObserved;
use fairway_dns::record::RecordSet;
use fairway_dns::zone::ZoneId;

use crate::Aws;
use crate::fault::Fault;
use crate::wire;

/// The most that ListResourceRecordSets gives at once.
const PAGE: i32 = 300;
/// Others write to zones too; a change that rests on what they changed since is refused by AWS.
const MAX_AGE: Duration = Duration::from_secs(30);

/// Where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Next {
    name: String,
    kind: Option<RrType>,
    set: Option<String>,
}

impl Aws {
    pub(crate) async fn observe_zone(&self, zone: &ZoneId) -> Result<ZoneObserved, Fault> {
        let read = self.read_zone(zone);
        let records = self
            .inventory
            .zones
            .get(zone.as_str().to_owned(), MAX_AGE.min(self.inventory.max_age), read)
            .await?;
        Ok(ZoneObserved { records: records.to_vec() })
    }

    async fn read_zone(&self, zone: &ZoneId) -> Result<Arc<Vec<RecordSet>>, Fault> {
        const OPERATION: &str = "ListResourceRecordSets";
        let mut all = Vec::new();
        let mut at: Option<Next> = None;
        loop {
            let mut request =
                self.route53.list_resource_record_sets().hosted_zone_id(zone.as_str()).max_items(PAGE);
            if let Some(next) = &at {
                request = request
                    .start_record_name(&next.name)
                    .set_start_record_type(next.kind.clone())
                    .set_start_record_identifier(next.set.clone());
            }
            let page = self.call("route53", OPERATION, request.send()).await?;
            for record in page.resource_record_sets() {
                all.extend(wire::record::decode(record)?);
            }
            if !page.is_truncated() {
                return Ok(Arc::new(all));
            }
            let next = page.next_record_name().map(|name| Next {
                name: name.to_owned(),
                kind: page.next_record_type().cloned(),
                set: page.next_record_identifier().map(str::to_owned),
            });
            if next.is_none() || next == at {
                return Err(Fault::unreadable("route53 ListResourceRecordSets", "the next page is not told"));
            }
            at = next;
        }
    }
}
