//! What the API server adds to Services.

use serde_json::{Value, json};

/// Node ports as the API server gives them out; a port that had one keeps it.
pub(super) fn node_ports(object: &mut Value, before: Option<&Value>, serial: u64) {
    let kind = object.pointer("/spec/type").and_then(Value::as_str).unwrap_or("ClusterIP");
    if !matches!(kind, "NodePort" | "LoadBalancer") {
        return;
    }
    let local =
        object.pointer("/spec/externalTrafficPolicy") == Some(&json!("Local")) && kind == "LoadBalancer";
    let old = before.and_then(|before| before.pointer("/spec/ports")).cloned().unwrap_or_default();
    let base = 30_000 + serial * 10;
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut)
        && local
    {
        let kept = before.and_then(|before| before.pointer("/spec/healthCheckNodePort")).cloned();
        spec.entry("healthCheckNodePort").or_insert_with(|| kept.unwrap_or_else(|| json!(base + 9)));
    }
    let ports = object.pointer_mut("/spec/ports").and_then(Value::as_array_mut);
    for (number, port) in ports.into_iter().flatten().enumerate() {
        let kept = old.get(number).and_then(|old| old.get("nodePort")).cloned();
        if let Some(port) = port.as_object_mut() {
            port.entry("nodePort").or_insert_with(|| kept.unwrap_or_else(|| json!(base + number as u64)));
        }
    }
}
