//! What is there, shared by all stacks.
//!
//! | view            | read by                                            | calls for N load balancers and M target groups |
//! |-----------------|----------------------------------------------------|-------------------------------------------------|
//! | [`Region`]      | lists of load balancers and target groups, tags    | N/400 + M/400 + (N+M)/20                        |
//! | security groups | one list of the VPC                                | one a thousand groups                           |
//! | listeners       | per load balancer that is ours, on first need      | 1, a listener 1 to 3, tags by 20                |
//! | attributes      | per resource that is ours, on first need           | 1                                               |
//! | members         | per target group, on first need                    | 1                                               |
//! | add-ons         | per load balancer and add-on that somebody asks for | 1                                               |
//! | certificates    | one list of what has the cluster's tag, on first need | one a hundred                                  |
//! | a certificate   | per one of ours, on first need                     | 2                                               |
//!
//! Each is read once and then kept current by our own writes. What we make ourselves is known from AWS's answer to
//! the making: nothing is read for it. Attributes of what we have just made count as empty, which is to say that none
//! of those that someone asks for is set yet.

mod addons;
mod certificates;
mod details;
mod members;
mod poll;
mod read;

use std::collections::BTreeMap;
use std::time::Duration;

use fairway_aws::model::Tags;
use fairway_aws::observed::{ListenerSeen, LoadBalancerSeen, RuleSeen, SecurityGroupSeen, TargetGroupSeen};
use fairway_dns::record::RecordSet;
use tokio::time::Instant;

use crate::cached::CachedBy;
use crate::ledger::Ledger;

pub(crate) use addons::Addons;
pub(crate) use certificates::Certificates;
pub(crate) use members::Members;
pub(crate) use poll::Poll;
pub(crate) use read::all_pages;

/// How old a view may be unless drift is looked for more often.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(600);

/// Security groups of the VPC, by id.
pub(crate) type SecurityGroups = BTreeMap<String, SecurityGroupSeen>;

/// All views.
pub(crate) struct Inventory {
    /// How old a view may be: what others change by hand is seen after this.
    pub(crate) max_age: Duration,
    pub(crate) region: Ledger<Region>,
    pub(crate) security_groups: Ledger<SecurityGroups>,
    pub(crate) members: Members,
    pub(crate) addons: Addons,
    pub(crate) certificates: Certificates,
    pub(crate) zones: Zones,
    pub(crate) poll: Poll,
}

/// Record sets by zone.
pub(crate) type Zones = CachedBy<String, std::sync::Arc<Vec<RecordSet>>>;

/// Load balancers and target groups, by ARN.
#[derive(Debug, Clone, Default)]
pub(crate) struct Region {
    pub(crate) balancers: BTreeMap<String, Balancer>,
    pub(crate) target_groups: BTreeMap<String, Group>,
}

/// A load balancer, and since when its parts are known.
#[derive(Debug, Clone)]
pub(crate) struct Balancer {
    pub(crate) seen: LoadBalancerSeen,
    pub(crate) listeners: Option<Instant>,
    pub(crate) attributes: Option<Instant>,
}

/// A target group, and since when its attributes are known.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) seen: TargetGroupSeen,
    pub(crate) attributes: Option<Instant>,
}

impl Inventory {
    /// Nothing is known.
    pub(crate) fn new(max_age: Duration) -> Self {
        Self {
            max_age,
            region: Ledger::default(),
            security_groups: Ledger::default(),
            members: Members::new(max_age, Duration::ZERO),
            addons: Addons::default(),
            certificates: Certificates::default(),
            zones: Zones::default(),
            poll: Poll::default(),
        }
    }

    /// The same, relying on what AWS says of targets' health for so long.
    pub(crate) fn with_health_age(self, health_age: Duration) -> Self {
        Self { members: Members::new(self.max_age, health_age), ..self }
    }

    /// Whether something known since then is worth relying on.
    pub(crate) fn is_fresh(&self, since: Option<Instant>) -> bool {
        since.is_some_and(|at| at.elapsed() <= self.max_age)
    }

    pub(crate) fn forget(&self) {
        self.region.forget();
        self.security_groups.forget();
        self.members.forget();
        self.addons.forget();
        self.certificates.forget();
        self.zones.forget();
    }
}

impl Balancer {
    /// As the lists show it.
    pub(crate) fn listed(seen: LoadBalancerSeen) -> Self {
        Self { seen, listeners: None, attributes: None }
    }

    /// As it is when it was just made: nothing hangs on it.
    pub(crate) fn made(seen: LoadBalancerSeen) -> Self {
        let now = Some(Instant::now());
        Self { seen, listeners: now, attributes: now }
    }

    /// A listener, by ARN.
    pub(crate) fn listener(&mut self, arn: &str) -> Option<&mut ListenerSeen> {
        self.seen.listeners.values_mut().find(|listener| listener.arn == arn)
    }
}

impl Group {
    /// As the lists show it.
    pub(crate) fn listed(seen: TargetGroupSeen) -> Self {
        Self { seen, attributes: None }
    }

    /// As it is when it was just made.
    pub(crate) fn made(seen: TargetGroupSeen) -> Self {
        Self { seen, attributes: Some(Instant::now()) }
    }
}

impl Region {
    pub(crate) fn balancer_named(&self, name: &str) -> Option<&Balancer> {
        self.balancers.values().find(|balancer| balancer.seen.name == name)
    }

    pub(crate) fn group_named(&self, name: &str) -> Option<&Group> {
        self.target_groups.values().find(|group| group.seen.name == name)
    }

    /// The listener of this ARN, if it is known.
    pub(crate) fn listener(&mut self, arn: &str) -> Option<&mut ListenerSeen> {
        self.balancers.values_mut().find_map(|balancer| balancer.listener(arn))
    }

    /// The load balancer that a listener hangs on.
    pub(crate) fn balancer_of(&mut self, listener: &str) -> Option<&mut Balancer> {
        let carries =
            |balancer: &Balancer| balancer.seen.listeners.values().any(|known| known.arn == listener);
        self.balancers.values_mut().find(|balancer| carries(balancer))
    }

    /// The rule of this ARN, if it is known.
    pub(crate) fn rule(&mut self, arn: &str) -> Option<&mut RuleSeen> {
        let listeners = self.balancers.values_mut().flat_map(|balancer| balancer.seen.listeners.values_mut());
        listeners.flat_map(|listener| &mut listener.rules).find(|rule| rule.arn == arn)
    }

    /// What hangs on a load balancer, and its attributes, are read again on the next look.
    pub(crate) fn forget_balancer(&mut self, name: &str) {
        for balancer in self.balancers.values_mut().filter(|balancer| balancer.seen.name == name) {
            (balancer.listeners, balancer.attributes) = (None, None);
        }
    }

    /// A target group's attributes are read again on the next look.
    pub(crate) fn forget_group(&mut self, name: &str) {
        for group in self.target_groups.values_mut().filter(|group| group.seen.name == name) {
            group.attributes = None;
        }
    }

    /// The tags of whatever has this ARN.
    pub(crate) fn tags(&mut self, arn: &str) -> Option<&mut Tags> {
        if arn.contains(":listener-rule/") {
            self.rule(arn).map(|rule| &mut rule.tags)
        } else if arn.contains(":listener/") {
            self.listener(arn).map(|listener| &mut listener.tags)
        } else if arn.contains(":targetgroup/") {
            self.target_groups.get_mut(arn).map(|group| &mut group.seen.tags)
        } else {
            self.balancers.get_mut(arn).map(|balancer| &mut balancer.seen.tags)
        }
    }
}
