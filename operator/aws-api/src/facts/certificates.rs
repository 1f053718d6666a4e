//! Certificates of ACM.
//!
//! The list tells up to a hundred names of each; those with more are asked for one by one, once, because the names
//! of an issued certificate do not change unless it is imported anew.

use std::time::Duration;

use aws_sdk_acm::types::{CertificateStatus, CertificateSummary, Filters, KeyAlgorithm};
use fairway_aws::facts::Certificate;

use crate::Aws;
use crate::cached::{Cached, CachedBy};
use crate::fault::Fault;

const LIST: Duration = Duration::from_secs(60);
const NAMES: Duration = Duration::from_secs(300);
/// The most that ListCertificates gives at once.
const PAGE: i32 = 1000;

/// What was answered lately.
#[derive(Default)]
pub(crate) struct Certificates {
    list: Cached<Vec<Certificate>>,
    single: CachedBy<String, Option<Certificate>>,
}

impl Certificates {
    pub(crate) async fn forget(&self) {
        self.list.forget().await;
        self.single.forget();
    }
}

impl Aws {
    /// Every issued certificate, in the order of ARNs.
    pub(super) async fn certificates(&self) -> Result<Vec<Certificate>, Fault> {
        self.answers.certificates.list.get(LIST, self.list_certificates()).await
    }

    /// One certificate. Server certificates of IAM are taken for granted: Elastic Load Balancing says no to one that
    /// is not there.
    pub(super) async fn certificate(&self, arn: &str) -> Result<Option<Certificate>, Fault> {
        if arn.contains(":iam:") {
            return Ok(Some(Certificate { arn: arn.to_owned(), names: Vec::new(), issued: true }));
        }
        self.answers.certificates.single.get(arn.to_owned(), LIST, self.describe_certificate(arn)).await
    }

    async fn list_certificates(&self) -> Result<Vec<Certificate>, Fault> {
        // Without the filter only RSA certificates of up to 2048 bits are listed.
        let every_kind = KeyAlgorithm::values().iter().map(|kind| KeyAlgorithm::from(*kind)).collect();
        let filter = Filters::builder().set_key_types(Some(every_kind)).build();
        let mut listed: Vec<CertificateSummary> = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self
                .acm
                .list_certificates()
                .certificate_statuses(CertificateStatus::Issued)
                .includes(filter.clone())
                .max_items(PAGE)
                .set_next_token(token.clone());
            let page = self.call("acm", "ListCertificates", request.send()).await?;
            listed.extend_from_slice(page.certificate_summary_list());
            let next = page.next_token().filter(|next| !next.is_empty()).map(str::to_owned);
            if next.is_none() {
                break;
            }
            if next == token {
                return Err(Fault::unreadable("acm ListCertificates", "its next page is the same page"));
            }
            token = next;
        }
        let mut all = Vec::new();
        for summary in &listed {
            all.extend(self.read_summary(summary).await?);
        }
        all.sort_by(|one, other| one.arn.cmp(&other.arn));
        Ok(all)
    }

    async fn read_summary(&self, summary: &CertificateSummary) -> Result<Option<Certificate>, Fault> {
        let Some(arn) = summary.certificate_arn() else {
            return Err(Fault::unreadable("acm ListCertificates", "a certificate has no ARN"));
        };
        let names = summary.subject_alternative_name_summaries();
        if names.is_empty() || summary.has_additional_subject_alternative_names() == Some(true) {
            let single = &self.answers.certificates.single;
            return single.get(arn.to_owned(), NAMES, self.describe_certificate(arn)).await;
        }
        let names = lower(summary.domain_name(), names);
        Ok(Some(Certificate { arn: arn.to_owned(), names, issued: true }))
    }

    async fn describe_certificate(&self, arn: &str) -> Result<Option<Certificate>, Fault> {
        let request = self.acm.describe_certificate().certificate_arn(arn);
        let answer = match self.call("acm", "DescribeCertificate", request.send()).await {
            Ok(answer) => answer,
            Err(fault) if fault.is(&["ResourceNotFoundException", "InvalidArnException"]) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let told = || Fault::unreadable("acm DescribeCertificate", "no certificate is told");
        let detail = answer.certificate().ok_or_else(told)?;
        Ok(Some(Certificate {
            arn: arn.to_owned(),
            names: lower(detail.domain_name(), detail.subject_alternative_names()),
            issued: detail.status() == Some(&CertificateStatus::Issued),
        }))
    }
}

/// The domain name first, then the others, each once.
fn lower(domain: Option<&str>, others: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in domain.into_iter().chain(others.iter().map(String::as_str)) {
        let name = name.to_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
