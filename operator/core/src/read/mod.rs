//! Snapshot to intent: which objects are members of which stack, and what each asks for.
//!
//! Every member is read alone. One that cannot be read is held at its last good reading (or, without one, named in
//! [`Intent::unreadable`]) and told so; its neighbours are read as if nothing had happened. Objects that carry a
//! stack's finalizer without being its members any more are [`Leaving`].
//!
//! What a caller must not assume: that members agree with each other. One scheme, one protocol a port and the like
//! are decided when a provider lowers the intent.

mod alone;
mod class;
mod error;
mod finalizer;
mod ingress;
mod listeners;
mod membership;
mod names;
mod params;
mod service;
mod whose;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use fairway_crds::LoadBalancerState;
use k8s_openapi::{
    api::{core::v1::Service, networking::v1::Ingress},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

pub use alone::{Said, alone, class_params, is_ours_by_annotation};
pub use class::{
    AWS_CONTROLLER, CLASS_ANNOTATION, IN_CLUSTER_CLASS, IN_CLUSTER_CONTROLLER, service_provider,
};
pub use error::{Advice, ReadError};
pub use finalizer::finalizer;
pub use ingress::{backend_services, secrets};
pub use whose::why_not_ours;

use crate::{
    evaluate::LastGood,
    ids::{Key, Kind, ObjectRef, StackId, StackKey},
    intent::{Intent, Leaving, Member},
    note::Note,
    snapshot::Snapshot,
};
use membership::Membership;

/// What an installation calls its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadConfig {
    /// `--ingress-class`: value of the annotation `kubernetes.io/ingress.class` that means AWS. Empty: `alb`, and
    /// Ingresses without any class are ours as well.
    pub ingress_class: String,
    /// `--load-balancer-class`: `spec.loadBalancerClass` that means AWS.
    pub load_balancer_class: String,
}

impl Default for ReadConfig {
    fn default() -> Self {
        Self { ingress_class: "alb".to_owned(), load_balancer_class: "service.k8s.aws/nlb".to_owned() }
    }
}

/// An object that can be a member of a stack.
#[derive(Debug, Clone, Copy)]
pub enum Candidate<'a> {
    /// Of any class.
    Ingress(&'a Ingress),
    /// Of any type.
    Service(&'a Service),
}

impl Candidate<'_> {
    fn meta(&self) -> &ObjectMeta {
        match self {
            Self::Ingress(ingress) => &ingress.metadata,
            Self::Service(service) => &service.metadata,
        }
    }

    /// Its identity.
    #[must_use]
    pub fn object(&self) -> ObjectRef {
        let kind = match self {
            Self::Ingress(_) => Kind::Ingress,
            Self::Service(_) => Kind::Service,
        };
        ObjectRef::new(kind, key(self.meta()))
    }

    fn membership<'a>(&'a self, snapshot: &'a Snapshot, config: &ReadConfig) -> Membership<'a> {
        match self {
            Self::Ingress(ingress) => membership::of_ingress(snapshot, config, ingress),
            Self::Service(service) => membership::of_service(config, service),
        }
    }

    fn finalized_by(&self) -> BTreeSet<StackId> {
        finalizer::stacks(&self.object(), self.meta())
    }
}

fn key(meta: &ObjectMeta) -> Key {
    Key::new(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

/// Whether something may have been made for an object by this stack: it carries the stack's finalizer.
#[must_use]
pub fn is_finalized(snapshot: &Snapshot, object: &ObjectRef, stack: &StackId) -> bool {
    let found = match object.kind {
        Kind::Ingress => snapshot.ingresses.get(&object.key).map(|found| Candidate::Ingress(found)),
        Kind::Service => snapshot.services.get(&object.key).map(|found| Candidate::Service(found)),
        _ => None,
    };
    found.is_some_and(|candidate| candidate.finalized_by().contains(stack))
}

/// The stacks that an object belongs to, leaves, or is reported in: all that have to be looked at when it changes.
#[must_use]
pub fn stacks_of(snapshot: &Snapshot, config: &ReadConfig, candidate: Candidate<'_>) -> BTreeSet<StackId> {
    let mut stacks = candidate.finalized_by();
    stacks.extend(candidate.membership(snapshot, config).home().cloned());
    stacks
}

/// Every stack that has members, is being left, or of which a state object is known.
#[must_use]
pub fn stacks(snapshot: &Snapshot, config: &ReadConfig) -> BTreeSet<StackId> {
    let ingresses = snapshot.ingresses.values().map(|ingress| Candidate::Ingress(ingress));
    let services = snapshot.services.values().map(|service| Candidate::Service(service));
    let members = ingresses.chain(services).flat_map(|candidate| stacks_of(snapshot, config, candidate));
    members.chain(snapshot.states.values().filter_map(|state| stack_of_state(state))).collect()
}

/// The stack whose state an object is. `None` when it names none that can be.
#[must_use]
pub fn stack_of_state(state: &LoadBalancerState) -> Option<StackId> {
    StackId::parse(&state.spec.stack)
}

/// Reads a stack's members, each alone, and says what there is to say about them. Notes are sorted and no two alike.
#[must_use]
pub fn intent(
    snapshot: &Snapshot,
    config: &ReadConfig,
    stack: &StackId,
    last_good: &LastGood,
) -> (Intent, Vec<Note>) {
    let mut reading =
        Reading { snapshot, config, stack, last_good, intent: empty(stack), notes: BTreeSet::new() };
    match &stack.key {
        StackKey::Group(_) => {
            for ingress in snapshot.ingresses.values() {
                reading.add(Candidate::Ingress(ingress));
            }
        }
        StackKey::Ingress(key) => {
            snapshot.ingresses.get(key).into_iter().for_each(|found| reading.add(Candidate::Ingress(found)));
        }
        StackKey::Service(key) => {
            snapshot.services.get(key).into_iter().for_each(|found| reading.add(Candidate::Service(found)));
        }
    }
    reading.intent.members.sort_by_cached_key(|member| (member.order, member.object.key.to_string()));
    (reading.intent, reading.notes.into_iter().collect())
}

/// The readings to keep for the next look: all of the intent, held ones as they were.
#[must_use]
pub fn good(intent: &Intent) -> BTreeMap<String, Member> {
    let keep = |member: &Member| (member.object.to_string(), Member { held: false, ..member.clone() });
    intent.members.iter().map(keep).collect()
}

fn empty(stack: &StackId) -> Intent {
    Intent { stack: stack.clone(), members: Vec::new(), unreadable: Vec::new(), leaving: Vec::new() }
}

/// What reading one object gave: a member or what is wrong with it, and advice either way.
struct MemberReading {
    member: Result<Member, Vec<ReadError>>,
    advice: Vec<(ObjectRef, Advice)>,
}

struct Reading<'a> {
    snapshot: &'a Snapshot,
    config: &'a ReadConfig,
    stack: &'a StackId,
    last_good: &'a LastGood,
    intent: Intent,
    notes: BTreeSet<Note>,
}

impl Reading<'_> {
    fn add(&mut self, candidate: Candidate<'_>) {
        let finalized = candidate.finalized_by().contains(self.stack);
        match candidate.membership(self.snapshot, self.config) {
            Membership::Active(stack, serving) if stack == *self.stack => {
                let read = match candidate {
                    Candidate::Ingress(ingress) => {
                        ingress::read(self.snapshot, self.stack, &serving, ingress)
                    }
                    Candidate::Service(service) => service::read(self.stack, service),
                };
                self.take(&candidate, read);
            }
            Membership::Unclear { home, error } if finalized || home.as_ref() == Some(self.stack) => {
                self.hold(&candidate, vec![error]);
            }
            membership if finalized => self.intent.leaving.push(Leaving {
                object: candidate.object(),
                successor: match membership {
                    Membership::Active(stack, _) => Some(stack),
                    Membership::Unclear { .. } | Membership::None => None,
                },
            }),
            _ => {}
        }
    }

    fn take(&mut self, candidate: &Candidate<'_>, read: MemberReading) {
        self.notes.extend(read.advice.iter().map(|(about, advice)| Note::warn(about, advice)));
        match read.member {
            Ok(member) => self.intent.members.push(member),
            Err(errors) => self.hold(candidate, errors),
        }
    }

    fn hold(&mut self, candidate: &Candidate<'_>, errors: Vec<ReadError>) {
        let object = candidate.object();
        self.notes.extend(errors.iter().map(|error| Note::hold(&object, error)));
        let uid = candidate.meta().uid.as_deref().unwrap_or_default();
        // A reading of an object that is gone says nothing about another one of the same name.
        match self.last_good.members.get(&object.to_string()).filter(|member| member.uid == uid) {
            Some(member) => self.intent.members.push(Member { held: true, ..member.clone() }),
            None => self.intent.unreadable.push(object),
        }
    }
}

#[cfg(test)]
mod tests;
