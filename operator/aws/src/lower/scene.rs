//! What lowering may look at besides the intent: configuration, answers, and a list of what it still wants to know.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use fairway_core::{evaluate::Facts, ids::StackId, settings::Unreadable, snapshot::Snapshot};

use super::LowerError;
use crate::{
    config::Config,
    facts::{Answer, Query},
    model::{Certificate, ResourceKind as _},
    stack::Stacks,
};

/// Why lowering one thing stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A fact is missing; which is noted in the scene.
    Asked,
    /// It cannot be done.
    Error(LowerError),
}

/// The outcome of lowering one thing.
pub(crate) type Lowering<T> = Result<T, Stop>;

impl From<LowerError> for Stop {
    fn from(error: LowerError) -> Self {
        Self::Error(error)
    }
}

impl From<Box<Unreadable>> for Stop {
    fn from(error: Box<Unreadable>) -> Self {
        Self::Error(error.into())
    }
}

/// The scene of one stack's lowering.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) config: &'a Config,
    pub(crate) stack: &'a StackId,
    facts: &'a Facts<Stacks>,
    asked: RefCell<BTreeSet<Query>>,
    /// ARNs of certificates that stacks own.
    owned: BTreeSet<&'a str>,
    /// Names of those that this one owns.
    own: BTreeSet<&'a str>,
    /// Members whose certificates are awaited, by object.
    awaiting: BTreeMap<String, Awaiting>,
}

/// A member whose certificate is requested and not issued yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Awaiting {
    /// What it is told.
    pub(crate) error: LowerError,
    /// Whether it has been served, so that there is something to lose.
    pub(crate) served: bool,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(config: &'a Config, stack: &'a StackId, facts: &'a Facts<Stacks>) -> Self {
        let (owned, own) = (BTreeSet::new(), BTreeSet::new());
        Self { config, stack, facts, asked: RefCell::default(), owned, own, awaiting: BTreeMap::new() }
    }

    /// The same, knowing which certificates were made: for this stack, and for any.
    pub(crate) fn with_certificates(
        self,
        snapshot: &'a Snapshot,
        recorded: &'a BTreeMap<String, String>,
    ) -> Self {
        let states = snapshot.states.values().filter_map(|state| state.status.as_ref());
        let all = states.flat_map(|status| &status.arns).chain(recorded);
        let owned =
            all.filter(|(key, _)| Certificate::name_in(key).is_some()).map(|(_, arn)| arn.as_str()).collect();
        let own = recorded.keys().filter_map(|key| Certificate::name_in(key)).collect();
        Self { owned, own, ..self }
    }

    /// The same, holding members back.
    pub(crate) fn with_awaiting(self, awaiting: BTreeMap<String, Awaiting>) -> Self {
        Self { awaiting, ..self }
    }

    /// Whether a member's certificate is awaited.
    pub(crate) fn awaits(&self, member: &str) -> Option<&Awaiting> {
        self.awaiting.get(member)
    }

    /// Whether a stack made this certificate: then it goes when that stack does not need it any more, and is no other's.
    pub(crate) fn is_owned(&self, arn: &str) -> bool {
        self.owned.contains(arn)
    }

    /// Whether this stack's certificate of the name has been made.
    pub(crate) fn has_made(&self, certificate: &str) -> bool {
        self.own.contains(certificate)
    }

    /// The answer to a question, which is noted down when there is none yet.
    pub(crate) fn ask(&self, query: Query) -> Lowering<&'a Answer> {
        self.facts.get(&query).ok_or_else(|| {
            self.asked.borrow_mut().insert(query);
            Stop::Asked
        })
    }

    /// The answers to several questions. All are noted down when one has none yet: each alone would cost a round.
    pub(crate) fn ask_all(&self, queries: impl IntoIterator<Item = Query>) -> Lowering<Vec<&'a Answer>> {
        let answers: Vec<Lowering<&'a Answer>> = queries.into_iter().map(|query| self.ask(query)).collect();
        answers.into_iter().collect()
    }

    /// Everything that was asked in vain.
    pub(crate) fn asked(&self) -> Vec<Query> {
        self.asked.borrow().iter().cloned().collect()
    }
}
