//! What other services put on load balancers: web ACLs, protections, reserved capacity, pools of addresses.

use fairway_aws::observed::{AddonsSeen, Shielding};
use fairway_core::settings::front::Attachment;

use super::{Answered, Aws, State, refuse, unless};

/// What a new load balancer has.
pub(super) fn none() -> AddonsSeen {
    AddonsSeen {
        capacity: Some(0),
        web_acl: Some(Attachment::Nothing),
        classic_acl: Some(Attachment::Nothing),
        shield: Some(Shielding::Nobody),
    }
}

impl Aws {
    /// ModifyIpPools.
    ///
    /// # Errors
    /// `LoadBalancerNotFound`.
    pub fn set_ipv4_pool(&mut self, arn: &str, pool: Option<&String>) -> Answered<()> {
        self.balancer_mut(arn)?.ipv4_pool = pool.cloned();
        Ok(())
    }

    /// ModifyCapacityReservation; 0 resets it.
    ///
    /// # Errors
    /// `LoadBalancerNotFound`.
    pub fn reserve_capacity(&mut self, arn: &str, units: i32) -> Answered<()> {
        self.balancer_mut(arn)?.addons.capacity = Some(units);
        Ok(())
    }

    /// AssociateWebACL or DisassociateWebACL.
    ///
    /// # Errors
    /// `WAFUnavailableEntityException` for a load balancer that is not active; `WAFNonexistentItemException` for an ACL
    /// or a load balancer that is not there.
    pub fn set_web_acl(&mut self, arn: &str, acl: &Attachment) -> Answered<()> {
        let known = |arn: &String| self.web_acls.values().any(|known| known == arn);
        let there = match acl {
            Attachment::This(arn) => known(arn),
            Attachment::Nothing => true,
        };
        unless(there, "WAFNonexistentItemException", "there is no such web ACL")?;
        self.can_be_guarded(arn)?;
        self.balancer_mut(arn)?.addons.web_acl = Some(acl.clone());
        Ok(())
    }

    /// The same of WAF Classic, which knows every id here.
    ///
    /// # Errors
    /// As for WAFv2.
    pub fn set_classic_acl(&mut self, arn: &str, acl: &Attachment) -> Answered<()> {
        self.can_be_guarded(arn)?;
        self.balancer_mut(arn)?.addons.classic_acl = Some(acl.clone());
        Ok(())
    }

    /// CreateProtection.
    ///
    /// # Errors
    /// `ResourceAlreadyExistsException`; `ResourceNotFoundException` for a load balancer that is not there.
    pub fn protect(&mut self, arn: &str) -> Answered<()> {
        let id = format!("protection-{}", self.next());
        let Ok(row) = self.balancer_mut(arn) else { return refuse("ResourceNotFoundException", arn) };
        let free = row.addons.shield == Some(Shielding::Nobody);
        unless(free, "ResourceAlreadyExistsException", "the resource is protected already")?;
        row.addons.shield = Some(Shielding::Ours(id));
        Ok(())
    }

    /// DeleteProtection.
    ///
    /// # Errors
    /// `ResourceNotFoundException`.
    pub fn unprotect(&mut self, id: &str) -> Answered<()> {
        let ours = Some(Shielding::Ours(id.to_owned()));
        let row = self.balancers.values_mut().find(|row| row.addons.shield == ours);
        let Some(row) = row else { return refuse("ResourceNotFoundException", id) };
        row.addons.shield = Some(Shielding::Nobody);
        Ok(())
    }

    fn can_be_guarded(&self, arn: &str) -> Answered<()> {
        let Some(row) = self.balancers.get(arn) else { return refuse("WAFNonexistentItemException", arn) };
        let active = self.state(row) == State::Active;
        unless(active, "WAFUnavailableEntityException", "the load balancer is not active yet")
    }
}
