//! The loop around `evaluate`, and the one executor of plans.
//!
//! Everything that touches the world stands behind a trait a verb ([`ports`]); `app` gives them bodies that call AWS
//! and Kubernetes, the simulator gives them bodies in memory, so that what is simulated is what ships.
//!
//! | module        | holds                                                                        |
//! |---------------|------------------------------------------------------------------------------|
//! | [`ports`]     | what the engine asks of the world                                            |
//! | [`context`]   | the ports and the memory of one kind of unit, put together                   |
//! | [`plan`]      | evaluate to the end, admit, lint; nothing is applied                         |
//! | [`execute`]   | operations in order, the lease before each                                   |
//! | [`reconcile`] | one look at one unit, from reading to writing; the only place that orders them |
//! | [`board`]     | what units publish for each other, and the waits that ask for it             |
//! | [`drift`]     | when a fingerprint may no longer be relied on                                |
//! | `refusals`    | deletions that were refused because something is still in use, and when they are tried again |
//! | `patience`    | how often in a row a unit failed by nobody's fault, and when that is told    |
//! | [`queue`]     | which unit is looked at next, and when again                                 |
//!
//! What the engine guarantees: nothing is written without the lease; finalizers stand before the first effect and
//! fall after the last; a remembered fingerprint is taken back before anything changes, so that a crash between two
//! operations is never mistaken for a settled state; a panic costs one look at one unit.

pub mod board;
pub mod context;
pub mod drift;
pub mod execute;
mod patience;
pub mod plan;
pub mod ports;
pub mod queue;
pub mod reconcile;
mod refusals;

#[cfg(test)]
mod tests;
