//! From an intent to AWS's own words, one file a resource kind.
//!
//! Each member is lowered alone. One that cannot be is held: its last good reading takes its place, or nothing of the
//! stack is deleted while there is none. What members ask of the load balancer they share is combined in their order:
//! the earlier wins, the later is held and hears with whom it disagrees.

mod action;
mod addons;
mod ask;
mod because;
mod binding;
mod certificate;
mod client_certificate;
mod error;
mod frontend;
mod group;
mod guard;
mod ingress;
pub(crate) mod limits;
mod load_balancer;
mod merge;
mod port;
mod redirect;
mod rows;
mod rule;
mod scene;
pub(crate) mod security_group;
mod service;
mod stack;
mod subnet;
mod target_group;

pub(crate) use because::{Because, written_by};
pub(crate) use certificate::RequestError;
pub(crate) use error::LowerError;
pub(crate) use group::not_found;
pub(crate) use load_balancer::Front;
pub(crate) use scene::{Awaiting, Lowering, Scene, Stop};
pub(crate) use stack::{Lowered, lower};
