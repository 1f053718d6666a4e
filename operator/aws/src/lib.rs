//! What a stack's intent means on AWS: the model, its lowering, its comparison, and the plan that follows.
//!
//! Three kinds of unit, each a [`fairway_core::evaluate::Provider`]:
//!
//! | unit                  | one per                  | makes                                                            |
//! |-----------------------|--------------------------|------------------------------------------------------------------|
//! | [`stack::Stacks`]     | load balancer            | security group, target groups, load balancer, listeners, rules, TargetGroupBindings |
//! | [`targets::Targets`]  | TargetGroupBinding       | registered targets                                               |
//! | [`network::Network`]  | cluster                  | the shared backend security group, node and pod rules            |
//!
//! Each stage has one file per resource kind, with the same names: `model`, `lower`, `compare`.

pub mod admission;
mod compare;
pub mod config;
mod endpoints;
pub mod facts;
mod lower;
pub mod model;
pub mod naming;
pub mod network;
pub mod observed;
pub mod orphans;
pub mod ownership;
pub mod secret;
pub mod stack;
pub mod tags;
pub mod targets;
