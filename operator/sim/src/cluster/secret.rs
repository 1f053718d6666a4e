//! Secrets: no part of any snapshot.

use fairway_aws::secret::Secret;
use fairway_core::ids::Key;
use serde_json::Value;

use super::Cluster;

impl Cluster {
    /// One that is replaced stays the same object.
    pub(super) fn put_secret(&mut self, key: Key, object: &Value) {
        let uid = self.secrets.get(&key).map(|before| before.uid.clone());
        let uid = uid.unwrap_or_else(|| format!("secret-{}", self.serial));
        let entries = object.get("stringData").and_then(Value::as_object).into_iter().flatten();
        let entries =
            entries.map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().as_bytes().to_vec()));
        self.secrets.insert(key, Secret { uid, entries: entries.collect() });
    }
}
