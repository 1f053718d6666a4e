//! Certificates of the cluster.
//!
//! They have no names: which are there is found by their tags. That list lags behind, so what was recorded of a stack is
//! looked at besides, and ACM itself says of each whether it is there, and which tags it has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_acm::types::{CertificateDetail, CertificateStatus, CertificateType, DomainValidation};
use fairway_aws::model::Tags;
use fairway_aws::observed::{CertificateKind, CertificateSeen, Issuance, RequestSeen};
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
            let single = &self.inventory.certificates.single;
            let found = single.get(arn.clone(), max_age, read).await?;
            if found.as_ref().is_some_and(|found| !found.is_usable()) {
                // It changes without us.
                single.drop(arn);
            }
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
            _ => CertificateKind::Requested(requested(detail, self.secrets.now())),
        };
        let tag = |tag: &aws_sdk_acm::types::Tag| {
            (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())
        };
        Ok(Some(CertificateSeen { arn: arn.to_owned(), kind, tags: tags.tags().iter().map(tag).collect() }))
    }
}

fn requested(detail: &CertificateDetail, now: Duration) -> RequestSeen {
    let names = detail.domain_name().into_iter();
    let names = names.chain(detail.subject_alternative_names().iter().map(String::as_str));
    let made = detail.created_at().and_then(|at| u64::try_from(at.secs()).ok()).unwrap_or_default();
    RequestSeen {
        names: names.map(str::to_lowercase).collect(),
        authority: detail.certificate_authority_arn().map(str::to_owned),
        issuance: issuance(detail),
        age: now.as_secs().saturating_sub(made),
        records: detail.domain_validation_options().iter().filter_map(record).collect(),
    }
}

fn issuance(detail: &CertificateDetail) -> Issuance {
    match detail.status() {
        Some(CertificateStatus::Issued) => Issuance::Issued,
        Some(CertificateStatus::PendingValidation) | None => Issuance::Pending,
        Some(CertificateStatus::Failed) => {
            let reason = detail.failure_reason().map_or("FAILED", aws_sdk_acm::types::FailureReason::as_str);
            Issuance::Failed(reason.to_owned())
        }
        Some(other) => Issuance::Failed(other.as_str().to_owned()),
    }
}

/// Name and value of the CNAME by which a domain is validated. Wildcards share that of their parent.
fn record(domain: &DomainValidation) -> Option<(String, String)> {
    let plain = |name: &str| name.trim_end_matches('.').to_lowercase();
    domain.resource_record().map(|record| (plain(record.name()), plain(record.value())))
}
