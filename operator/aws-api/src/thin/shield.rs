//! Shield Advanced: whether the account pays for it, and which load balancers it protects.
//!
//! A global service that answers from us-east-1, whatever the region of the load balancer.
//! Source: AWS Shield Advanced API reference, 2016-06-16.

use aws_types::SdkConfig;
use serde::{Deserialize, Serialize};

use super::endpoint::{Protocol, Service};
use super::error::{CallError, SetupError};
use super::json;
use super::protocol::Wire;
use crate::calls::CallCounter;

const SERVICE: Service = Service {
    id: "Shield",
    host: "shield",
    home: Some("us-east-1"),
    protocol: Protocol::Json { target: "AWSShield_20160616" },
};

/// Whether an account has Shield Advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Subscription {
    /// Protections can be made.
    Active,
    /// They cannot; AWS refuses each.
    Inactive,
}

/// A protection of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Protection {
    /// AWS' id, by which it is deleted.
    pub id: String,
    /// The name given when it was made.
    pub name: String,
    /// What it protects.
    pub resource_arn: String,
}

/// The Shield of one account.
#[derive(Debug, Clone)]
pub struct Shield {
    wire: Wire,
}

impl Shield {
    /// A client for the credentials and endpoint of `config`, counting into `calls`.
    pub fn new(config: &SdkConfig, calls: &CallCounter) -> Result<Self, SetupError> {
        Ok(Self { wire: Wire::new(config, &SERVICE, calls)? })
    }

    /// Whether the account has Shield Advanced.
    pub async fn subscription(&self) -> Result<Subscription, CallError> {
        #[derive(Serialize)]
        struct Request {}
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "SubscriptionState")]
            state: Subscription,
        }
        let answer: Answer = json::call(&self.wire, "GetSubscriptionState", &Request {}).await?;
        Ok(answer.state)
    }

    /// The protection of the resource `arn`, if there is one.
    pub async fn protection_of(&self, arn: &str) -> Result<Option<Protection>, CallError> {
        #[derive(Serialize)]
        struct Request<'a> {
            #[serde(rename = "ResourceArn")]
            arn: &'a str,
        }
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "Protection")]
            protection: Option<Protection>,
        }
        match json::call::<_, Answer>(&self.wire, "DescribeProtection", &Request { arn }).await {
            Ok(answer) => Ok(answer.protection),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Protects the resource `arn` and gives the id of the protection.
    pub async fn create_protection(&self, name: &str, arn: &str) -> Result<String, CallError> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Request<'a> {
            name: &'a str,
            resource_arn: &'a str,
        }
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "ProtectionId")]
            id: String,
        }
        let request = Request { name, resource_arn: arn };
        let answer: Answer = json::call(&self.wire, "CreateProtection", &request).await?;
        Ok(answer.id)
    }

    /// Ends the protection `id`.
    pub async fn delete_protection(&self, id: &str) -> Result<(), CallError> {
        #[derive(Serialize)]
        struct Request<'a> {
            #[serde(rename = "ProtectionId")]
            id: &'a str,
        }
        json::command(&self.wire, "DeleteProtection", &Request { id }).await
    }
}
