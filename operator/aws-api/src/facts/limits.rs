//! How many of what this account may have, as far as Elastic Load Balancing tells it.
//!
//! | AWS's name                                   | quota           |
//! |----------------------------------------------|-----------------|
//! | `rules-per-application-load-balancer`         | `rules`         |
//! | `target-groups-per-application-load-balancer` | `target-groups` |
//! | `listeners-per-application-load-balancer`     | `listeners`     |
//! | `certificates-per-application-load-balancer`  | `certificates`  |
//!
//! What AWS does not name stays as it is granted to everybody. Rules of security groups are EC2's, which has no such call.
//! Source: DescribeAccountLimits.

use aws_sdk_elasticloadbalancingv2::types::Limit;
use fairway_aws::config::Quota;
use fairway_engine::ports::Refusal;

use crate::{Aws, fault::Fault, inventory::all_pages};

impl Aws {
    /// What the account was granted.
    ///
    /// # Errors
    /// AWS's refusal.
    pub async fn account_limits(&self) -> Result<Vec<(Quota, usize)>, Refusal> {
        let all = self.read_limits().await?;
        Ok(all.iter().filter_map(granted).collect())
    }

    async fn read_limits(&self) -> Result<Vec<Limit>, Fault> {
        Ok(all_pages!(self, "DescribeAccountLimits", self.elbv2.describe_account_limits(), limits))
    }
}

fn granted(limit: &Limit) -> Option<(Quota, usize)> {
    let quota = match limit.name()? {
        "rules-per-application-load-balancer" => Quota::Rules,
        "target-groups-per-application-load-balancer" => Quota::TargetGroups,
        "listeners-per-application-load-balancer" => Quota::Listeners,
        "certificates-per-application-load-balancer" => Quota::Certificates,
        _ => return None,
    };
    Some((quota, limit.max()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_or_of_no_use_is_left_out() {
        let limit = |name: &str, most: &str| Limit::builder().name(name).max(most).build();
        let cases = [
            (limit("rules-per-application-load-balancer", "200"), Some((Quota::Rules, 200))),
            (limit("listeners-per-application-load-balancer", "many"), None),
            (limit("listeners-per-network-load-balancer", "50"), None),
            (Limit::builder().name("rules-per-application-load-balancer").build(), None),
        ];
        for (limit, wanted) in cases {
            assert_eq!(granted(&limit), wanted, "{limit:?}");
        }
    }
}
