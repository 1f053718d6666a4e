//! Doors: managed security groups and what they let in.
//!
//! What is new is let in before anything is shut out. Of several groups it is let in only once the load balancer carries
//! them, so nothing is shut out before that.

use std::collections::BTreeSet;

use fairway_core::plan::{OpId, ResourceKey};

use super::Making;
use crate::{
    compare::{self, security_group::Door},
    model::{Ref, ResourceKind as _, SecurityGroup},
    observed::SecurityGroupSeen,
    ownership::Owned,
    stack::StackOp,
};

impl Making<'_> {
    pub(super) fn security_groups(&mut self) {
        let (leaving, several) = (self.leaving_ports(), self.several_groups());
        for want in self.input.model.own_groups() {
            match self.input.claimed.security_groups.get(&want.name) {
                None => self.make_group(want),
                Some(have) => self.change_group(want, have, &leaving),
            }
            if !several {
                self.shut(&BTreeSet::new());
            }
        }
    }

    /// Shuts out what is not let in any more, after these operations.
    pub(super) fn shut(&mut self, after: &BTreeSet<OpId>) {
        for op in std::mem::take(&mut self.doors_to_shut) {
            self.draft.switch_after(op, after);
        }
    }

    fn make_group(&mut self, want: &SecurityGroup) {
        self.draft.switch(StackOp::CreateSecurityGroup(want.clone()), Vec::new());
        if !want.permissions.is_empty() {
            let permissions = want.permissions.clone();
            self.draft
                .switch(StackOp::AuthorizeIngress(Ref::new(want.name.clone()), permissions), Vec::new());
        }
    }

    fn change_group(
        &mut self,
        want: &SecurityGroup,
        have: &Owned<SecurityGroupSeen>,
        leaving: &BTreeSet<i32>,
    ) {
        for door in compare::security_group::changes(want, have, leaving) {
            match door {
                Door::Now(op @ StackOp::RevokeIngress(..)) => {
                    self.doors_to_shut.extend(Some(op).filter(|_| !self.input.frozen));
                }
                Door::Now(op) => self.draft.switch(op, Vec::new()),
                Door::Later(op) => self.doors_to_close.push(op),
            }
        }
        let key = ResourceKey::new(SecurityGroup::KIND, &want.name);
        self.retag(key, &have.get().id, &want.tags, &have.get().tags);
    }

    /// Whether permissions may move from one group to another.
    fn several_groups(&self) -> bool {
        let wanted = self.input.model.own_groups().count();
        let carried = self.input.claimed.security_groups.len();
        wanted > 1 || (wanted == 1 && carried > 1)
    }

    /// Ports that are listened on as long as their listeners, or the load balancer, have not gone.
    fn leaving_ports(&self) -> BTreeSet<i32> {
        let listened =
            self.input.claimed.load_balancers.values().flat_map(|seen| seen.get().listeners.keys());
        listened
            .filter(|port| !self.input.model.listeners.contains_key(port))
            .map(|port| i32::from(*port))
            .collect()
    }
}
