//! Certificates of the cluster.
//!
//! They have no names: which are there is found by their tags. That list lags behind, so what was recorded of a stack is
//! looked at besides, and ACM itself says of each whether it is there, and which tags it has.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_acm::types::CertificateType;
use fairway_aws::model::Tags;
use fairway_aws::observed::{CertificateKind, CertificateSeen};
use fairway_aws::tags::CLUSTER;

use crate::Aws;
use crate::cached::CachedBy;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::observe::bears;
use crate::thin::TagFilter;

const TYPES: [&str; 1] = ["acm:certificate"];

/// What is known of the cluster's certificates.
#[derive(Default)]
pub(crate) struct Certificates {
    /// Tags by ARN, as listed.
    pub(crate) listed: Ledger<BTreeMap<String, Tags>>,
    /// By ARN; `None`: there is no such certificate.
    pub(crate) single: CachedBy<String, Option<CertificateSeen>>,
}

impl Certificates {
    /// All are looked at again. Those that we made lately are known whatever the list says.
    pub(crate) fn doubt(&self) {
        self.listed.doubt();
        self.single.forget();
    }

    pub(crate) fn forget(&self) {
        self.listed.forget();
        self.single.forget();
    }
}

impl Aws {
    /// Certificates that bear the marks of a stack or that were recorded of it, by ARN.
    pub(crate) async fn certificates_of(
        &self,
        marks: &Tags,
        recorded: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, CertificateSeen>, Fault> {
        let max_age = self.inventory.max_age;
        let listed = |all: &BTreeMap<String, Tags>| {
            let ours = all.iter().filter(|(_, tags)| bears(tags, marks));
            ours.map(|(arn, _)| arn.clone()).collect::<BTreeSet<_>>()
        };
        let listed = self
            .inventory
            .certificates
            .listed
            .look(max_age, |_| self.list_own_certificates(), listed)
            .await?;
        let mut seen = BTreeMap::new();
        for arn in listed.union(recorded) {
            let read = self.read_certificate(arn);
            let found = self.inventory.certificates.single.get(arn.clone(), max_age, read).await?;
            seen.extend(found.map(|found| (arn.clone(), found)));
        }
        Ok(seen)
    }

    async fn list_own_certificates(&self) -> Result<BTreeMap<String, Tags>, Fault> {
        let cluster = TagFilter { key: CLUSTER.to_owned(), values: vec![self.config.cluster.clone()] };
        let filters = [cluster];
        let list = self.tagging.resources(&filters, &TYPES);
        let found = self.thin("tagging", "GetResources", list).await?;
        Ok(found.into_iter().map(|found| (found.arn, found.tags)).collect())
    }

    async fn read_certificate(&self, arn: &str) -> Result<Option<CertificateSeen>, Fault> {
        let request = self.acm.describe_certificate().certificate_arn(arn);
        let answer = match self.call("acm", "DescribeCertificate", request.send()).await {
            Ok(answer) => answer,
            Err(fault) if fault.is(&["ResourceNotFoundException"]) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let request = self.acm.list_tags_for_certificate().certificate_arn(arn);
        let tags = match self.call("acm", "ListTagsForCertificate", request.send()).await {
            Ok(answer) => answer,
            Err(fault) if fault.is(&["ResourceNotFoundException"]) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let untold = || Fault::unreadable("acm DescribeCertificate", "no certificate is told");
        let detail = answer.certificate().ok_or_else(untold)?;
        let kind = match detail.r#type() {
            Some(CertificateType::Imported) => CertificateKind::Imported,
            _ => CertificateKind::Issued,
        };
        let tag = |tag: &aws_sdk_acm::types::Tag| {
            (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())
        };
        Ok(Some(CertificateSeen { arn: arn.to_owned(), kind, tags: tags.tags().iter().map(tag).collect() }))
    }
}
