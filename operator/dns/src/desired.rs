//! Record sets from wishes: the model of one zone.
//!
//! A load balancer of AWS becomes an alias A to its own zone id, and an alias AAAA only when it is dual-stack.
//! external-dns makes the AAAA always; one that is there already stays until something else of its name changes, so
//! that taking a zone over changes nothing. Addresses become A and AAAA, other host names a CNAME.

use std::collections::BTreeSet;

use fairway_core::{
    class::{Class, Classified},
    ids::ObjectRef,
    note::Note,
    settings::Provenance,
};
use serde::{Deserialize, Serialize};

use crate::{
    name::Name,
    record::{Alias, Content, RecordSet, RecordType, Routing},
    wish::{Award, Target, Targets, Wish},
    zone::ZoneId,
};

/// Seconds, where no object says otherwise; what external-dns uses.
pub const DEFAULT_TTL: u32 = 300;

/// What is wanted of one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneModel {
    /// Which zone.
    pub zone: ZoneId,
    /// Its name.
    pub apex: Name,
    /// Our owner id.
    pub owner: String,
    /// In the order of names, then of set identifiers.
    pub names: Vec<Desired>,
    /// Ownership labels of objects that could not be read: nothing of theirs is deleted.
    pub held: BTreeSet<String>,
}

/// What is wanted of one name and set identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// The name.
    pub name: Name,
    /// `None`: simple routing.
    pub routing: Option<Routing>,
    /// Everybody who asks for it, the holder first. Never empty.
    pub asked_by: Vec<ObjectRef>,
    /// Where it was written first.
    pub from: Provenance,
    /// What has to be there.
    pub wanted: Wanted,
    /// Whether it is a proof: see [`Wish::proof`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proof: bool,
}

/// What has to be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// What is there stays: where the name should point is not known now.
    AsIs,
    /// Exactly these.
    Records {
        /// One a type.
        records: Vec<RecordSet>,
        /// Whether somebody asked for this TTL.
        ttl_matters: bool,
        /// Not made, but left alone while nothing else of the name changes.
        tolerated: Vec<RecordSet>,
    },
}

/// A name that cannot point where it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is the apex of a zone and cannot be a CNAME to {target}")]
struct ApexCname {
    name: Name,
    target: Name,
}

impl Classified for ApexCname {
    fn class(&self) -> Class {
        Class::Invalid
    }

    fn code(&self) -> &'static str {
        "ApexCname"
    }
}

/// What one award asks of a zone.
///
/// # Errors
/// A note for everybody who asks, when the zone cannot hold it.
pub fn desire(award: &Award, apex: &Name) -> Result<Desired, Vec<Note>> {
    let wish = &award.wish;
    let wanted = match &wish.targets {
        Targets::Pending => Wanted::AsIs,
        Targets::Published(targets) => records(wish, targets, apex).map_err(|error| {
            award.asked_by.iter().map(|object| Note::warn(object, &error)).collect::<Vec<_>>()
        })?,
    };
    Ok(Desired {
        name: wish.name.clone(),
        routing: wish.routing.clone(),
        asked_by: award.asked_by.clone(),
        from: wish.from.clone(),
        wanted,
        proof: wish.proof,
    })
}

fn records(wish: &Wish, targets: &[Target], apex: &Name) -> Result<Wanted, ApexCname> {
    let targets: BTreeSet<&Target> = targets.iter().collect();
    let set = |kind: RecordType, content: Content| RecordSet {
        name: wish.name.clone(),
        kind,
        routing: wish.routing.clone(),
        content,
    };
    let ttl = wish.ttl.unwrap_or(DEFAULT_TTL);
    let (mut records, mut tolerated) = (Vec::new(), Vec::new());
    let (mut v4, mut v6, mut host) = (Vec::new(), Vec::new(), None);
    for target in targets {
        match target {
            // An alias has one target: the first load balancer in the order of host names.
            Target::LoadBalancer { .. } if !records.is_empty() => {}
            Target::LoadBalancer { host, zone_id, dual_stack } => {
                let alias = Content::Alias(Alias {
                    target: host.clone(),
                    zone_id: zone_id.clone(),
                    evaluate_target_health: wish.evaluate_target_health,
                });
                records.push(set(RecordType::A, alias.clone()));
                let list = if *dual_stack { &mut records } else { &mut tolerated };
                list.push(set(RecordType::Aaaa, alias));
            }
            Target::Ip(ip) if ip.is_ipv4() => v4.push(ip.to_string()),
            Target::Ip(ip) => v6.push(ip.to_string()),
            Target::Host(name) => {
                host.get_or_insert(name);
            }
        }
    }
    if records.is_empty() {
        let values =
            [(RecordType::A, v4), (RecordType::Aaaa, v6)].into_iter().filter(|(_, list)| !list.is_empty());
        records.extend(values.map(|(kind, values)| set(kind, Content::Values { ttl, values })));
    }
    match host {
        // A CNAME excludes every other type, so addresses win over it.
        Some(target) if records.is_empty() => {
            if wish.name == *apex {
                return Err(ApexCname { name: wish.name.clone(), target: target.clone() });
            }
            let values = vec![target.to_string()];
            records.push(set(RecordType::Cname, Content::Values { ttl, values }));
        }
        _ => {}
    }
    Ok(Wanted::Records { records, ttl_matters: wish.ttl.is_some(), tolerated })
}
