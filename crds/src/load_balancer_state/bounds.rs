//! Cuts a status to what the API server takes, so that no stack is too large to have one.
//!
//! Shape: `bounded` is idempotent, keeps the first entries of lists and the smallest keys of maps, and counts lines
//! and members that it leaves out. An ARN or address beyond the limit is visible at the provider only.

use super::LoadBalancerStateStatus;

/// How many entries each part of a status may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries of `conditions`.
    pub conditions: usize,
    /// Characters of the message of a condition.
    pub message_characters: usize,
    /// Entries of `addresses`.
    pub addresses: usize,
    /// Entries of `arns`.
    pub arns: usize,
    /// Lines of a plan, and of drift.
    pub lines: usize,
    /// Characters of a line.
    pub line_characters: usize,
    /// Entries of `lastGood`.
    pub last_good: usize,
    /// Bytes of `lastGood`, keys and values together.
    pub last_good_bytes: usize,
}

/// The limits of the schema. Together well below the 1.5 MiB that etcd takes: `lastGood` is a third of that, so that
/// quotes, which JSON inside JSON doubles, still fit.
pub const LIMITS: Limits = Limits {
    conditions: 16,
    message_characters: 4096,
    addresses: 32,
    arns: 64,
    lines: 100,
    line_characters: 256,
    last_good: 1000,
    last_good_bytes: 512 * 1024,
};

impl LoadBalancerStateStatus {
    /// The same status, cut to [`LIMITS`].
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.conditions.truncate(LIMITS.conditions);
        for condition in &mut self.conditions {
            cut_text(&mut condition.message, LIMITS.message_characters);
        }
        self.addresses.truncate(LIMITS.addresses);
        self.arns = std::mem::take(&mut self.arns).into_iter().take(LIMITS.arns).collect();
        if let Some(plan) = &mut self.last_plan {
            cut_lines(&mut plan.lines, &mut plan.lines_omitted);
        }
        if let Some(drift) = &mut self.drift {
            cut_lines(&mut drift.lines, &mut drift.lines_omitted);
        }
        self.cut_last_good();
        self
    }

    /// Leaves out members that no longer fit, not those behind them: one huge member costs only itself its place.
    fn cut_last_good(&mut self) {
        let (mut room, mut places) = (LIMITS.last_good_bytes, LIMITS.last_good);
        let before = self.last_good.len();
        self.last_good.retain(|member, kept| {
            let size = member.len() + kept.len();
            let fits = places > 0 && size <= room;
            if fits {
                room -= size;
                places -= 1;
            }
            fits
        });
        add(&mut self.last_good_omitted, before - self.last_good.len());
    }
}

fn cut_lines(lines: &mut Vec<String>, omitted: &mut Option<i32>) {
    add(omitted, lines.len().saturating_sub(LIMITS.lines));
    lines.truncate(LIMITS.lines);
    for line in lines {
        cut_text(line, LIMITS.line_characters);
    }
}

fn cut_text(text: &mut String, characters: usize) {
    if let Some((end, _)) = text.char_indices().nth(characters) {
        text.truncate(end);
    }
}

fn add(omitted: &mut Option<i32>, more: usize) {
    if more > 0 {
        let more = i32::try_from(more).unwrap_or(i32::MAX);
        *omitted = Some(omitted.unwrap_or(0).saturating_add(more));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drift, LastPlan, LoadBalancerAddress};
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
    use k8s_openapi::jiff::Timestamp;

    #[test]
    fn a_status_within_the_limits_is_left_alone() {
        let status = LoadBalancerStateStatus {
            addresses: vec![LoadBalancerAddress {
                ip: Some("192.0.2.1".into()),
                ..LoadBalancerAddress::default()
            }],
            last_plan: Some(LastPlan { lines: vec!["+ listener 80".into()], ..LastPlan::default() }),
            last_good: [("default/web".to_owned(), "{}".to_owned())].into(),
            ..LoadBalancerStateStatus::default()
        };
        assert_eq!(status.clone().bounded(), status);
    }

    #[test]
    fn lines_are_cut_at_characters_and_counted() {
        let lines = vec!["é".repeat(LIMITS.line_characters + 1); LIMITS.lines + 3];
        let status = LoadBalancerStateStatus {
            last_plan: Some(LastPlan { lines, ..LastPlan::default() }),
            ..LoadBalancerStateStatus::default()
        };
        let once = status.bounded();
        let plan = once.last_plan.clone().unwrap();
        assert_eq!((plan.lines.len(), plan.lines_omitted), (LIMITS.lines, Some(3)));
        assert_eq!(plan.lines[0].chars().count(), LIMITS.line_characters);
        assert_eq!(once.clone().bounded(), once, "cutting twice is cutting once");
    }

    #[test]
    fn a_member_too_large_to_keep_leaves_room_for_the_others() {
        let last_good = [
            ("a/huge".to_owned(), "x".repeat(LIMITS.last_good_bytes)),
            ("b/small".to_owned(), "{}".to_owned()),
        ];
        let status =
            LoadBalancerStateStatus { last_good: last_good.into(), ..LoadBalancerStateStatus::default() };
        let bounded = status.bounded();
        assert_eq!(bounded.last_good.keys().collect::<Vec<_>>(), ["b/small"]);
        assert_eq!(bounded.last_good_omitted, Some(1));
    }

    #[test]
    fn maps_keep_their_smallest_keys() {
        let status = LoadBalancerStateStatus {
            arns: (0..LIMITS.arns + 1).map(|n| (format!("role-{n:04}"), "arn".to_owned())).collect(),
            last_good: (0..LIMITS.last_good + 2).map(|n| (format!("ns/{n:04}"), "{}".to_owned())).collect(),
            ..LoadBalancerStateStatus::default()
        };
        let bounded = status.bounded();
        assert_eq!(bounded.arns.len(), LIMITS.arns);
        assert_eq!(bounded.last_good.len(), LIMITS.last_good);
        assert!(bounded.last_good.contains_key("ns/0000"));
        assert_eq!(bounded.last_good_omitted, Some(2));
    }

    #[test]
    fn the_largest_status_fits_into_etcd() {
        let long = "\"".repeat(8192);
        let condition = Condition {
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
            message: long.clone(),
            observed_generation: None,
            reason: "Reason".into(),
            status: "True".into(),
            type_: "Type".into(),
        };
        let lines = vec![long.clone(); 1000];
        let status = LoadBalancerStateStatus {
            conditions: vec![condition; 1000],
            last_plan: Some(LastPlan { lines: lines.clone(), ..LastPlan::default() }),
            drift: Some(Drift { lines, ..Drift::default() }),
            last_good: (0..5000).map(|n| (format!("ns/{n:04}"), long.clone())).collect(),
            ..LoadBalancerStateStatus::default()
        };
        let bytes = serde_json::to_string(&status.bounded()).unwrap().len();
        assert!(bytes < 1_500_000, "{bytes} bytes");
        assert!(
            bytes > 1_000_000,
            "{bytes} bytes: half of it is last good, each quote written as two characters"
        );
    }
}
