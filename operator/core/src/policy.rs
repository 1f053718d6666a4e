//! Policy is a function from plan to plan: what may be applied, and what is withheld and why.
//!
//! Only an [`Admitted`] plan can be applied, and only [`Policy::admit`] makes one. An operation that comes after a
//! withheld one is withheld with it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::plan::{Effect, OpId, Operation, Plan, Planned};

/// What an administrator allows. The default allows everything that a plan may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Nothing is applied at all.
    pub freeze: bool,
    /// Nothing is deleted.
    pub no_deletes: bool,
    /// At most so many deletions a pass; the rest is withheld until the next.
    pub max_deletes: Option<u32>,
}

/// A plan that may be applied.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted<Op> {
    ops: Vec<Planned<Op>>,
    withheld: Vec<Withheld>,
}

/// An operation that may not be applied now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Withheld {
    /// Which one.
    pub op: OpId,
    /// Its description.
    pub what: String,
    /// Why not.
    pub reason: String,
}

impl<Op> Admitted<Op> {
    /// The operations to apply, in order.
    #[must_use]
    pub fn ops(&self) -> &[Planned<Op>] {
        &self.ops
    }

    /// What was left out.
    #[must_use]
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }
}

impl Policy {
    /// Splits a plan into what may be applied and what is withheld.
    pub fn admit<Op: Operation>(&self, plan: Plan<Op>) -> Admitted<Op> {
        let (mut ops, mut withheld, mut refused, mut deletes) =
            (Vec::new(), Vec::new(), BTreeSet::new(), 0_u32);
        for planned in plan.into_ops() {
            let reason = if planned.after.iter().any(|id| refused.contains(id)) {
                Some("it comes after an operation that is withheld".to_owned())
            } else {
                self.refusal(planned.op.effect(), deletes)
            };
            if let Some(reason) = reason {
                refused.insert(planned.id);
                withheld.push(Withheld { op: planned.id, what: planned.op.describe(), reason });
            } else {
                deletes += u32::from(planned.op.effect() == Effect::Delete);
                ops.push(planned);
            }
        }
        Admitted { ops, withheld }
    }

    fn refusal(&self, effect: Effect, deletes: u32) -> Option<String> {
        match (effect, self.max_deletes) {
            _ if self.freeze => Some("the policy is freeze".to_owned()),
            (Effect::Delete, _) if self.no_deletes => Some("the policy allows no deletions".to_owned()),
            (Effect::Delete, Some(max)) if deletes >= max => {
                Some(format!("the policy allows {max} deletions a pass"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
