//! Parameters of in-cluster classes. They have no annotation.

use super::{Origin, value};
use crate::ids::ProviderKind;

const CLASS: &[Origin] = &[Origin::ClassParams];
const IN_CLUSTER: &[ProviderKind] = &[ProviderKind::InCluster];

rows! {
    read {
        IP_ADDRESS_POOLS: Vec<String> = "ip-address-pools", CLASS, PerMember, IN_CLUSTER, value::list, "public, spare",
            "Pools from which addresses are taken, tried in this order.";
    }
    later {
    }
}
