//! Certificates of the stack: made before listeners need them, deleted when none does.

use std::collections::BTreeSet;

use super::{Making, Retag, StackOp};
use crate::{compare, model::Tags, tags::SECRET_DIGEST};

impl Making<'_> {
    pub(super) fn certificates(&mut self) {
        for want in self.input.model.certificates.values() {
            let Some(have) = self.input.certificates.kept.get(&want.name) else {
                self.draft.switch(StackOp::ImportCertificate(want.clone()), Vec::new());
                continue;
            };
            let (key, seen) = (want.reference().key(), have.get());
            let mut tags = seen.tags.clone();
            if !compare::certificate::is_current(want, seen) {
                self.draft.switch(StackOp::RenewCertificate(have.clone(), want.clone()), Vec::new());
                let set = Tags::from([(SECRET_DIGEST.to_owned(), want.secret.digest.clone())]);
                tags.extend(set.clone());
                let (resource, id, remove) = (key.clone(), seen.arn.clone(), BTreeSet::new());
                self.draft.switch(StackOp::SetTags(Retag { resource, id, set, remove }), Vec::new());
            }
            self.retag(key, &seen.arn, &want.tags, &tags);
        }
    }

    /// AWS may take minutes to see that nothing uses one any more: nothing should come after.
    pub(super) fn certificates_to_delete(&mut self) {
        for stale in &self.input.certificates.stale {
            self.draft.delete(StackOp::DeleteCertificate(stale.clone()), self.input.farewell.to_vec());
        }
    }
}
