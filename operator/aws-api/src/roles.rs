//! Clients of Elastic Load Balancing in the name of roles, one a role: whose target group it is, asks for it.
//!
//! The credentials of a role are kept by its client and made anew before they run out.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_config::sts::AssumeRoleProvider;
use aws_sdk_elasticloadbalancingv2 as elbv2;
use aws_types::SdkConfig;
use fairway_aws::facts::Role;

use crate::Aws;
use crate::calls::CallCounter;

/// Clients by role.
pub(crate) struct Roles {
    sdk: SdkConfig,
    calls: CallCounter,
    clients: Mutex<BTreeMap<Role, elbv2::Client>>,
}

impl Roles {
    /// Nobody's role has been assumed.
    pub(crate) fn new(sdk: &SdkConfig, calls: &CallCounter) -> Self {
        Self { sdk: sdk.clone(), calls: calls.clone(), clients: Mutex::default() }
    }

    fn known(&self, role: &Role) -> Option<elbv2::Client> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).get(role).cloned()
    }

    /// No call is made: the role is assumed when its client is first used.
    async fn client(&self, role: &Role, session: &str) -> elbv2::Client {
        if let Some(known) = self.known(role) {
            return known;
        }
        let mut provider = AssumeRoleProvider::builder(&role.arn).session_name(session).configure(&self.sdk);
        if let Some(id) = &role.external_id {
            provider = provider.external_id(id);
        }
        let provider = provider.build().await;
        let config = elbv2::config::Builder::from(&self.sdk)
            .credentials_provider(provider)
            .interceptor(self.calls.clone())
            .build();
        let client = elbv2::Client::from_conf(config);
        // Two may have made one at a time; they are as good as each other.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(role.clone()).or_insert(client).clone()
    }
}

/// Session names take these characters, and 64 of them at most.
fn session(cluster: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "=,.@_-".contains(*c);
    "fairway-".chars().chain(cluster.chars().filter(allowed)).take(64).collect()
}

impl Aws {
    /// Elastic Load Balancing as the role sees it; `None` is the operator's own.
    pub(crate) async fn elb_as(&self, role: Option<&Role>) -> elbv2::Client {
        match role {
            None => self.elbv2.clone(),
            Some(role) => self.roles.client(role, &session(&self.config.cluster)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_named_after_the_cluster() {
        assert_eq!(session("demo"), "fairway-demo");
        assert_eq!(session("de mo/1"), "fairway-demo1");
        assert_eq!(session(&"x".repeat(100)).len(), 64);
    }
}
