//! Who asks for which name, and who gets it.
//!
//! A name has one holder: the oldest object that asks for it, by creation time, then by `namespace/name`. Objects that
//! ask for the same with the same targets (Ingresses of one group, for one) hold it together. Routed record sets of
//! different set identifiers stand side by side.

use std::{collections::BTreeMap, net::IpAddr};

use fairway_core::{
    class::{Class, Classified},
    ids::{Key, ObjectRef},
    note::Note,
    settings::Provenance,
};
use serde::{Deserialize, Serialize};

use crate::{name::Name, record::Routing};

/// One object's wish for one name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Wish {
    /// Who asks, and where that is written.
    pub from: Provenance,
    /// `metadata.creationTimestamp`, RFC 3339 in UTC; `None` is younger than all.
    pub created: Option<String>,
    /// The name.
    pub name: Name,
    /// Where it should point.
    pub targets: Targets,
    /// Seconds; `None` leaves it to the default and to whoever set it. Aliases have none.
    pub ttl: Option<u32>,
    /// Whether an alias follows the health of its target.
    pub evaluate_target_health: bool,
    /// `None`: simple routing.
    pub routing: Option<Routing>,
    /// Whether it shows a certificate authority that the domain is ours: it belongs into public zones alone, who wrote it
    /// does not matter, and it stays, as other certificates of the domain are renewed by it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proof: bool,
}

/// Where a name should point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Targets {
    /// No address is published yet, or none any more while the object still asks: what is there stays.
    Pending,
    /// All addresses of the load balancer, which is active.
    Published(Vec<Target>),
}

/// One address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A load balancer of AWS: reached by an alias.
    LoadBalancer {
        /// Its DNS name.
        host: Name,
        /// The hosted zone of that name, as AWS reports it.
        zone_id: String,
        /// Whether it has IPv6 addresses.
        dual_stack: bool,
    },
    /// An address.
    Ip(IpAddr),
    /// A name elsewhere: reached by a CNAME.
    Host(Name),
}

/// A name and who gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Award {
    /// What the holder asks for.
    pub wish: Wish,
    /// Everybody who asks for the same, the holder first.
    pub asked_by: Vec<ObjectRef>,
}

/// Two objects want one name for different things.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is asked for by {holder} too, which is older and keeps it")]
struct Taken {
    name: Name,
    holder: ObjectRef,
}

impl Classified for Taken {
    fn class(&self) -> Class {
        Class::Conflict
    }

    fn code(&self) -> &'static str {
        "HostnameConflict"
    }
}

/// Gives every name to the oldest that asks for it, and tells the others. The order of the wishes means nothing.
#[must_use]
pub fn award(mut wishes: Vec<Wish>) -> (Vec<Award>, Vec<Note>) {
    wishes.sort_by(|a, b| seniority(a).cmp(&seniority(b)).then_with(|| a.cmp(b)));
    let (mut awards, mut notes) = (BTreeMap::<&Name, Vec<Award>>::new(), Vec::new());
    for wish in &wishes {
        let holders = awards.entry(&wish.name).or_default();
        match holders.iter().position(|held| clashes(&held.wish, wish)) {
            None => holders.push(Award { wish: wish.clone(), asked_by: vec![wish.from.object.clone()] }),
            Some(position) => {
                let Some(held) = holders.get_mut(position) else { continue };
                if held.asked_by.contains(&wish.from.object) {
                    continue;
                }
                if held.wish.targets == wish.targets && held.wish.routing == wish.routing {
                    held.asked_by.push(wish.from.object.clone());
                } else {
                    let holder = held.wish.from.object.clone();
                    notes.push(Note::warn(&wish.from.object, &Taken { name: wish.name.clone(), holder }));
                }
            }
        }
    }
    notes.sort();
    notes.dedup();
    (awards.into_values().flatten().collect(), notes)
}

/// Creation time first; then who, so that equal times give one answer.
fn seniority(wish: &Wish) -> (bool, Option<&str>, &Key) {
    (wish.created.is_none(), wish.created.as_deref(), &wish.from.object.key)
}

/// Whether two wishes for one name cannot both be there as they are.
fn clashes(held: &Wish, wish: &Wish) -> bool {
    match (&held.routing, &wish.routing) {
        (Some(held), Some(wish)) => held.set_identifier == wish.set_identifier,
        _ => true,
    }
}
