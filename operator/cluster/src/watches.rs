//! One watch a kind, kept as one snapshot.
//!
//! The snapshot is complete once [`Watches::ready`] returns: nothing is decided before. A kind whose definition is not
//! installed counts as empty and is looked for again. Objects are stripped of what no decision looks at before they
//! are kept: pods outnumber everything else, and most of a pod is its spec.

mod strip;

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fairway_core::{
    ids::Key,
    snapshot::{Objects, Pod, Snapshot},
};
use fairway_crds::{LoadBalancerState, TargetGroupBinding};
use futures::{Stream, TryStreamExt};
use k8s_openapi::api::{core::v1::Service, networking::v1::Ingress};
use kube::{
    Api, Client, Resource, ResourceExt,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};
use tracing::{debug, warn};

use strip::Strip;

/// How long a kind that is not installed is left alone before it is looked for again.
const ABSENT: Duration = Duration::from_secs(30);

/// Objects of one page of a list. A page is read whole before its objects are stripped, and the room it took stays with
/// the process.
const PAGE: u32 = 200;

/// What changed.
#[derive(Debug, Clone)]
pub enum Change {
    /// An Ingress came, changed or went.
    Ingress {
        /// As it was.
        before: Option<Arc<Ingress>>,
        /// As it is.
        after: Option<Arc<Ingress>>,
    },
    /// A Service came, changed or went.
    Service {
        /// Which.
        key: Key,
        /// As it was.
        before: Option<Arc<Service>>,
        /// As it is.
        after: Option<Arc<Service>>,
    },
    /// An EndpointSlice of this Service changed.
    Endpoints(Key),
    /// A Pod changed: its namespace and addresses.
    Pod(Key),
    /// A Node changed in something other than its heartbeat.
    Node,
    /// A class, class parameters, or a pool changed: anything may be affected.
    Class,
    /// A namespace of this name came, went, or has other labels.
    Namespace(String),
    /// A TargetGroupBinding came, changed or went.
    Binding {
        /// Which.
        key: Key,
        /// As it was.
        before: Option<Arc<TargetGroupBinding>>,
        /// As it is.
        after: Option<Arc<TargetGroupBinding>>,
    },
    /// A LoadBalancerState came, changed or went.
    State {
        /// As it was.
        before: Option<Arc<LoadBalancerState>>,
        /// As it is.
        after: Option<Arc<LoadBalancerState>>,
    },
}

/// What a difference between two versions of an object means, if anything.
type ChangeOf<K> = fn(&Key, Option<Arc<K>>, Option<Arc<K>>) -> Option<Change>;

/// Both ends of where changes are told.
struct Changes {
    sender: mpsc::UnboundedSender<Change>,
    receiver: mpsc::UnboundedReceiver<Change>,
}

/// The watches of one process.
pub struct Watches {
    snapshot: Arc<Mutex<Snapshot>>,
    ready: Vec<watch::Receiver<bool>>,
}

impl Watches {
    /// Starts watching what the operator decides from. Changes arrive on the receiver from the first listed object on.
    #[must_use]
    pub fn start(client: &Client) -> (Self, mpsc::UnboundedReceiver<Change>) {
        let (mut watches, changes) = Self::start_data_plane(client);
        let sender = changes.sender;
        watches.watch(
            client,
            &sender,
            |s| &mut s.pods,
            |key, before, after| pod(key, before.as_deref(), after.as_deref()),
        );
        watches.watch(
            client,
            &sender,
            |s| &mut s.target_group_bindings,
            |key, before, after| Some(Change::Binding { key: key.clone(), before, after }),
        );
        (watches, changes.receiver)
    }

    /// Starts watching what nodes serve and announce: all kinds but Pods and TargetGroupBindings, whose watches on
    /// every node would cost the API server most and tell nothing.
    #[must_use]
    pub fn start_for_nodes(client: &Client) -> (Self, mpsc::UnboundedReceiver<Change>) {
        let (watches, changes) = Self::start_data_plane(client);
        (watches, changes.receiver)
    }

    fn start_data_plane(client: &Client) -> (Self, Changes) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let snapshot = Arc::new(Mutex::new(Snapshot::default()));
        let mut watches = Self { snapshot, ready: Vec::new() };
        watches.watch_routes(client, &sender);
        watches.watch_places(client, &sender);
        (watches, Changes { sender, receiver })
    }

    /// What is routed, and to where.
    fn watch_routes(&mut self, client: &Client, sender: &mpsc::UnboundedSender<Change>) {
        self.watch(
            client,
            sender,
            |s| &mut s.ingresses,
            |_, before, after| Some(Change::Ingress { before, after }),
        );
        self.watch(
            client,
            sender,
            |s| &mut s.services,
            |key, before, after| Some(Change::Service { key: key.clone(), before, after }),
        );
        self.watch(
            client,
            sender,
            |s| &mut s.endpoint_slices,
            |_, before, after| endpoints(before.or(after)),
        );
        self.watch(client, sender, |s| &mut s.ingress_classes, |_, _, _| Some(Change::Class));
        self.watch(client, sender, |s| &mut s.ingress_class_params, |_, _, _| Some(Change::Class));
        self.watch(client, sender, |s| &mut s.in_cluster_class_params, |_, _, _| Some(Change::Class));
        self.watch(
            client,
            sender,
            |s| &mut s.states,
            |_, before, after| Some(Change::State { before, after }),
        );
    }

    /// Where it is served: nodes, and addresses for namespaces.
    fn watch_places(&mut self, client: &Client, sender: &mpsc::UnboundedSender<Change>) {
        self.watch(
            client,
            sender,
            |s| &mut s.nodes,
            |_, before, after| node(before.as_deref(), after.as_deref()),
        );
        self.watch(client, sender, |s| &mut s.ip_address_pools, |_, _, _| Some(Change::Class));
        self.watch(client, sender, |s| &mut s.l2_advertisements, |_, _, _| Some(Change::Class));
        self.watch(
            client,
            sender,
            |s| &mut s.namespaces,
            |key, before, after| {
                let labels = |object: Option<Arc<k8s_openapi::api::core::v1::Namespace>>| {
                    object.map(|o| o.metadata.labels.clone())
                };
                (labels(before) != labels(after)).then(|| Change::Namespace(key.name.clone()))
            },
        );
    }

    /// Returns once every kind has been listed whole.
    pub async fn ready(&self) {
        for ready in &self.ready {
            // The sender lives as long as its watch, which never ends.
            let _ = ready.clone().wait_for(|ready| *ready).await;
        }
    }

    /// The cluster as it is known now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn watch<K>(
        &mut self,
        client: &Client,
        changes: &mpsc::UnboundedSender<Change>,
        field: fn(&mut Snapshot) -> &mut Arc<Objects<K>>,
        change: ChangeOf<K>,
    ) where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Strip + Send + Sync + 'static,
    {
        let (ready, receiver) = watch::channel(false);
        self.ready.push(receiver);
        let kept = Kept { snapshot: Arc::clone(&self.snapshot), field, changes: changes.clone(), change };
        tokio::spawn(follow(Api::<K>::all(client.clone()), kept, ready));
    }
}

/// The objects of one kind within the snapshot, and who is told of their changes.
struct Kept<K> {
    snapshot: Arc<Mutex<Snapshot>>,
    field: fn(&mut Snapshot) -> &mut Arc<Objects<K>>,
    changes: mpsc::UnboundedSender<Change>,
    change: ChangeOf<K>,
}

impl<K: Clone> Kept<K> {
    fn put(&self, key: Key, after: Option<Arc<K>>) {
        let before = {
            let mut snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
            let objects = Arc::make_mut((self.field)(&mut snapshot));
            match &after {
                Some(object) => objects.insert(key.clone(), Arc::clone(object)),
                None => objects.remove(&key),
            }
        };
        if let Some(change) = (self.change)(&key, before, after) {
            // Nobody listens any more only while the process is going down.
            let _ = self.changes.send(change);
        }
    }

    /// What a new list does not name is gone.
    fn retain(&self, listed: &std::collections::BTreeSet<Key>) {
        let gone: Vec<Key> = {
            let mut snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
            (self.field)(&mut snapshot).keys().filter(|key| !listed.contains(key)).cloned().collect()
        };
        gone.into_iter().for_each(|key| self.put(key, None));
    }
}

async fn follow<K>(api: Api<K>, kept: Kept<K>, ready: watch::Sender<bool>)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Strip + Send + Sync + 'static,
{
    let mut events =
        Box::pin(kube::runtime::watcher(api, watcher::Config::default().page_size(PAGE)).default_backoff());
    let mut listed = std::collections::BTreeSet::new();
    while let Some(event) = next(&mut events, K::kind(&()).as_ref(), &ready).await {
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(object) => {
                let key = key(&object);
                listed.insert(key.clone());
                kept.put(key, Some(Arc::new(object.strip())));
            }
            Event::InitDone => {
                kept.retain(&listed);
                ready.send_replace(true);
            }
            Event::Apply(object) => kept.put(key(&object), Some(Arc::new(object.strip()))),
            Event::Delete(object) => kept.put(key(&object), None),
        }
    }
}

/// The next event; errors are logged and waited out by the stream's back-off.
async fn next<K>(
    events: &mut (impl Stream<Item = Result<Event<K>, watcher::Error>> + Unpin + Send),
    kind: &str,
    ready: &watch::Sender<bool>,
) -> Option<Event<K>> {
    loop {
        match events.try_next().await {
            Ok(event) => return event,
            Err(error) if is_absent(&error) => {
                debug!(kind, "not installed");
                ready.send_replace(true);
                tokio::time::sleep(ABSENT).await;
            }
            Err(error) => warn!(kind, error = %error, "watch failed"),
        }
    }
}

fn is_absent(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => {
            crate::error::status(error) == Some(404)
        }
        _ => false,
    }
}

fn key<K: Resource>(object: &K) -> Key {
    Key::new(
        object.meta().namespace.as_deref().unwrap_or_default(),
        object.meta().name.as_deref().unwrap_or_default(),
    )
}

fn endpoints(slice: Option<Arc<k8s_openapi::api::discovery::v1::EndpointSlice>>) -> Option<Change> {
    let slice = slice?;
    let service = slice.labels().get("kubernetes.io/service-name")?;
    Some(Change::Endpoints(Key::new(slice.metadata.namespace.as_deref().unwrap_or_default(), service)))
}

/// Pods matter by address and by the conditions that are kept; the rest of their life makes no change.
fn pod(key: &Key, before: Option<&Pod>, after: Option<&Pod>) -> Option<Change> {
    let view = |pod: &Pod| {
        let state = |c: &k8s_openapi::api::core::v1::PodCondition| (c.type_.clone(), c.status.clone());
        let conditions: Vec<_> = pod.status.conditions.iter().map(state).collect();
        (pod.status.pod_ips.clone(), conditions, pod.metadata.deletion_timestamp.is_some())
    };
    (before.map(view) != after.map(view)).then(|| Change::Pod(key.clone()))
}

/// A node's heartbeat changes it every few seconds and means nothing here.
fn node(
    before: Option<&k8s_openapi::api::core::v1::Node>,
    after: Option<&k8s_openapi::api::core::v1::Node>,
) -> Option<Change> {
    let view = |node: &k8s_openapi::api::core::v1::Node| {
        let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
        let states: Vec<_> =
            conditions.into_iter().flatten().map(|c| (c.type_.clone(), c.status.clone())).collect();
        (
            node.metadata.labels.clone(),
            node.spec.clone(),
            states,
            node.status.as_ref().and_then(|s| s.addresses.clone()),
        )
    };
    (before.map(view) != after.map(view)).then_some(Change::Node)
}
