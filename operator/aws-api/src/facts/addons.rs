//! What is referred to from load balancers and kept elsewhere: trust stores, web ACLs, and whether there is Shield
//! Advanced at all. Lists of few, read whole and once for all who ask.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::TrustStore;

use crate::Aws;
use crate::cached::Cached;
use crate::fault::Fault;
use crate::inventory::all_pages;
use crate::thin::{Subscription, WebAcl};

/// A name that is not found may be somebody's next step: it is looked for again after this.
const LIST: Duration = Duration::from_secs(60);
const SUBSCRIPTION: Duration = Duration::from_secs(7200);

/// What was answered lately.
#[derive(Default)]
pub(crate) struct Addons {
    /// Names and ARNs.
    trust_stores: Cached<Vec<(String, String)>>,
    web_acls: Cached<Vec<WebAcl>>,
    subscription: Cached<Subscription>,
}

impl Addons {
    pub(crate) async fn forget(&self) {
        self.trust_stores.forget().await;
        self.web_acls.forget().await;
        self.subscription.forget().await;
    }
}

impl Aws {
    /// The ARN of the trust store with this ARN or name.
    pub(super) async fn trust_store(&self, text: &str) -> Result<Option<String>, Fault> {
        let all = self.answers.addons.trust_stores.get(LIST, self.list_trust_stores()).await?;
        let found = all.into_iter().find(|(name, arn)| name == text || arn == text);
        Ok(found.map(|(_, arn)| arn))
    }

    /// The ARN of the regional web ACL of this name.
    pub(super) async fn web_acl(&self, name: &str) -> Result<Option<String>, Fault> {
        let list = self.thin("wafv2", "ListWebACLs", self.wafv2.web_acls());
        let all = self.answers.addons.web_acls.get(LIST, list).await?;
        Ok(all.into_iter().find(|acl| acl.name == name).map(|acl| acl.arn))
    }

    /// Whether the account has Shield Advanced.
    pub(super) async fn has_shield_advanced(&self) -> Result<bool, Fault> {
        let ask = self.thin("shield", "GetSubscriptionState", self.shield.subscription());
        let state = self.answers.addons.subscription.get(SUBSCRIPTION, ask).await?;
        Ok(state == Subscription::Active)
    }

    async fn list_trust_stores(&self) -> Result<Vec<(String, String)>, Fault> {
        let all: Vec<TrustStore> = all_pages!(
            self,
            "DescribeTrustStores",
            self.elbv2.describe_trust_stores().page_size(self.page),
            trust_stores
        );
        let named =
            |store: &TrustStore| Some((store.name()?.to_owned(), store.trust_store_arn()?.to_owned()));
        Ok(all.iter().filter_map(named).collect())
    }
}
