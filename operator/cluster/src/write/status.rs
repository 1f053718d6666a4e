//! `status.loadBalancer` of Ingresses and Services, written only where it differs.

use fairway_core::{
    ids::Kind,
    report::{PublishedAddress, StatusWrite},
    snapshot::Snapshot,
};
use kube::api::Patch;
use serde_json::{Value, json};

use super::{Writer, params};
use crate::error::{ClusterError, status};

impl Writer {
    /// Writes a status unless the snapshot shows it already. An object that is gone is fine.
    ///
    /// # Errors
    /// The API server's refusal.
    pub async fn status(&self, snapshot: &Snapshot, write: &StatusWrite) -> Result<(), ClusterError> {
        let wanted: Vec<Value> =
            write.addresses.iter().map(|address| entry(write.object.kind, address)).collect();
        if present(snapshot, write) == wanted {
            return Ok(());
        }
        let entries = if wanted.is_empty() { Value::Null } else { Value::from(wanted) };
        let patch = json!({"status": {"loadBalancer": {"ingress": entries}}});
        match self
            .dynamic(&write.object)
            .patch_status(&write.object.key.name, &params(), &Patch::Merge(&patch))
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) => Ok(()),
            Err(error) => Err(ClusterError::new(format!("status of {}", write.object), error)),
        }
    }
}

/// One entry as the API server keeps it.
fn entry(kind: Kind, address: &PublishedAddress) -> Value {
    let mut entry = serde_json::Map::new();
    if let Some(hostname) = &address.hostname {
        entry.insert("hostname".to_owned(), json!(hostname));
    }
    if let Some(ip) = &address.ip {
        entry.insert("ip".to_owned(), json!(ip));
        if kind == Kind::Service {
            // The address is served by a proxy or by rules of our own: kube-proxy must not short-cut it.
            entry.insert("ipMode".to_owned(), json!("Proxy"));
        }
    }
    if !address.ports.is_empty() {
        let port = |(port, protocol): &(u16, String)| json!({"port": port, "protocol": protocol});
        entry.insert("ports".to_owned(), address.ports.iter().map(port).collect());
    }
    Value::Object(entry)
}

fn present(snapshot: &Snapshot, write: &StatusWrite) -> Vec<Value> {
    let key = &write.object.key;
    let status = match write.object.kind {
        Kind::Ingress => {
            snapshot.ingresses.get(key).and_then(|object| serde_json::to_value(&object.status).ok())
        }
        Kind::Service => {
            snapshot.services.get(key).and_then(|object| serde_json::to_value(&object.status).ok())
        }
        _ => None,
    };
    let entries = status.and_then(|status| status.pointer("/loadBalancer/ingress").cloned());
    entries.and_then(|entries| entries.as_array().cloned()).unwrap_or_default()
}
