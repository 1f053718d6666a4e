//! Permissions that do not fit one security group are spread over several.
//!
//! | what                          | where it is                                                    |
//! |-------------------------------|----------------------------------------------------------------|
//! | a permission that is there    | where it is, whatever else comes or goes                       |
//! | one that is new               | in the first group with room, beside what is yet to be revoked |
//! | one that finds no room        | in a further group; without another to be had, it waits for what is revoked |
//! | all of a further group        | in those before it, once they have room: then the group goes   |
//!
//! The first group is the peer's. What is revoked makes room only for the next look, because what is new is allowed
//! first: [`Spread::settled`] says whether there has to be one.
//! Counted: one a permission, a prefix list as often as it may have entries; both address families together, which is
//! never less than what AWS counts.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    compare::security_group::without,
    config::{Quota, Quotas},
    lower::{LowerError, limits::security_groups, security_group::weight},
    model::Permission,
};

/// The first security group; others are numbered from 2.
pub(super) const FIRST: usize = 1;

/// What fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room<'a> {
    pub(super) quotas: &'a Quotas,
    /// Entries that prefix lists may have, by id.
    pub(super) entries: &'a BTreeMap<String, usize>,
    /// Whether nothing may be taken away.
    pub(super) frozen: bool,
}

/// Which permissions are in which group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spread {
    /// By number, the first always among them.
    pub(super) groups: BTreeMap<usize, BTreeSet<Permission>>,
    /// Whether applying it is all there is to do.
    pub(super) settled: bool,
}

/// Spreads what is wanted over what is there, by number, and what has to be made.
///
/// # Errors
/// It does not fit, whatever is revoked.
pub(super) fn spread(
    want: &BTreeSet<Permission>,
    have: &BTreeMap<usize, BTreeSet<Permission>>,
    room: Room<'_>,
) -> Result<Spread, LowerError> {
    let mut pots = Pots::of(want, have, room);
    let waiting = pots.place(want);
    if !waiting.is_empty() {
        pots.check(want, &waiting)?;
    }
    let dissolved = room.frozen || pots.dissolve();
    let groups = pots.pots.into_iter().map(|(number, pot)| (number, pot.want)).collect();
    Ok(Spread { groups, settled: waiting.is_empty() && dissolved })
}

/// A group in the making.
#[derive(Debug, Clone, Default)]
struct Pot {
    want: BTreeSet<Permission>,
    /// What is in it and is not wanted there: it takes room until it is revoked.
    unwanted: usize,
}

struct Pots<'a> {
    pots: BTreeMap<usize, Pot>,
    room: Room<'a>,
}

impl<'a> Pots<'a> {
    /// What is there and wanted stays where it is; of two places, in the first.
    fn of(want: &BTreeSet<Permission>, have: &BTreeMap<usize, BTreeSet<Permission>>, room: Room<'a>) -> Self {
        let mut left = want.clone();
        let mut pots = BTreeMap::from([(FIRST, Pot::default())]);
        for (number, have) in have {
            let gone = without(&left, have);
            let kept: BTreeSet<Permission> = left.difference(&gone).cloned().collect();
            let unwanted = without(have, &kept).iter().map(|one| weight(one, room.entries)).sum();
            left = gone;
            pots.insert(*number, Pot { want: kept, unwanted });
        }
        Self { pots, room }
    }

    /// Places what is in no group yet, and gives back what finds no room.
    fn place(&mut self, want: &BTreeSet<Permission>) -> BTreeSet<Permission> {
        let placed: BTreeSet<Permission> = self.pots.values().flat_map(|pot| pot.want.clone()).collect();
        let new = want.difference(&placed).cloned();
        new.filter(|permission| !self.put(permission, usize::MAX)).collect()
    }

    /// Puts a permission into the first group before `end` that has room, or into one more.
    fn put(&mut self, permission: &Permission, end: usize) -> bool {
        let (weight, most) = (weight(permission, self.room.entries), self.most());
        let fits = |pot: &Pot| pot.unwanted + load(self.room, &pot.want) + weight <= most;
        let found = self.pots.range(..end).find(|(_, pot)| fits(pot)).map(|(number, _)| *number);
        let free = || {
            let numbers = FIRST..=self.room.quotas.managed_security_groups();
            numbers.into_iter().find(|number| !self.pots.contains_key(number) && *number < end)
        };
        let number = found.or_else(|| free().filter(|_| weight <= most && end == usize::MAX));
        let pot = number.map(|number| self.pots.entry(number).or_default());
        pot.is_some_and(|pot| pot.want.insert(permission.clone()))
    }

    fn most(&self) -> usize {
        self.room.quotas.most(Quota::SecurityGroupRules)
    }

    /// What waits has to fit once everything unwanted is revoked.
    fn check(&self, want: &BTreeSet<Permission>, waiting: &BTreeSet<Permission>) -> Result<(), LowerError> {
        let mut later = self.revoked();
        let fits = !self.room.frozen && waiting.iter().all(|permission| later.put(permission, usize::MAX));
        fits.then_some(()).ok_or_else(|| {
            let groups = self.room.quotas.managed_security_groups();
            LowerError::LimitExceeded {
                what: format!("permissions in {}", security_groups(self.room.quotas)),
                needed: load(self.room, want),
                most: groups * self.most(),
                quota: Quota::SecurityGroupRules.as_str(),
            }
        })
    }

    /// The same, once everything unwanted is revoked.
    fn revoked(&self) -> Pots<'a> {
        let pot = |pot: &Pot| Pot { unwanted: 0, want: pot.want.clone() };
        let pots = self.pots.iter().map(|(number, old)| (*number, pot(old))).collect();
        Pots { pots, room: self.room }
    }

    /// Moves the last groups into those before them, where there is room. Whether none is left that will have to.
    fn dissolve(&mut self) -> bool {
        let last_first: Vec<usize> = self.pots.keys().rev().copied().filter(|one| *one != FIRST).collect();
        let mut settled = true;
        for number in last_first {
            match (self.without(number), self.revoked().without(number)) {
                (Some(pots), _) => self.pots = pots,
                (None, Some(_)) => settled = false,
                (None, None) => {}
            }
        }
        settled
    }

    /// The groups without one of them, if its permissions fit those before it.
    fn without(&self, number: usize) -> Option<BTreeMap<usize, Pot>> {
        let mut rest = Pots { pots: self.pots.clone(), room: self.room };
        let gone = rest.pots.remove(&number)?;
        gone.want.iter().all(|permission| rest.put(permission, number)).then_some(rest.pots)
    }
}

fn load(room: Room<'_>, permissions: &BTreeSet<Permission>) -> usize {
    permissions.iter().map(|permission| weight(permission, room.entries)).sum()
}

#[cfg(test)]
mod tests;
