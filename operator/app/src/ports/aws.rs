//! AWS stacks and targets: what is written to AWS goes to its crate, what is written to the cluster stays here.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use fairway_aws::{
    model::{Binding, BindingPeer, SecurityGroupRef},
    stack::{StackOp, Stacks},
    targets::{Targets, TargetsOp},
};
use fairway_aws_api::Aws;
use fairway_cluster::write::BindingWrite;
use fairway_core::{
    class::Class,
    ids::{Key, StackId},
    plan::{Bindings, Handle, ResourceKey},
};
use fairway_engine::ports::{Applied, Apply, Clock as _, Refusal};

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
impl Apply<Targets> for AwsAndCluster {
    async fn apply(&self, unit: &Key, op: &TargetsOp, bindings: &Bindings) -> Result<Applied, Refusal> {
        let TargetsOp::Checkpoint { binding, checkpoint } = op else {
            return Apply::<Targets>::apply(&*self.aws, unit, op, bindings).await;
        };
        let at = i64::try_from(Process.now().as_secs()).unwrap_or(i64::MAX);
        let write = self.cluster.writer.checkpoint(binding, checkpoint.as_deref(), at);
        write.await.map(|()| Applied::Changed).map_err(|error| refused(&error))
    }
}
