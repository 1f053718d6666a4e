//! Tags: added, changed and removed, except those of AWS and of older controllers.

use fairway_core::plan::ResourceKey;

use super::super::tags::untouchable;
use crate::{
    config::Config,
    model::Tags,
    stack::{Retag, StackOp},
};

/// The change that makes `have` into `want`, if one is needed.
pub(crate) fn changes(
    config: &Config,
    (resource, id): (ResourceKey, &str),
    want: &Tags,
    have: &Tags,
) -> Option<StackOp> {
    let set = super::attributes(want, have);
    let gone = have.keys().filter(|key| !want.contains_key(*key) && !untouchable(config, key));
    let remove: std::collections::BTreeSet<String> = gone.cloned().collect();
    let any = !set.is_empty() || !remove.is_empty();
    any.then(|| StackOp::SetTags(Retag { resource, id: id.to_owned(), set, remove }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_not_wanted_goes_unless_it_is_not_ours_to_touch() {
        let config = Config::new("demo", "us-east-1", "vpc-1");
        let key = || (ResourceKey::new("listener", "a:80"), "arn");
        let have = tags(&[("aws:x", "1"), ("kubernetes.io/namespace", "n"), ("old", "1"), ("team", "a")]);
        let Some(StackOp::SetTags(retag)) = changes(&config, key(), &tags(&[("team", "b")]), &have) else {
            panic!("the team changes");
        };
        assert_eq!(retag.set, tags(&[("team", "b")]));
        assert_eq!(retag.remove.into_iter().collect::<Vec<_>>(), ["old"]);
        let same = tags(&[("aws:x", "1"), ("team", "a")]);
        assert_eq!(changes(&config, key(), &tags(&[("team", "a")]), &same), None);
    }
}
