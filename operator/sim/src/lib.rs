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
//!
//! # What is shown
//! `cargo test -p fairway-sim` plays every file of `scenarios/`: once without faults; once for every single fault
//! (a crash, a lost answer, a cut connection or a lost lease at every write, a throttle before it, a stale read at every
//! observation that may lag); and in 1000 runs with up to six faults each, chosen by their seed. It prints how many runs and
//! faults there were, and fails when there were none. A run with one fault ends early: once the fault's step has come
//! to rest and the world is, name by name, that of the run without faults, everything is deleted and leaks are looked
//! for. Runs with random faults go through the whole scenario.
//!
//! Golden plans of `operator/aws/tests/golden` are scenarios, too, each in an account that answers as its facts say. They
//! resemble each other: every fault comes at each kind of operation before each other kind, a stale read at one look in eight, and
//! `FAIRWAY_SIM_GOLDEN` adds others at each position. Runs with random faults are spread over all scenarios.
//!
//! | variable             | means                                                            | default |
//! |----------------------|------------------------------------------------------------------|---------|
//! | `FAIRWAY_SIM_RUNS`   | runs with random faults                                          | 1000    |
//! | `FAIRWAY_SIM_SEED`   | seed of the first of them                                        | 1       |
//! | `FAIRWAY_SIM_STRIDE` | only every so-manyth single fault, for a quick look              | 1       |
//! | `FAIRWAY_SIM_GOLDEN` | faults at each position of golden plans besides; 5: all          | 0       |
//!
//! For hours: `FAIRWAY_SIM_GOLDEN=5 FAIRWAY_SIM_SEED=100000 FAIRWAY_SIM_RUNS=100000 cargo test -p fairway-sim`.
//!
//! # What is modelled, and what is not
//! Modelled: the engine, its queue and all kinds of unit as they ship, several processes and one lease; load balancers,
//! listeners, rules, target groups, security groups, tags, quotas and records with AWS's refusals; provisioning, and
//! interfaces that linger; reads of Elastic Load Balancing and EC2 that lag, reads of Route 53 that do not; finalizers and
//! statuses; addresses of in-cluster stacks, and agents that say they answer for them.
//!
//! Not modelled: watches that lag behind the API server, conflicts of writes to it, lists of several pages, target
//! health, the resolvers' caches, what agents serve, and an agent or node that dies (scenarios on real nodes show that).

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
