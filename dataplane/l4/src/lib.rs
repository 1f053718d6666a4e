//! Renders and installs nftables.
//!
//! [`Ruleset`] is what one node should translate, as a value; [`render`] turns it into commands of nft(8);
//! [`Installer`] replaces one table of its own, `inet fairway`, by it in one transaction. Every value that is
//! rendered is an address, a number or a name made here: no text of a user reaches the kernel.
//!
//! The address of a service need not be on an interface: packets for it are translated before they are routed.
//! The node must forward (`net.ipv4.ip_forward`, `net.ipv6.conf.all.forwarding`); this crate sets no sysctl.

mod install;
mod render;
mod ruleset;
mod slots;

pub use install::{InstallError, Installer};
pub use render::{TABLE, render};
pub use ruleset::{
    Affinity, Endpoint, Frontend, Place, Protocol, Ruleset, RulesetError, Service, TrafficPolicy,
};
