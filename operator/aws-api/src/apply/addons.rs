//! What other services put on load balancers. Each call sets what is wanted whatever was there, so that it can be
//! repeated.

use aws_sdk_elasticloadbalancingv2::types::{IpamPools, MinimumLoadBalancerCapacity, RemoveIpamPoolEnum};
use fairway_aws::model::{Addon, PROTECTION_NAME};
use fairway_core::settings::front::Attachment;
use fairway_engine::ports::Applied;

use super::Done;
use crate::Aws;
use crate::fault::Fault;

impl Aws {
    pub(super) async fn set_ipv4_pool(&self, arn: &str, pool: Option<&String>) -> Done {
        let request = self.elbv2.modify_ip_pools().load_balancer_arn(arn);
        let request = match pool {
            Some(pool) => request.ipam_pools(ipam_pools(pool)),
            None => request.remove_ipam_pools(RemoveIpamPoolEnum::Ipv4),
        };
        self.elb("ModifyIpPools", request.send()).await?;
        let pool = pool.cloned();
        self.record_balancer(arn, move |balancer| balancer.seen.ipv4_pool.clone_from(&pool));
        Ok(Applied::Changed)
    }

    pub(super) async fn reserve_capacity(&self, arn: &str, units: i32) -> Done {
        let request = self.elbv2.modify_capacity_reservation().load_balancer_arn(arn);
        let request = match units {
            0 => request.reset_capacity_reservation(true),
            units => request.minimum_load_balancer_capacity(
                MinimumLoadBalancerCapacity::builder().capacity_units(units).build(),
            ),
        };
        let sent = self.elb("ModifyCapacityReservation", request.send()).await;
        self.changed(arn, Addon::Capacity, sent.map(drop))
    }

    pub(super) async fn set_web_acl(&self, arn: &str, acl: &Attachment) -> Done {
        let sent = match acl {
            Attachment::This(acl) => {
                self.thin("wafv2", "AssociateWebACL", self.wafv2.associate(acl, arn)).await
            }
            Attachment::Nothing => {
                let sent = self.thin("wafv2", "DisassociateWebACL", self.wafv2.disassociate(arn)).await;
                unless_done(sent, "WAFNonexistentItemException")
            }
        };
        self.changed(arn, Addon::WebAcl, sent)
    }

    pub(super) async fn set_classic_acl(&self, arn: &str, acl: &Attachment) -> Done {
        let sent = match acl {
            Attachment::This(acl) => {
                self.thin("waf-regional", "AssociateWebACL", self.waf_classic.associate(acl, arn)).await
            }
            Attachment::Nothing => {
                let sent =
                    self.thin("waf-regional", "DisassociateWebACL", self.waf_classic.disassociate(arn)).await;
                unless_done(sent, "WAFNonexistentItemException")
            }
        };
        self.changed(arn, Addon::ClassicAcl, sent)
    }

    pub(super) async fn protect(&self, arn: &str) -> Done {
        let make = self.shield.create_protection(PROTECTION_NAME, arn);
        let sent = self.thin("shield", "CreateProtection", make).await.map(drop);
        // Whose it is that exists already, the next look tells.
        self.changed(arn, Addon::Shield, unless_done(sent, "ResourceAlreadyExistsException"))
    }

    pub(super) async fn unprotect(&self, arn: &str, id: &str) -> Done {
        let sent = self.thin("shield", "DeleteProtection", self.shield.delete_protection(id)).await;
        self.changed(arn, Addon::Shield, unless_done(sent, "ResourceNotFoundException"))
    }

    /// However the call went, what was known is known no more.
    fn changed(&self, arn: &str, addon: Addon, sent: Result<(), Fault>) -> Done {
        self.inventory.addons.drop(&(arn.to_owned(), addon));
        sent?;
        Ok(Applied::Changed)
    }
}

/// The pools of a creation or a change.
pub(super) fn ipam_pools(ipv4: &str) -> IpamPools {
    IpamPools::builder().ipv4_ipam_pool_id(ipv4).build()
}

/// An error that says that it is done already.
fn unless_done(sent: Result<(), Fault>, code: &str) -> Result<(), Fault> {
    match sent {
        Err(fault) if fault.is(&[code]) => Ok(()),
        sent => sent,
    }
}
