//! IngressClassParams: values that no Ingress of the class could be read with.

use std::collections::BTreeSet;

use fairway_crds::{IngressClassParams, SubnetSelector};
use ipnet::IpNet;

use super::{Answer, Change, brought};
use crate::read;

/// What the API server is answered about class parameters.
#[must_use]
pub fn class_params(change: Change<'_, IngressClassParams>) -> Answer {
    if change.new.metadata.deletion_timestamp.is_some() {
        return Answer::allow();
    }
    let before = change.old.map(problems).unwrap_or_default();
    Answer::judge(brought(problems(change.new), &before))
}

fn problems(params: &IngressClassParams) -> Vec<String> {
    let spec = &params.spec;
    let ranges = spec.inbound_cidrs.iter().enumerate();
    let mut problems: Vec<String> = ranges
        .filter_map(|(place, text)| Some(format!("spec.inboundCIDRs[{place}]: {}", range(text)?)))
        .collect();
    // What is said of each range above is not said again of all of them.
    let read = read::class_params(params).into_iter().filter(|error| !error.contains("spec.inboundCIDRs"));
    problems.extend(read);
    problems.extend(spec.subnets.iter().flat_map(subnets));
    problems
}

/// What is wrong with a range.
fn range(text: &str) -> Option<String> {
    match text.parse::<IpNet>() {
        Err(_) => Some(format!("{text:?} is not a range of addresses, such as 10.0.0.0/8")),
        Ok(range) if range.addr() != range.network() => {
            Some(format!("{text:?} has bits beyond its prefix; did you mean {}?", range.trunc()))
        }
        Ok(_) => None,
    }
}

fn subnets(selector: &SubnetSelector) -> Vec<String> {
    let mut problems = Vec::new();
    match (selector.ids.is_empty(), selector.tags.is_empty()) {
        (true, true) => problems.push("spec.subnets: either ids or tags have to be given".to_owned()),
        (false, false) => problems.push("spec.subnets: ids and tags cannot be given together".to_owned()),
        _ => {}
    }
    problems.extend(repeated(&selector.ids).map(|id| format!("spec.subnets.ids: {id} is named twice")));
    for (key, values) in &selector.tags {
        problems.extend(
            repeated(values).map(|value| format!("spec.subnets.tags[{key}]: {value} is named twice")),
        );
    }
    problems
}

fn repeated(values: &[String]) -> impl Iterator<Item = &String> {
    let mut seen = BTreeSet::new();
    values.iter().filter(move |value| !seen.insert(*value))
}
