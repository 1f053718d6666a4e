//! Rules: priorities, limits, order; and the actions of rules and listeners. The default rule of a listener is the
//! listener's default actions.

use std::collections::{BTreeMap, BTreeSet};

use fairway_aws::model::{
    Action, Cognito, Condition, ListenerProtocol, LoadBalancerKind, Oidc, Tags, TargetProtocol, Transform,
};

use super::{Answered, Aws, refuse, tag, unless};

const LAST_PRIORITY: i32 = 50_000;
const LONGEST_VALUE: usize = 128;
const LONGEST_BODY: usize = 1024;
const LONGEST_EXPRESSION: usize = 1024;
/// Seconds.
const WEEK: i32 = 604_800;

/// What is asked for at creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleAsk {
    /// ARN.
    pub listener: String,
    /// 1 to 50000.
    pub priority: i32,
    /// At least one.
    pub conditions: Vec<Condition>,
    /// At most one of each kind.
    pub transforms: Vec<Transform>,
    /// In order.
    pub actions: Vec<Action>,
    /// Tags.
    pub tags: Tags,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRow {
    /// ARN.
    pub arn: String,
    /// ARN.
    pub listener: String,
    /// 1 to 50000.
    pub priority: i32,
    /// In order.
    pub conditions: Vec<Condition>,
    /// In order.
    pub transforms: Vec<Transform>,
    /// In order.
    pub actions: Vec<Action>,
    /// Tags.
    pub tags: Tags,
    /// When its actions were last written, in seconds since the world began.
    pub written: u64,
}

/// What ModifyRule changes; `None` is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleChange {
    /// At least one.
    pub conditions: Option<Vec<Condition>>,
    /// None at all is what ResetTransforms does.
    pub transforms: Option<Vec<Transform>>,
    /// In order.
    pub actions: Option<Vec<Action>>,
}

impl RuleRow {
    pub(super) fn forwards_to(&self, target_group: &str) -> bool {
        forwards(&self.actions, target_group)
    }
}

/// ARNs of the groups that actions forward to.
pub(crate) fn targets(actions: &[Action]) -> impl Iterator<Item = &str> {
    let forwards = actions.iter().filter_map(|action| match action {
        Action::Forward(forward) => Some(&forward.targets),
        _ => None,
    });
    forwards.flatten().map(|target| target.target_group.name())
}

pub(super) fn forwards(actions: &[Action], target_group: &str) -> bool {
    targets(actions).any(|arn| arn == target_group)
}

impl Aws {
    /// CreateRule: not idempotent.
    ///
    /// # Errors
    /// `PriorityInUse`, `TooManyRules`, `ListenerNotFound`, and what is wrong with conditions or actions.
    pub fn create_rule(&mut self, ask: RuleAsk) -> Answered<RuleRow> {
        let listener = self.listener(&ask.listener)?.clone();
        priority_is_valid(ask.priority)?;
        conditions_are_valid(&ask.conditions)?;
        transforms_are_valid(&ask.transforms)?;
        self.actions_are_valid(&listener.load_balancer, listener.protocol, &ask.actions)?;
        let taken = self.rules_of(&ask.listener).any(|row| row.priority == ask.priority);
        unless(!taken, "PriorityInUse", "the priority is in use")?;
        tag::check(&ask.tags)?;
        let all: BTreeSet<&str> =
            self.listeners_of(&listener.load_balancer).map(|row| row.arn.as_str()).collect();
        let count = self.rules.values().filter(|row| all.contains(row.listener.as_str())).count();
        unless(
            count < self.quota("rules-per-load-balancer", 100),
            "TooManyRules",
            "the maximum number is reached",
        )?;
        let parent = ask.listener.replace(":listener/", ":listener-rule/");
        let row = RuleRow {
            arn: format!("{parent}/{:016x}", self.next()),
            listener: ask.listener,
            priority: ask.priority,
            conditions: ask.conditions,
            transforms: ask.transforms,
            actions: ask.actions,
            tags: ask.tags,
            written: self.now,
        };
        self.rules.insert(row.arn.clone(), row.clone());
        Ok(row)
    }

    /// ModifyRule: what is given.
    ///
    /// # Errors
    /// `RuleNotFound`, and as at creation.
    pub fn modify_rule(&mut self, arn: &str, change: RuleChange) -> Answered<RuleRow> {
        let mut row = self.rule(arn)?.clone();
        let listener = self.listener(&row.listener)?.clone();
        if let Some(conditions) = change.conditions {
            conditions_are_valid(&conditions)?;
            row.conditions = conditions;
        }
        if let Some(transforms) = change.transforms {
            transforms_are_valid(&transforms)?;
            row.transforms = transforms;
        }
        if let Some(actions) = change.actions {
            self.actions_are_valid(&listener.load_balancer, listener.protocol, &actions)?;
            (row.actions, row.written) = (actions, self.now);
        }
        self.rules.insert(arn.to_owned(), row.clone());
        Ok(row)
    }

    /// DeleteRule.
    ///
    /// # Errors
    /// `RuleNotFound`.
    pub fn delete_rule(&mut self, arn: &str) -> Answered<()> {
        self.rule(arn)?;
        self.rules.remove(arn);
        Ok(())
    }

    /// SetRulePriorities: all at once or none, so that two rules can swap theirs.
    ///
    /// # Errors
    /// `RuleNotFound`, `PriorityInUse`.
    pub fn set_rule_priorities(&mut self, moves: &BTreeMap<String, i32>) -> Answered<()> {
        for (arn, priority) in moves {
            self.rule(arn)?;
            priority_is_valid(*priority)?;
        }
        let mut after = self.rules.clone();
        for row in after.values_mut() {
            row.priority = moves.get(&row.arn).copied().unwrap_or(row.priority);
        }
        let places: BTreeSet<(&str, i32)> =
            after.values().map(|row| (row.listener.as_str(), row.priority)).collect();
        unless(places.len() == after.len(), "PriorityInUse", "one or more priorities are in use")?;
        self.rules = after;
        Ok(())
    }

    /// One rule.
    ///
    /// # Errors
    /// `RuleNotFound`.
    pub fn rule(&self, arn: &str) -> Answered<&RuleRow> {
        self.rules.get(arn).map_or_else(|| refuse("RuleNotFound", arn), Ok)
    }

    /// Rules of one listener by priority, without the default rule.
    pub fn rules_of<'a>(&'a self, listener: &'a str) -> impl Iterator<Item = &'a RuleRow> {
        let mut rows: Vec<&RuleRow> =
            self.rules.values().filter(move |row| row.listener == listener).collect();
        rows.sort_by_key(|row| row.priority);
        rows.into_iter()
    }

    pub(super) fn actions_are_valid(
        &self,
        balancer: &str,
        protocol: ListenerProtocol,
        actions: &[Action],
    ) -> Answered<()> {
        let guards =
            |action: &&Action| matches!(action, Action::Cognito(_) | Action::Oidc(_) | Action::Jwt(_));
        let answering = actions.iter().filter(|action| !guards(action)).count();
        let last = actions.last().is_some_and(|last| !guards(&last));
        unless(
            answering == 1 && last,
            "InvalidLoadBalancerAction",
            "exactly one action must answer, the last",
        )?;
        unless(actions.len() <= 2, "InvalidLoadBalancerAction", "one guard at most")?;
        let bare = protocol == ListenerProtocol::Https || !actions.iter().any(|action| guards(&action));
        unless(bare, "InvalidLoadBalancerAction", "users are authenticated on HTTPS listeners only")?;
        let kind = self.balancer(balancer)?.kind;
        for action in actions {
            match action {
                Action::Forward(forward) => {
                    unless(forward.targets.len() <= 5, "TooManyTargetGroups", "at most five target groups")?;
                    let weights = forward.targets.iter().all(|target| (0..=999).contains(&target.weight));
                    unless(weights, "ValidationError", "a weight is at most 999")?;
                    let seconds = forward.stickiness.is_none_or(|seconds| (1..=WEEK).contains(&seconds));
                    unless(seconds, "ValidationError", "stickiness lasts at most a week")?;
                    let groups: BTreeSet<_> = forward.targets.iter().map(|one| &one.target_group).collect();
                    let once = groups.len() == forward.targets.len();
                    unless(once, "ValidationError", "a target group is named twice")?;
                }
                Action::FixedResponse(response) => {
                    let status =
                        response.status_code.parse().is_ok_and(|code: u16| matches!(code / 100, 2 | 4 | 5));
                    let body = response.body.as_ref().is_none_or(|body| body.chars().count() <= LONGEST_BODY);
                    unless(status && body, "ValidationError", "the fixed response is not valid")?;
                }
                Action::Cognito(Cognito { session, .. }) | Action::Oidc(Oidc { session, .. }) => {
                    let timeout = (1..=i64::from(WEEK)).contains(&session.timeout);
                    unless(timeout, "ValidationError", "a session lasts at most a week")?;
                    unless(session.parameters.len() <= 10, "ValidationError", "at most ten parameters")?;
                }
                Action::Redirect(_) | Action::Jwt(_) => {}
            }
        }
        for arn in targets(actions) {
            let group = self.target_group(arn)?;
            unless(
                passes_to(protocol, group.ask.protocol),
                "InvalidConfigurationRequest",
                "protocols do not fit",
            )?;
            let elsewhere = self.users_of(arn).iter().any(|user| user != balancer);
            let alone = kind == LoadBalancerKind::Application;
            unless(
                !(elsewhere && alone),
                "TargetGroupAssociationLimit",
                "the group belongs to another load balancer",
            )?;
        }
        Ok(())
    }
}

fn priority_is_valid(priority: i32) -> Answered<()> {
    unless((1..=LAST_PRIORITY).contains(&priority), "ValidationError", "priorities are 1 to 50000")
}

fn passes_to(listener: ListenerProtocol, group: TargetProtocol) -> bool {
    use {ListenerProtocol as L, TargetProtocol as T};
    match listener {
        L::Http | L::Https => matches!(group, T::Http | T::Https),
        L::Tcp => matches!(group, T::Tcp | T::TcpUdp),
        L::Tls => matches!(group, T::Tcp | T::Tls),
        L::Udp => matches!(group, T::Udp | T::TcpUdp),
        L::TcpUdp => group == T::TcpUdp,
    }
}

fn transforms_are_valid(transforms: &[Transform]) -> Answered<()> {
    let kinds = transforms.iter().map(std::mem::discriminant);
    let twice = kinds.clone().enumerate().any(|(n, kind)| kinds.clone().take(n).any(|other| other == kind));
    unless(!twice, "ValidationError", "a rule has one transform of each type")?;
    for transform in transforms {
        let (Transform::HostHeaderRewrite(rewrites) | Transform::UrlRewrite(rewrites)) = transform;
        unless(!rewrites.is_empty(), "ValidationError", "a rewrite must be specified")?;
        let fits = |text: &str| text.chars().count() <= LONGEST_EXPRESSION;
        let short =
            rewrites.iter().all(|one| !one.regex.is_empty() && fits(&one.regex) && fits(&one.replace));
        unless(short, "ValidationError", "a rewrite has 1 to 1024 characters")?;
    }
    Ok(())
}

fn conditions_are_valid(conditions: &[Condition]) -> Answered<()> {
    unless(!conditions.is_empty(), "ValidationError", "a condition must be specified")?;
    let (mut values, mut wildcards) = (0, 0);
    for condition in conditions {
        let texts: Vec<&str> = match condition {
            Condition::HostHeader(texts)
            | Condition::PathPattern(texts)
            | Condition::HttpHeader { values: texts, .. } => {
                wildcards += texts.iter().map(|text| text.matches(['*', '?']).count()).sum::<usize>();
                texts.iter().map(String::as_str).collect()
            }
            Condition::HostRegex(texts)
            | Condition::PathRegex(texts)
            | Condition::HttpHeaderRegex { values: texts, .. }
            | Condition::HttpRequestMethod(texts)
            | Condition::SourceIp(texts) => texts.iter().map(String::as_str).collect(),
            Condition::QueryString(pairs) => pairs.iter().map(|pair| pair.value.as_str()).collect(),
        };
        unless(!texts.is_empty(), "ValidationError", "a condition value must be specified")?;
        let short = texts.iter().all(|text| text.chars().count() <= LONGEST_VALUE);
        unless(short, "ValidationError", "a condition value has at most 128 characters")?;
        values += texts.len();
    }
    match (values, wildcards) {
        (6.., _) => refuse("ValidationError", "a rule has at most 5 condition values"),
        (_, 7..) => refuse("ValidationError", "a rule has at most 6 wildcards"),
        _ => Ok(()),
    }
}
