//! The shared backend security group, and rules on groups that nodes or pods carry.

use fairway_aws::model::SecurityGroupRef;
use fairway_aws::network::NetworkOp;
use fairway_core::plan::Bindings;
use fairway_core::plan::ResourceKey;
use fairway_engine::ports::{Applied, Refusal};

use super::{Done, Failed};
use crate::Aws;

impl Aws {
    pub(crate) async fn apply_network(&self, op: &NetworkOp, ids: &Bindings) -> Result<Applied, Refusal> {
        let done: Done = match op {
            NetworkOp::CreateBackend(spec) => {
                let key = ResourceKey(SecurityGroupRef::BACKEND_KEY.to_owned());
                self.make_security_group(spec, key).await
            }
            NetworkOp::DeleteBackend(group) => self.delete_security_group(&group.get().id).await,
            NetworkOp::Authorize { group, permissions } => self.authorize(group, permissions, ids).await,
            NetworkOp::Revoke { group, permissions } => self.revoke(group, permissions, ids).await,
        };
        if let Err(Failed::Fault(fault)) = &done
            && fault.sows_doubt()
        {
            self.inventory.security_groups.doubt();
        }
        Ok(done?)
    }
}
