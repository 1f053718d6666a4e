//! A certificate of the stack: matched by the tag that holds its resource id, and by its content.
//!
//! ACM keeps an ARN when other content is imported under it, so listeners need not change. Which content it has, a tag
//! says, which is written after the import. What was requested never changes: other hosts are another certificate, and there
//! are two of one resource id while the new one is awaited.
//!
//! A request that failed is made again when the failed one is [`REQUEST_AGAIN`] old, and is taken away then.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use fairway_core::{
    ids::sha256_hex,
    plan::{Bindings, Handle, ResourceKey},
};

use super::Claimed;
use crate::{
    model::{
        Certificate, CertificateRequest, CertificateSource, Listener, ListenerProtocol, Ref,
        ResourceKind as _, StackModel,
    },
    observed::{CertificateSeen, Issuance, RequestSeen},
    ownership::Owned,
    tags,
};

/// Seconds between two requests for the same. ACM counts what was requested within a year, and a domain that it refuses
/// today it refuses in an hour.
const REQUEST_AGAIN: u64 = 24 * 60 * 60;

/// What there is of the stack's certificates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matched {
    /// Those that are wanted, by name.
    pub(crate) kept: BTreeMap<String, Owned<CertificateSeen>>,
    /// The others: nobody wants them, or another of the same name serves.
    pub(crate) stale: Vec<Owned<CertificateSeen>>,
    /// ARNs of failed ones in whose place another is requested, by name.
    pub(crate) failed: BTreeMap<String, String>,
}

impl Matched {
    pub(crate) fn of(model: &StackModel, claimed: &Claimed, resource_key: &str) -> Self {
        let mut matched = Self::default();
        let mut left: Vec<&Owned<CertificateSeen>> = claimed.certificates.values().collect();
        left.sort_by_key(|seen| rank(seen.get()));
        for want in model.certificates.values() {
            let id = want.tags.get(resource_key);
            let fits = |seen: &&Owned<CertificateSeen>| {
                seen.get().tags.get(resource_key) == id && fits(want, seen.get())
            };
            let Some(place) = left.iter().position(fits) else { continue };
            let seen = left.remove(place);
            if is_over(seen.get()) {
                matched.failed.insert(want.name.clone(), seen.get().arn.clone());
                matched.stale.push(seen.clone());
            } else {
                matched.kept.insert(want.name.clone(), seen.clone());
            }
        }
        matched.stale.extend(left.into_iter().cloned());
        matched.stale.sort_by(|one, other| one.get().arn.cmp(&other.get().arn));
        matched
    }

    /// Requested ones that no listener can have yet, by name, with what there is of each.
    pub(crate) fn awaited<'a>(
        &'a self,
        model: &'a StackModel,
    ) -> impl Iterator<Item = (&'a Certificate, Option<&'a RequestSeen>)> {
        model.certificates.values().filter(|want| want.request().is_some()).filter_map(|want| {
            match self.kept.get(&want.name).map(Owned::get) {
                Some(seen) if seen.is_usable() => None,
                seen => Some((want, seen.and_then(CertificateSeen::request))),
            }
        })
    }

    /// Leaves what is awaited off listeners: such a listener lets go of nothing that it has, and one that would have none is
    /// neither made nor changed.
    pub(crate) fn hold_back(&self, model: &mut StackModel, claimed: &Claimed) {
        let awaited: BTreeSet<Ref<Certificate>> =
            self.awaited(model).map(|(want, _)| want.reference()).collect();
        let balancer = model.load_balancer.as_ref().and_then(|own| claimed.load_balancers.get(&own.name));
        let waits = |listener: &&mut Listener| listener.certificates.iter().any(|one| awaited.contains(one));
        for listener in model.listeners.values_mut().filter(waits) {
            let seen = balancer.and_then(|balancer| balancer.get().listeners.get(&listener.port));
            let has = seen.into_iter().flat_map(|seen| &seen.certificates).map(Ref::new);
            let mut all: Vec<Ref<Certificate>> = Vec::new();
            if listener.certificates.first().is_none_or(|first| !awaited.contains(first)) {
                all.extend(listener.certificates.first().cloned());
            }
            let ready = listener.certificates.iter().filter(|one| !awaited.contains(one)).cloned();
            for one in has.chain(ready) {
                let arn = self.kept.get(one.name()).map(|seen| Ref::new(&seen.get().arn));
                let one = arn.unwrap_or(one);
                if !all.contains(&one) {
                    all.push(one);
                }
            }
            listener.certificates = all;
        }
        let bare: BTreeSet<u16> = model
            .listeners
            .values()
            .filter(|listener| {
                listener.protocol == ListenerProtocol::Https && listener.certificates.is_empty()
            })
            .map(|listener| listener.port)
            .collect();
        model.listeners.retain(|port, _| !bare.contains(port));
        model.rules.retain(|port, _| !bare.contains(port));
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

/// What ACM takes for one request, however often it is asked within an hour: a request whose answer was lost is not made
/// twice. A failed one that it comes after tells it from the request for that one.
pub(crate) fn token(want: &Certificate, failed: Option<&str>) -> String {
    let marks = want.tags.iter().filter(|(key, _)| *key == tags::CLUSTER || key.ends_with("/stack"));
    let marks = marks.flat_map(|(key, value)| [key.as_str(), "=", value, " "]);
    let digest = sha256_hex(marks.chain([want.name.as_str(), " ", failed.unwrap_or_default()]));
    // ACM takes 32 characters.
    digest.chars().take(32).collect()
}

/// The best of several first.
fn rank(seen: &CertificateSeen) -> (u8, Reverse<u64>, u64, &str) {
    match seen.request().map(|request| (&request.issuance, request.age)) {
        None | Some((Issuance::Issued, _)) => (0, Reverse(0), 0, &seen.arn),
        Some((Issuance::Pending, age)) => (1, Reverse(age), 0, &seen.arn),
        // The newest says when it is time for another.
        Some((Issuance::Failed(_), age)) => (2, Reverse(0), age, &seen.arn),
    }
}

fn is_over(seen: &CertificateSeen) -> bool {
    let failed = |request: &RequestSeen| {
        matches!(request.issuance, Issuance::Failed(_)) && request.age >= REQUEST_AGAIN
    };
    seen.request().is_some_and(failed)
}

fn fits(want: &Certificate, have: &CertificateSeen) -> bool {
    match (&want.source, have.request()) {
        (CertificateSource::Secret(_), None) => true,
        (CertificateSource::Request(want), Some(have)) => is_for(want, have),
        _ => false,
    }
}

fn is_for(want: &CertificateRequest, have: &RequestSeen) -> bool {
    want.authority == have.authority && want.hosts.iter().eq(&have.names)
}
