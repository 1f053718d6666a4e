//! The Stack unit: one load balancer and all it owns.

mod describe;
mod op;

pub use op::{Move, Retag, StackOp};
