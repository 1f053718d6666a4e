//! Addresses of in-cluster stacks: recorded in their states, one at a time.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fairway_core::{
    class::Class,
    evaluate::Facts,
    ids::StackId,
    plan::{Bindings, Handle, Operation as _},
};
use fairway_engine::ports::{Answer, Applied, Apply, Observe, Refusal};
use fairway_metal::stack::{AddressOp, Query, Stacks, address_key};

use super::Process;
use crate::{cluster::recorded, sim::Inner};

#[async_trait]
impl Answer<Stacks> for Process {
    async fn answer(&self, _: &StackId, queries: &[Query]) -> Result<Facts<Stacks>, Refusal> {
        let inner = self.sim.lock();
        let states = inner.cluster.objects.states.values();
        let given: BTreeMap<_, _> = states.map(|state| (state.spec.stack.clone(), recorded(state))).collect();
        let mut facts = Facts::default();
        queries.iter().for_each(|query| facts.insert(query.clone(), given.clone()));
        Ok(facts)
    }
}

#[async_trait]
impl Observe<Stacks> for Process {
    async fn observe(&self, unit: &StackId, (): &()) -> Result<(), Refusal> {
        Err(Refusal::bug("NothingToObserve", format!("{unit} asked for an observation")))
    }
}

#[async_trait]
impl Apply<Stacks> for Process {
    async fn apply(&self, _: &StackId, op: &AddressOp, _: &Bindings) -> Result<Applied, Refusal> {
        self.sim.write(self.number, op.describe(), |inner| one(inner, op)).await
    }
}

fn one(inner: &mut Inner, op: &AddressOp) -> Result<Applied, Refusal> {
    match op {
        AddressOp::Assign { stack, address } => {
            let others = inner.cluster.objects.states.values();
            let taken = others
                .filter(|state| state.spec.stack != stack.to_string())
                .find(|state| recorded(state).contains(address));
            if let Some(other) = taken {
                let message = format!("{address} was given to {} in the meantime", other.spec.stack);
                return Err(Refusal::new(Class::Transient, "AddressTaken", message));
            }
            let mut status = inner.cluster.state(&stack.state_name()).cloned().unwrap_or_default();
            status.arns.insert(address_key(*address).0, address.to_string());
            inner.cluster.write_state(stack, Some(status));
            // An agent has to say that it answers before the address is ready.
            let handle = Handle { id: address.to_string(), ..Handle::default() };
            Ok(Applied::Produced { key: address_key(*address), handle })
        }
        AddressOp::Release { stack, address } => {
            if let Some(mut status) = inner.cluster.state(&stack.state_name()).cloned() {
                status.arns.remove(&address_key(*address).0);
                inner.cluster.write_state(stack, Some(status));
            }
            Ok(Applied::Removed)
        }
    }
}
