//! One batch of changes of a hosted zone: all of it or none.

use aws_sdk_route53::types::ChangeBatch as Wire;
use fairway_dns::change::ChangeBatch;
use fairway_engine::ports::{Applied, Refusal};

use crate::Aws;
use crate::wire;

impl Aws {
    pub(crate) async fn apply_records(&self, batch: &ChangeBatch) -> Result<Applied, Refusal> {
        let unwritable = |error: aws_smithy_types::error::operation::BuildError| {
            Refusal::bug(
                "BadRequest",
                format!("the change of {} cannot be written: {error}", batch.zone_name),
            )
        };
        let mut request = Wire::builder();
        for change in batch.changes() {
            request = request.changes(wire::record::encode(change).map_err(unwritable)?);
        }
        let request = request.build().map_err(unwritable)?;
        let call = self
            .route53
            .change_resource_record_sets()
            .hosted_zone_id(batch.zone.as_str())
            .change_batch(request);
        let done = self.call("route53", "ChangeResourceRecordSets", call.send()).await;
        // Whatever came of it, what was read before is not so any more.
        self.inventory.zones.drop(&batch.zone.as_str().to_owned());
        done.map(|_| Applied::Changed).map_err(Refusal::from)
    }
}
