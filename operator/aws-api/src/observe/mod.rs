//! What is there, in the scope of one unit: complete, or an error.

mod account;
mod network;
mod stack;
mod targets;
mod zone;

pub(crate) use stack::{bears, find};
