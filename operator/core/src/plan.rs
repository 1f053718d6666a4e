//! A plan is a DAG of operations: create first, switch, delete last.
//!
//! Operations are the provider's own; what the plan needs to know of one is what it makes, what it refers to and
//! what it takes away. From that, [`Plan::lint`] proves that after every prefix that execution can stop at, each
//! reference is valid and nothing that is still referred to is gone. Execution is left no choice: an operation
//! runs when those in `after` have succeeded and its waits hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use crate::{ids::ObjectRef, settings::Provenance};

/// Position of an operation in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpId(pub u32);

/// What an operation does to the world. Policy looks at nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Something new comes to be.
    Create,
    /// Something that is ours changes.
    Modify,
    /// Something that is ours goes.
    Delete,
}

/// A resource as plans refer to it: its kind and a name that is known before it exists, such as
/// `target-group/k8s-default-web-4b31e29d96`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceKey(pub String);

impl ResourceKey {
    /// The key of a `kind` called `name`.
    #[must_use]
    pub fn new(kind: &str, name: &str) -> Self {
        Self(format!("{kind}/{name}"))
    }
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What became of a resource: how the provider calls it, and how it is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The provider's own identifier: an ARN, an id, a name.
    pub id: String,
    /// DNS name, for what has one.
    pub dns_name: Option<String>,
    /// Hosted zone of that DNS name, for alias records.
    pub zone_id: Option<String>,
    /// Whether it can be used: a load balancer that is still being provisioned is not.
    pub ready: bool,
}

/// Handles of resources that exist, by key: all that applying an operation may substitute.
pub type Bindings = BTreeMap<ResourceKey, Handle>;

/// One operation of a provider.
pub trait Operation: fmt::Debug + Clone + Serialize {
    /// What it does to the world.
    fn effect(&self) -> Effect;
    /// The resource that it makes, changes or takes away.
    fn resource(&self) -> ResourceKey;
    /// Resources that must exist when it runs (other than `resource` of a modification or deletion).
    fn refers_to(&self) -> BTreeSet<ResourceKey>;
    /// One line for people: `create target group k8s-… (HTTP 80, ip)`, without the effect's sign.
    fn describe(&self) -> String;
    /// Handles that are known before it runs, for what it makes or changes beside `resource`; `None` for what goes.
    /// They take effect once the operation has been applied.
    fn rebinds(&self) -> BTreeMap<ResourceKey, Option<Handle>> {
        BTreeMap::new()
    }
    /// Further lines, one a changed field: `idle_timeout.timeout_seconds: 60 -> 120`.
    fn details(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A fact that another unit has to publish before an operation may run. Each wait is bounded by the engine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wait {
    /// No record that Fairway owns points at this DNS name any more (or DNS is off).
    RecordsGone(String),
    /// The stack that serves the object now has a live address, and the object's status shows it.
    SuccessorLive(ObjectRef),
    /// No status of the stack shows this DNS name any more.
    AddressWithdrawn(String),
    /// The load balancer of this key is active.
    LoadBalancerActive(ResourceKey),
    /// The cluster's shared backend security group exists.
    BackendSecurityGroup,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RecordsGone(name) => write!(f, "no record points at {name}"),
            Self::SuccessorLive(object) => write!(f, "{object} is served at its new address"),
            Self::AddressWithdrawn(name) => write!(f, "no status shows {name}"),
            Self::LoadBalancerActive(key) => write!(f, "{key} is active"),
            Self::BackendSecurityGroup => write!(f, "the shared backend security group exists"),
        }
    }
}

/// An operation in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned<Op> {
    /// Its position.
    pub id: OpId,
    /// What is done.
    pub op: Op,
    /// Operations that must have succeeded before.
    pub after: BTreeSet<OpId>,
    /// Facts that must hold before.
    pub waits: Vec<Wait>,
    /// Who asked for it.
    pub because: Vec<Provenance>,
}

/// Operations in an order in which they may be applied one by one.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan<Op> {
    ops: Vec<Planned<Op>>,
}

impl<Op> Default for Plan<Op> {
    fn default() -> Self {
        Self { ops: Vec::new() }
    }
}

impl<Op> Plan<Op> {
    /// Adds an operation behind all that are there. `after` may name earlier operations only, which makes a cycle
    /// impossible.
    pub fn push(&mut self, op: Op, after: impl IntoIterator<Item = OpId>) -> OpId {
        self.push_waiting(op, after, Vec::new(), Vec::new())
    }

    /// [`Plan::push`] with waits and with who asked for it.
    pub fn push_waiting(
        &mut self,
        op: Op,
        after: impl IntoIterator<Item = OpId>,
        waits: Vec<Wait>,
        because: Vec<Provenance>,
    ) -> OpId {
        let id = OpId(u32::try_from(self.ops.len()).unwrap_or(u32::MAX));
        let after = after.into_iter().filter(|earlier| *earlier < id).collect();
        self.ops.push(Planned { id, op, after, waits, because });
        id
    }

    /// The operations, each behind everything it comes after.
    #[must_use]
    pub fn ops(&self) -> &[Planned<Op>] {
        &self.ops
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Takes the operations out.
    #[must_use]
    pub fn into_ops(self) -> Vec<Planned<Op>> {
        self.ops
    }
}

/// A plan that would leave a reference to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LintError {
    /// Refers to what is neither there nor made by an operation that it comes after.
    #[error("op {op:?} refers to {missing}, which need not exist when it runs")]
    Dangling {
        /// Which operation.
        op: OpId,
        /// What it refers to.
        missing: ResourceKey,
    },
    /// Takes away what another operation that may still run refers to.
    #[error("op {op:?} deletes {resource}, which op {user:?} may still refer to")]
    DeletedInUse {
        /// The deletion.
        op: OpId,
        /// What it deletes.
        resource: ResourceKey,
        /// Who refers to it.
        user: OpId,
    },
    /// Makes what another operation makes.
    #[error("op {first:?} and op {op:?} both make {resource}")]
    MadeTwice {
        /// The later one.
        op: OpId,
        /// The earlier one.
        first: OpId,
        /// What both make.
        resource: ResourceKey,
    },
}

impl<Op: Operation> Plan<Op> {
    /// Proves that any execution that respects `after` keeps references valid, given what exists beforehand: nothing
    /// is referred to that need not be there, nothing is deleted before all that refer to it or change it are through,
    /// and nothing is made twice.
    ///
    /// # Errors
    /// The first operation that could see a reference to nothing.
    pub fn lint(&self, existing: &BTreeSet<ResourceKey>) -> Result<(), LintError> {
        let before = self.ancestors();
        let makers = self.makers()?;
        for planned in &self.ops {
            let ancestors = before.get(&planned.id);
            let comes_after = |id: &OpId| ancestors.is_some_and(|ids| ids.contains(id));
            for needed in planned.op.refers_to() {
                if !makers.get(&needed).is_some_and(comes_after) && !existing.contains(&needed) {
                    return Err(LintError::Dangling { op: planned.id, missing: needed });
                }
            }
            if planned.op.effect() == Effect::Delete {
                let resource = planned.op.resource();
                let uses = |other: &&Planned<Op>| other.id != planned.id && uses(&other.op, &resource);
                if let Some(user) =
                    self.ops.iter().filter(uses).map(|user| user.id).find(|id| !comes_after(id))
                {
                    return Err(LintError::DeletedInUse { op: planned.id, resource, user });
                }
            }
        }
        Ok(())
    }

    fn makers(&self) -> Result<BTreeMap<ResourceKey, OpId>, LintError> {
        let mut makers = BTreeMap::new();
        for planned in self.ops.iter().filter(|planned| planned.op.effect() == Effect::Create) {
            let resource = planned.op.resource();
            if let Some(first) = makers.insert(resource.clone(), planned.id) {
                return Err(LintError::MadeTwice { op: planned.id, first, resource });
            }
        }
        Ok(makers)
    }

    fn ancestors(&self) -> BTreeMap<OpId, BTreeSet<OpId>> {
        let mut all: BTreeMap<OpId, BTreeSet<OpId>> = BTreeMap::new();
        for planned in &self.ops {
            let mut mine = planned.after.clone();
            for earlier in &planned.after {
                mine.extend(all.get(earlier).into_iter().flatten());
            }
            all.insert(planned.id, mine);
        }
        all
    }
}

/// Whether an operation needs a resource that is there: refers to it, or changes it.
fn uses(op: &impl Operation, resource: &ResourceKey) -> bool {
    op.refers_to().contains(resource) || (op.effect() == Effect::Modify && op.resource() == *resource)
}

#[cfg(test)]
mod tests;
