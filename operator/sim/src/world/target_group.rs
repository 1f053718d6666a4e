//! Target groups: names, health checks, who uses them.

use std::collections::BTreeSet;

use fairway_aws::model::{Attributes, HealthCheck, Tags, TargetProtocol, TargetType};

use fairway_aws::observed::BalancerTarget;

use super::{ARN, Answered, Aws, TargetRow, attributes, refuse, tag, unless};

/// What is asked for at creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroupAsk {
    /// At most 32 characters.
    pub name: String,
    /// Port of targets that name none.
    pub port: i32,
    /// Protocol to the targets.
    pub protocol: TargetProtocol,
    /// HTTP only; `HTTP1` when absent.
    pub protocol_version: Option<String>,
    /// What is registered.
    pub target_type: TargetType,
    /// `ipv4` or `ipv6`.
    pub ip_address_type: String,
    /// Where the target optimizer's agent is asked.
    pub control_port: Option<i32>,
    /// Id of the VPC.
    pub vpc: String,
    /// What of the health check is not the default.
    pub health_check: HealthCheckChange,
    /// Tags.
    pub tags: Tags,
}

/// Parts of a health check; what is absent stays, or is the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthCheckChange {
    /// `HTTP`, `HTTPS` or `TCP`.
    pub protocol: Option<String>,
    /// A number or `traffic-port`.
    pub port: Option<String>,
    /// Path.
    pub path: Option<String>,
    /// HTTP codes.
    pub http_codes: Option<String>,
    /// gRPC codes.
    pub grpc_codes: Option<String>,
    /// Seconds.
    pub interval: Option<i32>,
    /// Seconds.
    pub timeout: Option<i32>,
    /// Checks.
    pub healthy: Option<i32>,
    /// Checks.
    pub unhealthy: Option<i32>,
}

/// A target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroupRow {
    /// ARN.
    pub arn: String,
    /// As asked for; `protocol_version` filled in.
    pub ask: TargetGroupAsk,
    /// Whole.
    pub health_check: HealthCheck,
    /// All.
    pub attributes: Attributes,
    /// Tags.
    pub tags: Tags,
    /// Registered.
    pub targets: Vec<TargetRow>,
    /// Being drained, until when.
    pub draining: Vec<(TargetRow, u64)>,
}

impl TargetGroupRow {
    /// Load balancers that are registered.
    #[must_use]
    pub fn load_balancers(&self) -> BTreeSet<BalancerTarget> {
        let alb = self.targets.iter().filter(|_| self.ask.target_type == TargetType::Alb);
        alb.map(|row| BalancerTarget { id: row.id.clone(), port: row.port }).collect()
    }
}

impl From<HealthCheck> for HealthCheckChange {
    fn from(check: HealthCheck) -> Self {
        Self {
            protocol: Some(check.protocol),
            port: Some(check.port),
            path: check.path,
            http_codes: check.http_codes,
            grpc_codes: check.grpc_codes,
            interval: Some(check.interval),
            timeout: Some(check.timeout),
            healthy: Some(check.healthy),
            unhealthy: Some(check.unhealthy),
        }
    }
}

impl HealthCheckChange {
    fn check(&self) -> Answered<()> {
        let within = |value: Option<i32>, low, high| value.is_none_or(|value| (low..=high).contains(&value));
        let fine = within(self.interval, 5, 300)
            && within(self.timeout, 2, 120)
            && within(self.healthy, 2, 10)
            && within(self.unhealthy, 2, 10);
        unless(fine, "ValidationError", "a health check setting is out of its range")
    }

    fn apply(&self, check: &mut HealthCheck) {
        self.protocol.iter().for_each(|new| check.protocol.clone_from(new));
        self.port.iter().for_each(|new| check.port.clone_from(new));
        check.path = self.path.clone().or(check.path.take());
        check.http_codes = self.http_codes.clone().or(check.http_codes.take());
        check.grpc_codes = self.grpc_codes.clone().or(check.grpc_codes.take());
        check.interval = self.interval.unwrap_or(check.interval);
        check.timeout = self.timeout.unwrap_or(check.timeout);
        check.healthy = self.healthy.unwrap_or(check.healthy);
        check.unhealthy = self.unhealthy.unwrap_or(check.unhealthy);
    }
}

fn is_http(protocol: &str) -> bool {
    matches!(protocol, "HTTP" | "HTTPS")
}

fn default_health_check(ask: &TargetGroupAsk) -> HealthCheck {
    let over_http = is_http(ask.protocol.as_str());
    let protocol = match &ask.health_check.protocol {
        Some(protocol) => protocol.clone(),
        None if over_http => ask.protocol.as_str().to_owned(),
        None if ask.target_type == TargetType::Alb => "HTTP".to_owned(),
        None => "TCP".to_owned(),
    };
    let (checked, grpc) = (is_http(&protocol), ask.protocol_version.as_deref() == Some("GRPC"));
    let path = if grpc { "/AWS.ALB/healthcheck" } else { "/" };
    let codes = if over_http { "200" } else { "200-399" };
    HealthCheck {
        port: "traffic-port".to_owned(),
        path: checked.then(|| path.to_owned()),
        http_codes: (checked && !grpc).then(|| codes.to_owned()),
        grpc_codes: (checked && grpc).then(|| "12".to_owned()),
        interval: 30,
        timeout: if over_http {
            5
        } else if protocol == "TCP" {
            10
        } else {
            6
        },
        healthy: 5,
        unhealthy: 2,
        protocol,
    }
}

impl Aws {
    /// CreateTargetGroup: succeeds again with equal settings.
    ///
    /// # Errors
    /// `DuplicateTargetGroupName`, `ValidationError`.
    pub fn create_target_group(&mut self, mut ask: TargetGroupAsk) -> Answered<TargetGroupRow> {
        let length = (1..=32).contains(&ask.name.len());
        let characters = ask.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        unless(length && characters, "ValidationError", "the target group name is not valid")?;
        unless((1..=65535).contains(&ask.port), "ValidationError", "the port is not valid")?;
        unless(ask.vpc == self.vpc, "ValidationError", "the VPC is not found")?;
        let over_tcp =
            ask.protocol == TargetProtocol::Tcp && ask.health_check.protocol.as_deref() != Some("TCP");
        let alb = ask.target_type != TargetType::Alb || over_tcp;
        unless(
            alb,
            "InvalidConfigurationRequest",
            "a target group of type alb is of TCP, and checked by HTTP",
        )?;
        ask.health_check.check()?;
        tag::check(&ask.tags)?;
        ask.protocol_version = is_http(ask.protocol.as_str())
            .then(|| ask.protocol_version.clone().unwrap_or_else(|| "HTTP1".to_owned()));
        let mut health_check = default_health_check(&ask);
        ask.health_check.apply(&mut health_check);
        if let Some(row) = self.target_groups.values().find(|row| row.ask.name == ask.name) {
            let fixed = |ask: &TargetGroupAsk| {
                let version = ask.protocol_version.clone();
                let ports = (ask.port, ask.control_port);
                (ports, ask.protocol, version, ask.target_type, ask.ip_address_type.clone())
            };
            let equal = fixed(&row.ask) == fixed(&ask) && row.health_check == health_check;
            return if equal { Ok(row.clone()) } else { refuse("DuplicateTargetGroupName", &ask.name) };
        }
        let row = TargetGroupRow {
            arn: format!("{ARN}:targetgroup/{}/{:016x}", ask.name, self.next()),
            health_check,
            attributes: attributes::of_target_group(ask.protocol),
            tags: ask.tags.clone(),
            targets: Vec::new(),
            draining: Vec::new(),
            ask,
        };
        self.target_groups.insert(row.arn.clone(), row.clone());
        Ok(row)
    }

    /// ModifyTargetGroup.
    ///
    /// # Errors
    /// `TargetGroupNotFound`, `ValidationError`.
    pub fn modify_target_group(&mut self, arn: &str, change: &HealthCheckChange) -> Answered<()> {
        change.check()?;
        change.apply(&mut self.target_group_mut(arn)?.health_check);
        Ok(())
    }

    /// ModifyTargetGroupAttributes: all or none.
    ///
    /// # Errors
    /// `TargetGroupNotFound`, `InvalidConfigurationRequest`, of type `alb` for all.
    pub fn modify_target_group_attributes(&mut self, arn: &str, changes: &Attributes) -> Answered<()> {
        let alb = self.target_group(arn)?.ask.target_type == TargetType::Alb;
        unless(!alb, "InvalidConfigurationRequest", "attributes of groups of type alb cannot be modified")?;
        attributes::change(&mut self.target_group_mut(arn)?.attributes, changes)
    }

    /// DeleteTargetGroup; one that is gone is no error.
    ///
    /// # Errors
    /// `ResourceInUse` while a listener or a rule forwards to it.
    pub fn delete_target_group(&mut self, arn: &str) -> Answered<()> {
        unless(
            self.users_of(arn).is_empty(),
            "ResourceInUse",
            "the target group is in use by a listener or a rule",
        )?;
        self.target_groups.remove(arn);
        Ok(())
    }

    /// ARNs of the load balancers that forward to it.
    #[must_use]
    pub fn users_of(&self, arn: &str) -> BTreeSet<String> {
        let rules = self.rules.values().filter(|row| row.forwards_to(arn));
        let by_rule = rules.filter_map(|row| self.listeners.get(&row.listener));
        let by_default =
            self.listeners.values().filter(|row| super::rule::forwards(&row.default_actions, arn));
        by_rule.chain(by_default).map(|row| row.load_balancer.clone()).collect()
    }

    /// One target group.
    ///
    /// # Errors
    /// `TargetGroupNotFound`.
    pub fn target_group(&self, arn: &str) -> Answered<&TargetGroupRow> {
        self.target_groups.get(arn).map_or_else(|| refuse("TargetGroupNotFound", arn), Ok)
    }

    pub(super) fn target_group_mut(&mut self, arn: &str) -> Answered<&mut TargetGroupRow> {
        self.target_groups.get_mut(arn).map_or_else(|| refuse("TargetGroupNotFound", arn), Ok)
    }
}
