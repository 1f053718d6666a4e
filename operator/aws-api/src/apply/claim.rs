//! Whether something that exists is our own earlier work.

use fairway_aws::model::Tags;
use fairway_aws::ownership::Taken;
use fairway_aws::tags::CLUSTER;
use fairway_core::class::Classified as _;
use fairway_engine::ports::Refusal;

/// Whether `have` carries the ownership tags of `wanted`: the cluster, the stack and which resource of it.
pub(super) fn is_ours(wanted: &Tags, have: &Tags) -> bool {
    let mark =
        |key: &str| key == CLUSTER || key.ends_with(".k8s.aws/stack") || key.ends_with(".k8s.aws/resource");
    let mut marks = wanted.iter().filter(|(key, _)| mark(key)).peekable();
    marks.peek().is_some() && marks.all(|(key, value)| have.get(key) == Some(value))
}

/// Somebody else's thing is where ours should be.
pub(super) fn taken(kind: &'static str, name: &str) -> Refusal {
    let taken = Taken::new(kind, name);
    Refusal::new(taken.class(), taken.code(), taken.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_all_ownership_tags_make_something_ours() {
        let marks = [(CLUSTER, "c"), ("ingress.k8s.aws/stack", "s"), ("ingress.k8s.aws/resource", "80")];
        let wanted = tags(&[&marks[..], &[("team", "a")]].concat());
        assert!(is_ours(&wanted, &tags(&marks)), "other tags are not asked");
        assert!(!is_ours(&wanted, &tags(&marks[..2])));
        assert!(!is_ours(&wanted, &tags(&[marks[0], ("ingress.k8s.aws/stack", "t"), marks[2]])));
        assert!(!is_ours(&tags(&[("team", "a")]), &tags(&[("team", "a")])), "no marks, no claim");
    }
}
