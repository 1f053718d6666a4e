//! Names that cannot be had because ownership needs them.

use std::collections::BTreeSet;

use crate::{
    desired::{Wanted, ZoneModel},
    name::Name,
    record::{RecordSet, RecordType},
    registry::Registry,
};

/// Names that ownership takes up: of what is wanted, whether or not it is there yet.
#[derive(Default)]
pub(super) struct Reserved {
    /// A CNAME there would fail, and with it everything that is sent along.
    texts: BTreeSet<Name>,
    /// Wildcards, as ownership spells them: another record there could not be told from the wildcard.
    wildcards: BTreeSet<Name>,
}

impl Reserved {
    pub(super) fn of(model: &ZoneModel, registry: &Registry<'_>) -> Self {
        let mut reserved = Self::default();
        for desired in &model.names {
            let spelled = registry.spelled(&desired.name);
            reserved.wildcards.extend(Some(spelled).filter(|spelled| *spelled != desired.name));
            if let Wanted::Records { records, .. } = &desired.wanted {
                reserved.texts.extend(records.iter().map(|record| registry.txt_name(record)));
            }
        }
        reserved
    }

    pub(super) fn excludes(&self, want: &RecordSet) -> bool {
        let cname = want.kind == RecordType::Cname;
        (cname && self.texts.contains(&want.name)) || self.wildcards.contains(&want.name)
    }
}
