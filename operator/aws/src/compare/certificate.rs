//! A certificate of the stack: matched by the tag that holds its name.
//!
//! ACM keeps an ARN when other content is imported under it, so listeners need not change. Which content it has, a tag
//! says, which is written after the import.

use std::collections::BTreeMap;

use fairway_core::plan::{Bindings, Handle, ResourceKey};

use super::Claimed;
use crate::{
    model::{Certificate, Ref, ResourceKind as _, StackModel},
    observed::{CertificateKind, CertificateSeen},
    ownership::Owned,
    tags,
};

/// What there is of the stack's certificates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matched {
    /// Those that are wanted, by name.
    pub(crate) kept: BTreeMap<String, Owned<CertificateSeen>>,
    /// The others: nobody wants them, or another of the same name serves.
    pub(crate) stale: Vec<Owned<CertificateSeen>>,
}

impl Matched {
    pub(crate) fn of(model: &StackModel, claimed: &Claimed, resource_key: &str) -> Self {
        let mut matched = Self::default();
        for seen in claimed.certificates.values() {
            let name = seen.get().tags.get(resource_key);
            let wanted = name.and_then(|name| model.certificates.get(name));
            match wanted.filter(|want| fits(want, seen.get()) && !matched.kept.contains_key(&want.name)) {
                Some(want) => drop(matched.kept.insert(want.name.clone(), seen.clone())),
                None => matched.stale.push(seen.clone()),
            }
        }
        matched
    }

    /// Puts ARNs in the place of names that have one.
    pub(crate) fn resolve(&self, model: &mut StackModel) {
        for certificate in model.listeners.values_mut().flat_map(|listener| &mut listener.certificates) {
            if let Some(seen) = self.kept.get(certificate.name()) {
                *certificate = Ref::new(seen.get().arn.clone());
            }
        }
    }

    /// How they are known.
    pub(crate) fn handles(&self) -> Bindings {
        let handle =
            |seen: &CertificateSeen| Handle { id: seen.arn.clone(), ready: true, ..Handle::default() };
        let kept = self
            .kept
            .iter()
            .map(|(name, seen)| (ResourceKey::new(Certificate::KIND, name), handle(seen.get())));
        let stale = self.stale.iter().map(|seen| (stale_key(seen.get()), handle(seen.get())));
        kept.chain(stale).collect()
    }
}

/// How a certificate is known that goes: another may bear its name.
pub(crate) fn stale_key(seen: &CertificateSeen) -> ResourceKey {
    ResourceKey::new(Certificate::KIND, &seen.arn)
}

/// Whether it has the wanted content.
pub(crate) fn is_current(want: &Certificate, have: &CertificateSeen) -> bool {
    have.tags.get(tags::SECRET_DIGEST) == Some(&want.secret.digest)
}

fn fits(_: &Certificate, have: &CertificateSeen) -> bool {
    have.kind == CertificateKind::Imported
}
