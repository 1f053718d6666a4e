//! Load balancers: names, placement, states, deletion.

use std::collections::BTreeSet;

use fairway_aws::{
    model::{Attributes, IpAddressType, LoadBalancerKind, Scheme, Tags},
    observed::AddonsSeen,
};

use super::{ARN, Answered, Aws, REGION, addons, attributes, refuse, tag, unless};

const PROTECTION: &str = "deletion_protection.enabled";

/// What is asked for at creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancerAsk {
    /// At most 32 characters.
    pub name: String,
    /// Layer.
    pub kind: LoadBalancerKind,
    /// Who can reach it.
    pub scheme: Scheme,
    /// Address families.
    pub ip_address_type: IpAddressType,
    /// Ids.
    pub subnets: Vec<String>,
    /// Ids.
    pub security_groups: Vec<String>,
    /// Pool of customer-owned addresses.
    pub customer_owned_pool: Option<String>,
    /// Elastic addresses, one a subnet.
    pub allocations: Vec<String>,
    /// IPAM pool of public addresses.
    pub ipv4_pool: Option<String>,
    /// Tags.
    pub tags: Tags,
}

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancerRow {
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// Layer.
    pub kind: LoadBalancerKind,
    /// Who can reach it.
    pub scheme: Scheme,
    /// Address families.
    pub ip_address_type: IpAddressType,
    /// Sorted.
    pub subnets: Vec<String>,
    /// In order.
    pub security_groups: Vec<String>,
    /// Pool of customer-owned addresses.
    pub customer_owned_pool: Option<String>,
    /// Elastic addresses, in the order of the subnets.
    pub allocations: Vec<String>,
    /// IPAM pool of public addresses.
    pub ipv4_pool: Option<String>,
    /// What other services put on it.
    pub addons: AddonsSeen,
    /// All.
    pub attributes: Attributes,
    /// Tags.
    pub tags: Tags,
    /// Name by which it is reached; another for each load balancer that ever was.
    pub dns_name: String,
    /// `CanonicalHostedZoneId`.
    pub zone_id: String,
    /// When it was made.
    pub made_at: u64,
}

/// State of a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not reachable yet.
    Provisioning,
    /// Reachable.
    Active,
}

impl BalancerRow {
    /// Whether it must not be deleted.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.attributes.get(PROTECTION).is_some_and(|value| value == "true")
    }
}

impl Aws {
    /// CreateLoadBalancer: succeeds again with equal settings.
    ///
    /// # Errors
    /// `DuplicateLoadBalancerName`, `TooManyLoadBalancers`, and what is wrong with name, subnets or groups.
    pub fn create_load_balancer(&mut self, ask: BalancerAsk) -> Answered<BalancerRow> {
        name_is_valid(&ask.name)?;
        tag::check(&ask.tags)?;
        self.subnets_fit(ask.kind, ask.ip_address_type, &ask.subnets)?;
        self.groups_exist(&ask.security_groups)?;
        let groups = match (ask.kind, ask.security_groups.is_empty()) {
            (LoadBalancerKind::Application, true) => vec![self.default_group.clone()],
            _ => ask.security_groups,
        };
        if let Some(row) = self.balancers.values().find(|row| row.name == ask.name) {
            let sets = |one: &[String], two: &[String]| {
                one.iter().collect::<BTreeSet<_>>() == two.iter().collect::<BTreeSet<_>>()
            };
            let equal = (row.kind, row.scheme, row.ip_address_type)
                == (ask.kind, ask.scheme, ask.ip_address_type)
                && sets(&row.subnets, &ask.subnets)
                && sets(&row.security_groups, &groups);
            return if equal { Ok(row.clone()) } else { refuse("DuplicateLoadBalancerName", &ask.name) };
        }
        self.balancer_quota(ask.kind)?;
        let number = self.next();
        let letters = if ask.kind == LoadBalancerKind::Application { "app" } else { "net" };
        let mut subnets = ask.subnets;
        subnets.sort();
        let row = BalancerRow {
            arn: format!("{ARN}:loadbalancer/{letters}/{}/{number:016x}", ask.name),
            dns_name: dns_name(&ask.name, ask.kind, ask.scheme, number),
            zone_id: zone_id(ask.kind).to_owned(),
            attributes: attributes::of_balancer(ask.kind),
            name: ask.name,
            kind: ask.kind,
            scheme: ask.scheme,
            ip_address_type: ask.ip_address_type,
            subnets,
            security_groups: groups,
            customer_owned_pool: ask.customer_owned_pool,
            allocations: ask.allocations,
            ipv4_pool: ask.ipv4_pool,
            addons: addons::none(),
            tags: ask.tags,
            made_at: self.now,
        };
        self.balancers.insert(row.arn.clone(), row.clone());
        Ok(row)
    }

    /// DeleteLoadBalancer: its listeners and rules go with it; one that is gone is no error.
    ///
    /// # Errors
    /// `OperationNotPermitted` under deletion protection; `ResourceInUse` while it is somebody's target.
    pub fn delete_load_balancer(&mut self, arn: &str) -> Answered<()> {
        let Some(row) = self.balancers.get(arn) else { return Ok(()) };
        unless(!row.is_protected(), "OperationNotPermitted", "deletion protection is enabled")?;
        unless(!self.is_target(arn, None), "ResourceInUse", "it is associated with another service")?;
        self.lingering.push((self.now + self.settings.interface_linger, row.security_groups.clone()));
        self.balancers.remove(arn);
        let listeners = self.listeners.values().filter(|row| row.load_balancer == arn);
        let listeners: Vec<String> = listeners.map(|row| row.arn.clone()).collect();
        listeners.iter().try_for_each(|listener| self.delete_listener(listener))
    }

    /// Lifts deletion protection, as somebody at the console does.
    pub fn allow_deletion(&mut self, arn: &str) {
        if let Some(row) = self.balancers.get_mut(arn) {
            row.attributes.insert(PROTECTION.to_owned(), "false".to_owned());
        }
    }

    /// SetSubnets, as a whole.
    ///
    /// # Errors
    /// As at creation.
    pub fn set_subnets(&mut self, arn: &str, subnets: &[String], allocations: &[String]) -> Answered<()> {
        let (kind, family) = self.balancer(arn).map(|row| (row.kind, row.ip_address_type))?;
        self.subnets_fit(kind, family, subnets)?;
        let mut subnets = subnets.to_vec();
        subnets.sort();
        let row = self.balancer_mut(arn)?;
        (row.subnets, row.allocations) = (subnets, allocations.to_vec());
        Ok(())
    }

    /// SetSecurityGroups, as a whole.
    ///
    /// # Errors
    /// `InvalidSecurityGroup`; `InvalidConfigurationRequest` for a network load balancer made without groups.
    pub fn set_security_groups(&mut self, arn: &str, groups: &[String]) -> Answered<()> {
        self.groups_exist(groups)?;
        let row = self.balancer_mut(arn)?;
        let bare = row.kind == LoadBalancerKind::Network && row.security_groups.is_empty();
        unless(!bare, "InvalidConfigurationRequest", "the load balancer was made without security groups")?;
        unless(!groups.is_empty(), "InvalidConfigurationRequest", "at least one security group is needed")?;
        row.security_groups = groups.to_vec();
        Ok(())
    }

    /// SetIpAddressType.
    ///
    /// # Errors
    /// `InvalidSubnet` when a subnet has no IPv6 range.
    pub fn set_ip_address_type(&mut self, arn: &str, family: IpAddressType) -> Answered<()> {
        let (kind, subnets) = self.balancer(arn).map(|row| (row.kind, row.subnets.clone()))?;
        self.subnets_fit(kind, family, &subnets)?;
        self.balancer_mut(arn)?.ip_address_type = family;
        Ok(())
    }

    /// ModifyLoadBalancerAttributes: all or none.
    ///
    /// # Errors
    /// `InvalidConfigurationRequest` for a key or a value that there is not.
    pub fn modify_balancer_attributes(&mut self, arn: &str, changes: &Attributes) -> Answered<()> {
        attributes::change(&mut self.balancer_mut(arn)?.attributes, changes)
    }

    /// Whether it can be reached.
    #[must_use]
    pub fn state(&self, row: &BalancerRow) -> State {
        let ready = self.now >= row.made_at + self.settings.provisioning;
        if ready { State::Active } else { State::Provisioning }
    }

    /// One load balancer.
    ///
    /// # Errors
    /// `LoadBalancerNotFound`.
    pub fn balancer(&self, arn: &str) -> Answered<&BalancerRow> {
        self.balancers.get(arn).map_or_else(|| refuse("LoadBalancerNotFound", arn), Ok)
    }

    pub(super) fn balancer_mut(&mut self, arn: &str) -> Answered<&mut BalancerRow> {
        self.balancers.get_mut(arn).map_or_else(|| refuse("LoadBalancerNotFound", arn), Ok)
    }

    fn balancer_quota(&self, kind: LoadBalancerKind) -> Answered<()> {
        let name = match kind {
            LoadBalancerKind::Application => "application-load-balancers",
            LoadBalancerKind::Network => "network-load-balancers",
        };
        let count = self.balancers.values().filter(|row| row.kind == kind).count();
        unless(count < self.quota(name, 50), "TooManyLoadBalancers", "the quota is reached")
    }

    fn groups_exist(&self, groups: &[String]) -> Answered<()> {
        let known = groups.iter().all(|id| self.groups.contains_key(id));
        unless(known, "InvalidSecurityGroup", "one or more security groups do not exist")
    }

    fn subnets_fit(&self, kind: LoadBalancerKind, family: IpAddressType, ids: &[String]) -> Answered<()> {
        let found: Vec<_> = ids.iter().filter_map(|id| self.subnets.get(id)).collect();
        unless(found.len() == ids.len(), "SubnetNotFound", "one or more subnets do not exist")?;
        let zones: BTreeSet<&str> = found.iter().map(|subnet| subnet.zone.as_str()).collect();
        unless(
            zones.len() == found.len(),
            "InvalidConfigurationRequest",
            "one subnet per Availability Zone",
        )?;
        let least = if kind == LoadBalancerKind::Application { 2 } else { 1 };
        unless(zones.len() >= least, "ValidationError", "too few Availability Zones")?;
        let dual = family != IpAddressType::Ipv4 && found.iter().any(|subnet| subnet.ipv6_cidrs.is_empty());
        unless(!dual, "InvalidSubnet", "a subnet has no IPv6 range")
    }
}

fn name_is_valid(name: &str) -> Answered<()> {
    let characters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let edges = !name.starts_with('-') && !name.ends_with('-') && !name.starts_with("internal-");
    let length = (1..=32).contains(&name.len());
    unless(characters && edges && length, "ValidationError", "the load balancer name is not valid")
}

fn dns_name(name: &str, kind: LoadBalancerKind, scheme: Scheme, number: u64) -> String {
    match (kind, scheme) {
        (LoadBalancerKind::Application, Scheme::Internal) => {
            format!("internal-{name}-{number}.{REGION}.elb.amazonaws.com")
        }
        (LoadBalancerKind::Application, Scheme::InternetFacing) => {
            format!("{name}-{number}.{REGION}.elb.amazonaws.com")
        }
        (LoadBalancerKind::Network, _) => format!("{name}-{number:016x}.elb.{REGION}.amazonaws.com"),
    }
}

/// Source: Elastic Load Balancing endpoints and quotas, us-east-1.
fn zone_id(kind: LoadBalancerKind) -> &'static str {
    match kind {
        LoadBalancerKind::Application => "Z35SXDOTRQ7X7K",
        LoadBalancerKind::Network => "Z26RNL4JYFTOTI",
    }
}
