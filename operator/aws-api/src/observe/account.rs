//! Everything in the account that could be a cluster's: for people who look for what is left over.

use std::collections::BTreeSet;

use fairway_aws::model::Tags;
use fairway_aws::observed::LoadBalancerSeen;
use fairway_aws::orphans::Account;
use fairway_aws::tags::CLUSTER;
use fairway_engine::ports::Refusal;

use crate::Aws;

impl Aws {
    /// Load balancers and target groups of the region, security groups of the VPC and certificates of the cluster, with
    /// their tags.
    ///
    /// # Errors
    /// What AWS refused; a list that was not read to its end is no list.
    pub async fn account(&self) -> Result<Account, Refusal> {
        let mut account = self
            .region(|region| Account {
                load_balancers: region.balancers.values().map(|balancer| balancer.seen.clone()).collect(),
                target_groups: region.target_groups.values().map(|group| group.seen.clone()).collect(),
                ..Account::default()
            })
            .await?;
        account.security_groups = self.security_groups(|all| all.values().cloned().collect()).await?;
        let cluster = Tags::from([(CLUSTER.to_owned(), self.config.cluster.clone())]);
        let certificates = self.certificates_of(&cluster, &BTreeSet::new()).await?;
        account.certificates = certificates.into_values().collect();
        Ok(account)
    }

    /// The same load balancers with their listeners, rules and attributes.
    ///
    /// # Errors
    /// What AWS refused.
    pub async fn in_full(&self, balancers: Vec<LoadBalancerSeen>) -> Result<Vec<LoadBalancerSeen>, Refusal> {
        let mut full = Vec::new();
        for seen in balancers {
            let known = self.region(|region| region.balancers.get(&seen.handle.id).cloned()).await?;
            // One that is gone by now is nobody's orphan.
            if let Some(known) = known {
                full.push(self.complete_balancer(known).await?);
            }
        }
        Ok(full)
    }
}
