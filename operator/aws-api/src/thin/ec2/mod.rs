//! EC2: the network that load balancers stand in, and the security groups that guard it.
//!
//! Shape: [`Ec2`] has one method an operation; each resource kind has its file, with its type and its operations.
//! Types are AWS' own picture of a resource: ids and addresses as text, absent fields as `None`.
//! Source: EC2 API reference, version 2016-11-15.

mod instance;
mod list;
mod network_interface;
mod permission;
mod prefix_list;
mod route_table;
mod security_group;
mod select;
mod subnet;
mod tag;
mod vpc;
mod zone;

use aws_types::SdkConfig;

pub use instance::Instance;
pub use network_interface::{Attachment, NetworkInterface};
pub use permission::{GroupSource, Permission, Source};
pub use prefix_list::PrefixList;
pub use route_table::{Association, Route, RouteTable};
pub use security_group::{NewSecurityGroup, SecurityGroup};
pub use select::Select;
pub use subnet::Subnet;
pub use vpc::Vpc;
pub use zone::Zone;

use super::endpoint::{Protocol, Service};
use super::error::{CallError, SetupError};
use super::protocol::Wire;
use super::query::Query;
use super::xml::{self, Decode, Element, Malformed};
use crate::calls::CallCounter;

const VERSION: &str = "2016-11-15";

const SERVICE: Service =
    Service { id: "EC2", host: "ec2", home: None, protocol: Protocol::Query { version: VERSION } };

/// The EC2 of one region.
#[derive(Debug, Clone)]
pub struct Ec2 {
    wire: Wire,
    page: Option<u32>,
}

impl Ec2 {
    /// A client for the region, credentials and endpoint of `config`, counting into `calls`.
    pub fn new(config: &SdkConfig, calls: &CallCounter) -> Result<Self, SetupError> {
        Ok(Self { wire: Wire::new(config, &SERVICE, calls)?, page: None })
    }

    /// The same client, asking for `page` resources at a time (5-100) instead of as many as AWS allows.
    pub fn with_page_size(self, page: u32) -> Self {
        Self { page: Some(page), ..self }
    }

    async fn call<T: Decode>(&self, action: &'static str, query: &Query) -> Result<T, CallError> {
        let body = self.wire.send(action, query.encode(action, VERSION)).await?;
        xml::decode(&body).map_err(|error| self.wire.unreadable(action, error))
    }

    async fn command(&self, action: &'static str, query: &Query) -> Result<(), CallError> {
        let done: Done = self.call(action, query).await?;
        match done.result.as_deref() {
            // DeleteSecurityGroup and others may leave the field out; a refusal comes as an error.
            None | Some("true") => Ok(()),
            Some(other) => Err(self.wire.unreadable(action, format!("it returns {other:?}"))),
        }
    }
}

/// The answer to a command.
#[derive(Default)]
struct Done {
    result: Option<String>,
}

impl Decode for Done {
    fn field(&mut self, name: &str, child: Element<'_, '_>) -> Result<(), Malformed> {
        if name == "return" {
            self.result = child.optional()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
