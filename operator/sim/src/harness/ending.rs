//! The end of a run: a restart that has nothing to do, and the deletion of everything, after which nothing is left.

use fairway_aws::targets::made_by_a_stack;
use fairway_core::ids::{Kind, ObjectRef};

use tokio::task::JoinHandle;

use super::Run;
use crate::{dump, world::VALIDATIONS};

impl Run {
    pub(super) fn delete_all(&mut self) {
        let now = self.sim.now();
        self.sim.meddle(|inner| {
            let objects = &inner.cluster.objects;
            let ingresses = objects.ingresses.keys().map(|key| ObjectRef::new(Kind::Ingress, key.clone()));
            let services = objects.services.iter();
            let services = services.filter(|(_, object)| {
                object.spec.as_ref().is_some_and(|spec| spec.type_.as_deref() == Some("LoadBalancer"))
            });
            let services = services.map(|(key, _)| ObjectRef::new(Kind::Service, key.clone()));
            // Those of stacks go with their stacks.
            let bindings = objects.target_group_bindings.iter().filter(|(_, one)| !made_by_a_stack(one));
            let bindings = bindings.map(|(key, _)| ObjectRef::new(Kind::TargetGroupBinding, key.clone()));
            let all: Vec<ObjectRef> = ingresses.chain(services).chain(bindings).collect();
            all.iter().for_each(|object| inner.cluster.delete(object, now));
        });
    }

    /// ARNs of load balancers that must not be deleted.
    pub(super) fn protected(&self) -> Vec<String> {
        let inner = self.sim.lock();
        let held = inner.aws.balancers.values().filter(|row| row.is_protected());
        held.map(|row| row.arn.clone()).collect()
    }

    /// Somebody lifts the protection of what is left, which is of those that asked for it. `false`: nothing is protected.
    pub(super) fn allow_deletion(&mut self) -> bool {
        let held = self.protected();
        if held.is_empty() {
            return false;
        }
        let inner = self.sim.lock();
        let mut ingresses = inner.cluster.objects.ingresses.values();
        let waits = ingresses.any(|one| one.metadata.deletion_timestamp.is_some());
        drop(inner);
        if !waits {
            self.problem("a protected load balancer stays, and nobody waits for it".to_owned());
        }
        self.sim.meddle(|inner| held.iter().for_each(|arn| inner.aws.allow_deletion(arn)));
        true
    }

    /// A new process finds everything as it was applied, and asks nothing about stacks.
    pub(super) async fn restart(&mut self) {
        let tasks = std::mem::take(&mut self.processes);
        tasks.values().for_each(JoinHandle::abort);
        let next = self.started + 1;
        {
            let mut inner = self.sim.lock();
            inner.leader = next;
            inner.observations = 0;
        }
        let wrote = self.sim.lock().log.len();
        self.start(next);
        self.wait(60).await;
        let (seen, writes, after) = {
            let inner = self.sim.lock();
            let writes = inner.log.get(wrote..).unwrap_or_default().join("; ");
            (inner.observations, writes, dump::lines(&inner))
        };
        let unsettled = self.unsettled();
        if seen > 0 && !unsettled {
            self.problem(format!("a restart cost {seen} observations of stacks"));
        }
        if !writes.is_empty() && !unsettled {
            self.problem(format!("a restart wrote something: {writes}"));
        }
        if self.outcome.pictures.last().is_some_and(|before| *before != after) {
            self.problem("a restart changed something".to_owned());
        }
    }

    /// Stacks without a recorded fingerprint have something left to wait for, and are looked at again.
    fn unsettled(&self) -> bool {
        let inner = self.sim.lock();
        let without = inner
            .cluster
            .objects
            .states
            .values()
            .filter(|state| state.status.as_ref().is_none_or(|status| status.fingerprint.is_none()));
        without.count() > 0
    }

    pub(super) fn leaks(&mut self) {
        let inner = self.sim.lock();
        let left = dump::aws(&inner.aws);
        // What shows that a domain is ours stays: other certificates of the domain are renewed by it.
        let left = left.difference(&self.before).filter(|what| !what.contains(VALIDATIONS));
        let mut leaked: Vec<String> = left.cloned().collect();
        let objects = &inner.cluster.objects;
        leaked.extend(objects.ingresses.keys().map(|key| format!("Ingress {key} is still there")));
        leaked.extend(objects.target_group_bindings.keys().map(|key| format!("TargetGroupBinding {key}")));
        leaked.extend(inner.cluster.records.keys().map(|key| format!("ConfigMap {key}")));
        leaked.extend(objects.states.keys().map(|key| format!("LoadBalancerState {key}")));
        drop(inner);
        self.outcome.problems.extend(leaked.into_iter().map(|what| format!("leaked: {what}")));
    }
}
