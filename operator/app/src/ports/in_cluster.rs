//! Addresses of in-cluster stacks: recorded in their states, one at a time.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use fairway_core::{
    class::Class,
    evaluate::Facts,
    ids::StackId,
    plan::{Bindings, Handle},
};
use fairway_crds::LoadBalancerState;
use fairway_engine::ports::{Answer, Applied, Apply, Observe, Refusal};
use fairway_metal::{
    allocate::Given,
    stack::{AddressOp, Query, Stacks, address_key, recorded},
};
use tokio::sync::Mutex;

use super::cluster::{Cluster, refused};

/// Gives out and takes back addresses.
pub(crate) struct Addresses {
    cluster: Arc<Cluster>,
    /// Two stacks that are looked at at once must not be given the same address.
    giving: Mutex<()>,
}

impl Addresses {
    pub(crate) fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, giving: Mutex::new(()) }
    }

    async fn given(&self) -> Result<Vec<LoadBalancerState>, Refusal> {
        self.cluster.writer.states().await.map_err(|error| refused(&error))
    }

    async fn assign(&self, stack: &StackId, address: IpAddr) -> Result<(), Refusal> {
        let _one_at_a_time = self.giving.lock().await;
        let states = self.given().await?;
        let owner = states.iter().find(|state| addresses(state).contains(&address));
        match owner.filter(|state| state.spec.stack != stack.to_string()) {
            Some(other) => {
                let message = format!("{address} was given to {} in the meantime", other.spec.stack);
                Err(Refusal::new(Class::Transient, "AddressTaken", message))
            }
            None => {
                self.write(stack, &states, |arns| {
                    drop(arns.insert(address_key(address).0, address.to_string()))
                })
                .await
            }
        }
    }

    async fn release(&self, stack: &StackId, address: IpAddr) -> Result<(), Refusal> {
        let _one_at_a_time = self.giving.lock().await;
        let states = self.given().await?;
        self.write(stack, &states, |arns| drop(arns.remove(&address_key(address).0))).await
    }

    async fn write(
        &self,
        stack: &StackId,
        states: &[LoadBalancerState],
        change: impl FnOnce(&mut std::collections::BTreeMap<String, String>),
    ) -> Result<(), Refusal> {
        let present = states.iter().find(|state| state.spec.stack == stack.to_string());
        let mut status = present.and_then(|state| state.status.clone()).unwrap_or_default();
        change(&mut status.arns);
        self.cluster.writer.state(stack, present, status).await.map_err(|error| refused(&error))
    }
}

fn addresses(state: &LoadBalancerState) -> std::collections::BTreeSet<IpAddr> {
    let keys = state.status.iter().flat_map(|status| status.arns.keys());
    recorded(keys.map(String::as_str))
}

#[async_trait]
impl Answer<Stacks> for Addresses {
    async fn answer(&self, _: &StackId, queries: &[Query]) -> Result<Facts<Stacks>, Refusal> {
        let mut facts = Facts::default();
        for Query::Given in queries {
            let given: Given = self
                .given()
                .await?
                .iter()
                .map(|state| (state.spec.stack.clone(), addresses(state)))
                .collect();
            facts.insert(Query::Given, given);
        }
        Ok(facts)
    }
}

#[async_trait]
impl Observe<Stacks> for Addresses {
    async fn observe(&self, unit: &StackId, (): &()) -> Result<(), Refusal> {
        Err(Refusal::bug("NothingToObserve", format!("{unit} asked for an observation")))
    }
}

#[async_trait]
impl Apply<Stacks> for Addresses {
    async fn apply(&self, _: &StackId, op: &AddressOp, _: &Bindings) -> Result<Applied, Refusal> {
        match op {
            AddressOp::Assign { stack, address } => {
                self.assign(stack, *address).await?;
                // An agent has to say that it answers before the address is ready.
                let handle = Handle { id: address.to_string(), ..Handle::default() };
                Ok(Applied::Produced { key: address_key(*address), handle })
            }
            AddressOp::Release { stack, address } => {
                self.release(stack, *address).await?;
                Ok(Applied::Removed)
            }
        }
    }
}
