//! AWS over the wire: facts, observation and one call per op.

pub mod calls;
pub mod thin;
