//! Which node answers for an address.
//!
//! Every agent decides alone and without state, as MetalLB's speakers do: candidates are sorted by the SHA-256 of
//! `nodeName#address`, and the first announces. Removing a node moves only its own addresses. Agents that see
//! different candidates may for a moment name two owners or none; who is alive is therefore seen through Leases that
//! are renewed every two seconds.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use fairway_core::snapshot::Snapshot;
use fairway_crds::L2Advertisement;
use k8s_openapi::{api::core::v1::Node, apimachinery::pkg::apis::meta::v1::LabelSelector};
use kube_core::{Selector, SelectorExt as _};
use sha2::{Digest as _, Sha256};

use crate::pool::{Pool, pools};

/// Label of nodes that must not attract traffic.
const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// Which nodes' agents are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peers {
    /// Those that renew their Lease.
    pub alive: BTreeSet<String>,
    /// Those that ceased to without giving it back: the node, or its agent, died.
    pub dead: BTreeSet<String>,
}

/// Who may announce an address, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Node name to the interfaces it may announce from; `None` is every interface.
    pub nodes: BTreeMap<String, Option<BTreeSet<String>>>,
    /// Whether any advertisement selects the address' pool at all.
    pub advertised: bool,
}

/// Nodes that may announce `address`, dead or alive.
#[must_use]
pub fn candidates(snapshot: &Snapshot, address: IpAddr) -> Candidates {
    let (pools, _) = pools(snapshot);
    let Some(pool) = pools.iter().find(|pool| pool.contains(address)) else { return Candidates::default() };
    let advertisements: Vec<&L2Advertisement> = snapshot
        .l2_advertisements
        .values()
        .map(AsRef::as_ref)
        .filter(|advertisement| advertises(advertisement, pool))
        .collect();
    let mut found = Candidates { nodes: BTreeMap::new(), advertised: !advertisements.is_empty() };
    for (key, node) in snapshot.nodes.iter().filter(|(_, node)| may_attract_traffic(node)) {
        for advertisement in advertisements.iter().filter(|advertisement| takes_node(advertisement, node)) {
            let interfaces: BTreeSet<String> = advertisement.spec.interfaces.iter().cloned().collect();
            let allowed = found.nodes.entry(key.name.clone()).or_insert_with(|| Some(BTreeSet::new()));
            // Several advertisements are a union; one without interfaces means all.
            *allowed = match (allowed.take(), interfaces.is_empty()) {
                (Some(before), false) => Some(before.union(&interfaces).cloned().collect()),
                _ => None,
            };
        }
    }
    found
}

/// The node that announces `address` among those that are alive.
#[must_use]
pub fn owner<'a>(candidates: &'a Candidates, alive: &BTreeSet<String>, address: IpAddr) -> Option<&'a str> {
    let living = candidates.nodes.keys().filter(|node| alive.contains(*node));
    living.min_by_key(|node| Sha256::digest(format!("{node}#{address}"))).map(String::as_str)
}

fn advertises(advertisement: &L2Advertisement, pool: &Pool) -> bool {
    let spec = &advertisement.spec;
    let all = spec.ip_address_pools.is_empty() && spec.ip_address_pool_selectors.is_empty();
    all || spec.ip_address_pools.contains(&pool.key.name)
        || spec.ip_address_pool_selectors.iter().any(|selector| selects(selector, &pool.labels))
}

fn takes_node(advertisement: &L2Advertisement, node: &Node) -> bool {
    let selectors = &advertisement.spec.node_selectors;
    let labels = node.metadata.labels.clone().unwrap_or_default();
    selectors.is_empty() || selectors.iter().any(|selector| selects(selector, &labels))
}

fn may_attract_traffic(node: &Node) -> bool {
    let excluded = node.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(EXCLUDED));
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    let unavailable =
        conditions.into_iter().flatten().any(|c| c.type_ == "NetworkUnavailable" && c.status == "True");
    !excluded && !unavailable
}

/// A selector that cannot be read selects nothing.
pub(crate) fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    Selector::try_from(selector.clone()).is_ok_and(|selector| selector.matches(labels))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn snapshot(objects: &[serde_json::Value]) -> Snapshot {
        let mut snapshot = Snapshot::default();
        objects.iter().for_each(|object| snapshot.add(object).unwrap());
        snapshot
    }

    fn node(name: &str, labels: &serde_json::Value) -> serde_json::Value {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
    }

    fn pool() -> serde_json::Value {
        json!({"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": {"name": "p", "namespace": "f"},
               "spec": {"addresses": ["192.0.2.0/24"]}})
    }

    fn advertisement(spec: &serde_json::Value) -> serde_json::Value {
        json!({"apiVersion": "metallb.io/v1beta1", "kind": "L2Advertisement", "metadata": {"name": "a", "namespace": "f"},
               "spec": spec})
    }

    const ADDRESS: &str = "192.0.2.7";

    #[test]
    fn a_pool_that_nothing_advertises_has_no_candidates() {
        let found = candidates(&snapshot(&[pool(), node("n1", &json!({}))]), ADDRESS.parse().unwrap());
        assert_eq!(found, Candidates::default());
    }

    #[test]
    fn selectors_and_the_exclusion_label_narrow_the_candidates() {
        let objects = [
            pool(),
            advertisement(
                &json!({"nodeSelectors": [{"matchLabels": {"edge": "yes"}}], "interfaces": ["eth1"]}),
            ),
            node("n1", &json!({"edge": "yes"})),
            node("n2", &json!({})),
            node("n3", &json!({"edge": "yes", EXCLUDED: ""})),
        ];
        let found = candidates(&snapshot(&objects), ADDRESS.parse().unwrap());
        let only = Some(BTreeSet::from(["eth1".to_owned()]));
        assert_eq!(found.nodes, BTreeMap::from([("n1".to_owned(), only)]));
    }

    #[test]
    fn the_death_of_a_node_moves_its_addresses_and_no_others() {
        let nodes = ["n1", "n2", "n3"];
        let all = Candidates { nodes: nodes.map(|n| (n.to_owned(), None)).into(), advertised: true };
        let alive: BTreeSet<String> = nodes.map(str::to_owned).into();
        let addresses: Vec<IpAddr> = (1..=60).map(|n| format!("192.0.2.{n}").parse().unwrap()).collect();
        let before: Vec<_> = addresses.iter().map(|a| owner(&all, &alive, *a).unwrap()).collect();
        assert!(nodes.iter().all(|n| before.contains(n)), "every node has some: {before:?}");
        let without: BTreeSet<String> = alive.iter().filter(|n| *n != "n2").cloned().collect();
        for (address, was) in addresses.iter().zip(before) {
            let is = owner(&all, &without, *address).unwrap();
            assert!(is != "n2" && (was == "n2" || is == was), "{address}: {was} -> {is}");
        }
        assert_eq!(owner(&all, &BTreeSet::new(), ADDRESS.parse().unwrap()), None);
    }
}
