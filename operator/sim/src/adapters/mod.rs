//! The engine's ports on the simulated world: one process' view of it.

mod addresses;
mod facts;
mod network;
mod objects;
mod remember;
mod stack;
mod targets;
mod zones;

use std::{sync::Arc, time::Duration};

use fairway_core::plan::{Bindings, ResourceKey};
use fairway_engine::ports::{Clock, Dice, Leadership, Refusal, Term, Timestamp};

use crate::{faults::mix, sim::Sim};

/// The world as one process reaches it.
#[derive(Clone)]
pub struct Process {
    /// The world.
    pub sim: Arc<Sim>,
    /// The process' number: it may write while it is the leader.
    pub number: u64,
}

impl Leadership for Process {
    fn term(&self) -> Option<Term> {
        (self.sim.lock().leader == self.number).then_some(Term(self.number))
    }
}

impl Clock for Process {
    fn now(&self) -> Timestamp {
        Duration::from_secs(self.sim.now())
    }
}

/// The same numbers in every run.
pub struct Loaded(pub std::sync::Mutex<u64>);

impl Dice for Loaded {
    fn roll(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        mix(&mut state)
    }
}

/// The id that an earlier operation or another unit left under a key.
fn id(bindings: &Bindings, key: &ResourceKey) -> Result<String, Refusal> {
    let handle = bindings.get(key).map(|handle| handle.id.clone()).filter(|id| !id.is_empty());
    handle.ok_or_else(|| Refusal::bug("NoBinding", format!("{key} has no id")))
}

/// The installation that every run is about.
#[must_use]
pub fn config() -> fairway_aws::config::Config {
    let config = fairway_aws::config::Config::new("demo", "us-east-1", "vpc-00000000000000001");
    fairway_aws::config::Config { request_certificates: true, ..config }
}
