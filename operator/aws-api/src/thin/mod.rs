//! Small clients for the AWS services of which only a few operations are needed.
//!
//! They run on the SDK's own orchestrator, so credentials, signing, retries, time-outs, clock skew and endpoint
//! variables behave as in a generated client; only the requests and answers are written by hand. The generated EC2
//! client alone would more than double every build.
//!
//! Shape: one client a service, made once from the process' [`aws_types::SdkConfig`] and a
//! [`CallCounter`](crate::calls::CallCounter), cheap to clone. A list is complete or the call failed: pages are
//! followed inside, and an answer that ends early is an error.
//! Errors: [`CallError`] of a call, [`SetupError`] of making a client.

mod endpoint;
mod error;
mod json;
mod protocol;
mod query;
mod retry;
mod shield;
mod tagging;
mod waf_classic;
mod wafv2;
mod xml;

pub mod ec2;

pub use error::{CallError, Refusal, SetupError};
pub use retry::Retry;
pub use shield::{Protection, Shield, Subscription};
pub use tagging::{TagFilter, TaggedResource, Tagging};
pub use waf_classic::WafClassic;
pub use wafv2::{WafV2, WebAcl};

#[cfg(test)]
mod tests;
