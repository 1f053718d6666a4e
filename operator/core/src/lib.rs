//! The words every other room speaks, and the decisions that depend on no provider.
//!
//! Nothing here waits, reads a clock, rolls a die, looks at the environment or writes a log: equal input gives
//! equal output, byte for byte. That is what lets the controller, `fairway plan`, the simulator and the golden
//! tests share one path from objects to plan.
//!
//! | module       | holds                                                                    |
//! |--------------|--------------------------------------------------------------------------|
//! | [`ids`]      | objects, stacks, ports, host names                                       |
//! | [`class`]    | whose move an error is                                                   |
//! | [`note`]     | what is said about an object, and to whom                                |
//! | [`settings`] | the table of annotations and how a row is read                           |
//! | [`snapshot`] | the cluster as it was read                                               |
//! | [`intent`]   | the neutral reading of a stack's members                                 |
//! | [`read`]     | snapshot to intent                                                       |
//! | [`plan`]     | operations as a DAG, and the linter that proves every prefix safe        |
//! | [`policy`]   | which part of a plan may be applied                                      |
//! | [`proof`]    | what stacks ask of zones for certificate authorities                     |
//! | [`evaluate`] | the shape of the one pure entry, asked again until it needs nothing more |
//! | [`report`]   | conditions, events and the next look, from an evaluation and its outcome |
//! | [`admission`] | what the API server is answered before an object is stored              |

pub mod admission;
pub mod class;
pub mod evaluate;
pub mod ids;
pub mod intent;
pub mod note;
pub mod plan;
pub mod policy;
pub mod proof;
pub mod read;
pub mod report;
pub mod settings;
pub mod snapshot;

#[cfg(test)]
mod toy;
