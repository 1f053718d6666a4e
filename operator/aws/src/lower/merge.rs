//! How members of one group combine: the earlier one wins, and the later one hears with whom it disagrees.

use std::collections::BTreeSet;

use fairway_core::settings::Sourced;
use serde::Serialize;

use super::{LowerError, ask::SourcedMap};

/// Takes over what `asked` says, unless an earlier member said something else.
pub(crate) fn agree<T: Clone + PartialEq + Serialize>(
    so_far: &mut Option<Sourced<T>>,
    asked: Option<&Sourced<T>>,
) -> Result<(), LowerError> {
    asked.map_or(Ok(()), |asked| take_over(so_far, asked, None))
}

/// As [`agree`], of lists in any order.
pub(crate) fn agree_in_any_order(
    so_far: &mut Option<Sourced<Vec<String>>>,
    asked: Option<&Sourced<Vec<String>>>,
) -> Result<(), LowerError> {
    let set = |asked: &Sourced<Vec<String>>| asked.value.iter().cloned().collect::<BTreeSet<_>>();
    match (so_far.as_ref(), asked) {
        (Some(first), Some(later)) if set(first) == set(later) => Ok(()),
        _ => agree(so_far, asked),
    }
}

/// As [`agree`], of what is said of `key`.
pub(crate) fn agree_on<T: Clone + PartialEq + Serialize>(
    key: &str,
    so_far: &mut Option<Sourced<T>>,
    asked: &Sourced<T>,
) -> Result<(), LowerError> {
    take_over(so_far, asked, Some(key))
}

fn take_over<T: Clone + PartialEq + Serialize>(
    so_far: &mut Option<Sourced<T>>,
    asked: &Sourced<T>,
    key: Option<&str>,
) -> Result<(), LowerError> {
    match so_far {
        Some(first) if first.value != asked.value => Err(disagree(first, asked, key)),
        Some(_) => Ok(()),
        None => {
            *so_far = Some(asked.clone());
            Ok(())
        }
    }
}

/// Adds the keys of `asked`, unless an earlier member gave one of them another value.
pub(crate) fn unite(so_far: &mut SourcedMap, asked: &SourcedMap) -> Result<(), LowerError> {
    for (key, later) in asked {
        match so_far.get(key) {
            Some(first) if first.value != later.value => return Err(disagree(first, later, Some(key))),
            Some(_) => {}
            None => {
                so_far.insert(key.clone(), later.clone());
            }
        }
    }
    Ok(())
}

fn disagree<T: Serialize>(first: &Sourced<T>, later: &Sourced<T>, key: Option<&str>) -> LowerError {
    let spelled = |value: &T| {
        let text = serde_json::to_string(value).unwrap_or_default();
        let text = text.trim_matches('"');
        key.map_or_else(|| text.to_owned(), |key| format!("{key}={text}"))
    };
    LowerError::Disagree {
        key: later.from.key.clone(),
        value: spelled(&later.value),
        first_value: spelled(&first.value),
        first: first.from.object.clone(),
    }
}

#[cfg(test)]
mod tests {
    use fairway_core::{
        ids::{Key, Kind, ObjectRef},
        settings::Provenance,
    };

    use super::*;
    use crate::model::Scheme;

    fn by<T>(name: &str, value: T) -> Sourced<T> {
        let object = ObjectRef::new(Kind::Ingress, Key::new("default", name));
        Sourced { value, from: Provenance { object, key: "alb.ingress.kubernetes.io/x".to_owned() } }
    }

    #[test]
    fn the_earlier_member_wins_and_the_later_hears_of_it() {
        let mut scheme = None;
        agree(&mut scheme, Some(&by("a", Scheme::InternetFacing))).unwrap();
        agree(&mut scheme, None).unwrap();
        agree(&mut scheme, Some(&by("b", Scheme::InternetFacing))).unwrap();
        let error = agree(&mut scheme, Some(&by("c", Scheme::Internal))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "alb.ingress.kubernetes.io/x: internal contradicts internet-facing, which Ingress default/a asks for"
        );
        assert_eq!(scheme, Some(by("a", Scheme::InternetFacing)));
    }

    #[test]
    fn maps_unite_key_by_key() {
        let map = |name: &str, pairs: &[(&str, &str)]| -> SourcedMap {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), by(name, (*v).to_owned()))).collect()
        };
        let mut tags = map("a", &[("team", "shop")]);
        unite(&mut tags, &map("b", &[("env", "dev"), ("team", "shop")])).unwrap();
        assert_eq!(tags.len(), 2);
        let error = unite(&mut tags, &map("c", &[("team", "web")])).unwrap_err();
        assert!(error.to_string().contains("team=web contradicts team=shop, which Ingress default/a"));
    }
}
