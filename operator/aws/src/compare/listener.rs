//! A listener: matched by its port, changed in place.

use std::collections::BTreeSet;

use super::action::same_actions;
use crate::{
    lower::not_found,
    model::{Certificate, ClientCertificates, Listener, Ref},
    observed::ListenerSeen,
    ownership::Owned,
    stack::StackOp,
};

/// Changes in place: the listener itself, its further certificates, its attributes.
pub(crate) fn changes(want: &Listener, have: &Owned<ListenerSeen>) -> Vec<StackOp> {
    let seen = have.get();
    let mut ops = Vec::new();
    if !alike(want, seen) {
        ops.push(StackOp::ModifyListener(have.clone(), want.clone()));
    }
    let wanted: BTreeSet<Ref<Certificate>> = want.certificates.iter().skip(1).cloned().collect();
    let there: BTreeSet<Ref<Certificate>> = seen.certificates.iter().skip(1).map(Ref::new).collect();
    let missing: Vec<Ref<Certificate>> = wanted.difference(&there).cloned().collect();
    let extra: Vec<String> = there.difference(&wanted).map(|gone| gone.name().to_owned()).collect();
    if !missing.is_empty() {
        ops.push(StackOp::AddCertificates(want.reference(), missing));
    }
    if !extra.is_empty() {
        ops.push(StackOp::RemoveCertificates(want.reference(), extra));
    }
    let attributes = super::attributes(&want.attributes, &seen.attributes);
    if !attributes.is_empty() {
        ops.push(StackOp::ModifyListenerAttributes(want.reference(), attributes));
    }
    ops
}

/// What has to follow the creation of a listener, which takes the default certificate only.
pub(crate) fn after_creation(want: &Listener) -> Vec<StackOp> {
    let further: Vec<Ref<Certificate>> = want.certificates.iter().skip(1).cloned().collect();
    let mut ops = Vec::new();
    if !further.is_empty() {
        ops.push(StackOp::AddCertificates(want.reference(), further));
    }
    if !want.attributes.is_empty() {
        ops.push(StackOp::ModifyListenerAttributes(want.reference(), want.attributes.clone()));
    }
    ops
}

fn alike(want: &Listener, have: &ListenerSeen) -> bool {
    let said = |want: &Option<String>, have: &Option<String>| want.is_none() || want == have;
    want.protocol == have.protocol
        && same_actions(&want.default_actions, &have.default_actions)
        && said(&want.ssl_policy, &have.ssl_policy)
        && want.certificates.first().map(Ref::name) == have.certificates.first().map(String::as_str)
        && said(&want.alpn_policy, &have.alpn_policy)
        && want
            .client_certificates
            .as_ref()
            .is_none_or(|want| same_trust(want, have.client_certificates.as_ref()))
}

/// A listener that AWS says nothing of asks for no certificates.
fn same_trust(want: &ClientCertificates, have: Option<&ClientCertificates>) -> bool {
    use ClientCertificates::Verify;
    match (want, have.unwrap_or(&ClientCertificates::Off)) {
        (
            Verify { trust_store, ignore_expiry, advertise_authorities: Some(advertise) },
            Verify { trust_store: seen_store, ignore_expiry: seen_ignore, advertise_authorities },
        ) => {
            (trust_store, ignore_expiry) == (seen_store, seen_ignore)
                && *advertise == advertise_authorities.unwrap_or_default()
        }
        (
            Verify { trust_store, ignore_expiry, advertise_authorities: None },
            Verify { trust_store: seen_store, ignore_expiry: seen_ignore, .. },
        ) => (trust_store, ignore_expiry) == (seen_store, seen_ignore),
        (want, have) => want == have,
    }
}

/// A listener while nothing may be taken away: a default action or a default certificate that nobody asks for may be a
/// held member's.
pub(crate) fn keep(want: &Listener, have: &ListenerSeen) -> Listener {
    let mut kept = want.clone();
    if want.default_actions == [not_found()] {
        kept.default_actions.clone_from(&have.default_actions);
    }
    if let Some(default) = have.certificates.first() {
        let default: Ref<Certificate> = Ref::new(default);
        kept.certificates.retain(|certificate| *certificate != default);
        kept.certificates.insert(0, default);
    }
    kept
}
