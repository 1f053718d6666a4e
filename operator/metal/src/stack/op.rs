//! Changes of an in-cluster stack: its address is taken, or given back.

use std::{collections::BTreeSet, net::IpAddr};

use fairway_core::{
    ids::StackId,
    plan::{Effect, Operation, ResourceKey},
};
use serde::Serialize;

use super::address_key;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressOp {
    /// Records the address in the stack's state, unless another stack has it by now.
    Assign {
        /// Whose it becomes.
        stack: StackId,
        /// Which.
        address: IpAddr,
    },
    /// Takes the address out of the stack's state; agents stop answering for it.
    Release {
        /// Whose it was.
        stack: StackId,
        /// Which.
        address: IpAddr,
    },
}

impl Operation for AddressOp {
    fn effect(&self) -> Effect {
        match self {
            Self::Assign { .. } => Effect::Create,
            Self::Release { .. } => Effect::Delete,
        }
    }

    fn resource(&self) -> ResourceKey {
        match self {
            Self::Assign { address, .. } | Self::Release { address, .. } => address_key(*address),
        }
    }

    fn refers_to(&self) -> BTreeSet<ResourceKey> {
        BTreeSet::new()
    }

    fn describe(&self) -> String {
        match self {
            Self::Assign { stack, address } => format!("assign address {address} to {stack}"),
            Self::Release { stack, address } => format!("release address {address} of {stack}"),
        }
    }
}
