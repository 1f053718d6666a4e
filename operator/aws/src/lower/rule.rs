//! Rules of an Ingress: the order of its paths, and what each matches.
//!
//! Within one rule of the manifest: Exact paths in given order, then Prefix paths longest first, then the others in
//! given order. Rules and members keep their order.
//!
//! Hosts and paths that annotations add are alternatives to the route's own; every other condition has to hold besides.
//! Source: AWS Load Balancer Controller 3.5; Elastic Load Balancing quotas.

mod split;

use std::cmp::Reverse;

use fairway_core::intent::{self, Match, PathType, QueryMatch, Replacement, Route, Texts};

pub(crate) use split::split;

use super::LowerError;
use crate::model::{Condition, QueryPair, Rewrite, Transform};

/// Characters of one condition value.
const LONGEST: usize = 128;

/// The routes in the order of their priorities.
pub(crate) fn in_order(routes: &[Route]) -> Vec<&Route> {
    let mut sorted: Vec<&Route> = routes.iter().collect();
    sorted.sort_by_key(|route| {
        let rank = match route.path_type {
            PathType::Exact => (0, Reverse(0)),
            PathType::Prefix => (1, Reverse(route.path.len())),
            PathType::ImplementationSpecific | PathType::Regex => (2, Reverse(0)),
        };
        (route.rule, rank)
    });
    sorted
}

/// What a route matches: host and path last. Never empty: without any condition, every path.
pub(crate) fn conditions(route: &Route) -> Result<Vec<Condition>, LowerError> {
    let own = route.host.iter().filter(|host| !host.is_empty()).cloned().collect();
    let mut hosts = Alternatives { patterns: own, regexes: Vec::new() };
    let mut paths = own_paths(route)?;
    let mut conditions = Vec::new();
    for asked in &route.matches {
        match asked {
            Match::Host(texts) => hosts.add(texts),
            Match::Path(texts) => paths.add(texts),
            Match::Header(header) => conditions.push(self::header(header)),
            Match::Method(methods) => conditions.push(Condition::HttpRequestMethod(methods.clone())),
            Match::Query(pairs) => conditions.push(Condition::QueryString(pairs.iter().map(pair).collect())),
            Match::Source(ranges) => conditions.push(Condition::SourceIp(ranges.clone())),
        }
    }
    let mixed = |what| LowerError::MixedMatch { path: route.path.clone(), what };
    let host = hosts.condition(Condition::HostHeader, Condition::HostRegex);
    conditions.extend(host.ok_or_else(|| mixed("host"))?);
    let path = paths.condition(Condition::PathPattern, Condition::PathRegex);
    conditions.extend(path.ok_or_else(|| mixed("path"))?);
    if conditions.is_empty() {
        conditions.push(Condition::PathPattern(vec!["/*".to_owned()]));
    }
    conditions.iter().try_for_each(short)?;
    Ok(conditions)
}

/// What is changed of a route's requests.
pub(crate) fn transforms(route: &Route) -> Vec<Transform> {
    let rewrites = |all: &[Replacement]| {
        let one = |rewrite: &Replacement| Rewrite {
            regex: rewrite.regex.clone(),
            replace: rewrite.replace.clone(),
        };
        all.iter().map(one).collect()
    };
    let transform = |asked: &intent::Rewrite| match asked {
        intent::Rewrite::Host(all) => Transform::HostHeaderRewrite(rewrites(all)),
        intent::Rewrite::Url(all) => Transform::UrlRewrite(rewrites(all)),
    };
    route.rewrites.iter().map(transform).collect()
}

/// Values of which one is enough.
struct Alternatives {
    patterns: Vec<String>,
    regexes: Vec<String>,
}

impl Alternatives {
    fn add(&mut self, texts: &Texts) {
        match texts {
            Texts::Patterns(patterns) => self.patterns.extend(patterns.iter().cloned()),
            Texts::Regexes(regexes) => self.regexes.extend(regexes.iter().cloned()),
        }
    }

    /// `None` when there are values of both kinds. Without any, there is no condition.
    fn condition(
        self,
        pattern: fn(Vec<String>) -> Condition,
        regex: fn(Vec<String>) -> Condition,
    ) -> Option<Option<Condition>> {
        match (self.patterns.is_empty(), self.regexes.is_empty()) {
            (false, false) => None,
            (true, true) => Some(None),
            (false, true) => Some(Some(pattern(self.patterns))),
            (true, false) => Some(Some(regex(self.regexes))),
        }
    }
}

fn own_paths(route: &Route) -> Result<Alternatives, LowerError> {
    let path = route.path.as_str();
    let literal = matches!(route.path_type, PathType::Exact | PathType::Prefix);
    if literal && path.contains(['*', '?']) {
        return Err(LowerError::PathWildcard(path.to_owned()));
    }
    let patterns = match (route.path_type, path) {
        (_, "") => Vec::new(),
        (PathType::Prefix, "/") => vec!["/*".to_owned()],
        (PathType::Prefix, path) => {
            let stem = path.strip_suffix('/').unwrap_or(path);
            vec![stem.to_owned(), format!("{stem}/*")]
        }
        (PathType::Regex, path) => {
            return Ok(Alternatives { patterns: Vec::new(), regexes: vec![path.to_owned()] });
        }
        (PathType::Exact | PathType::ImplementationSpecific, path) => vec![path.to_owned()],
    };
    Ok(Alternatives { patterns, regexes: Vec::new() })
}

fn header(asked: &intent::HeaderMatch) -> Condition {
    let name = asked.name.clone();
    match &asked.values {
        Texts::Patterns(values) => Condition::HttpHeader { name, values: values.clone() },
        Texts::Regexes(values) => Condition::HttpHeaderRegex { name, values: values.clone() },
    }
}

fn pair(asked: &QueryMatch) -> QueryPair {
    QueryPair { key: asked.key.clone(), value: asked.value.clone() }
}

/// Values of annotations were measured when they were read; those of `spec.rules` are here.
fn short(condition: &Condition) -> Result<(), LowerError> {
    let values = match condition {
        Condition::HostHeader(values) | Condition::PathPattern(values) | Condition::PathRegex(values) => {
            values
        }
        _ => return Ok(()),
    };
    let long =
        values.iter().map(|value| (value, value.chars().count())).find(|(_, length)| *length > LONGEST);
    long.map_or(Ok(()), |(value, length)| Err(LowerError::ValueTooLong { value: value.clone(), length }))
}

#[cfg(test)]
mod tests;
