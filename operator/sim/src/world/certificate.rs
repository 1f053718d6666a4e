//! Certificates: whether they exist, and, of those that were imported, which content they have.

use fairway_aws::{facts::Certificate, model::Tags, secret::tls::KeyPair};

use super::{Answered, Aws, refuse};

/// A certificate that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedRow {
    /// Which content it has.
    pub digest: String,
    /// Tags.
    pub tags: Tags,
}

impl Aws {
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
        match self.imported.remove(arn) {
            Some(_) => Ok(()),
            None => refuse("ResourceNotFoundException", format!("could not find certificate {arn}")),
        }
    }

    pub(super) fn certificates_exist(&self, arns: &[String]) -> Answered<()> {
        // Server certificates of IAM are no part of the world, and all there.
        let unknown =
            |arn: &&String| !arn.starts_with("arn:aws:iam:") && !self.certificates.contains_key(*arn);
        match arns.iter().find(unknown) {
            Some(arn) => refuse("CertificateNotFound", format!("certificate '{arn}' not found")),
            None => Ok(()),
        }
    }
}
