//! What the API server is answered about objects that matter on AWS only: TargetGroupBindings, and the pods behind them.
//!
//! Source: AWS Load Balancer Controller 3.5, admission webhooks and pod readiness gates.

mod binding;
mod gates;
mod hold;
mod pods;

pub use binding::{Lookup, check, fill, question};
pub use gates::readiness_gates;
pub use hold::{HOLD, HoldConfig, hold};

#[cfg(test)]
mod tests;
