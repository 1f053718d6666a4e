//! Web ACLs of WAF Classic: which load balancer has which.
//!
//! Source: AWS WAF Classic API reference, WAF Regional, 2016-11-28.

use aws_types::SdkConfig;
use serde::{Deserialize, Serialize};

use super::endpoint::{Protocol, Service};
use super::error::{CallError, SetupError};
use super::json;
use super::protocol::Wire;
use crate::calls::CallCounter;

const SERVICE: Service = Service {
    id: "WAF Regional",
    host: "waf-regional",
    home: None,
    protocol: Protocol::Json { target: "AWSWAF_Regional_20161128" },
};

/// The WAF Classic of one region.
#[derive(Debug, Clone)]
pub struct WafClassic {
    wire: Wire,
}

impl WafClassic {
    /// A client for the region, credentials and endpoint of `config`, counting into `calls`.
    pub fn new(config: &SdkConfig, calls: &CallCounter) -> Result<Self, SetupError> {
        Ok(Self { wire: Wire::new(config, &SERVICE, calls)? })
    }

    /// The id of the web ACL in front of the load balancer `arn`, if there is one.
    pub async fn web_acl_for(&self, arn: &str) -> Result<Option<String>, CallError> {
        #[derive(Deserialize)]
        struct Summary {
            #[serde(rename = "WebACLId")]
            id: String,
        }
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "WebACLSummary")]
            summary: Option<Summary>,
        }
        let answer: Answer = json::call(&self.wire, "GetWebACLForResource", &Resource { arn }).await?;
        Ok(answer.summary.map(|summary| summary.id))
    }

    /// Puts the web ACL `id` in front of the load balancer `arn`, in the place of any other.
    pub async fn associate(&self, id: &str, arn: &str) -> Result<(), CallError> {
        #[derive(Serialize)]
        struct Request<'a> {
            #[serde(rename = "WebACLId")]
            id: &'a str,
            #[serde(rename = "ResourceArn")]
            resource: &'a str,
        }
        json::command(&self.wire, "AssociateWebACL", &Request { id, resource: arn }).await
    }

    /// Takes away whatever web ACL stands in front of the load balancer `arn`.
    pub async fn disassociate(&self, arn: &str) -> Result<(), CallError> {
        json::command(&self.wire, "DisassociateWebACL", &Resource { arn }).await
    }
}

#[derive(Serialize)]
struct Resource<'a> {
    #[serde(rename = "ResourceArn")]
    arn: &'a str,
}
