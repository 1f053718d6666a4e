//! AWS, Route 53 and a cluster in memory, with the real rules and seeded faults.

pub mod wire;
pub mod world;

#[cfg(test)]
mod tests;
