//! A cluster in memory: objects, finalizers, statuses, and the states that the operator keeps there.
//!
//! Shape: the objects are a [`Snapshot`], which is what the operator reads anyway. Every write that changes something
//! counts `version` up.

mod guard;
mod node_ports;
mod pod;
mod secret;
mod status;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use fairway_aws::secret::Secret;
use fairway_core::{
    ids::{Key, Kind, ObjectRef, StackId},
    report::{PublishedAddress, StateReport, StatusWrite},
    snapshot::{Objects, Snapshot, SnapshotError},
};
use fairway_crds::{
    LoadBalancerAddress, LoadBalancerState, LoadBalancerStateSpec, LoadBalancerStateStatus,
    TargetGroupBinding,
};
use fairway_metal::announced::{ANNOUNCED, Announcers, announcers, message};
use k8s_openapi::{
    api::{core::v1::ServiceStatus, networking::v1::IngressStatus},
    apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta, Time},
    jiff::Timestamp,
};
use node_ports::node_ports;
use serde_json::{Value, json};
use status::{ingress_status, service_status};

/// The cluster.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// Its objects.
    pub objects: Snapshot,
    /// Counts changes.
    pub version: u64,
    /// Which targets of shared groups are ours, by ConfigMap.
    pub records: BTreeMap<Key, String>,
    /// Reasons of Warning events, by object.
    pub warnings: BTreeMap<ObjectRef, Vec<String>>,
    /// Not part of any snapshot: they are asked for by name.
    pub secrets: BTreeMap<Key, Secret>,
    /// Ingresses that ask for a guard, and from when on (in seconds since the world began) no rule may be written without.
    pub guarded: BTreeMap<Key, u64>,
    serial: u64,
}

/// A time of the simulated world, in seconds since it began.
fn time(seconds: u64) -> Time {
    Time(Timestamp::from_second(1_700_000_000 + i64::try_from(seconds).unwrap_or(0)).unwrap_or_default())
}

/// The metadata of an object that can carry finalizers.
fn meta<'a>(objects: &'a mut Snapshot, object: &ObjectRef) -> Option<&'a mut ObjectMeta> {
    fn of<'a, T: Clone>(
        objects: &'a mut Arc<Objects<T>>,
        key: &Key,
        meta: fn(&mut T) -> &mut ObjectMeta,
    ) -> Option<&'a mut ObjectMeta> {
        Arc::make_mut(objects).get_mut(key).map(|object| meta(Arc::make_mut(object)))
    }
    match object.kind {
        Kind::Ingress => of(&mut objects.ingresses, &object.key, |object| &mut object.metadata),
        Kind::Service => of(&mut objects.services, &object.key, |object| &mut object.metadata),
        Kind::TargetGroupBinding => {
            of(&mut objects.target_group_bindings, &object.key, |object| &mut object.metadata)
        }
        _ => None,
    }
}

impl Cluster {
    /// Creates or replaces an object, as `kubectl apply` does: what the server and controllers own stays.
    ///
    /// # Errors
    /// An object that does not have its kind's shape.
    pub fn apply(&mut self, mut object: Value, now: u64) -> Result<(), SnapshotError> {
        self.version += 1;
        self.serial += 1;
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let namespace = Some(text("/metadata/namespace")).filter(|text| !text.is_empty());
        let key = Key::new(namespace.as_deref().unwrap_or("default"), &text("/metadata/name"));
        let kind = match text("/kind").as_str() {
            "Ingress" => Some(Kind::Ingress),
            "Service" => Some(Kind::Service),
            "TargetGroupBinding" => Some(Kind::TargetGroupBinding),
            "Secret" => {
                self.put_secret(key, &object);
                return Ok(());
            }
            _ => None,
        };
        let before = kind.and_then(|kind| self.find(&ObjectRef::new(kind, key.clone())));
        let fields = object.get_mut("metadata").and_then(Value::as_object_mut);
        if let Some(metadata) = fields {
            let kept =
                before.as_ref().and_then(|before| before.get("metadata")).cloned().unwrap_or_else(|| {
                    json!({
                        "uid": format!("00000000-0000-0000-0000-{:012}", self.serial),
                        "creationTimestamp": time(now),
                    })
                });
            // Users of bindings write no annotations: those that are there are checkpoints.
            let ours = (kind == Some(Kind::TargetGroupBinding)).then_some("annotations");
            for owned in ["uid", "creationTimestamp", "finalizers"].into_iter().chain(ours) {
                if let Some(value) = kept.get(owned) {
                    metadata.entry(owned).or_insert_with(|| value.clone());
                }
            }
        }
        if let (Some(status), Some(fields)) =
            (before.as_ref().and_then(|b| b.get("status")), object.as_object_mut())
        {
            fields.insert("status".to_owned(), status.clone());
        }
        if kind == Some(Kind::Ingress) {
            self.note_guard(key, &object, before.is_some(), now);
        }
        if kind == Some(Kind::Service) {
            node_ports(&mut object, before.as_ref(), self.serial);
        }
        self.objects.add(&object)
    }

    /// An object as JSON.
    #[must_use]
    pub fn find(&self, object: &ObjectRef) -> Option<Value> {
        match object.kind {
            Kind::Ingress => {
                self.objects.ingresses.get(&object.key).and_then(|o| serde_json::to_value(&**o).ok())
            }
            Kind::Service => {
                self.objects.services.get(&object.key).and_then(|o| serde_json::to_value(&**o).ok())
            }
            Kind::TargetGroupBinding => self
                .objects
                .target_group_bindings
                .get(&object.key)
                .and_then(|o| serde_json::to_value(&**o).ok()),
            _ => None,
        }
    }

    /// Deletes an object: at once, or when its last finalizer falls.
    pub fn delete(&mut self, object: &ObjectRef, now: u64) {
        self.version += 1;
        if let Some(meta) = meta(&mut self.objects, object)
            && meta.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty())
        {
            meta.deletion_timestamp.get_or_insert_with(|| time(now));
            return;
        }
        match object.kind {
            Kind::Ingress => drop(Arc::make_mut(&mut self.objects.ingresses).remove(&object.key)),
            Kind::Service => drop(Arc::make_mut(&mut self.objects.services).remove(&object.key)),
            Kind::TargetGroupBinding => {
                drop(Arc::make_mut(&mut self.objects.target_group_bindings).remove(&object.key));
            }
            _ => {}
        }
    }

    /// Deletes what carries no finalizer ever.
    pub fn delete_plain(&mut self, kind: &str, key: &Key) {
        self.version += 1;
        match kind {
            "EndpointSlice" => drop(Arc::make_mut(&mut self.objects.endpoint_slices).remove(key)),
            "Pod" => drop(Arc::make_mut(&mut self.objects.pods).remove(key)),
            "Secret" => drop(self.secrets.remove(key)),
            "IngressClass" => drop(Arc::make_mut(&mut self.objects.ingress_classes).remove(key)),
            "IngressClassParams" => drop(Arc::make_mut(&mut self.objects.ingress_class_params).remove(key)),
            _ => {}
        }
    }

    /// Whether the object is there, being deleted or not.
    #[must_use]
    pub fn has(&mut self, object: &ObjectRef) -> bool {
        meta(&mut self.objects, object).is_some()
    }

    /// Whether the object is there and stays.
    #[must_use]
    pub fn stays(&mut self, object: &ObjectRef) -> bool {
        meta(&mut self.objects, object).is_some_and(|meta| meta.deletion_timestamp.is_none())
    }

    /// Whether the object stays and has the finalizer already.
    #[must_use]
    pub fn carries(&mut self, object: &ObjectRef, finalizer: &str) -> bool {
        let stays = meta(&mut self.objects, object).filter(|meta| meta.deletion_timestamp.is_none());
        let finalizers = stays.and_then(|meta| meta.finalizers.as_ref());
        finalizers.is_some_and(|all| all.iter().any(|have| have == finalizer))
    }

    /// Adds a finalizer. `false`: the object is gone or going, and the server would refuse.
    #[must_use]
    pub fn add_finalizer(&mut self, object: &ObjectRef, finalizer: &str) -> bool {
        let Some(meta) = meta(&mut self.objects, object).filter(|meta| meta.deletion_timestamp.is_none())
        else {
            return false;
        };
        let all = meta.finalizers.get_or_insert_default();
        if !all.iter().any(|have| have == finalizer) {
            all.push(finalizer.to_owned());
            self.version += 1;
        }
        true
    }

    /// Removes a finalizer; an object whose last one falls while it is being deleted is gone.
    pub fn remove_finalizer(&mut self, object: &ObjectRef, finalizer: &str, now: u64) {
        let Some(meta) = meta(&mut self.objects, object) else { return };
        let Some(all) = &mut meta.finalizers else { return };
        let before = all.len();
        all.retain(|have| have != finalizer);
        let (changed, bare) = (all.len() < before, all.is_empty());
        let going = meta.deletion_timestamp.is_some();
        self.version += u64::from(changed);
        if bare && going {
            self.delete(object, now);
        }
    }

    /// Writes `status.loadBalancer.ingress`, where it differs.
    pub fn write_status(&mut self, write: &StatusWrite) {
        let changed = match write.object.kind {
            Kind::Ingress => {
                let objects = Arc::make_mut(&mut self.objects.ingresses);
                let status = Some(IngressStatus { load_balancer: Some(ingress_status(&write.addresses)) });
                objects.get_mut(&write.object.key).is_some_and(|object| {
                    let differs = object.status != status;
                    Arc::make_mut(object).status = status;
                    differs
                })
            }
            _ => {
                let objects = Arc::make_mut(&mut self.objects.services);
                let load_balancer = Some(service_status(&write.addresses));
                let status = Some(ServiceStatus { load_balancer, ..ServiceStatus::default() });
                objects.get_mut(&write.object.key).is_some_and(|object| {
                    let differs = object.status != status;
                    Arc::make_mut(object).status = status;
                    differs
                })
            }
        };
        self.version += u64::from(changed);
    }

    /// Host names and addresses that an object's status shows.
    #[must_use]
    pub fn published(&self, object: &ObjectRef) -> Vec<String> {
        match object.kind {
            Kind::Ingress => {
                let ingress = self.objects.ingresses.get(&object.key);
                let status = ingress.and_then(|ingress| ingress.status.as_ref()?.load_balancer.as_ref());
                let entries = status.and_then(|status| status.ingress.as_ref()).into_iter().flatten();
                entries.filter_map(|entry| entry.hostname.clone().or_else(|| entry.ip.clone())).collect()
            }
            _ => {
                let service = self.objects.services.get(&object.key);
                let status = service.and_then(|service| service.status.as_ref()?.load_balancer.as_ref());
                let entries = status.and_then(|status| status.ingress.as_ref()).into_iter().flatten();
                entries.filter_map(|entry| entry.hostname.clone().or_else(|| entry.ip.clone())).collect()
            }
        }
    }

    /// Creates or replaces a TargetGroupBinding; finalizers and annotations stay. `false`: it is being deleted.
    #[must_use]
    pub fn put_binding(&mut self, key: &Key, mut object: TargetGroupBinding) -> bool {
        if let Some(before) = self.objects.target_group_bindings.get(key) {
            if before.metadata.deletion_timestamp.is_some() {
                return false;
            }
            object.metadata.finalizers.clone_from(&before.metadata.finalizers);
            object.metadata.annotations.clone_from(&before.metadata.annotations);
        }
        self.version += 1;
        Arc::make_mut(&mut self.objects.target_group_bindings).insert(key.clone(), Arc::new(object));
        true
    }

    /// Writes an annotation of a TargetGroupBinding. `false`: there is none.
    #[must_use]
    pub fn annotate_binding(&mut self, key: &Key, annotation: &str, value: &str) -> bool {
        let Some(object) = Arc::make_mut(&mut self.objects.target_group_bindings).get_mut(key) else {
            return false;
        };
        let annotations = Arc::make_mut(object).metadata.annotations.get_or_insert_default();
        annotations.insert(annotation.to_owned(), value.to_owned());
        self.version += 1;
        true
    }

    /// The state object of a stack.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<&LoadBalancerStateStatus> {
        self.objects.states.get(&Key::cluster(name))?.status.as_ref()
    }

    /// Writes the state object of a stack, or removes it. Like the operator's watches, `version` counts what is news to
    /// others: that it went, addresses, and what agents said; a process' own notes are none.
    pub fn write_state(&mut self, stack: &StackId, status: Option<LoadBalancerStateStatus>) {
        let states = Arc::make_mut(&mut self.objects.states);
        let key = Key::cluster(&stack.state_name());
        let Some(status) = status else {
            self.version += u64::from(states.remove(&key).is_some());
            return;
        };
        let provider = stack.provider.as_str().to_owned();
        let mut object =
            LoadBalancerState::new(&key.name, LoadBalancerStateSpec { stack: stack.to_string(), provider });
        object.status = Some(status);
        let news = |state: &LoadBalancerState| {
            state.status.as_ref().map(|status| (status.addresses.clone(), status.arns.clone()))
        };
        let before = states.get(&key).and_then(|state| news(state));
        self.version += u64::from(before != news(&object));
        states.insert(key, Arc::new(object));
    }

    /// Agents answer for every address that a state records, and say so; then they stop answering for others. `true`:
    /// something is said that was not.
    pub fn announce(&mut self, now: u64) -> bool {
        let mut said = false;
        for state in Arc::make_mut(&mut self.objects.states).values_mut() {
            let want: Announcers =
                recorded(state).into_iter().map(|address| (address, "node1".to_owned())).collect();
            if announcers(state) == want {
                continue;
            }
            said = true;
            let condition = Condition {
                type_: ANNOUNCED.to_owned(),
                status: "True".to_owned(),
                reason: "Announced".to_owned(),
                message: message(&want),
                last_transition_time: time(now),
                observed_generation: None,
            };
            let status = Arc::make_mut(state).status.get_or_insert_default();
            status.conditions.retain(|condition| condition.type_ != ANNOUNCED);
            status.conditions.extend(Some(condition).filter(|_| !want.is_empty()));
        }
        self.version += u64::from(said);
        said
    }
}

/// Addresses that a state records.
#[must_use]
pub fn recorded(state: &LoadBalancerState) -> BTreeSet<IpAddr> {
    let keys = state.status.iter().flat_map(|status| status.arns.keys());
    fairway_metal::stack::recorded(keys.map(String::as_str))
}

/// What a state object shows of a look; what agents said in it stays.
#[must_use]
pub fn state_status(
    report: &StateReport,
    observed_at: Option<u64>,
    present: Option<&LoadBalancerStateStatus>,
) -> LoadBalancerStateStatus {
    let address = |address: &PublishedAddress| LoadBalancerAddress {
        hostname: address.hostname.clone(),
        ip: address.ip.clone(),
        hosted_zone_id: address.zone_id.clone(),
    };
    let good = report.good.iter();
    LoadBalancerStateStatus {
        conditions: present.map(|present| present.conditions.clone()).unwrap_or_default(),
        addresses: report.addresses.iter().map(address).collect(),
        arns: report.bindings.iter().map(|(key, handle)| (key.to_string(), handle.id.clone())).collect(),
        fingerprint: report.fingerprint.clone(),
        fingerprint_observed_at: observed_at.map(time),
        last_good: good
            .filter_map(|(name, member)| Some((name.clone(), serde_json::to_string(member).ok()?)))
            .collect(),
        ..LoadBalancerStateStatus::default()
    }
}

/// Seconds since the world began, of a time that [`state_status`] wrote.
#[must_use]
pub fn seconds(time: &Time) -> u64 {
    u64::try_from(time.0.as_second() - 1_700_000_000).unwrap_or_default()
}
