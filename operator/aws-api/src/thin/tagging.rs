//! Finding resources by their tags, across services.
//!
//! Eventually consistent: a resource made a moment ago may be missing, a deleted one may still be listed. It finds;
//! the service that owns the resource says what is.
//! Source: Resource Groups Tagging API reference, GetResources.

use std::collections::BTreeMap;

use aws_types::SdkConfig;
use serde::{Deserialize, Serialize};

use super::endpoint::{Protocol, Service};
use super::error::{CallError, SetupError};
use super::json;
use super::protocol::Wire;
use crate::calls::CallCounter;

const SERVICE: Service = Service {
    id: "Resource Groups Tagging API",
    host: "tagging",
    home: None,
    protocol: Protocol::Json { target: "ResourceGroupsTaggingAPI_20170126" },
};

/// The most that GetResources gives at once.
const PAGE: u32 = 100;

/// A tag that a resource must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagFilter {
    /// The key.
    pub key: String,
    /// Any of these values; every value, when there is none. At most 20.
    pub values: Vec<String>,
}

/// A resource and all its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedResource {
    /// ARN.
    pub arn: String,
    /// Every tag it has, not only those asked for.
    pub tags: BTreeMap<String, String>,
}

/// The tags of one region.
#[derive(Debug, Clone)]
pub struct Tagging {
    wire: Wire,
    page: u32,
}

impl Tagging {
    /// A client for the region, credentials and endpoint of `config`, counting into `calls`.
    pub fn new(config: &SdkConfig, calls: &CallCounter) -> Result<Self, SetupError> {
        Ok(Self { wire: Wire::new(config, &SERVICE, calls)?, page: PAGE })
    }

    /// The same client, asking for `page` resources at a time (1-100).
    pub fn with_page_size(self, page: u32) -> Self {
        Self { page, ..self }
    }

    /// All resources of the `types` (`elasticloadbalancing:loadbalancer`) that match every filter; an empty list of
    /// types means every type.
    pub async fn resources(
        &self,
        filters: &[TagFilter],
        types: &[&str],
    ) -> Result<Vec<TaggedResource>, CallError> {
        const OPERATION: &str = "GetResources";
        let mut request = Request { filters, types, page: self.page, token: None };
        let mut all = Vec::new();
        loop {
            let page: Page = json::call(&self.wire, OPERATION, &request).await?;
            all.extend(page.resources.into_iter().map(TaggedResource::from));
            let more = page.token.filter(|token| !token.is_empty());
            request.token = match self.wire.next_page(OPERATION, request.token.take(), more)? {
                None => return Ok(all),
                more => more,
            };
        }
    }
}

#[derive(Serialize)]
struct Request<'a> {
    #[serde(rename = "TagFilters", skip_serializing_if = "<[_]>::is_empty")]
    filters: &'a [TagFilter],
    #[serde(rename = "ResourceTypeFilters", skip_serializing_if = "<[_]>::is_empty")]
    types: &'a [&'a str],
    #[serde(rename = "ResourcesPerPage")]
    page: u32,
    #[serde(rename = "PaginationToken", skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "ResourceTagMappingList", default)]
    resources: Vec<Mapping>,
    #[serde(rename = "PaginationToken")]
    token: Option<String>,
}

#[derive(Deserialize)]
struct Mapping {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "Tags", default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

impl From<Mapping> for TaggedResource {
    fn from(mapping: Mapping) -> Self {
        let tags = mapping.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        Self { arn: mapping.arn, tags }
    }
}
