//! Tags of everything that Elastic Load Balancing holds, and of security groups.

use std::collections::BTreeSet;

use fairway_aws::model::Tags;

use super::{Answered, Aws, refuse, unless};

const MOST: usize = 50;
/// Resources in one DescribeTags or AddTags call.
const MOST_RESOURCES: usize = 20;

/// ACM's own code.
const CERTIFICATE: &str = "ResourceNotFoundException";

/// Tags as they may be given at creation.
pub(super) fn check(tags: &Tags) -> Answered<()> {
    unless(
        !tags.keys().any(|key| key.starts_with("aws:")),
        "ValidationError",
        "keys beginning with aws: are reserved",
    )?;
    unless(tags.len() <= MOST, "TooManyTags", "a resource has at most 50 tags")
}

impl Aws {
    /// Tags of each resource, in the order asked for.
    ///
    /// # Errors
    /// `ValidationError` for more than 20; not found, by kind.
    pub fn tags_of(&self, arns: &[String]) -> Answered<Vec<Tags>> {
        unless(arns.len() <= MOST_RESOURCES, "ValidationError", "at most 20 resources at once")?;
        arns.iter().map(|arn| self.tags(arn).cloned()).collect()
    }

    /// AddTags (CreateTags for security groups): all resources or none.
    ///
    /// # Errors
    /// As [`Aws::tags_of`]; `TooManyTags`; `ValidationError` for keys of AWS.
    pub fn add_tags(&mut self, ids: &[String], tags: &Tags) -> Answered<()> {
        check(tags)?;
        for present in self.tags_of(ids)? {
            let keys: BTreeSet<&String> = present.keys().chain(tags.keys()).collect();
            unless(keys.len() <= MOST, "TooManyTags", "a resource has at most 50 tags")?;
        }
        ids.iter().try_for_each(|id| self.tags_mut(id).map(|present| present.extend(tags.clone())))
    }

    /// RemoveTags (DeleteTags for security groups); keys that are not there are passed over.
    ///
    /// # Errors
    /// As [`Aws::tags_of`].
    pub fn remove_tags(&mut self, ids: &[String], keys: &BTreeSet<String>) -> Answered<()> {
        self.tags_of(ids)?;
        ids.iter().try_for_each(|id| self.tags_mut(id).map(|tags| tags.retain(|key, _| !keys.contains(key))))
    }

    fn tags(&self, id: &str) -> Answered<&Tags> {
        let missing = not_found(id);
        match missing {
            "InvalidGroup.NotFound" => self.groups.get(id).map(|row| &row.tags),
            "TargetGroupNotFound" => self.target_groups.get(id).map(|row| &row.tags),
            "ListenerNotFound" => self.listeners.get(id).map(|row| &row.tags),
            "RuleNotFound" => self.rules.get(id).map(|row| &row.tags),
            CERTIFICATE => {
                let requested = self.requested.get(id).map(|row| &row.tags);
                requested.or_else(|| self.imported.get(id).map(|row| &row.tags))
            }
            _ => self.balancers.get(id).map(|row| &row.tags),
        }
        .map_or_else(|| refuse(missing, id), Ok)
    }

    fn tags_mut(&mut self, id: &str) -> Answered<&mut Tags> {
        let missing = not_found(id);
        match missing {
            "InvalidGroup.NotFound" => self.groups.get_mut(id).map(|row| &mut row.tags),
            "TargetGroupNotFound" => self.target_groups.get_mut(id).map(|row| &mut row.tags),
            "ListenerNotFound" => self.listeners.get_mut(id).map(|row| &mut row.tags),
            "RuleNotFound" => self.rules.get_mut(id).map(|row| &mut row.tags),
            CERTIFICATE => match self.requested.get_mut(id) {
                Some(row) => Some(&mut row.tags),
                None => self.imported.get_mut(id).map(|row| &mut row.tags),
            },
            _ => self.balancers.get_mut(id).map(|row| &mut row.tags),
        }
        .map_or_else(|| refuse(missing, id), Ok)
    }
}

/// The error that names the kind of resource.
fn not_found(id: &str) -> &'static str {
    if id.starts_with("sg-") {
        return "InvalidGroup.NotFound";
    }
    match id.rsplit(':').next().and_then(|resource| resource.split('/').next()) {
        Some("targetgroup") => "TargetGroupNotFound",
        Some("listener") => "ListenerNotFound",
        Some("listener-rule") => "RuleNotFound",
        Some("certificate") => CERTIFICATE,
        _ => "LoadBalancerNotFound",
    }
}
