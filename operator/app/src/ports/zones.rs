//! What zones have to say about names, as conditions of the stacks that asked for them.
//!
//! Each zone writes with a field manager of its own, so that it adds and takes back what it said and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use fairway_core::{
    ids::{Key, Kind, StackId},
    note::Note,
    read::{self, Candidate, ReadConfig},
    report::Failure,
    snapshot::Snapshot,
};
use fairway_dns::{Zones, provider::ZoneUnit};
use fairway_engine::ports::{Record, Refusal, Remember, Remembered};

use super::cluster::{Cluster, refused};

/// Sentences by code, by stack.
type Said = BTreeMap<StackId, BTreeMap<String, BTreeSet<String>>>;

/// Remembers nothing of zones between looks, and passes on what they say.
pub(crate) struct ZoneNotes {
    cluster: Arc<Cluster>,
    read: ReadConfig,
    /// What each zone said last; `None` before its first look, when an earlier process may have said something.
    said: Mutex<BTreeMap<ZoneUnit, Said>>,
}

impl ZoneNotes {
    pub(crate) fn new(cluster: Arc<Cluster>, read: ReadConfig) -> Self {
        Self { cluster, read, said: Mutex::default() }
    }

    async fn tell(&self, zone: &ZoneUnit, notes: &[Note]) -> Result<(), Refusal> {
        let snapshot = self.cluster.watches.snapshot();
        let mut says = sentences(&snapshot, &self.read, notes);
        let before = self.said.lock().unwrap_or_else(PoisonError::into_inner).get(zone).cloned();
        let spoken_to: BTreeSet<StackId> = match &before {
            Some(before) => before.keys().chain(says.keys()).cloned().collect(),
            None => read::stacks(&snapshot, &self.read),
        };
        for stack in spoken_to {
            let (was, is) = (before.as_ref().map(|before| before.get(&stack)), says.get(&stack));
            if was == Some(is) {
                continue;
            }
            let texts = is.into_iter().flatten();
            let texts = texts
                .map(|(code, texts)| (code.clone(), texts.iter().cloned().collect::<Vec<_>>().join("; ")));
            let texts: BTreeMap<String, String> = texts.collect();
            let manager = format!("fairway-{zone}");
            let told = self.cluster.writer.say(&snapshot, &stack, &manager, &texts).await;
            if !told.map_err(|error| refused(&error))? {
                // It has no state yet: it is told at the next look, which the state's address brings about.
                says.remove(&stack);
            }
        }
        self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(zone.clone(), says);
        Ok(())
    }
}

/// What is said to each stack: to every one that an object it is about belongs to.
fn sentences(snapshot: &Snapshot, config: &ReadConfig, notes: &[Note]) -> Said {
    let mut said = Said::new();
    for note in notes.iter().filter(|note| !note.advice) {
        let key: &Key = &note.about.key;
        let stacks = match note.about.kind {
            Kind::Ingress => snapshot
                .ingresses
                .get(key)
                .map(|object| read::stacks_of(snapshot, config, Candidate::Ingress(object))),
            Kind::Service => snapshot
                .services
                .get(key)
                .map(|object| read::stacks_of(snapshot, config, Candidate::Service(object))),
            _ => None,
        };
        for stack in stacks.into_iter().flatten() {
            said.entry(stack).or_default().entry(note.code.clone()).or_default().insert(note.to_string());
        }
    }
    said
}

#[async_trait]
impl Remember<Zones> for ZoneNotes {
    async fn recall(&self, _: &ZoneUnit) -> Result<Remembered, Refusal> {
        Ok(Remembered::default())
    }

    async fn forget(&self, _: &ZoneUnit) -> Result<(), Refusal> {
        Ok(())
    }

    async fn record(&self, unit: &ZoneUnit, record: Option<Record<'_>>) -> Result<(), Refusal> {
        self.tell(unit, record.map_or(&[], |record| record.report.notes.as_slice())).await
    }

    async fn stumble(&self, unit: &ZoneUnit, failure: &Failure) -> Result<(), Refusal> {
        tracing::warn!(zone = %unit, code = failure.code, message = failure.message, "records were not changed");
        Ok(())
    }
}
