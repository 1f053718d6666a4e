//! Says in the states of stacks that this node answers for their addresses.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use fairway_core::{
    ids::{Key, StackId},
    snapshot::Snapshot,
};
use fairway_crds::LoadBalancerState;
use fairway_metal::{
    announced::{ANNOUNCED, Announcers, Since, amend, message},
    program::NodeProgram,
};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use kube::{
    Api, Client, Resource as _,
    api::{Patch, PatchParams},
};
use serde_json::json;
use tokio::time::timeout;

const FIELD_MANAGER: &str = "fairway-agent";
/// For one request; what could not be written is written later.
const PATIENCE: Duration = Duration::from_secs(2);
/// Requests at once: a node that takes over a hundred addresses says so within a second.
const AT_ONCE: usize = 8;

/// Writes what the states do not say yet. What fails is told, and due again.
pub(crate) async fn confirm(
    client: &Client,
    snapshot: &Snapshot,
    node: &str,
    program: &NodeProgram,
    answering: &BTreeMap<IpAddr, Since>,
) -> Vec<String> {
    let writes = due(snapshot, node, program, answering).into_iter().map(|(stack, announcers)| async move {
        let written = timeout(PATIENCE, write(client, &stack, &announcers)).await;
        let problem = match written {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the API server does not answer".to_owned(),
        };
        Some(format!("the state of {stack} does not say who announces it: {problem}"))
    });
    stream::iter(writes).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
}

fn due(
    snapshot: &Snapshot,
    node: &str,
    program: &NodeProgram,
    answering: &BTreeMap<IpAddr, Since>,
) -> Vec<(StackId, Announcers)> {
    let mut mine: BTreeMap<&StackId, BTreeMap<IpAddr, Since>> = BTreeMap::new();
    for (address, since) in answering {
        if let Some(announcement) = program.announce.get(address) {
            mine.entry(&announcement.stack).or_default().insert(*address, *since);
        }
    }
    let amended = |(stack, mine): (&StackId, BTreeMap<IpAddr, Since>)| {
        let state = snapshot.states.get(&Key::cluster(&stack.state_name()))?;
        Some((stack.clone(), amend(state, node, &mine)?))
    };
    mine.into_iter().filter_map(amended).collect()
}

async fn write(client: &Client, stack: &StackId, announcers: &Announcers) -> Result<(), kube::Error> {
    let api: Api<LoadBalancerState> = Api::all(client.clone());
    let name = stack.state_name();
    let condition = json!({
        "type": ANNOUNCED, "status": "True", "reason": ANNOUNCED, "message": message(announcers),
        "lastTransitionTime": Timestamp::now(),
    });
    let patch = json!({
        "apiVersion": LoadBalancerState::api_version(&()), "kind": LoadBalancerState::kind(&()),
        "metadata": {"name": name}, "status": {"conditions": [condition]},
    });
    // All agents share one field owner: each writes the whole condition, with what the others said.
    let params = PatchParams::apply(FIELD_MANAGER).force();
    api.patch_status(&name, &params, &Patch::Apply(&patch)).await.map(drop)
}
