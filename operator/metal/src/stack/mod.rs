//! The Stack unit in the cluster: an address of its own, live before it is published, gone after its names.
//!
//! What nodes serve and announce is computed by every agent from the same objects (see [`crate::program`]). What is
//! decided here is the address, and when members may show it: an agent says in the state's `Announced` condition that
//! it answers for the address, and only then do statuses and records follow.

mod op;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use fairway_core::{
    class::{Class, Classified},
    evaluate::{Address, AddressWish, Evaluation, Finalizers, Input, LastGood, Provider, StatusWish, Step},
    ids::{Key, Kind, ObjectRef, StackId, sha256_hex},
    intent::{Ask, Intent, Member},
    note::Note,
    plan::{Bindings, Handle, Plan, ResourceKey, Wait},
    read,
    snapshot::Snapshot,
};
use serde::{Deserialize, Serialize};

pub use op::AddressOp;

use crate::{
    allocate::{Given, Wish, allocate, keeps},
    announced::announcers,
    clients,
    election::candidates,
    pool::{Pool, pools},
    program::servable_path,
};

/// Kind of an address in resource keys.
const ADDRESS: &str = "address";

/// The provider of in-cluster stacks.
#[derive(Debug, Clone, Copy)]
pub enum Stacks {}

/// What does not change while the process runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// How objects are read.
    pub read: read::ReadConfig,
}

/// What has to be known to give out an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Query {
    /// Every address that is given out, as the API server has it now: a watch may not show our own last write yet.
    Given,
}

/// What a stack is: its address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackModel {
    /// `None`: nothing is wanted any more.
    pub address: Option<IpAddr>,
}

/// Why members cannot show their address yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StackError {
    /// No agent has said that it answers for the address.
    #[error("no node announces {0} yet")]
    NotAnnounced(IpAddr),
    /// Nobody will.
    #[error("no L2Advertisement selects the IPAddressPool of {0}: no node announces it")]
    NotAdvertised(IpAddr),
    /// Nobody can.
    #[error("no node may announce {0}: the L2Advertisements of its IPAddressPool select none that can")]
    NoAnnouncer(IpAddr),
    /// A pattern of another provider.
    #[error(
        "path {0:?} is a pattern that is not served in the cluster: requests for it go where they would without it"
    )]
    PathNotPortable(String),
    /// Two members ask for different addresses or pools.
    #[error("{0} asks for another address than the members before it")]
    Differs(ObjectRef),
    /// A Service cannot be served yet.
    #[error("Services are not served in the cluster yet")]
    Layer4,
}

impl Classified for StackError {
    fn class(&self) -> Class {
        match self {
            Self::NotAnnounced(_) => Class::Pending,
            Self::NotAdvertised(_) | Self::NoAnnouncer(_) => Class::Environment,
            Self::Differs(_) => Class::Conflict,
            Self::PathNotPortable(_) | Self::Layer4 => Class::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotAnnounced(_) => "NotAnnounced",
            Self::NotAdvertised(_) => "NotAdvertised",
            Self::NoAnnouncer(_) => "NoAnnouncer",
            Self::PathNotPortable(_) => "PathNotPortable",
            Self::Differs(_) => "AddressConflict",
            Self::Layer4 => "ServiceNotServed",
        }
    }
}

impl Provider for Stacks {
    type Unit = StackId;
    type Config = Config;
    type Query = Query;
    type Answer = Given;
    type Scope = ();
    type Observed = ();
    type Model = StackModel;
    type Op = AddressOp;

    fn evaluate(input: &Input<'_, Self>) -> Step<Self> {
        let (intent, mut notes) =
            read::intent(input.snapshot, &input.config.read, input.unit, input.last_good);
        let (intent, held) = clients::agree(intent, input.last_good);
        notes.extend(held);
        let (pools, pool_notes) = pools(input.snapshot);
        notes.extend(pool_notes);
        notes.extend(unserved(&intent));
        let held: BTreeSet<IpAddr> = present(input);
        if intent.members.is_empty() && intent.unreadable.is_empty() {
            let leave = leave(&intent, input.last_good, notes, &held);
            return Step::Done(Box::new(leave));
        }
        let wish = wish(input.snapshot, &intent, &mut notes);
        let kept = held.iter().copied().find(|address| keeps(input.snapshot, &pools, &wish, *address));
        // An address whose pool was taken away stays until somebody says what else is wanted: nothing is re-addressed
        // silently.
        let stays = kept.or_else(|| held.iter().copied().next().filter(|_| wish.address.is_none()));
        let address = match stays {
            Some(address) => Some(address),
            None => match input.facts.get(&Query::Given) {
                None => return Step::NeedFacts(vec![Query::Given]),
                Some(given) => new_address(input, &intent, &pools, &wish, given, &mut notes),
            },
        };
        Step::Done(Box::new(stay(input, &intent, notes, &held, address)))
    }
}

/// What is read but not served: its authors are told.
fn unserved(intent: &Intent) -> Vec<Note> {
    let of_member = |member: &Member| match &member.ask {
        Ask::L4(_) => vec![Note::warn(&member.object, &StackError::Layer4)],
        Ask::Http(ask) => {
            let lost =
                ask.routes.iter().filter(|route| servable_path(route.path_type, &route.path).is_none());
            lost.map(|route| Note::warn(&member.object, &StackError::PathNotPortable(route.path.clone())))
                .collect()
        }
    };
    intent.members.iter().flat_map(of_member).collect()
}

/// Addresses that the stack's state records.
fn present(input: &Input<'_, Stacks>) -> BTreeSet<IpAddr> {
    recorded(input.last_good.resources.keys().map(String::as_str))
}

/// Addresses among recorded resource keys.
#[must_use]
pub fn recorded<'a>(keys: impl Iterator<Item = &'a str>) -> BTreeSet<IpAddr> {
    keys.filter_map(|key| key.strip_prefix("address/")?.parse().ok()).collect()
}

fn wish(snapshot: &Snapshot, intent: &Intent, notes: &mut Vec<Note>) -> Wish {
    let mut wish = Wish::default();
    for member in &intent.members {
        wish.namespaces.insert(member.object.key.namespace.clone());
        let asked = asked_address(snapshot, &member.object);
        match (wish.address, asked) {
            (Some(first), Some(other)) if first != other => {
                notes.push(Note::warn(&member.object, &StackError::Differs(member.object.clone())));
            }
            (None, asked) => wish.address = asked,
            _ => {}
        }
        for pool in asked_pools(snapshot, &member.object) {
            if !wish.pools.contains(&pool) {
                wish.pools.push(pool);
            }
        }
    }
    wish
}

fn annotation<'a>(snapshot: &'a Snapshot, object: &ObjectRef, keys: [&str; 2]) -> Option<&'a str> {
    let ingress = (object.kind == Kind::Ingress).then(|| snapshot.ingresses.get(&object.key))??;
    let annotations = ingress.metadata.annotations.as_ref()?;
    keys.into_iter().find_map(|key| annotations.get(key)).map(|value| value.trim())
}

fn asked_address(snapshot: &Snapshot, object: &ObjectRef) -> Option<IpAddr> {
    annotation(snapshot, object, ["metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs"])?
        .parse()
        .ok()
}

/// Pools named by the object, else by its class.
fn asked_pools(snapshot: &Snapshot, object: &ObjectRef) -> Vec<String> {
    let named = annotation(snapshot, object, ["metallb.io/address-pool", "metallb.universe.tf/address-pool"]);
    if let Some(pool) = named {
        return vec![pool.to_owned()];
    }
    let class = || {
        let ingress = snapshot.ingresses.get(&object.key)?;
        let name = ingress.spec.as_ref()?.ingress_class_name.as_ref()?;
        let class = snapshot.ingress_classes.get(&Key::cluster(name))?;
        let parameters = class.spec.as_ref()?.parameters.as_ref()?;
        let params = snapshot.in_cluster_class_params.get(&Key::cluster(&parameters.name))?;
        Some(params.spec.ip_address_pools.clone())
    };
    class().unwrap_or_default()
}

fn new_address(
    input: &Input<'_, Stacks>,
    intent: &Intent,
    pools: &[Pool],
    wish: &Wish,
    given: &Given,
    notes: &mut Vec<Note>,
) -> Option<IpAddr> {
    match allocate(input.snapshot, pools, input.unit, wish, given) {
        Ok(address) => Some(address),
        Err(error) => {
            notes.extend(intent.members.iter().map(|member| Note::warn(&member.object, &error)));
            None
        }
    }
}

/// The evaluation of a stack that has members.
fn stay(
    input: &Input<'_, Stacks>,
    intent: &Intent,
    mut notes: Vec<Note>,
    held: &BTreeSet<IpAddr>,
    address: Option<IpAddr>,
) -> Evaluation<Stacks> {
    let mut plan = Plan::default();
    let assigned = address
        .filter(|address| !held.contains(address))
        .map(|address| plan.push(AddressOp::Assign { stack: input.unit.clone(), address }, []));
    let live = address.filter(|address| is_announced(input.snapshot, input.unit, *address));
    // Nothing is given back before its replacement is reachable.
    for old in held.iter().filter(|old| live.is_some_and(|live| live != **old)) {
        let waits = vec![Wait::RecordsGone(old.to_string())];
        plan.push_waiting(
            AddressOp::Release { stack: input.unit.clone(), address: *old },
            assigned,
            waits,
            Vec::new(),
        );
    }
    if let Some(address) = address.filter(|_| live.is_none()) {
        let why = silence(input.snapshot, address);
        notes.extend(intent.members.iter().map(|member| Note::warn(&member.object, &why)));
    }
    Evaluation {
        fingerprint: fingerprint(address),
        model: Some(StackModel { address }),
        plan,
        bindings: bindings(held, live),
        status: live.map(|address| wishes(intent, address)).unwrap_or_default(),
        finalizers: Finalizers {
            add: intent
                .members
                .iter()
                .map(|member| (member.object.clone(), member.finalizer.clone()))
                .collect(),
            // Another member has the address still: who leaves can go at once.
            remove: leaving(intent),
        },
        good: read::good(intent),
        notes,
        gone: false,
        again: None,
    }
}

/// The evaluation of a stack that nobody is a member of any more.
fn leave(
    intent: &Intent,
    last_good: &LastGood,
    notes: Vec<Note>,
    held: &BTreeSet<IpAddr>,
) -> Evaluation<Stacks> {
    let moved = intent.leaving.iter().filter(|leaving| leaving.successor.is_some());
    let successors: Vec<Wait> = moved.map(|leaving| Wait::SuccessorLive(leaving.object.clone())).collect();
    let mut plan = Plan::default();
    for address in held {
        let mut waits = successors.clone();
        waits.push(Wait::RecordsGone(address.to_string()));
        let op = AddressOp::Release { stack: intent.stack.clone(), address: *address };
        plan.push_waiting(op, [], waits, Vec::new());
    }
    Evaluation {
        fingerprint: fingerprint(None),
        model: Some(StackModel::default()),
        plan,
        bindings: bindings(held, None),
        notes,
        finalizers: Finalizers { add: Vec::new(), remove: leaving(intent) },
        status: Vec::new(),
        good: leavers(intent, last_good),
        gone: true,
        again: None,
    }
}

/// How those who leave were last served: so they are until their address is released, because names and clients still
/// lead to it.
pub(crate) fn leavers(intent: &Intent, last_good: &LastGood) -> BTreeMap<String, Member> {
    let names = intent.leaving.iter().map(|leaving| leaving.object.to_string());
    names.filter_map(|name| last_good.members.get(&name).cloned().map(|member| (name, member))).collect()
}

fn leaving(intent: &Intent) -> Vec<(ObjectRef, String)> {
    let finalizer = read::finalizer(&intent.stack);
    intent.leaving.iter().map(|leaving| (leaving.object.clone(), finalizer.clone())).collect()
}

/// Why nobody announces an address.
fn silence(snapshot: &Snapshot, address: IpAddr) -> StackError {
    let candidates = candidates(snapshot, address);
    match (candidates.advertised, candidates.nodes.is_empty()) {
        (false, _) => StackError::NotAdvertised(address),
        (true, true) => StackError::NoAnnouncer(address),
        (true, false) => StackError::NotAnnounced(address),
    }
}

fn is_announced(snapshot: &Snapshot, stack: &StackId, address: IpAddr) -> bool {
    let state = snapshot.states.get(&Key::cluster(&stack.state_name()));
    state.is_some_and(|state| announcers(state).contains_key(&address))
}

fn bindings(held: &BTreeSet<IpAddr>, live: Option<IpAddr>) -> Bindings {
    let handle = |address: &IpAddr| Handle {
        id: address.to_string(),
        ready: live == Some(*address),
        ..Handle::default()
    };
    held.iter().map(|address| (address_key(*address), handle(address))).collect()
}

/// How plans and states refer to an address.
#[must_use]
pub fn address_key(address: IpAddr) -> ResourceKey {
    ResourceKey::new(ADDRESS, &address.to_string())
}

fn wishes(intent: &Intent, address: IpAddr) -> Vec<StatusWish> {
    let served = intent.members.iter().filter(|member| matches!(member.ask, Ask::Http(_)));
    let wish = |member: &Member| StatusWish {
        object: member.object.clone(),
        addresses: vec![AddressWish { address: Address::Ip(address.to_string()), ports: Vec::new() }],
    };
    served.map(wish).collect()
}

fn fingerprint(address: Option<IpAddr>) -> String {
    sha256_hex([address.map(|address| address.to_string()).unwrap_or_default().as_str()])
}

#[cfg(test)]
mod tests;
