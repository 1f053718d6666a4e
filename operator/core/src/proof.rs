//! Records that show a certificate authority that a domain is ours.
//!
//! A stack asks for the certificate and is told what the authority looks for; zones are looked after by others. In between,
//! the stack's state remembers each as one of its resources: `proof/<namespace>/<Ingress>/<record>`, with the CNAME's
//! target in the place of an identifier.

use std::collections::BTreeMap;

use crate::{
    ids::{Key, Kind, ObjectRef},
    plan::{Handle, ResourceKey},
};

const KIND: &str = "proof";

/// A CNAME that a certificate authority looks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// The Ingress that asks for the certificate.
    pub object: ObjectRef,
    /// Where it is looked for, without the final dot.
    pub name: String,
    /// What it has to point at.
    pub value: String,
}

impl Proof {
    /// As a stack remembers it.
    #[must_use]
    pub fn handle(&self) -> (ResourceKey, Handle) {
        let Key { namespace, name } = &self.object.key;
        let key = ResourceKey::new(KIND, &format!("{namespace}/{name}/{}", self.name));
        (key, Handle { id: self.value.clone(), ready: true, ..Handle::default() })
    }

    /// Those that are remembered, by resource key and identifier.
    pub fn recorded(resources: &BTreeMap<String, String>) -> impl Iterator<Item = Self> {
        resources.iter().filter_map(|(key, value)| {
            let mut parts = key.strip_prefix(KIND)?.strip_prefix('/')?.splitn(3, '/');
            let key = Key::new(parts.next()?, parts.next()?);
            let name = parts.next()?.to_owned();
            Some(Self { object: ObjectRef::new(Kind::Ingress, key), name, value: value.clone() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_read_back() {
        let object = ObjectRef::new(Kind::Ingress, Key::new("shop", "front"));
        let proof = Proof {
            object,
            name: "_a.www.example.com".to_owned(),
            value: "_b.acm-validations.aws".to_owned(),
        };
        let (key, handle) = proof.handle();
        assert_eq!(key.0, "proof/shop/front/_a.www.example.com");
        let other = ("certificate/a".to_owned(), "arn:a".to_owned());
        let resources = BTreeMap::from([other, (key.0, handle.id)]);
        assert_eq!(Proof::recorded(&resources).collect::<Vec<_>>(), [proof]);
    }
}
