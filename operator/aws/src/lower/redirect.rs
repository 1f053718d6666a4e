//! Rules that a redirect makes needless.
//!
//! Users redirect to HTTPS by a rule that they write for every listener. On the HTTPS listener it would send clients
//! back to where they are, so it is left out there; on the plain one it takes everything, so what it covers is left out.
//!
//! | left out                | when                                                                                   |
//! |-------------------------|----------------------------------------------------------------------------------------|
//! | a redirect that loops   | each part stays as it is, or is the listener's port or protocol, or a host or path of its own conditions |
//! | a rule that is covered  | an earlier redirect that looks at host and path alone matches all its hosts and paths  |
//!
//! Regular expressions are not compared: a redirect that has some covers nothing, and one on a path never loops.
//! Source: AWS Load Balancer Controller 3.5, which does the same.

use std::collections::BTreeSet;

use fairway_core::intent::HttpProtocol;

use super::ingress::RuleDraft;
use crate::model::{Action, Condition, Redirect};

/// Whether the rule would send requests of a listener to itself.
pub(super) fn loops(rule: &RuleDraft, port: u16, protocol: HttpProtocol) -> bool {
    let Some(to) = redirect(rule) else { return false };
    let own = Matched::of(&rule.conditions);
    let protocol = match protocol {
        HttpProtocol::Http => "HTTP",
        HttpProtocol::Https => "HTTPS",
    };
    !own.path_regex
        && (to.host == "#{host}" || own.hosts.contains(to.host.as_str()))
        && (to.path == "/#{path}" || own.paths.contains(to.path.as_str()))
        && (to.port == "#{port}" || to.port == port.to_string())
        && (to.protocol == "#{protocol}" || to.protocol == protocol)
        && to.query == "#{query}"
}

/// Whether `earlier` is a redirect that takes everything that `later` would get.
pub(super) fn covers(earlier: &RuleDraft, later: &RuleDraft) -> bool {
    if redirect(earlier).is_none() {
        return false;
    }
    let (taken, asked) = (Matched::of(&earlier.conditions), Matched::of(&later.conditions));
    if taken.further || taken.host_regex || taken.path_regex {
        return false;
    }
    // What regular expressions of the later rule match is not known: everything, at worst.
    let all = |taken: &BTreeSet<&str>, asked: &BTreeSet<&str>| {
        taken.is_empty() || (!asked.is_empty() && taken.is_superset(asked))
    };
    all(&taken.hosts, &asked.hosts) && (taken.paths.contains("/*") || all(&taken.paths, &asked.paths))
}

fn redirect(rule: &RuleDraft) -> Option<&Redirect> {
    match &rule.action {
        Action::Redirect(redirect) => Some(redirect),
        _ => None,
    }
}

/// What a rule matches. No hosts and no expression for them means every host; so for paths.
#[derive(Default)]
struct Matched<'a> {
    hosts: BTreeSet<&'a str>,
    paths: BTreeSet<&'a str>,
    host_regex: bool,
    path_regex: bool,
    /// Whether anything else has to hold.
    further: bool,
}

impl<'a> Matched<'a> {
    fn of(conditions: &'a [Condition]) -> Self {
        let mut matched = Self::default();
        for condition in conditions {
            match condition {
                Condition::HostHeader(hosts) => matched.hosts.extend(hosts.iter().map(String::as_str)),
                Condition::PathPattern(paths) => matched.paths.extend(paths.iter().map(String::as_str)),
                Condition::HostRegex(_) => matched.host_regex = true,
                Condition::PathRegex(_) => matched.path_regex = true,
                Condition::HttpHeader { .. }
                | Condition::HttpHeaderRegex { .. }
                | Condition::HttpRequestMethod(_)
                | Condition::QueryString(_)
                | Condition::SourceIp(_) => matched.further = true,
            }
        }
        matched
    }
}

#[cfg(test)]
mod tests;
