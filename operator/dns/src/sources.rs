//! Wishes from the cluster: names of the members of every stack, targets from what their load balancers published.
//!
//! | what           | from                                                                                |
//! |----------------|-------------------------------------------------------------------------------------|
//! | names, TTL     | the member, as it was read                                                          |
//! | targets        | `status.addresses` of the stack's `LoadBalancerState`: present once it is active    |
//! | dual-stack     | the IP address type that some member of the stack asks for                          |
//!
//! | proofs         | what a certificate authority looks for, as the state of the member's stack says     |
//!
//! A member whose stack has published nothing keeps what its names have: neither a transient emptiness nor a change of
//! class takes a name away. An object that left its stack, or was deleted, asks for nothing any more; but as long as a
//! load balancer on AWS that nobody else has is published, as it is until its stack knows that it can go, what points at
//! it stays.

use std::{collections::BTreeSet, net::IpAddr};

use fairway_core::{
    class::{Class, Classified},
    evaluate::LastGood,
    ids::{Key, Kind, ObjectRef, ProviderKind},
    intent::{Intent, Member},
    note::Note,
    proof::Proof,
    read::{self, Candidate, ReadConfig},
    settings::{Provenance, Unreadable, alb, dns, nlb, words::IpAddressType},
    snapshot::Snapshot,
};
use fairway_crds::{LoadBalancerAddress, LoadBalancerState};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{
    config::DnsConfig,
    name::Name,
    txt::Claim,
    wish::{Target, Targets, Wish},
};

/// Seconds; what the peer gives them.
const PROOF_TTL: u32 = 60;

/// All that the cluster asks of DNS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// In no particular order.
    pub wishes: Vec<Wish>,
    /// Ownership labels of objects that cannot be read: nothing of theirs is deleted.
    pub held: BTreeSet<String>,
    /// Names that are none.
    pub notes: Vec<Note>,
}

/// A TTL that cannot be read; the name is published with the default one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the default TTL is taken: {0}")]
struct BadTtl(Box<Unreadable>);

impl Classified for BadTtl {
    fn class(&self) -> Class {
        Class::Invalid
    }

    fn code(&self) -> &'static str {
        "InvalidTtl"
    }
}

/// Reads every stack of every provider.
#[must_use]
pub fn ask(snapshot: &Snapshot, config: &ReadConfig, dns: &DnsConfig) -> Asked {
    let mut asked = Asked::default();
    for stack in read::stacks(snapshot, config) {
        let state = snapshot.states.get(&Key::cluster(&stack.state_name())).map(AsRef::as_ref);
        // What there is to say about the reading is said by the stack itself.
        let last_good = LastGood::of(state.and_then(|state| state.status.as_ref()));
        let (intent, _) = read::intent(snapshot, config, &stack, &last_good);
        asked.held.extend(intent.unreadable.iter().map(|object| label(dns, object)));
        if stays(&intent, state) {
            let alone = intent.leaving.iter().filter(|leaving| leaving.successor.is_none());
            asked.held.extend(alone.map(|leaving| label(dns, &leaving.object)));
        }
        ask_for(&intent, state, snapshot, dns, &mut asked);
    }
    asked
}

/// Whether the load balancer of a stack that everybody left has not been given up yet.
fn stays(intent: &Intent, state: Option<&LoadBalancerState>) -> bool {
    let status = state.and_then(|state| state.status.as_ref());
    let published = status.is_some_and(|status| !status.addresses.is_empty());
    published && intent.members.is_empty() && intent.stack.provider == ProviderKind::Aws
}

/// Ownership labels of objects that are there and that no stack serves. Somebody else, before us and under our owner
/// id, may have published them: that is not ours to take back.
#[must_use]
pub fn spared(snapshot: &Snapshot, config: &ReadConfig, dns: &DnsConfig) -> BTreeSet<String> {
    let ingresses = snapshot.ingresses.values().map(|ingress| Candidate::Ingress(ingress));
    let services = snapshot.services.values().map(|service| Candidate::Service(service));
    ingresses
        .chain(services)
        .filter(|candidate| read::stacks_of(snapshot, config, *candidate).is_empty())
        .map(|candidate| label(dns, &candidate.object()))
        .collect()
}

fn ask_for(
    intent: &Intent,
    state: Option<&LoadBalancerState>,
    snapshot: &Snapshot,
    dns: &DnsConfig,
    asked: &mut Asked,
) {
    let dual_stack = intent.members.iter().any(asks_for_ipv6);
    let status = state.and_then(|state| state.status.as_ref());
    let addresses = status.map(|status| status.addresses.as_slice()).unwrap_or_default();
    let targets: Vec<Target> = addresses.iter().filter_map(|address| target(address, dual_stack)).collect();
    let targets = if targets.is_empty() { Targets::Pending } else { Targets::Published(targets) };
    let proofs: Vec<Proof> = status.into_iter().flat_map(|status| Proof::recorded(&status.arns)).collect();
    for member in &intent.members {
        let ttl = match member.settings.get(&dns::TTL) {
            Ok(ttl) => ttl.and_then(|ttl| u32::try_from(ttl.value).ok()),
            Err(problem) => {
                asked.notes.push(Note::warn(&member.object, &BadTtl(problem)));
                None
            }
        };
        for hostname in &member.hostnames {
            match Name::wanted(&hostname.name) {
                Ok(name) => asked.wishes.push(Wish {
                    from: Provenance { object: member.object.clone(), key: hostname.from.clone() },
                    created: created(snapshot, &member.object),
                    name,
                    targets: targets.clone(),
                    ttl,
                    evaluate_target_health: dns.evaluate_target_health,
                    routing: None,
                    proof: false,
                }),
                Err(problem) => asked.notes.push(Note::warn(&member.object, &problem)),
            }
        }
        let own = proofs.iter().filter(|proof| proof.object == member.object);
        asked.wishes.extend(own.map(|proof| prove(proof, created(snapshot, &member.object))));
    }
}

/// The wish for what a certificate authority looks for.
fn prove(proof: &Proof, created: Option<String>) -> Wish {
    let key = format!("{}{}", alb::PREFIX, alb::CREATE_ACM_CERT.key);
    Wish {
        from: Provenance { object: proof.object.clone(), key },
        created,
        name: Name::observed(&proof.name),
        targets: Targets::Published(vec![Target::Host(Name::observed(&proof.value))]),
        ttl: Some(PROOF_TTL),
        evaluate_target_health: false,
        routing: None,
        proof: true,
    }
}

/// What is asked for, not what is there: an AAAA alias that is early answers with no addresses, which harms nobody.
fn asks_for_ipv6(member: &Member) -> bool {
    // Values that cannot be read have held the member before this.
    let application = member.settings.get(&alb::IP_ADDRESS_TYPE).ok().flatten();
    let network = member.settings.get(&nlb::IP_ADDRESS_TYPE).ok().flatten();
    application.or(network).is_some_and(|kind| kind.value != IpAddressType::Ipv4)
}

fn target(address: &LoadBalancerAddress, dual_stack: bool) -> Option<Target> {
    if let Some(ip) = &address.ip {
        return ip.parse::<IpAddr>().ok().map(Target::Ip);
    }
    let host = Name::observed(address.hostname.as_deref()?);
    Some(match address.hosted_zone_id.clone() {
        Some(zone_id) => Target::LoadBalancer { host, zone_id, dual_stack },
        None => Target::Host(host),
    })
}

fn created(snapshot: &Snapshot, object: &ObjectRef) -> Option<String> {
    let meta: Option<&ObjectMeta> = match object.kind {
        Kind::Ingress => snapshot.ingresses.get(&object.key).map(|ingress| &ingress.metadata),
        Kind::Service => snapshot.services.get(&object.key).map(|service| &service.metadata),
        _ => None,
    };
    meta?.creation_timestamp.as_ref().map(|time| time.0.to_string())
}

fn label(dns: &DnsConfig, object: &ObjectRef) -> String {
    let claim = Claim::new(dns.owner.as_deref().unwrap_or_default(), object);
    claim.resource().unwrap_or_default().to_owned()
}
