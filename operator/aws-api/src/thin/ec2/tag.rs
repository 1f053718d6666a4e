//! Tags of EC2 resources. Source: EC2 API reference, CreateTags, DeleteTags.

use std::collections::BTreeMap;

use super::super::error::CallError;
use super::super::query::Query;
use super::Ec2;

impl Ec2 {
    /// Sets `tags` on each of the resources; other tags stay. Does nothing when either list is empty.
    pub async fn create_tags(
        &self,
        ids: &[String],
        tags: &BTreeMap<String, String>,
    ) -> Result<(), CallError> {
        if ids.is_empty() || tags.is_empty() {
            return Ok(());
        }
        let mut query = Query::default();
        query.put_list("ResourceId", ids);
        query.put_tags("Tag", tags);
        self.command("CreateTags", &query).await
    }

    /// Removes the tags with these keys, whatever their values, from each of the resources.
    ///
    /// Does nothing when either list is empty: AWS would take a request without keys as one to remove all tags.
    pub async fn delete_tags(&self, ids: &[String], keys: &[String]) -> Result<(), CallError> {
        if ids.is_empty() || keys.is_empty() {
            return Ok(());
        }
        let mut query = Query::default();
        query.put_list("ResourceId", ids);
        for (at, key) in (1..).zip(keys) {
            query.put(format!("Tag.{at}.Key"), key);
        }
        self.command("DeleteTags", &query).await
    }
}
