//! AWS over the wire: facts, observation and one call per op.
//!
//! | module      | holds                                                                            |
//! |-------------|----------------------------------------------------------------------------------|
//! | [`Aws`]     | all of it, as the engine's ports: one value a process                            |
//! | [`calls`]   | how often AWS was called                                                         |
//! | [`thin`]    | clients of services of which little is needed                                    |
//! | `wire`      | AWS's shapes and ours, one file a kind                                           |
//! | `inventory` | what is there, shared by all stacks and kept current by our own writes           |
//! | `facts`     | answers of lowering's questions                                                  |
//! | `secrets`   | Secrets that AWS is told                                                         |
//! | `observe`   | what is there, in the scope of one unit                                          |
//! | `apply`     | one call an operation                                                            |
//! | `health`    | how AWS judges targets, for people                                               |

mod apply;
mod aws;
mod cached;
mod facts;
mod fault;
mod health;
mod inventory;
mod ledger;
mod observe;
mod pace;
mod ports;
mod roles;
mod secrets;
mod wire;

pub mod calls;
pub mod thin;

pub use aws::Aws;
pub use health::TargetHealth;
pub use secrets::Secrets;
