//! Answers to questions about the account.

use async_trait::async_trait;
use fairway_aws::{
    facts::{Answer as Fact, BoundGroup, Interface, Query},
    network::Network,
    secret::{ClientSeen, tls::TlsSeen},
    stack::Stacks,
    targets::Targets,
};
use fairway_core::evaluate::{Facts, Provider};
use fairway_engine::ports::{Answer, Refusal};

use super::Process;
use crate::{
    sim::Inner,
    world::{Aws, Health},
};

macro_rules! answers {
    ($($provider:ty),*) => {$(
        #[async_trait]
        impl Answer<$provider> for Process {
            async fn answer(
                &self,
                _: &<$provider as Provider>::Unit,
                queries: &[Query],
            ) -> Result<Facts<$provider>, Refusal> {
                let inner = self.sim.lock();
                let mut facts = Facts::default();
                queries.iter().for_each(|query| facts.insert(query.clone(), fact(&inner, query)));
                Ok(facts)
            }
        }
    )*};
}

answers!(Stacks, Targets, Network);

fn fact(inner: &Inner, query: &Query) -> Fact {
    let aws = &inner.aws;
    match query {
        Query::Vpc => Fact::Vpc { ipv4: aws.vpc_cidrs.clone(), ipv6: Vec::new() },
        Query::Subnets => Fact::Subnets(aws.subnets.values().cloned().collect()),
        Query::SecurityGroup(written) => {
            let named = |tags: &fairway_aws::model::Tags| tags.get("Name") == Some(written);
            let found = aws.groups.values().filter(|row| row.id == *written || named(&row.tags));
            Fact::SecurityGroup(found.map(|row| row.id.clone()).collect())
        }
        // There are none.
        Query::PrefixList(_) => Fact::PrefixList(None),
        Query::Certificates => {
            Fact::Certificates(aws.certificates.values().cloned().chain(aws.issued()).collect())
        }
        Query::Certificate(arn) => Fact::Certificate(aws.certificates.get(arn).cloned()),
        Query::Client(secret) => Fact::Client(ClientSeen::of(inner.cluster.secrets.get(secret))),
        Query::TlsSecret(secret) => {
            let now = i64::try_from(aws.now).unwrap_or(i64::MAX);
            Fact::TlsSecret(TlsSeen::of(inner.cluster.secrets.get(secret), now))
        }
        Query::TargetGroup(name) => {
            let named = aws.target_groups.values().find(|row| row.ask.name == *name);
            Fact::TargetGroup(named.map(|row| row.arn.clone()))
        }
        Query::TrustStore(written) => {
            let found = aws.trust_stores.iter().find(|(name, arn)| *name == written || *arn == written);
            Fact::TrustStore(found.map(|(_, arn)| arn.clone()))
        }
        Query::WebAcl(name) => Fact::WebAcl(aws.web_acls.get(name).cloned()),
        Query::ShieldAdvanced => Fact::ShieldAdvanced(true),
        Query::BackendSecurityGroup => Fact::BackendSecurityGroup(backend(aws)),
        Query::Interfaces { addresses, instances } => {
            let asked = |row: &&Interface| {
                row.addresses.iter().any(|address| addresses.contains(address))
                    || row.instance.as_ref().is_some_and(|instance| instances.contains(instance))
            };
            Fact::Interfaces(aws.interfaces.values().filter(asked).cloned().collect())
        }
        Query::Healthy(arn) => {
            let targets = aws.target_health(arn).unwrap_or_default();
            Fact::Healthy(targets.iter().any(|(_, health)| *health == Health::Healthy))
        }
        // The world has one VPC and one account.
        Query::VpcOf(_) => Fact::VpcOf(None),
        Query::BoundGroup { named, .. } => {
            let found = aws.target_groups.values().find(|row| row.arn == *named || row.ask.name == *named);
            Fact::BoundGroup(found.map(|row| BoundGroup {
                arn: row.arn.clone(),
                target_type: row.ask.target_type.as_str().to_owned(),
                protocol: row.ask.protocol.as_str().to_owned(),
                ip_address_type: row.ask.ip_address_type.clone(),
                vpc: aws.vpc.clone(),
            }))
        }
    }
}

/// The cluster's shared backend group, by its tags.
pub(super) fn backend(aws: &Aws) -> Option<String> {
    let marks = fairway_aws::tags::backend_marks(&super::config());
    let is = |tags: &fairway_aws::model::Tags| marks.iter().all(|(key, value)| tags.get(key) == Some(value));
    aws.groups.values().find(|row| is(&row.tags)).map(|row| row.id.clone())
}
