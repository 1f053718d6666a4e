//! [`Aws`] as the engine's ports, for each kind of unit.

use async_trait::async_trait;
use fairway_aws::facts;
use fairway_aws::network::{self, Network, NetworkObserved, NetworkOp, NetworkScope};
use fairway_aws::observed::{StackObserved, StackScope};
use fairway_aws::stack::{StackOp, Stacks};
use fairway_aws::targets::{Targets, TargetsObserved, TargetsOp, TargetsScope};
use fairway_core::evaluate::{Facts, Provider};
use fairway_core::ids::{Key, StackId};
use fairway_core::plan::Bindings;
use fairway_dns::Zones;
use fairway_dns::change::ChangeBatch;
use fairway_dns::provider::{self, ZoneObserved, ZoneUnit};
use fairway_engine::ports::{Answer, Applied, Apply, Observe, Refusal};

use crate::Aws;

impl Aws {
    async fn facts<P>(&self, queries: &[facts::Query]) -> Result<Facts<P>, Refusal>
    where
        P: Provider<Query = facts::Query, Answer = facts::Answer>,
    {
        let mut facts = Facts::default();
        for query in queries {
            facts.insert(query.clone(), self.fact(query).await?);
        }
        Ok(facts)
    }
}

#[async_trait]
impl Answer<Stacks> for Aws {
    async fn answer(&self, _: &StackId, queries: &[facts::Query]) -> Result<Facts<Stacks>, Refusal> {
        self.facts(queries).await
    }
}

#[async_trait]
impl Observe<Stacks> for Aws {
    async fn observe(&self, _: &StackId, scope: &StackScope) -> Result<StackObserved, Refusal> {
        Ok(self.observe_stack(scope).await?)
    }
}

#[async_trait]
impl Apply<Stacks> for Aws {
    async fn apply(&self, _: &StackId, op: &StackOp, bindings: &Bindings) -> Result<Applied, Refusal> {
        self.apply_stack(op, bindings).await
    }
}

#[async_trait]
impl Answer<Targets> for Aws {
    async fn answer(&self, _: &Key, queries: &[facts::Query]) -> Result<Facts<Targets>, Refusal> {
        self.facts(queries).await
    }
}

#[async_trait]
impl Observe<Targets> for Aws {
    async fn observe(&self, _: &Key, scope: &TargetsScope) -> Result<TargetsObserved, Refusal> {
        Ok(self.observe_targets(scope).await?)
    }
}

#[async_trait]
impl Apply<Targets> for Aws {
    async fn apply(&self, _: &Key, op: &TargetsOp, _: &Bindings) -> Result<Applied, Refusal> {
        self.apply_targets(op).await
    }
}

#[async_trait]
impl Answer<Zones> for Aws {
    async fn answer(&self, _: &ZoneUnit, queries: &[provider::Query]) -> Result<Facts<Zones>, Refusal> {
        let mut facts = Facts::default();
        for query in queries {
            let provider::Query::HostedZones { tags } = query;
            let zones = self.hosted_zones(*tags).await?;
            facts.insert(query.clone(), provider::Answer::HostedZones(zones));
        }
        Ok(facts)
    }
}

#[async_trait]
impl Observe<Zones> for Aws {
    async fn observe(&self, _: &ZoneUnit, scope: &provider::Scope) -> Result<ZoneObserved, Refusal> {
        let provider::Scope::WholeZone(zone) = scope;
        Ok(self.observe_zone(zone).await?)
    }
}

#[async_trait]
impl Apply<Zones> for Aws {
    async fn apply(&self, _: &ZoneUnit, op: &ChangeBatch, _: &Bindings) -> Result<Applied, Refusal> {
        self.apply_records(op).await
    }
}

#[async_trait]
impl Answer<Network> for Aws {
    async fn answer(
        &self,
        _: &network::Cluster,
        queries: &[facts::Query],
    ) -> Result<Facts<Network>, Refusal> {
        self.facts(queries).await
    }
}

#[async_trait]
impl Observe<Network> for Aws {
    async fn observe(&self, _: &network::Cluster, scope: &NetworkScope) -> Result<NetworkObserved, Refusal> {
        Ok(self.observe_network(scope).await?)
    }
}

#[async_trait]
impl Apply<Network> for Aws {
    async fn apply(
        &self,
        _: &network::Cluster,
        op: &NetworkOp,
        bindings: &Bindings,
    ) -> Result<Applied, Refusal> {
        self.apply_network(op, bindings).await
    }
}
