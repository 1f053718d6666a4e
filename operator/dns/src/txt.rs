//! The text of an ownership record.
//!
//! `"heritage=external-dns,external-dns/owner=OWNER,external-dns/resource=KIND/NS/NAME"`: one string in its quotes,
//! labels in the order of their keys. There is no escaping, so a comma in a value cannot be written. One string holds
//! at most 255 bytes; the resource is cut to fit, the owner never.
//!
//! Source: the TXT registry of external-dns, all releases up to v0.22.

use std::collections::BTreeMap;

use fairway_core::ids::{Kind, ObjectRef};

/// Seconds; what external-dns writes on Route 53.
pub const TXT_TTL: u32 = 300;
/// Bytes in one TXT string.
const MAX_STRING: usize = 255;
const HERITAGE: &str = "external-dns";
const OWNER: &str = "owner";
const RESOURCE: &str = "resource";

/// Labels of one ownership record: whose a record set is, and which object it was made for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    labels: BTreeMap<String, String>,
}

impl Claim {
    /// A claim of `owner` for an object.
    #[must_use]
    pub fn new(owner: &str, object: &ObjectRef) -> Self {
        let labels = BTreeMap::from([(OWNER.to_owned(), owner.to_owned())]);
        Self { labels }.moved_to(object)
    }

    /// The same claim for another object: labels that others have put there are kept.
    #[must_use]
    pub fn moved_to(&self, object: &ObjectRef) -> Self {
        let mut labels = self.labels.clone();
        labels.insert(RESOURCE.to_owned(), String::new());
        let room = MAX_STRING.saturating_sub(text(&labels).len());
        labels.insert(RESOURCE.to_owned(), resource(object).chars().take(room).collect());
        Self { labels }
    }

    /// Reads one value of a TXT record set; `None` for an ordinary text.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut heritage = false;
        let mut labels = BTreeMap::new();
        let tokens = value.trim_matches('"').split(',').filter_map(|token| token.split_once('='));
        for (key, value) in tokens {
            if key == "heritage" {
                if value != HERITAGE {
                    return None;
                }
                heritage = true;
            } else if let Some(label) = key.strip_prefix(HERITAGE) {
                labels.insert(label.trim_start_matches('/').to_owned(), value.to_owned());
            }
        }
        heritage.then_some(Self { labels })
    }

    /// The value of the TXT record set, in its quotes.
    #[must_use]
    pub fn to_value(&self) -> String {
        format!("\"{}\"", text(&self.labels))
    }

    /// Owner id; exact and case-sensitive.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.labels.get(OWNER).map(String::as_str)
    }

    /// `kind/namespace/name`, in lower case; possibly cut.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.labels.get(RESOURCE).map(String::as_str)
    }

    /// Whether the claim is for this object.
    #[must_use]
    pub fn is_for(&self, object: &ObjectRef) -> bool {
        self.resource().is_some() && self.resource() == self.moved_to(object).resource()
    }
}

/// The label of an object: `ingress/shop/web`.
#[must_use]
pub fn resource(object: &ObjectRef) -> String {
    format!("{}/{}", object.kind.as_str().to_lowercase(), object.key)
}

/// Whether a label names an object of a kind that names come from. Records of any other kind are never deleted: who
/// made them was asked for something that is not read here.
#[must_use]
pub fn is_source(label: &str) -> bool {
    [Kind::Ingress, Kind::Service].iter().any(|kind| {
        label.strip_prefix(&kind.as_str().to_lowercase()).is_some_and(|rest| rest.starts_with('/'))
    })
}

fn text(labels: &BTreeMap<String, String>) -> String {
    let labels = labels.iter().map(|(key, value)| format!(",{HERITAGE}/{key}={value}"));
    format!("heritage={HERITAGE}{}", labels.collect::<String>())
}

#[cfg(test)]
mod tests {
    use fairway_core::ids::Key;
    use proptest::prelude::*;

    use super::*;

    fn ingress(namespace: &str, name: &str) -> ObjectRef {
        ObjectRef::new(Kind::Ingress, Key::new(namespace, name))
    }

    #[test]
    fn texts_are_what_external_dns_writes() {
        assert_eq!(
            Claim::new("demo", &ingress("dns", "a")).to_value(),
            "\"heritage=external-dns,external-dns/owner=demo,external-dns/resource=ingress/dns/a\""
        );
    }

    #[test]
    fn only_texts_with_our_heritage_claim_anything() {
        let owner = |text: &str| Claim::parse(text).map(|claim| claim.owner().unwrap_or("-").to_owned());
        let cases = [
            ("an ordinary text claims nothing", "\"v=spf1 -all\"", None),
            ("another heritage claims nothing", "\"heritage=mate,external-dns/owner=x\"", None),
            ("an owner is exact", "\"heritage=external-dns,external-dns/owner=De mo\"", Some("De mo")),
            (
                "an equals sign belongs to the value",
                "\"heritage=external-dns,external-dns/owner=a=b\"",
                Some("a=b"),
            ),
            ("quotes may be missing", "heritage=external-dns,external-dns/owner=x", Some("x")),
            ("an owner may be missing", "\"heritage=external-dns,external-dns/resource=crd/a/b\"", Some("-")),
        ];
        for (name, text, want) in cases {
            assert_eq!(owner(text).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn labels_of_others_survive_a_change_of_object() {
        let claim =
            Claim::parse("\"heritage=external-dns,external-dns/owner=o,external-dns/team=x\"").unwrap();
        let moved = claim.moved_to(&ingress("shop", "web")).to_value();
        assert_eq!(
            moved,
            "\"heritage=external-dns,external-dns/owner=o,external-dns/resource=ingress/shop/web,external-dns/team=x\""
        );
    }

    #[test]
    fn records_of_kinds_that_are_not_read_are_not_ours_to_delete() {
        let kept = ["crd/a/b", "httproute/a/b", "ingressroute/a/b", "node/n", ""];
        assert!(kept.iter().all(|label| !is_source(label)));
        assert!(is_source("ingress/a/b") && is_source("service/a/b"));
    }

    proptest! {
        #[test]
        fn a_claim_survives_its_text(
            owner in "[A-Za-z0-9=/_. -]{1,60}",
            namespace in "[a-z0-9-]{1,63}",
            name in "[a-z0-9.-]{1,253}",
        ) {
            let object = ingress(&namespace, &name);
            let claim = Claim::new(&owner, &object);
            prop_assert!(claim.to_value().len() <= MAX_STRING + 2);
            prop_assert_eq!(Claim::parse(&claim.to_value()), Some(claim.clone()));
            prop_assert!(claim.is_for(&object));
            prop_assert_eq!(claim.owner(), Some(owner.as_str()));
        }
    }
}
