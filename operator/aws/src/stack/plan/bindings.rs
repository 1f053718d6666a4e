//! TargetGroupBindings: written where their object is not as it should be.

use fairway_core::plan::Wait;

use super::{Making, StackOp};
use crate::compare;

impl Making<'_> {
    pub(super) fn bindings(&mut self) {
        for want in self.input.model.bindings.values() {
            let group = self.input.claimed.target_groups.get(want.target_group.name());
            let arn = group.map(|group| group.get().arn.as_str());
            let backend = self.input.observed.backend_security_group.as_deref();
            let known = arn.is_some() && (backend.is_some() || !want.needs_backend_group());
            let object = self.input.objects.get(&want.key);
            let right = object.is_some_and(|object| compare::binding::as_wanted(want, object, arn, backend));
            if !(known && right) {
                let waits = want.needs_backend_group().then_some(Wait::BackendSecurityGroup);
                self.draft.switch(StackOp::PutBinding(want.clone()), waits.into_iter().collect());
            }
        }
    }
}
