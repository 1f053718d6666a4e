//! AWS, Route 53 and a cluster in memory, with the real rules and seeded faults.
//!
//! | module         | holds                                                               |
//! |----------------|---------------------------------------------------------------------|
//! | [`world`]      | AWS                                                                 |
//! | [`cluster`]    | Kubernetes                                                          |
//! | [`wire`]       | the world as its API answers, for the common behaviours             |
//! | [`faults`]     | what goes wrong, and when                                           |
//! | [`sim`]        | world and cluster behind the faults, and the laws of every moment   |
//! | [`adapters`]   | the engine's ports on them                                          |
//! | [`operator`]   | one process: every kind of unit in one queue                        |
//! | [`scenario`]   | what users do, in steps                                             |
//! | [`foreign`]    | what others have there, which must stay                             |
//! | [`dump`]       | a world in words, to compare runs                                   |
//! | [`harness`]    | a scenario run to its end, and what must hold then                  |

pub mod adapters;
pub mod cluster;
pub mod dump;
pub mod faults;
pub mod foreign;
pub mod harness;
mod invariants;
pub mod operator;
pub mod scenario;
pub mod sim;
pub mod wire;
pub mod world;

#[cfg(test)]
mod tests;
