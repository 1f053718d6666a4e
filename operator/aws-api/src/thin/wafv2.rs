//! Web ACLs of the regional WAF, and which load balancer has which.
//!
//! Source: AWS WAF API reference, 2019-07-29.

use aws_types::SdkConfig;
use serde::{Deserialize, Serialize};

use super::endpoint::{Protocol, Service};
use super::error::{CallError, SetupError};
use super::json;
use super::protocol::Wire;
use crate::calls::CallCounter;

const SERVICE: Service = Service {
    id: "WAFV2",
    host: "wafv2",
    home: None,
    protocol: Protocol::Json { target: "AWSWAF_20190729" },
};

/// The most that ListWebACLs gives at once.
const PAGE: u32 = 100;

/// A web ACL, as far as associating it needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WebAcl {
    /// ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
    /// Name, unique among the regional ACLs of an account.
    pub name: String,
    /// AWS' id.
    pub id: String,
}

/// The WAF of one region.
#[derive(Debug, Clone)]
pub struct WafV2 {
    wire: Wire,
    page: u32,
}

impl WafV2 {
    /// A client for the region, credentials and endpoint of `config`, counting into `calls`.
    pub fn new(config: &SdkConfig, calls: &CallCounter) -> Result<Self, SetupError> {
        Ok(Self { wire: Wire::new(config, &SERVICE, calls)?, page: PAGE })
    }

    /// The web ACL in front of the load balancer `arn`, if there is one.
    pub async fn web_acl_for(&self, arn: &str) -> Result<Option<WebAcl>, CallError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "WebACL")]
            web_acl: Option<WebAcl>,
        }
        let answer: Answer = json::call(&self.wire, "GetWebACLForResource", &Resource { arn }).await?;
        Ok(answer.web_acl)
    }

    /// Puts the web ACL `acl_arn` in front of the load balancer `arn`, in the place of any other.
    pub async fn associate(&self, acl_arn: &str, arn: &str) -> Result<(), CallError> {
        #[derive(Serialize)]
        struct Request<'a> {
            #[serde(rename = "WebACLArn")]
            acl: &'a str,
            #[serde(rename = "ResourceArn")]
            resource: &'a str,
        }
        json::command(&self.wire, "AssociateWebACL", &Request { acl: acl_arn, resource: arn }).await
    }

    /// Takes away whatever web ACL stands in front of the load balancer `arn`.
    pub async fn disassociate(&self, arn: &str) -> Result<(), CallError> {
        json::command(&self.wire, "DisassociateWebACL", &Resource { arn }).await
    }

    /// All regional web ACLs.
    pub async fn web_acls(&self) -> Result<Vec<WebAcl>, CallError> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Request {
            scope: &'static str,
            limit: u32,
            #[serde(skip_serializing_if = "Option::is_none")]
            next_marker: Option<String>,
        }
        #[derive(Deserialize)]
        struct Page {
            #[serde(rename = "WebACLs", default)]
            web_acls: Vec<WebAcl>,
            #[serde(rename = "NextMarker")]
            next_marker: Option<String>,
        }
        const OPERATION: &str = "ListWebACLs";
        let mut request = Request { scope: "REGIONAL", limit: self.page, next_marker: None };
        let mut all = Vec::new();
        loop {
            let page: Page = json::call(&self.wire, OPERATION, &request).await?;
            // WAF gives a marker with the last full page too, so the end is a page without items.
            let more = page.next_marker.filter(|marker| !marker.is_empty() && !page.web_acls.is_empty());
            all.extend(page.web_acls);
            request.next_marker = match self.wire.next_page(OPERATION, request.next_marker.take(), more)? {
                None => return Ok(all),
                more => more,
            };
        }
    }
}

#[derive(Serialize)]
struct Resource<'a> {
    #[serde(rename = "ResourceArn")]
    arn: &'a str,
}
