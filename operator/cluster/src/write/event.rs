//! Events on objects. The same event on the same version of an object is recorded once.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use fairway_core::{ids::Kind, report::Event, snapshot::Snapshot};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client, Resource,
    runtime::events::{Event as KubeEvent, EventType, Recorder as KubeRecorder, Reporter},
};

use crate::error::ClusterError;

/// Longest message that the API server takes, in bytes.
const MESSAGE_BYTES: usize = 1024;
/// Events that are remembered before the memory starts anew; forgetting costs a repeated event, nothing else.
const REMEMBERED: usize = 20_000;

/// Records events of one process.
pub struct Recorder {
    client: Client,
    reporter: Reporter,
    repeating: KubeRecorder,
    recorded: Mutex<BTreeSet<(String, Option<i64>, Event)>>,
}

impl Recorder {
    /// A recorder that reports as `controller`, from `instance` (the pod's name).
    #[must_use]
    pub fn new(client: Client, controller: &str, instance: &str) -> Self {
        let reporter = Reporter { controller: controller.to_owned(), instance: Some(instance.to_owned()) };
        let repeating = KubeRecorder::new(client.clone(), reporter.clone());
        Self { client, reporter, repeating, recorded: Mutex::new(BTreeSet::new()) }
    }

    /// Records an event unless the same was recorded for this generation of the object. An object that is gone gets
    /// none.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn record(&self, snapshot: &Snapshot, event: &Event) -> Result<(), ClusterError> {
        let Some((reference, generation)) = reference(snapshot, event) else { return Ok(()) };
        let seen = (reference.uid.clone().unwrap_or_default(), generation, event.clone());
        // A success is news each time something was changed; a warning is not.
        if event.warning && !self.remember(seen.clone()) {
            return Ok(());
        }
        let published = KubeEvent {
            type_: if event.warning { EventType::Warning } else { EventType::Normal },
            reason: event.reason.clone(),
            note: Some(cut(&event.message)),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        let outcome = self.recorder(event).publish(&published, &reference).await;
        outcome.map_err(|error| {
            self.recorded.lock().unwrap_or_else(PoisonError::into_inner).remove(&seen);
            ClusterError::new(format!("event on {}", event.about), error)
        })
    }

    /// A recorder counts what has the same reason into one event that keeps the first message. Warnings of one reason
    /// differ in what they say, so each gets a recorder that has recorded nothing yet.
    fn recorder(&self, event: &Event) -> KubeRecorder {
        if event.warning {
            KubeRecorder::new(self.client.clone(), self.reporter.clone())
        } else {
            self.repeating.clone()
        }
    }

    fn remember(&self, seen: (String, Option<i64>, Event)) -> bool {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.len() >= REMEMBERED {
            recorded.clear();
        }
        recorded.insert(seen)
    }
}

fn cut(message: &str) -> String {
    let mut end = message.len().min(MESSAGE_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.get(..end).unwrap_or_default().to_owned()
}

fn reference(snapshot: &Snapshot, event: &Event) -> Option<(ObjectReference, Option<i64>)> {
    fn of<K: Resource<DynamicType = ()>>(
        object: Option<&std::sync::Arc<K>>,
    ) -> Option<(ObjectReference, Option<i64>)> {
        object.map(|object| (object.object_ref(&()), object.meta().generation))
    }
    let key = &event.about.key;
    match event.about.kind {
        Kind::Ingress => of(snapshot.ingresses.get(key)),
        Kind::Service => of(snapshot.services.get(key)),
        Kind::IngressClass => of(snapshot.ingress_classes.get(key)),
        Kind::IngressClassParams => of(snapshot.ingress_class_params.get(key)),
        Kind::TargetGroupBinding => of(snapshot.target_group_bindings.get(key)),
        Kind::IpAddressPool => of(snapshot.ip_address_pools.get(key)),
        Kind::Node => of(snapshot.nodes.get(key)),
        Kind::LoadBalancerState => of(snapshot.states.get(key)),
        Kind::Secret => None,
    }
}
