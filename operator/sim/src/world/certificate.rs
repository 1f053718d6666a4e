//! Certificates: whether they exist, which content those have that were imported, and what came of those that were requested.
//!
//! A private authority issues after a while. Amazon does once it sees a CNAME for each domain, which is the same for a domain
//! whoever asks; the names of the records are told a moment after the request.
//!
//! Source: ACM API reference, RequestCertificate, DescribeCertificate; ACM user guide, DNS validation.

use std::collections::{BTreeMap, BTreeSet};

use fairway_aws::{
    facts::Certificate,
    model::{CertificateRequest, Tags},
    observed::{Issuance, RequestSeen},
    secret::tls::KeyPair,
};
use fairway_core::ids::sha256_hex;
use fairway_dns::record::{Content, RecordType};

use super::{Answered, Aws, refuse, unless};

/// Seconds until a private authority has issued.
const PRIVATE: u64 = 20;
/// Where the records that Amazon looks for point.
pub(crate) const VALIDATIONS: &str = "acm-validations.aws";
/// Seconds until the records are told.
const TOLD: u64 = 3;
/// Seconds until Amazon gives up looking for records.
const PATIENCE: u64 = 72 * 60 * 60;
/// Seconds within which a request with a token is one that was made before.
const TOKENS: u64 = 60 * 60;
/// Names below this are not public: Amazon issues nothing for them.
const NOT_PUBLIC: &str = ".invalid";

/// A certificate that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRow {
    /// Which content it has.
    pub digest: String,
    /// Tags.
    pub tags: Tags,
}

/// A certificate that was requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedRow {
    /// What was asked for.
    pub request: CertificateRequest,
    /// When.
    pub made_at: u64,
    /// Idempotency token.
    pub token: String,
    /// Tags.
    pub tags: Tags,
}

impl Aws {
    /// RequestCertificate.
    ///
    /// # Errors
    /// `ValidationException` without a name, `LimitExceededException`.
    pub fn request_certificate(
        &mut self,
        request: &CertificateRequest,
        token: &str,
        tags: &Tags,
    ) -> Answered<String> {
        unless(!request.hosts.is_empty(), "ValidationException", "a domain name is needed")?;
        let known = |row: &RequestedRow| row.token == token && self.now < row.made_at + TOKENS;
        if let Some((arn, row)) = self.requested.iter().find(|(_, row)| known(row)) {
            unless(row.request == *request, "ValidationException", "the token is another request's")?;
            return Ok(arn.clone());
        }
        let most = self.quota("acm-requests", 5000);
        unless(self.requests.len() < most, "LimitExceededException", "no more certificates this year")?;
        self.requests.push(token.to_owned());
        let arn = format!("arn:aws:acm:us-east-1:000000000000:certificate/requested-{}", self.next());
        let (request, token, tags) = (request.clone(), token.to_owned(), tags.clone());
        self.requested.insert(arn.clone(), RequestedRow { request, made_at: self.now, token, tags });
        Ok(arn)
    }

    /// DescribeCertificate of one that was requested.
    pub(crate) fn request_seen(&self, row: &RequestedRow) -> RequestSeen {
        let age = self.now.saturating_sub(row.made_at);
        let names: BTreeSet<String> = row.request.hosts.iter().cloned().collect();
        let public = row.request.authority.is_none();
        let records: BTreeMap<String, String> =
            names.iter().filter(|_| public).map(|name| validation(name)).collect();
        let valid = records.iter().all(|(name, value)| self.is_cname(name, value));
        let issuance = match public {
            false if age >= PRIVATE => Issuance::Issued,
            true if age < TOLD => Issuance::Pending,
            true if names.iter().any(|name| name.ends_with(NOT_PUBLIC)) => {
                Issuance::Failed("INVALID_PUBLIC_DOMAIN".to_owned())
            }
            true if valid => Issuance::Issued,
            true if age >= PATIENCE => Issuance::Failed("VALIDATION_TIMED_OUT".to_owned()),
            true | false => Issuance::Pending,
        };
        let records = if age < TOLD { BTreeMap::new() } else { records };
        RequestSeen { names, authority: row.request.authority.clone(), issuance, age, records }
    }

    /// Those that were requested and are issued.
    pub(crate) fn issued(&self) -> impl Iterator<Item = Certificate> {
        let issued = |row: &RequestedRow| self.request_seen(row).issuance == Issuance::Issued;
        let rows = self.requested.iter().filter(move |(_, row)| issued(row));
        rows.map(|(arn, row)| Certificate {
            arn: arn.clone(),
            names: row.request.hosts.clone(),
            issued: true,
        })
    }

    fn is_cname(&self, name: &str, value: &str) -> bool {
        let says = |record: &&fairway_dns::record::RecordSet| {
            let value = |one: &String| one.trim_end_matches('.') == value;
            let values =
                matches!(&record.content, Content::Values { values, .. } if values.iter().any(value));
            record.kind == RecordType::Cname && record.name.as_str() == name && values
        };
        self.zones.values().flat_map(|zone| &zone.records).any(|record| says(&record))
    }

    /// ImportCertificate without an ARN.
    pub fn import_certificate(&mut self, pair: &KeyPair, tags: &Tags) -> String {
        let arn = format!("arn:aws:acm:us-east-1:000000000000:certificate/imported-{}", self.next());
        let known = Certificate { arn: arn.clone(), names: Vec::new(), issued: true };
        self.certificates.insert(arn.clone(), known);
        self.imported.insert(arn.clone(), ImportedRow { digest: pair.digest(), tags: tags.clone() });
        arn
    }

    /// ImportCertificate with an ARN, which stays.
    ///
    /// # Errors
    /// `ResourceNotFoundException`.
    pub fn renew_certificate(&mut self, arn: &str, pair: &KeyPair) -> Answered<()> {
        match self.imported.get_mut(arn) {
            Some(row) => {
                row.digest = pair.digest();
                Ok(())
            }
            None => refuse("ResourceNotFoundException", format!("could not find certificate {arn}")),
        }
    }

    /// DeleteCertificate.
    ///
    /// # Errors
    /// `ResourceInUseException`, `ResourceNotFoundException`.
    pub fn delete_certificate(&mut self, arn: &str) -> Answered<()> {
        let used = |row: &super::ListenerRow| row.certificates.iter().any(|used| used == arn);
        if self.listeners.values().any(used) {
            return refuse("ResourceInUseException", format!("certificate {arn} is in use"));
        }
        self.certificates.remove(arn);
        let requested = self.requested.remove(arn).is_some();
        match self.imported.remove(arn) {
            Some(_) => Ok(()),
            None if requested => Ok(()),
            None => refuse("ResourceNotFoundException", format!("could not find certificate {arn}")),
        }
    }

    pub(super) fn certificates_exist(&self, arns: &[String]) -> Answered<()> {
        // Server certificates of IAM are no part of the world, and all there.
        let unknown = |arn: &&String| {
            let elsewhere = arn.starts_with("arn:aws:iam:") || self.certificates.contains_key(*arn);
            !elsewhere && !self.requested.contains_key(*arn)
        };
        let requested = arns.iter().filter_map(|arn| self.requested.get(arn));
        for row in requested {
            let issued = self.request_seen(row).issuance == Issuance::Issued;
            unless(issued, "UnsupportedCertificate", "the certificate is not issued")?;
        }
        match arns.iter().find(unknown) {
            Some(arn) => refuse("CertificateNotFound", format!("certificate '{arn}' not found")),
            None => Ok(()),
        }
    }
}

/// The CNAME by which a domain is validated.
fn validation(name: &str) -> (String, String) {
    let domain = name.strip_prefix("*.").unwrap_or(name);
    let digest: String = sha256_hex([domain]).chars().take(32).collect();
    (format!("_{digest}.{domain}"), format!("_{digest}.{VALIDATIONS}"))
}
