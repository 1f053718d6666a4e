//! Which targets of a shared group are ours: a ConfigMap beside the binding, as the peer keeps it.
//!
//! Shape: `id:port` of each target, joined by commas, under the key `targets`. No ConfigMap: nothing is known yet, and
//! nothing may be taken out.
//! Source: AWS Load Balancer Controller 3.5, multi-cluster target groups.

use std::collections::BTreeSet;

use fairway_core::ids::Key;

/// Key of the list within the ConfigMap.
pub const RECORD_KEY: &str = "targets";

/// The ConfigMap of a binding.
#[must_use]
pub fn record_of(binding: &Key) -> Key {
    Key::new(&binding.namespace, &format!("aws-lbc-targets-{}", binding.name))
}

/// The list as it is written.
#[must_use]
pub fn spell_record(targets: &BTreeSet<String>) -> String {
    targets.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// Reads a list.
#[must_use]
pub fn read_record(text: &str) -> BTreeSet<String> {
    text.split(',').filter(|target| !target.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        for (text, count) in [("", 0), ("10.0.0.1:80", 1), ("10.0.0.1:80,10.0.0.2:80", 2), ("i-1:30080,", 1)]
        {
            let read = read_record(text);
            assert_eq!(read.len(), count, "{text}");
            assert_eq!(spell_record(&read), text.trim_end_matches(','));
        }
        assert_eq!(record_of(&Key::new("shop", "web")), Key::new("shop", "aws-lbc-targets-web"));
    }
}
