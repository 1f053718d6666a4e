//! Who asked for a guard, and since when.

use fairway_core::ids::Key;
use serde_json::Value;

use super::Cluster;

/// How long a plan that was made before its Ingress asked may still be under way.
const UNDER_WAY: u64 = 60;
const ANNOTATIONS: &str = "/metadata/annotations";
const PREFIX: &str = "alb.ingress.kubernetes.io";

impl Cluster {
    /// Notes what an Ingress asks for. `stood`: it was there before, perhaps without a guard.
    pub(super) fn note_guard(&mut self, key: Key, object: &Value, stood: bool, now: u64) {
        let text = |name: &str| object.pointer(ANNOTATIONS)?.get(format!("{PREFIX}/{name}"))?.as_str();
        let asks = text("auth-type").is_some_and(|kind| kind != "none") || text("jwt-validation").is_some();
        if asks {
            self.guarded.entry(key).or_insert(if stood { now + UNDER_WAY } else { now });
        } else {
            self.guarded.remove(&key);
        }
    }
}
