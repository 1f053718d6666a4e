//! Raw sockets, netlink, nftables and namespaces: the only crate with unsafe code.
//!
//! Everything here concerns the network namespace of the calling thread at the moment of the call.

mod link;
mod namespace;
mod netlink;
mod nft;
mod packet;

pub use link::{Interface, LinkState, MacAddress, Network};
pub use namespace::enter_network_namespace;
pub use netlink::{add_address, interfaces, own_addresses, remove_address};
pub use nft::{NftError, run_nft};
pub use packet::{GroupMembership, PacketSocket, Traffic};
