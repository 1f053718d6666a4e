//! The Kubernetes side: what is watched, what is written, and who leads.
//!
//! | module      | holds                                                                  |
//! |-------------|------------------------------------------------------------------------|
//! | [`watches`] | one watch a kind, kept as one [`fairway_core::snapshot::Snapshot`]     |
//! | [`mod@write`] | finalizers, statuses, events, TargetGroupBindings, states              |
//! | [`secrets`] | Secrets, by name                                                       |
//! | [`lease`]   | leader election, and the question asked before every effect            |
//! | [`webhook`] | the admission webhook's Secret and configurations                      |
//! | [`peer`]    | whether the controller that Fairway takes over from leads              |
//! | [`peer_webhooks`] | that controller's webhook configurations                               |
//! | [`error`]   | whose move a refusal of the API server is                              |
//!
//! Nothing here decides: it is told what to write.

pub mod error;
pub mod lease;
pub mod peer;
pub mod peer_webhooks;
pub mod secrets;
pub mod watches;
pub mod webhook;
pub mod write;
