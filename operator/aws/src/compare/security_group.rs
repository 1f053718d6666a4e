//! A managed security group: permissions are told apart by protocol, ports and source; a description is no difference.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{Permission, SecurityGroup, Source},
    observed::SecurityGroupSeen,
    ownership::Owned,
    stack::StackOp,
};

type Identity<'a> = (&'a str, Option<i32>, Option<i32>, &'a Source);

/// When a door is opened or shut.
#[derive(Debug)]
pub(crate) enum Door {
    /// Before anything else.
    Now(StackOp),
    /// Once nobody is served through it any more.
    Later(StackOp),
}

/// What to authorize, then what to revoke: at once, but for ports of listeners that are yet to go.
pub(crate) fn changes(
    want: &SecurityGroup,
    have: &Owned<SecurityGroupSeen>,
    leaving: &BTreeSet<i32>,
) -> Vec<Door> {
    let missing = without(&want.permissions, &have.get().permissions);
    let extra = without(&have.get().permissions, &want.permissions);
    let is_leaving = |permission: &Permission| permission.from.is_some_and(|port| leaving.contains(&port));
    let (later, now): (BTreeSet<_>, BTreeSet<_>) = extra.into_iter().partition(is_leaving);
    let revoke = |permissions| StackOp::RevokeIngress(have.clone(), permissions);
    let mut doors = Vec::new();
    if !missing.is_empty() {
        let reference = crate::model::Ref::new(want.name.clone());
        doors.push(Door::Now(StackOp::AuthorizeIngress(reference, missing)));
    }
    doors.extend((!now.is_empty()).then(|| Door::Now(revoke(now))));
    doors.extend((!later.is_empty()).then(|| Door::Later(revoke(later))));
    doors
}

/// Permissions of `all` that `others` do not have.
pub(crate) fn without(all: &BTreeSet<Permission>, others: &BTreeSet<Permission>) -> BTreeSet<Permission> {
    let others: BTreeMap<Identity<'_>, ()> = others.iter().map(|other| (identity(other), ())).collect();
    all.iter().filter(|permission| !others.contains_key(&identity(permission))).cloned().collect()
}

fn identity(permission: &Permission) -> Identity<'_> {
    (&permission.protocol, permission.from, permission.to, &permission.source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(port: i32, source: &str, description: &str) -> Permission {
        Permission {
            protocol: "tcp".to_owned(),
            from: Some(port),
            to: Some(port),
            source: Source::Cidr(source.to_owned()),
            description: description.to_owned(),
        }
    }

    #[test]
    fn a_description_is_no_difference() {
        let want = BTreeSet::from([permission(80, "0.0.0.0/0", ""), permission(443, "0.0.0.0/0", "")]);
        let have = BTreeSet::from([permission(80, "0.0.0.0/0", "by hand"), permission(22, "10.0.0.0/8", "")]);
        assert_eq!(without(&want, &have), BTreeSet::from([permission(443, "0.0.0.0/0", "")]));
        assert_eq!(without(&have, &want), BTreeSet::from([permission(22, "10.0.0.0/8", "")]));
    }
}
