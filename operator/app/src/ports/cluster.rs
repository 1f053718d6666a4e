//! Snapshots, finalizers, statuses, events and leadership, by the cluster's client.

use std::sync::Arc;

use async_trait::async_trait;
use fairway_cluster::{
    error::ClusterError,
    lease::Leadership as Lease,
    peer::Peer,
    secrets::Secrets,
    watches::Watches,
    write::{Recorder, Writer},
};
use fairway_core::{
    class::Class,
    ids::ObjectRef,
    report::{Event, StatusWrite},
    snapshot::Snapshot,
};
use fairway_engine::ports::{Finalize, Leadership, Publish, Refusal, Snapshots, Term};

/// One cluster: what is watched and what is written.
pub(crate) struct Cluster {
    pub(crate) watches: Watches,
    pub(crate) secrets: Secrets,
    pub(crate) writer: Writer,
    pub(crate) recorder: Recorder,
    pub(crate) lease: Lease,
    pub(crate) peer: Peer,
}

/// A refusal of the API server, as the engine takes it.
pub(crate) fn refused(error: &ClusterError) -> Refusal {
    error.failure().into()
}

impl Snapshots for Cluster {
    fn snapshot(&self) -> Snapshot {
        self.watches.snapshot()
    }
}

#[async_trait]
impl Finalize for Cluster {
    async fn add(&self, object: &ObjectRef, finalizer: &str) -> Result<(), Refusal> {
        match self.writer.add_finalizer(object, finalizer).await {
            Ok(true) => Ok(()),
            // The watch will say so in a moment, and the unit is looked at again then.
            Ok(false) => {
                Err(Refusal::new(Class::Transient, "ObjectGone", format!("{object} is gone or going")))
            }
            Err(error) => Err(refused(&error)),
        }
    }

    async fn remove(&self, object: &ObjectRef, finalizer: &str) -> Result<(), Refusal> {
        self.writer.remove_finalizer(object, finalizer).await.map(drop).map_err(|error| refused(&error))
    }
}

#[async_trait]
impl Publish for Cluster {
    async fn event(&self, event: &Event) {
        if let Err(error) = self.recorder.record(&self.watches.snapshot(), event).await {
            tracing::warn!(error = %error, cause = %error.source, "an event was not recorded");
        }
    }

    async fn status(&self, write: &StatusWrite) -> Result<(), Refusal> {
        self.writer.status(&self.watches.snapshot(), write).await.map_err(|error| refused(&error))
    }
}

impl Leadership for Cluster {
    fn term(&self) -> Option<Term> {
        self.lease.term().map(Term)
    }
}

/// Leadership of a process that stands back while the peer leads.
pub(crate) struct Unopposed {
    pub(crate) lease: Lease,
    pub(crate) peer: Peer,
}

impl Leadership for Unopposed {
    fn term(&self) -> Option<Term> {
        // Both only grow: what was remembered before the peer led is of another term.
        let (term, stretch) = (self.lease.term()?, self.peer.stretch()?);
        Some(Term(term + stretch))
    }
}

/// The cluster behind several ports.
pub(crate) type Shared = Arc<Cluster>;
