//! Rules of an Ingress: the order of its paths, what each matches, and how many rules it takes.
//!
//! Within one rule of the manifest: Exact paths in given order, then Prefix paths longest first, then the others in
//! given order. Rules and members keep their order.
//!
//! AWS takes at most 5 condition values a rule: a rule with more becomes several with the same action.
//! Source: AWS Load Balancer Controller 3.5; Elastic Load Balancing quotas.

use std::cmp::Reverse;

use fairway_core::intent::{PathType, Route};

use super::LowerError;
use crate::model::Condition;

/// Condition values of one rule, all conditions together.
const VALUES: usize = 5;

/// The routes in the order of their priorities.
pub(crate) fn in_order(routes: &[Route]) -> Vec<&Route> {
    let mut sorted: Vec<&Route> = routes.iter().collect();
    sorted.sort_by_key(|route| {
        let rank = match route.path_type {
            PathType::Exact => (0, Reverse(0)),
            PathType::Prefix => (1, Reverse(route.path.len())),
            PathType::ImplementationSpecific => (2, Reverse(0)),
        };
        (route.rule, rank)
    });
    sorted
}

/// What a route matches. Never empty: without host and path, every path.
pub(crate) fn conditions(route: &Route) -> Result<Vec<Condition>, LowerError> {
    let host = route.host.iter().filter(|host| !host.is_empty()).cloned().collect::<Vec<_>>();
    let paths = patterns(route)?;
    let mut conditions = Vec::new();
    if !host.is_empty() {
        conditions.push(Condition::HostHeader(host));
    }
    if !paths.is_empty() {
        conditions.push(Condition::PathPattern(paths));
    }
    if conditions.is_empty() {
        conditions.push(Condition::PathPattern(vec!["/*".to_owned()]));
    }
    Ok(conditions)
}

fn patterns(route: &Route) -> Result<Vec<String>, LowerError> {
    let path = route.path.as_str();
    let literal = matches!(route.path_type, PathType::Exact | PathType::Prefix);
    if literal && path.contains(['*', '?']) {
        return Err(LowerError::PathWildcard(path.to_owned()));
    }
    Ok(match (route.path_type, path) {
        (_, "") => Vec::new(),
        (PathType::Prefix, "/") => vec!["/*".to_owned()],
        (PathType::Prefix, path) => {
            let stem = path.strip_suffix('/').unwrap_or(path);
            vec![stem.to_owned(), format!("{stem}/*")]
        }
        (PathType::Exact | PathType::ImplementationSpecific, path) => vec![path.to_owned()],
    })
}

/// Conditions that AWS takes, which together match what `conditions` match.
pub(crate) fn split(conditions: &[Condition]) -> Vec<Vec<Condition>> {
    let total: usize = conditions.iter().map(values).sum();
    let largest = conditions.iter().enumerate().max_by_key(|(_, condition)| values(condition));
    let Some((index, condition)) = largest.filter(|_| total > VALUES) else {
        return vec![conditions.to_vec()];
    };
    // The largest condition is cut in halves until everything fits: few rules when one condition is long, and every
    // combination when several are.
    let Some((left, right)) = halves(condition) else { return vec![conditions.to_vec()] };
    [left, right]
        .into_iter()
        .flat_map(|half| {
            let mut narrower = conditions.to_vec();
            if let Some(place) = narrower.get_mut(index) {
                *place = half;
            }
            split(&narrower)
        })
        .collect()
}

fn values(condition: &Condition) -> usize {
    match condition {
        Condition::HostHeader(values)
        | Condition::PathPattern(values)
        | Condition::HttpHeader { values, .. }
        | Condition::HttpRequestMethod(values)
        | Condition::SourceIp(values) => values.len(),
        Condition::QueryString(pairs) => pairs.len(),
    }
}

fn halves(condition: &Condition) -> Option<(Condition, Condition)> {
    fn cut<T: Clone>(values: &[T], wrap: impl Fn(Vec<T>) -> Condition) -> Option<(Condition, Condition)> {
        // A half that leaves room for one value of another condition needs fewer rules than even halves.
        let at = if values.len() >= VALUES { VALUES - 1 } else { values.len() / 2 };
        let (left, right) = values.split_at_checked(at)?;
        (!left.is_empty() && !right.is_empty()).then(|| (wrap(left.to_vec()), wrap(right.to_vec())))
    }
    match condition {
        Condition::HostHeader(values) => cut(values, Condition::HostHeader),
        Condition::PathPattern(values) => cut(values, Condition::PathPattern),
        Condition::HttpHeader { name, values } => {
            cut(values, |values| Condition::HttpHeader { name: name.clone(), values })
        }
        Condition::HttpRequestMethod(values) => cut(values, Condition::HttpRequestMethod),
        Condition::QueryString(pairs) => cut(pairs, Condition::QueryString),
        Condition::SourceIp(values) => cut(values, Condition::SourceIp),
    }
}

#[cfg(test)]
mod tests;
