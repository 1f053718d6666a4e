//! What the engine asks of the world: one trait a verb.
//!
//! Shape: every trait is object-safe; those that depend on the kind of unit are generic over its provider.
//! Errors: [`Refusal`], whose failure says whose move it is. A body must not hide an error: an answer that was lost
//! is `Class::Transient`, a list that could not be read to its end is an error and not a shorter list.

use std::time::Duration;

use async_trait::async_trait;
use fairway_core::{
    class::Class,
    evaluate::{Facts, LastGood, Provider},
    ids::ObjectRef,
    plan::{Bindings, Handle, ResourceKey},
    report::{Event, Failure, StateReport, StatusWrite},
    snapshot::Snapshot,
};

/// Wall-clock time since the Unix epoch.
pub type Timestamp = Duration;

/// Why the world did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whose move it is, and a sentence.
    pub failure: Failure,
    /// How long the server asked to be left alone.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal without a hint of when to come back.
    #[must_use]
    pub fn new(class: Class, code: &str, message: impl Into<String>) -> Self {
        Failure { class, code: code.to_owned(), message: message.into() }.into()
    }

    /// Something that cannot be, is.
    #[must_use]
    pub fn bug(code: &str, message: impl Into<String>) -> Self {
        Self::new(Class::Bug, code, message)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { failure, retry_after: None }
    }
}

/// The cluster as it is now.
pub trait Snapshots: Send + Sync {
    /// Cheap: objects are shared.
    fn snapshot(&self) -> Snapshot;
}

/// Answers questions about the world outside the cluster, from a cache or by asking.
#[async_trait]
pub trait Answer<P: Provider>: Send + Sync {
    /// One answer for every query.
    async fn answer(&self, unit: &P::Unit, queries: &[P::Query]) -> Result<Facts<P>, Refusal>;
}

/// Looks at what is there.
#[async_trait]
pub trait Observe<P: Provider>: Send + Sync {
    /// Everything within the scope. A list that was not read to its end is an error.
    async fn observe(&self, unit: &P::Unit, scope: &P::Scope) -> Result<P::Observed, Refusal>;
}

/// What an operation left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// A resource exists under this key; also for a creation that found its own earlier work.
    Produced {
        /// How the plan knows it.
        key: ResourceKey,
        /// How the world knows it.
        handle: Handle,
    },
    /// Something that was there changed.
    Changed,
    /// The operation's resource is gone; also when it was gone already.
    Removed,
}

/// Applies one operation.
#[async_trait]
pub trait Apply<P: Provider>: Send + Sync {
    /// Ids that earlier operations produced are substituted from `bindings`; nothing else is decided here.
    async fn apply(&self, unit: &P::Unit, op: &P::Op, bindings: &Bindings) -> Result<Applied, Refusal>;
}

/// Puts finalizers on objects and takes them off. Both are idempotent.
#[async_trait]
pub trait Finalize: Send + Sync {
    /// The finalizer stands when this returns. An object that is gone or being deleted is an error.
    async fn add(&self, object: &ObjectRef, finalizer: &str) -> Result<(), Refusal>;
    /// The finalizer is off when this returns, or the object is gone.
    async fn remove(&self, object: &ObjectRef, finalizer: &str) -> Result<(), Refusal>;
}

/// Tells people and other controllers.
#[async_trait]
pub trait Publish: Send + Sync {
    /// Records an event. Events are advice: one that cannot be recorded is logged, not retried.
    async fn event(&self, event: &Event);
    /// Writes `status.loadBalancer` where it differs. An object that is gone is no error.
    async fn status(&self, write: &StatusWrite) -> Result<(), Refusal>;
}

/// What is known of a unit from earlier looks, perhaps by another process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remembered {
    /// As it was recorded last.
    pub last_good: LastGood,
    /// When the world was last seen to be as the fingerprint says.
    pub observed_at: Option<Timestamp>,
}

/// What is recorded of a unit after a look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record<'a> {
    /// What its state object shows.
    pub report: &'a StateReport,
    /// When the world was last seen to be as the fingerprint says.
    pub observed_at: Option<Timestamp>,
}

/// Remembers a unit between looks and across processes (for stacks, in its `LoadBalancerState`). A kind of unit that
/// keeps nothing answers [`Remembered::default`] and accepts every record.
#[async_trait]
pub trait Remember<P: Provider>: Send + Sync {
    /// What was recorded last.
    async fn recall(&self, unit: &P::Unit) -> Result<Remembered, Refusal>;
    /// Takes the recorded fingerprint back; called before the first effect of a plan.
    async fn forget(&self, unit: &P::Unit) -> Result<(), Refusal>;
    /// Records a look; `None` when nothing of the unit is left and its state object should go.
    async fn record(&self, unit: &P::Unit, record: Option<Record<'_>>) -> Result<(), Refusal>;
    /// Records that a look came to no evaluation; the rest of the record stays.
    async fn stumble(&self, unit: &P::Unit, failure: &Failure) -> Result<(), Refusal>;
}

/// One stretch of leadership. Memory of an earlier stretch is worth nothing: another process may have acted since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(pub u64);

/// Says whether this process may write.
pub trait Leadership: Send + Sync {
    /// The present term; `None` once the lease could have passed to somebody else.
    fn term(&self) -> Option<Term>;
}

/// Wall-clock time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Randomness for jitter.
pub trait Dice: Send + Sync {
    /// Any number, all equally likely.
    fn roll(&self) -> u64;
}
