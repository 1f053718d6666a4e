//! Targets of a group and their health over time.

use fairway_aws::model::{LoadBalancerKind, TargetType};

use super::{Answered, Aws, State, TargetGroupRow, refuse, unless};

/// A registered target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// Instance id or address.
    pub id: String,
    /// Port.
    pub port: u16,
    /// `all`, a zone, or none.
    pub zone: Option<String>,
    /// When it was registered.
    pub since: u64,
}

/// State of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// No load balancer uses the group.
    Unused,
    /// Just registered.
    Initial,
    /// In service.
    Healthy,
    /// Being taken out.
    Draining,
}

impl Aws {
    /// RegisterTargets: all or none. `None` as a port is the group's.
    ///
    /// # Errors
    /// `TargetGroupNotFound`, `InvalidTarget`, `TooManyTargets`.
    pub fn register_targets(
        &mut self,
        arn: &str,
        targets: &[(String, Option<u16>, Option<String>)],
    ) -> Answered<()> {
        let group = self.target_group(arn)?;
        for (id, port, zone) in targets {
            match group.ask.target_type {
                TargetType::Alb => self.balancer_is_valid(group, id, *port)?,
                kind => self.target_is_valid(kind, id, zone.as_deref())?,
            }
        }
        let (most, now) = (self.quota("targets-per-target-group", 1000), self.now);
        let group = self.target_group_mut(arn)?;
        let default = u16::try_from(group.ask.port).unwrap_or_default();
        let mut all = group.targets.clone();
        for (id, port, zone) in targets {
            let port = port.unwrap_or(default);
            if !all.iter().any(|have| (&have.id, have.port, &have.zone) == (id, port, zone)) {
                all.push(TargetRow { id: id.clone(), port, zone: zone.clone(), since: now });
            }
        }
        unless(all.len() <= most, "TooManyTargets", "the maximum number of targets has been reached")?;
        group
            .draining
            .retain(|(gone, _)| !all.iter().any(|have| (&have.id, have.port) == (&gone.id, gone.port)));
        group.targets = all;
        Ok(())
    }

    /// DeregisterTargets; one that is not registered is no error. Without a port, all of a target's ports are meant.
    ///
    /// # Errors
    /// `TargetGroupNotFound`.
    pub fn deregister_targets(&mut self, arn: &str, targets: &[(String, Option<u16>)]) -> Answered<()> {
        let now = self.now;
        let group = self.target_group_mut(arn)?;
        let delay =
            group.attributes.get("deregistration_delay.timeout_seconds").and_then(|text| text.parse().ok());
        let until = now + delay.unwrap_or(300);
        let meant = |row: &TargetRow| {
            targets.iter().any(|(id, port)| *id == row.id && port.is_none_or(|port| port == row.port))
        };
        let (gone, stay) = std::mem::take(&mut group.targets).into_iter().partition(meant);
        group.targets = stay;
        let gone: Vec<TargetRow> = gone;
        group.draining.extend(gone.into_iter().map(|row| (row, until)));
        Ok(())
    }

    /// DescribeTargetHealth: registered ones, then those being drained.
    ///
    /// # Errors
    /// `TargetGroupNotFound`.
    pub fn target_health(&self, arn: &str) -> Answered<Vec<(TargetRow, Health)>> {
        let group = self.target_group(arn)?;
        let used = !self.users_of(arn).is_empty();
        let health = |row: &TargetRow| match used {
            false => Health::Unused,
            true if self.now < row.since + self.settings.target_initial => Health::Initial,
            true => Health::Healthy,
        };
        let registered = group.targets.iter().map(|row| (row.clone(), health(row)));
        Ok(registered.chain(self.draining(group)).collect())
    }

    fn draining<'a>(&self, group: &'a TargetGroupRow) -> impl Iterator<Item = (TargetRow, Health)> + 'a {
        let now = self.now;
        let still = group.draining.iter().filter(move |(_, until)| *until > now);
        still.map(|(row, _)| (row.clone(), Health::Draining))
    }

    /// A group of type `alb` has one target: an active ALB that listens on the group's own port.
    fn balancer_is_valid(&self, group: &TargetGroupRow, id: &str, port: Option<u16>) -> Answered<()> {
        let balancer = self.balancers.get(id).filter(|row| row.kind == LoadBalancerKind::Application);
        let active = balancer.is_some_and(|row| self.state(row) == State::Active);
        unless(active, "InvalidTarget", "the target is not an active application load balancer")?;
        let same = port.is_none_or(|port| i32::from(port) == group.ask.port);
        unless(same, "ValidationError", "the port of the target is not that of the target group")?;
        let listens = self.listeners_of(id).any(|row| i32::from(row.port) == group.ask.port);
        unless(
            listens,
            "InvalidTarget",
            "the load balancer does not listen on the port of the target group",
        )?;
        let alone = group.targets.iter().all(|row| row.id == id);
        unless(alone, "TooManyTargets", "the target group has a target")
    }

    /// Whether an ALB is somebody's target, at one port or at any.
    pub(super) fn is_target(&self, balancer: &str, port: Option<u16>) -> bool {
        let groups = self.target_groups.values().filter(|row| row.ask.target_type == TargetType::Alb);
        let mut targets = groups.flat_map(|row| &row.targets);
        targets.any(|row| row.id == balancer && port.is_none_or(|port| port == row.port))
    }

    fn target_is_valid(&self, kind: TargetType, id: &str, zone: Option<&str>) -> Answered<()> {
        match kind {
            TargetType::Instance => {
                unless(self.instances.contains_key(id), "InvalidTarget", "the target is not a valid instance")
            }
            TargetType::Ip if id.parse::<std::net::IpAddr>().is_err() => {
                refuse("ValidationError", format!("'{id}' is not a valid address"))
            }
            TargetType::Ip | TargetType::Alb => {
                let reachable = self.in_vpc(id) || zone == Some("all");
                unless(reachable, "InvalidTarget", "the address is outside the VPC")
            }
        }
    }
}
