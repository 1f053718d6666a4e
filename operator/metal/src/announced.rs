//! The condition by which agents say which node answers for which address.
//!
//! Shape: one condition a stack, type [`ANNOUNCED`], whose message is `ADDRESS on NODE` for each of its addresses,
//! separated by commas. Several agents write it with one field owner, each keeping what the others said.

use std::{collections::BTreeMap, net::IpAddr};

use fairway_crds::LoadBalancerState;

pub use fairway_crds::ANNOUNCED;

use crate::stack::recorded;

/// The node that answers, by address.
pub type Announcers = BTreeMap<IpAddr, String>;

/// Who answers, as a state says.
#[must_use]
pub fn announcers(state: &LoadBalancerState) -> Announcers {
    let conditions = state.status.iter().flat_map(|status| &status.conditions);
    let said = conditions.filter(|condition| condition.type_ == ANNOUNCED && condition.status == "True");
    said.flat_map(|condition| condition.message.split(", ")).filter_map(read).collect()
}

fn read(part: &str) -> Option<(IpAddr, String)> {
    let (address, node) = part.split_once(" on ")?;
    Some((address.parse().ok()?, node.to_owned()))
}

/// The condition's message.
#[must_use]
pub fn message(announcers: &Announcers) -> String {
    let parts: Vec<_> = announcers.iter().map(|(address, node)| format!("{address} on {node}")).collect();
    parts.join(", ")
}

/// What the condition should say now that an agent answers for `mine`, if it says something else. `mine` holds, by
/// address, whether the agent has begun to answer just now: only then does it take over what another one said, so
/// that two that believe to own an address do not write against each other for ever.
#[must_use]
pub fn amend(state: &LoadBalancerState, node: &str, mine: &BTreeMap<IpAddr, Since>) -> Option<Announcers> {
    let said = announcers(state);
    let arns = state.status.iter().flat_map(|status| status.arns.keys());
    let recorded = recorded(arns.map(String::as_str));
    let mut wanted = said.clone();
    wanted.retain(|address, _| recorded.contains(address));
    for (address, since) in mine.iter().filter(|(address, _)| recorded.contains(address)) {
        if *since == Since::Now || !wanted.contains_key(address) {
            wanted.insert(*address, node.to_owned());
        }
    }
    (wanted != said && !mine.is_empty()).then_some(wanted)
}

/// Since when an agent answers for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// It has just begun.
    Now,
    /// It went on.
    Before,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(addresses: &[&str], message: &str) -> LoadBalancerState {
        let arns: BTreeMap<String, &str> =
            addresses.iter().map(|address| (format!("address/{address}"), *address)).collect();
        let condition = json!({"type": ANNOUNCED, "status": "True", "reason": "Announced", "message": message,
                               "lastTransitionTime": "2026-01-01T00:00:00Z"});
        let conditions = if message.is_empty() { json!([]) } else { json!([condition]) };
        serde_json::from_value(json!({
            "apiVersion": "fairway.dev/v1alpha1", "kind": "LoadBalancerState", "metadata": {"name": "s"},
            "spec": {"stack": "s", "provider": "in-cluster"}, "status": {"arns": arns, "conditions": conditions},
        }))
        .unwrap()
    }

    #[test]
    fn an_agent_says_what_is_not_said_yet() {
        const ONE: &str = "192.0.2.1";
        const TEN: &str = "192.0.2.10";
        let cases = [
            ("nothing was said", vec![ONE], "", ONE, Since::Before, Some("192.0.2.1 on n1")),
            ("it was said", vec![ONE], "192.0.2.1 on n1", ONE, Since::Before, None),
            ("it is said again after a start", vec![ONE], "192.0.2.1 on n1", ONE, Since::Now, None),
            (
                "another address begins alike",
                vec![ONE],
                "192.0.2.10 on n2",
                ONE,
                Since::Now,
                Some("192.0.2.1 on n1"),
            ),
            ("taken over", vec![ONE], "192.0.2.1 on n2", ONE, Since::Now, Some("192.0.2.1 on n1")),
            ("another one said so later", vec![ONE], "192.0.2.1 on n2", ONE, Since::Before, None),
            (
                "the other's stays",
                vec![ONE, TEN],
                "192.0.2.10 on n2",
                ONE,
                Since::Now,
                Some("192.0.2.1 on n1, 192.0.2.10 on n2"),
            ),
            ("the stack's no more", vec![], "", ONE, Since::Now, None),
        ];
        for (name, recorded, said, mine, since, want) in cases {
            let mine = BTreeMap::from([(mine.parse().unwrap(), since)]);
            let amended = amend(&state(&recorded, said), "n1", &mine);
            assert_eq!(amended.as_ref().map(message).as_deref(), want, "{name}");
            if let Some(amended) = amended {
                assert_eq!(
                    announcers(&state(&recorded, &message(&amended))),
                    amended,
                    "{name}: it can be read back"
                );
            }
        }
    }
}
