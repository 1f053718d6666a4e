//! What other services put on load balancers: looked at only where somebody asks for it, a call each.

use std::collections::BTreeSet;

use fairway_aws::model::{Addon, PROTECTION_NAME};
use fairway_aws::observed::{AddonsSeen, Shielding};
use fairway_core::settings::front::Attachment;

use crate::Aws;
use crate::cached::CachedBy;
use crate::fault::Fault;

/// What was seen, by load balancer and what was looked at; only that part of it is told.
pub(crate) type Addons = CachedBy<(String, Addon), AddonsSeen>;

impl Aws {
    /// What is put on the load balancer `arn`, as far as it is asked for.
    pub(crate) async fn addons_of(&self, arn: &str, asked: &BTreeSet<Addon>) -> Result<AddonsSeen, Fault> {
        let mut all = AddonsSeen::default();
        for addon in asked {
            let look = self.look_at_addon(arn, *addon);
            let seen =
                self.inventory.addons.get((arn.to_owned(), *addon), self.inventory.max_age, look).await?;
            match addon {
                Addon::Capacity => all.capacity = seen.capacity,
                Addon::WebAcl => all.web_acl = seen.web_acl,
                Addon::ClassicAcl => all.classic_acl = seen.classic_acl,
                Addon::Shield => all.shield = seen.shield,
            }
        }
        Ok(all)
    }

    async fn look_at_addon(&self, arn: &str, addon: Addon) -> Result<AddonsSeen, Fault> {
        let mut seen = AddonsSeen::default();
        match addon {
            Addon::Capacity => {
                let request = self.elbv2.describe_capacity_reservation().load_balancer_arn(arn);
                let answer = self.elb("DescribeCapacityReservation", request.send()).await?;
                let reserved = answer.minimum_load_balancer_capacity();
                seen.capacity = Some(reserved.and_then(|reserved| reserved.capacity_units()).unwrap_or(0));
            }
            Addon::WebAcl => {
                let acl = self.thin("wafv2", "GetWebACLForResource", self.wafv2.web_acl_for(arn)).await?;
                seen.web_acl = Some(attached(acl.map(|acl| acl.arn)));
            }
            Addon::ClassicAcl => {
                let look = self.waf_classic.web_acl_for(arn);
                seen.classic_acl =
                    Some(attached(self.thin("waf-regional", "GetWebACLForResource", look).await?));
            }
            Addon::Shield => {
                let look = self.shield.protection_of(arn);
                seen.shield = Some(match self.thin("shield", "DescribeProtection", look).await? {
                    None => Shielding::Nobody,
                    Some(protection) if protection.name == PROTECTION_NAME => Shielding::Ours(protection.id),
                    Some(_) => Shielding::Theirs,
                });
            }
        }
        Ok(seen)
    }
}

fn attached(acl: Option<String>) -> Attachment {
    acl.map_or(Attachment::Nothing, Attachment::This)
}
