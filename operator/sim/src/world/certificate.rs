//! Certificates: only whether they exist.

use super::{Answered, Aws, refuse};

impl Aws {
    pub(super) fn certificates_exist(&self, arns: &[String]) -> Answered<()> {
        match arns.iter().find(|arn| !self.certificates.contains_key(*arn)) {
            Some(arn) => refuse("CertificateNotFound", format!("certificate '{arn}' not found")),
            None => Ok(()),
        }
    }
}
