//! Snapshots, finalizers, statuses and events.

use async_trait::async_trait;
use fairway_core::{
    class::Class,
    ids::ObjectRef,
    report::{Event, StatusWrite},
    snapshot::Snapshot,
};
use fairway_engine::ports::{Finalize, Publish, Refusal, Snapshots};

use super::Process;

impl Snapshots for Process {
    fn snapshot(&self) -> Snapshot {
        self.sim.lock().cluster.objects.clone()
    }
}

#[async_trait]
impl Finalize for Process {
    async fn add(&self, object: &ObjectRef, finalizer: &str) -> Result<(), Refusal> {
        if self.sim.lock().cluster.carries(object, finalizer) {
            return Ok(());
        }
        let what = format!("add finalizer {finalizer} to {object}");
        self.sim
            .write(self.number, what, |inner| match inner.cluster.add_finalizer(object, finalizer) {
                true => Ok(()),
                false => {
                    Err(Refusal::new(Class::Transient, "ObjectGone", format!("{object} is gone or going")))
                }
            })
            .await
    }

    async fn remove(&self, object: &ObjectRef, finalizer: &str) -> Result<(), Refusal> {
        let (what, now) = (format!("remove finalizer {finalizer} from {object}"), self.sim.now());
        self.sim
            .write(self.number, what, |inner| {
                inner.cluster.remove_finalizer(object, finalizer, now);
                Ok(())
            })
            .await
    }
}

#[async_trait]
impl Publish for Process {
    async fn event(&self, event: &Event) {
        if event.warning {
            let mut inner = self.sim.lock();
            let reasons = inner.cluster.warnings.entry(event.about.clone()).or_default();
            if !reasons.contains(&event.reason) {
                reasons.push(event.reason.clone());
            }
        }
    }

    async fn status(&self, write: &StatusWrite) -> Result<(), Refusal> {
        let addresses = write.addresses.iter();
        let shown: Vec<String> =
            addresses.filter_map(|address| address.hostname.clone().or_else(|| address.ip.clone())).collect();
        if self.sim.lock().cluster.published(&write.object) == shown {
            // The same ports too, nearly always; when they are not, the next drift of the object writes them.
            self.sim.lock().cluster.write_status(write);
            return Ok(());
        }
        let what = format!("status of {}: {}", write.object, shown.join(", "));
        self.sim
            .write(self.number, what, |inner| {
                inner.cluster.write_status(write);
                Ok(())
            })
            .await
    }
}
