//! AWS stacks and targets: what is of AWS goes to its crate, what is of the cluster stays here.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use fairway_aws::{
    facts::Query,
    model::{Binding, BindingPeer, SecurityGroupRef},
    stack::{StackOp, Stacks},
    targets::{
        PodHealth, RECORD_KEY, Targets, TargetsObserved, TargetsOp, TargetsScope, read_record, record_of,
        spell_record,
    },
};
use fairway_aws_api::Aws;
use fairway_cluster::write::{BindingWrite, PodConditionWrite};
use fairway_core::{
    class::Class,
    evaluate::Facts,
    ids::{Key, StackId},
    plan::{Bindings, Handle, ResourceKey},
};
use fairway_engine::ports::{Answer, Applied, Apply, Clock as _, Observe, Refusal};

use super::{
    cluster::{Cluster, refused},
    process::Process,
};

/// Applies operations of stacks and of target groups.
pub(crate) struct AwsAndCluster {
    pub(crate) aws: Arc<Aws>,
    pub(crate) cluster: Arc<Cluster>,
}

#[async_trait]
impl Apply<Stacks> for AwsAndCluster {
    async fn apply(&self, unit: &StackId, op: &StackOp, bindings: &Bindings) -> Result<Applied, Refusal> {
        match op {
            StackOp::PutBinding(binding) => self.put(binding, bindings).await,
            StackOp::DeleteBinding(binding) => self.delete(binding.name()).await,
            _ => Apply::<Stacks>::apply(&*self.aws, unit, op, bindings).await,
        }
    }
}

impl AwsAndCluster {
    async fn put(&self, binding: &Binding, bindings: &Bindings) -> Result<Applied, Refusal> {
        let id = |key: &ResourceKey| {
            let handle = bindings.get(key).map(|handle| handle.id.clone());
            handle.ok_or_else(|| Refusal::bug("NoBinding", format!("{key} has no id")))
        };
        let arn = id(&binding.target_group.key())?;
        let needs_backend = binding
            .networking
            .iter()
            .flat_map(|ingress| &ingress.from)
            .any(|peer| *peer == BindingPeer::Backend);
        let backend = if needs_backend {
            Some(id(&ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned()))?)
        } else {
            None
        };
        let write = BindingWrite {
            key: binding.key.clone(),
            labels: binding.labels.clone(),
            spec: binding.spec(&arn, backend.as_deref()),
        };
        self.cluster.writer.put_binding(&write).await.map_err(|error| refused(&error))?;
        let handle = Handle { id: binding.key.to_string(), ready: true, ..Handle::default() };
        Ok(Applied::Produced { key: binding.reference().key(), handle })
    }

    async fn delete(&self, name: &str) -> Result<Applied, Refusal> {
        let (namespace, name) = name.split_once('/').unwrap_or(("", name));
        match self.cluster.writer.delete_binding(&Key::new(namespace, name)).await {
            Ok(true) => Ok(Applied::Removed),
            Ok(false) => {
                let message = format!("TargetGroupBinding {namespace}/{name} is still being deleted");
                Err(Refusal {
                    retry_after: Some(Duration::from_secs(2)),
                    ..Refusal::new(Class::Transient, "StillThere", message)
                })
            }
            Err(error) => Err(refused(&error)),
        }
    }
}

#[async_trait]
impl Answer<Targets> for AwsAndCluster {
    async fn answer(&self, unit: &Key, queries: &[Query]) -> Result<Facts<Targets>, Refusal> {
        Answer::<Targets>::answer(&*self.aws, unit, queries).await
    }
}

#[async_trait]
impl Observe<Targets> for AwsAndCluster {
    async fn observe(&self, unit: &Key, scope: &TargetsScope) -> Result<TargetsObserved, Refusal> {
        let seen = Observe::<Targets>::observe(&*self.aws, unit, scope).await?;
        if !scope.record {
            return Ok(seen);
        }
        let read = self.cluster.writer.record(&record_of(unit), RECORD_KEY).await;
        let recorded = read.map_err(|error| refused(&error))?.map(|text| read_record(&text));
        Ok(TargetsObserved { recorded, ..seen })
    }
}

#[async_trait]
impl Apply<Targets> for AwsAndCluster {
    async fn apply(&self, unit: &Key, op: &TargetsOp, bindings: &Bindings) -> Result<Applied, Refusal> {
        let writer = &self.cluster.writer;
        let written = match op {
            TargetsOp::Checkpoint { binding, checkpoint } => {
                let at = i64::try_from(Process.now().as_secs()).unwrap_or(i64::MAX);
                writer.checkpoint(binding, checkpoint.as_deref(), at).await
            }
            TargetsOp::Record { binding, targets } => {
                writer.put_record(&record_of(binding), RECORD_KEY, &spell_record(targets)).await
            }
            TargetsOp::ForgetRecord { binding } => writer.delete_record(&record_of(binding)).await,
            TargetsOp::Tell(told) => writer.pod_condition(&condition(told)).await,
            TargetsOp::Register { .. } | TargetsOp::Deregister { .. } => {
                return Apply::<Targets>::apply(&*self.aws, unit, op, bindings).await;
            }
        };
        written.map(|()| Applied::Changed).map_err(|error| refused(&error))
    }
}

fn condition(told: &PodHealth) -> PodConditionWrite<'_> {
    PodConditionWrite {
        pod: &told.pod,
        uid: &told.uid,
        kind: &told.gate,
        status: &told.status,
        reason: &told.reason,
        message: &told.message,
        turned: told.turned,
    }
}
