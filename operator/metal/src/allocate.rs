//! Which address a stack gets.
//!
//! An address that a stack has is kept as long as a pool holds it and accepts the stack's namespaces. Otherwise:
//! an address asked for by name exactly, or a pool asked for, or the pools in their order. Nothing is given twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use fairway_core::{
    class::{Class, Classified},
    ids::StackId,
    snapshot::Snapshot,
};

use crate::pool::Pool;

/// Addresses that are given out, by stack.
pub type Given = BTreeMap<String, BTreeSet<IpAddr>>;

/// What a stack asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Exactly this address.
    pub address: Option<IpAddr>,
    /// Only these pools, by name; empty means any that assigns by itself.
    pub pools: Vec<String>,
    /// Namespaces of the members: a pinned pool has to accept all of them.
    pub namespaces: BTreeSet<String>,
}

/// Why a stack has no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    /// No pool may be used for it.
    #[error("no IPAddressPool may be used: {0}")]
    NoPool(String),
    /// The pools that may be used are full.
    #[error("every address of {0} is taken")]
    Exhausted(String),
    /// The address asked for is in no pool that may be used.
    #[error("the address {0} is in no IPAddressPool that may be used")]
    NotInPool(IpAddr),
    /// The address asked for is another stack's.
    #[error("the address {address} is taken by {by}")]
    Taken {
        /// Which.
        address: IpAddr,
        /// By whom.
        by: String,
    },
}

impl Classified for AllocationError {
    fn class(&self) -> Class {
        match self {
            Self::NoPool(_) | Self::Exhausted(_) => Class::Environment,
            Self::NotInPool(_) => Class::Invalid,
            Self::Taken { .. } => Class::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoPool(_) => "NoAddressPool",
            Self::Exhausted(_) => "AddressPoolExhausted",
            Self::NotInPool(_) => "AddressNotInPool",
            Self::Taken { .. } => "AddressTaken",
        }
    }
}

/// Whether an address that a stack has may stay.
#[must_use]
pub fn keeps(snapshot: &Snapshot, pools: &[Pool], wish: &Wish, address: IpAddr) -> bool {
    wish.address.is_none_or(|asked| asked == address)
        && allowed(snapshot, pools, wish).into_iter().any(|pool| pool.contains(address))
}

/// The address of a stack that has none, given what others have.
///
/// # Errors
/// Why there is none.
pub fn allocate(
    snapshot: &Snapshot,
    pools: &[Pool],
    stack: &StackId,
    wish: &Wish,
    given: &Given,
) -> Result<IpAddr, AllocationError> {
    let others: BTreeMap<IpAddr, &String> = given
        .iter()
        .filter(|(owner, _)| **owner != stack.to_string())
        .flat_map(|(owner, addresses)| addresses.iter().map(move |address| (*address, owner)))
        .collect();
    let usable = allowed(snapshot, pools, wish);
    if usable.is_empty() {
        return Err(AllocationError::NoPool(none_because(pools, wish)));
    }
    if let Some(address) = wish.address {
        return match others.get(&address) {
            _ if !usable.iter().any(|pool| pool.contains(address)) => {
                Err(AllocationError::NotInPool(address))
            }
            Some(by) => Err(AllocationError::Taken { address, by: (*by).clone() }),
            None => Ok(address),
        };
    }
    let taken: BTreeSet<IpAddr> = others.into_keys().collect();
    let names = || usable.iter().map(|pool| pool.key.name.as_str()).collect::<Vec<_>>().join(", ");
    usable.iter().find_map(|pool| pool.first_free(&taken)).ok_or_else(|| AllocationError::Exhausted(names()))
}

fn allowed<'a>(snapshot: &Snapshot, pools: &'a [Pool], wish: &Wish) -> Vec<&'a Pool> {
    let named = |pool: &Pool| wish.pools.contains(&pool.key.name);
    let open = |pool: &Pool| wish.pools.is_empty() && (pool.auto_assign || wish.address.is_some());
    let accepts = |pool: &Pool| wish.namespaces.iter().all(|namespace| pool.accepts(snapshot, namespace));
    pools.iter().filter(|pool| (named(pool) || open(pool)) && accepts(pool)).collect()
}

fn none_because(pools: &[Pool], wish: &Wish) -> String {
    let names = pools.iter().map(|pool| pool.key.name.as_str()).collect::<Vec<_>>().join(", ");
    match (pools.is_empty(), wish.pools.is_empty()) {
        (true, _) => "there is none".to_owned(),
        (false, true) => format!("none of {names} assigns by itself to these namespaces"),
        (false, false) => format!("{} was asked for, there is {names}", wish.pools.join(", ")),
    }
}
