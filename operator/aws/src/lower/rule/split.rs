//! How many rules it takes.
//!
//! | of one rule, all conditions together | at most |
//! |--------------------------------------|---------|
//! | values, regular ones included        | 5       |
//! | wildcards, in values that take them  | 6       |
//!
//! A rule with more becomes several with the same action, which together match the same: any value of a condition is
//! enough, so its values can be divided. Conditions cannot be, since all of them have to hold.
//! Source: Elastic Load Balancing quotas.

use crate::{lower::LowerError, model::Condition};

pub(super) const VALUES: usize = 5;
const WILDCARDS: usize = 6;

/// What one value of each condition already has too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    Conditions(usize),
    Wildcards(usize),
}

impl Excess {
    /// The same in the words of whoever wrote the path.
    pub(crate) fn of(self, path: &str) -> LowerError {
        let path = path.to_owned();
        match self {
            Self::Conditions(number) => LowerError::TooManyConditions { path, number },
            Self::Wildcards(number) => LowerError::TooManyWildcards { path, number },
        }
    }
}

/// Conditions that AWS takes, which together match what `conditions` match.
pub(crate) fn split(conditions: &[Condition]) -> Result<Vec<Vec<Condition>>, Excess> {
    let values_of_all: usize = conditions.iter().map(values).sum();
    let wildcards_of_all: usize = conditions.iter().map(wildcards).sum();
    let (weigh, excess): (fn(&Condition) -> usize, Excess) = match (values_of_all, wildcards_of_all) {
        (number, _) if number > VALUES => (values, Excess::Conditions(number)),
        (_, number) if number > WILDCARDS => (wildcards, Excess::Wildcards(number)),
        _ => return Ok(vec![conditions.to_vec()]),
    };
    // The largest condition is cut in parts until everything fits: few rules when one condition is long, and every
    // combination when several are.
    let dividable = conditions.iter().enumerate().filter(|(_, condition)| values(condition) > 1);
    let largest = dividable.max_by_key(|(_, condition)| weigh(condition));
    let Some((place, (left, right))) = largest.and_then(|(place, one)| Some((place, parts(one)?))) else {
        return Err(excess);
    };
    let mut rules = Vec::new();
    for part in [left, right] {
        let narrower = conditions.iter().enumerate();
        let narrower: Vec<Condition> =
            narrower.map(|(at, one)| if at == place { part.clone() } else { one.clone() }).collect();
        rules.extend(split(&narrower)?);
    }
    Ok(rules)
}

pub(super) fn values(condition: &Condition) -> usize {
    match condition {
        Condition::HostHeader(values)
        | Condition::HostRegex(values)
        | Condition::PathPattern(values)
        | Condition::PathRegex(values)
        | Condition::HttpHeader { values, .. }
        | Condition::HttpHeaderRegex { values, .. }
        | Condition::HttpRequestMethod(values)
        | Condition::SourceIp(values) => values.len(),
        Condition::QueryString(pairs) => pairs.len(),
    }
}

fn wildcards(condition: &Condition) -> usize {
    let count = |text: &String| text.matches(['*', '?']).count();
    match condition {
        Condition::HostHeader(values)
        | Condition::PathPattern(values)
        | Condition::HttpHeader { values, .. } => values.iter().map(count).sum(),
        Condition::QueryString(pairs) => {
            pairs.iter().flat_map(|pair| pair.key.iter().chain([&pair.value])).map(count).sum()
        }
        Condition::HostRegex(_)
        | Condition::PathRegex(_)
        | Condition::HttpHeaderRegex { .. }
        | Condition::HttpRequestMethod(_)
        | Condition::SourceIp(_) => 0,
    }
}

fn parts(condition: &Condition) -> Option<(Condition, Condition)> {
    fn cut<T: Clone>(values: &[T], wrap: impl Fn(Vec<T>) -> Condition) -> Option<(Condition, Condition)> {
        // A part that leaves room for one value of another condition needs fewer rules than even halves.
        let at = if values.len() >= VALUES { VALUES - 1 } else { values.len() / 2 };
        let (left, right) = values.split_at_checked(at)?;
        (!left.is_empty() && !right.is_empty()).then(|| (wrap(left.to_vec()), wrap(right.to_vec())))
    }
    match condition {
        Condition::HostHeader(values) => cut(values, Condition::HostHeader),
        Condition::HostRegex(values) => cut(values, Condition::HostRegex),
        Condition::PathPattern(values) => cut(values, Condition::PathPattern),
        Condition::PathRegex(values) => cut(values, Condition::PathRegex),
        Condition::HttpHeader { name, values } => {
            cut(values, |values| Condition::HttpHeader { name: name.clone(), values })
        }
        Condition::HttpHeaderRegex { name, values } => {
            cut(values, |values| Condition::HttpHeaderRegex { name: name.clone(), values })
        }
        Condition::HttpRequestMethod(values) => cut(values, Condition::HttpRequestMethod),
        Condition::QueryString(pairs) => cut(pairs, Condition::QueryString),
        Condition::SourceIp(values) => cut(values, Condition::SourceIp),
    }
}
