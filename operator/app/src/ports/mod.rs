//! The engine's ports on a real cluster.

mod aws;
mod cabinet;
mod checkpoints;
mod cluster;
mod in_cluster;
mod networking;
mod process;
mod remember;
mod secrets;
mod zones;

pub(crate) use aws::AwsAndCluster;
pub(crate) use cabinet::Objects;
pub(crate) use checkpoints::Checkpoints;
pub(crate) use cluster::{Cluster, Shared, Unopposed};
pub(crate) use in_cluster::Addresses;
pub(crate) use networking::Networking;
pub(crate) use process::{Process, Randomness};
pub(crate) use remember::States;
pub(crate) use secrets::ClusterSecrets;
pub(crate) use zones::ZoneNotes;
