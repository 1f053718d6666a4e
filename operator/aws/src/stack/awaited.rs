//! Members that wait for a certificate: requested from ACM and not issued yet.
//!
//! Nobody waits within a look. A member that was served goes on as it was last good; a new one is served on its plain ports, if
//! they do not redirect to the others. The request itself is the stack's whatever becomes of the member.
//!
//! | what there is                      | class       | who acts                                         |
//! |------------------------------------|-------------|--------------------------------------------------|
//! | nothing, or no record is told yet  | Pending     | ACM                                              |
//! | the same for a quarter of an hour  | Environment | who can ask ACM why                              |
//! | records, without DNS here          | Environment | who can make them                                |
//! | records, with DNS here             | Pending     | the zones; after a quarter of an hour who can see why |
//! | it failed                          | Environment | who can do away with the reason                  |

use std::collections::BTreeMap;

use fairway_core::{
    ids::{Kind, ObjectRef},
    snapshot::Snapshot,
};

use crate::{
    compare::{Claimed, certificate::Matched},
    lower::{Awaiting, Lowered, RequestError},
    model::CertificateRequest,
    observed::{Issuance, RequestSeen},
};

/// Seconds within which ACM issues what it will issue by itself: after them it is asked less often, and who can see why is
/// told.
const SOON: u64 = 15 * 60;

/// The members that wait, by object. `dns`: whether what Amazon looks for is written here.
pub(super) fn members(
    lowered: &Lowered,
    matched: &Matched,
    (snapshot, claimed): (&Snapshot, &Claimed),
    dns: bool,
) -> BTreeMap<String, Awaiting> {
    let mut waiting = BTreeMap::new();
    for (want, seen) in matched.awaited(&lowered.model) {
        let Some(request) = want.request() else { continue };
        let error = why(request, seen, dns);
        for asked in lowered.because.get(&want.reference().key()) {
            let served = is_served(snapshot, claimed, &asked.object);
            let awaiting = Awaiting { error: error.clone().into(), served };
            waiting.insert(asked.object.to_string(), awaiting);
        }
    }
    waiting
}

fn why(request: &CertificateRequest, seen: Option<&RequestSeen>, dns: bool) -> RequestError {
    let hosts = request.hosts.join(", ");
    let late = seen.is_some_and(|seen| seen.age >= SOON);
    let awaited = |state: String| RequestError::Awaited { hosts: hosts.clone(), state, late };
    let Some(seen) = seen else { return awaited("ACM is asked for it".to_owned()) };
    let records = seen.records.iter().map(|(name, value)| format!("CNAME {name} to {value}"));
    let records = records.collect::<Vec<_>>().join(", ");
    match &seen.issuance {
        Issuance::Failed(reason) => RequestError::Failed { hosts, reason: reason.clone() },
        Issuance::Pending | Issuance::Issued if records.is_empty() => {
            awaited("ACM has not issued it yet".to_owned())
        }
        Issuance::Pending | Issuance::Issued if dns => awaited(format!("Amazon looks for {records}")),
        Issuance::Pending | Issuance::Issued => RequestError::ByHand { hosts, records },
    }
}

/// Whether an Ingress shows the address of one of the stack's load balancers.
fn is_served(snapshot: &Snapshot, claimed: &Claimed, object: &ObjectRef) -> bool {
    let ingress = snapshot.ingresses.get(&object.key).filter(|_| object.kind == Kind::Ingress);
    let status =
        ingress.and_then(|ingress| ingress.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref());
    let shown = status.into_iter().flatten().filter_map(|address| address.hostname.as_deref());
    let names: Vec<&str> =
        claimed.load_balancers.values().filter_map(|own| own.get().handle.dns_name.as_deref()).collect();
    shown.into_iter().any(|shown| names.iter().any(|name| name.eq_ignore_ascii_case(shown)))
}
