//! Security groups beside the first: which there are, and what is in which.

use std::collections::{BTreeMap, BTreeSet};

use super::spread::{self, FIRST, Room};
use crate::{
    compare::Claimed,
    lower::{LowerError, Lowered},
    model::{Permission, Ref, SecurityGroup, SecurityGroupRef, StackModel},
    naming, tags,
};

/// AWS puts no more on one interface, whatever an account was granted.
const MOST: usize = 16;

/// Spreads the permissions of `model`, whose first group has been taken over. Whether applying it is all there is to do.
///
/// # Errors
/// They do not fit.
pub(super) fn adopt(
    model: &mut StackModel,
    lowered: &Lowered,
    (claimed, resource_key): (&Claimed, &str),
    room: Room<'_>,
) -> Result<bool, LowerError> {
    let (Some(first), Some(made)) = (&mut model.security_group, &lowered.model.security_group) else {
        return Ok(true);
    };
    let names = names(claimed, (&first.name, &made.name), resource_key);
    let there = |name: &String| Some(claimed.security_groups.get(name)?.get().permissions.clone());
    let have: BTreeMap<usize, BTreeSet<Permission>> =
        names.iter().filter_map(|(number, name)| Some((*number, there(name)?))).collect();
    let spread = spread::spread(&first.permissions, &have, room)?;
    for (number, permissions) in spread.groups {
        if number == FIRST {
            first.permissions = permissions;
            continue;
        }
        let generated = || naming::further_security_group(&made.name, number);
        let mut tags = made.tags.clone();
        tags.insert(resource_key.to_owned(), tags::security_group(number));
        let name = names.get(&number).cloned().unwrap_or_else(generated);
        model.further_security_groups.push(SecurityGroup { name, permissions, tags, ..made.clone() });
    }
    carry(model);
    Ok(spread.settled)
}

/// Names by number: the first group's, and those of others that are there. Whose resource id somebody removed is told by
/// its name.
fn names(claimed: &Claimed, (first, made): (&str, &str), resource_key: &str) -> BTreeMap<usize, String> {
    let mut names = BTreeMap::from([(FIRST, first.to_owned())]);
    for (name, seen) in &claimed.security_groups {
        let number = match seen.get().tags.get(resource_key) {
            Some(role) => tags::further_security_group(role),
            None => (FIRST + 1..=MOST).find(|one| naming::further_security_group(made, *one) == *name),
        };
        if let Some(number) = number {
            names.entry(number).or_insert_with(|| name.clone());
        }
    }
    names
}

/// The load balancer carries all of them, in order; what stands in front does where it shares the first.
fn carry(model: &mut StackModel) {
    let further = model.further_security_groups.iter();
    let further: Vec<SecurityGroupRef> =
        further.map(|group| SecurityGroupRef::Managed(Ref::new(group.name.clone()))).collect();
    let front = model.frontend.iter_mut().map(|front| &mut front.load_balancer);
    for balancer in model.load_balancer.iter_mut().chain(front) {
        let groups = &mut balancer.security_groups;
        if let Some(first) = groups.iter().position(|one| matches!(one, SecurityGroupRef::Managed(_))) {
            groups.splice(first + 1..first + 1, further.clone());
        }
    }
}
