//! Load balancing without a cloud: addresses from pools, who announces them, and what each node serves.
//!
//! | module        | decides                                                           | runs in      |
//! |---------------|-------------------------------------------------------------------|--------------|
//! | [`pool`]      | which addresses a pool holds                                      | both         |
//! | [`allocate`]  | which address a stack gets                                        | the operator |
//! | [`stack`]     | the Stack unit: an address of its own, live before it is published | the operator |
//! | [`election`]  | which node answers for an address                                 | every agent  |
//! | `clients`     | which clients may come, and who is held because of it             | both         |
//! | [`program`]   | what one node announces, listens on and routes                    | every agent  |
//! | [`announced`] | how agents say who answers for an address                         | both         |
//!
//! The operator allocates, every agent computes its node's program from the same objects by itself: serving and
//! announcing never depend on the operator being up.

pub mod allocate;
pub mod announced;
mod clients;
pub mod election;
pub mod pool;
pub mod program;
pub mod stack;
