//! Certificates of the stack: made before listeners need them, deleted when none does.

use std::collections::BTreeSet;

use super::{Making, Retag, StackOp};
use crate::{
    compare,
    model::{Certificate, CertificateSource, Ref, SecretRef, Tags},
    tags::SECRET_DIGEST,
};

impl Making<'_> {
    pub(super) fn certificates(&mut self) {
        for want in self.input.model.certificates.values() {
            let Some(have) = self.input.certificates.kept.get(&want.name) else {
                self.certificate(want);
                continue;
            };
            let (key, seen) = (want.reference().key(), have.get());
            let mut tags = seen.tags.clone();
            let current = |secret: &&SecretRef| seen.tags.get(SECRET_DIGEST) == Some(&secret.digest);
            if let Some(secret) = want.secret().filter(|secret| !current(secret)) {
                let renew = StackOp::RenewCertificate(have.clone(), want.name.clone(), secret.clone());
                self.draft.switch(renew, Vec::new());
                let set = Tags::from([(SECRET_DIGEST.to_owned(), secret.digest.clone())]);
                tags.extend(set.clone());
                let (resource, id, remove) = (key.clone(), seen.arn.clone(), BTreeSet::new());
                self.draft.switch(StackOp::SetTags(Retag { resource, id, set, remove }), Vec::new());
            }
            self.retag(key, &seen.arn, &want.tags, &tags);
        }
    }

    /// One that is not there. No listener waits within a plan for what is requested, nor does anything else.
    fn certificate(&mut self, want: &Certificate) {
        match &want.source {
            CertificateSource::Secret(secret) => {
                self.draft.switch(StackOp::ImportCertificate(want.clone(), secret.clone()), Vec::new());
            }
            CertificateSource::Request(request) => {
                let failed = self.input.certificates.failed.get(&want.name).map(String::as_str);
                let token = compare::certificate::token(want, failed);
                let op = StackOp::RequestCertificate(want.clone(), request.clone(), token);
                self.draft.aside(op, Vec::new());
            }
        }
    }

    /// What a listener keeps, while another that it should have is awaited, stays. AWS may take minutes to see that nothing
    /// uses one any more: nothing should come after.
    pub(super) fn certificates_to_delete(&mut self) {
        let kept: BTreeSet<&str> = self
            .input
            .model
            .listeners
            .values()
            .flat_map(|listener| listener.certificates.iter().map(Ref::name))
            .collect();
        let stale = &self.input.certificates.stale;
        for stale in stale.iter().filter(|stale| !kept.contains(stale.get().arn.as_str())) {
            self.draft.delete(StackOp::DeleteCertificate(stale.clone()), self.input.farewell.to_vec());
        }
    }
}
