//! Interfaces as the kernel lists them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An Ethernet address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MacAddress(pub [u8; 6]);

impl MacAddress {
    /// All stations of the segment.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// The address to which frames for an IPv6 multicast group are sent (RFC 2464, section 7).
    pub fn of_group(group: Ipv6Addr) -> Self {
        let [.., a, b, c, d] = group.octets();
        Self([0x33, 0x33, a, b, c, d])
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// Whether an interface carries frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// Administratively up, and the kernel sees a carrier.
    Running,
    /// Down, or without a carrier.
    Stopped,
}

/// An address with the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    /// The interface's own address.
    pub address: IpAddr,
    /// Bits of the prefix.
    pub prefix: u8,
}

impl Network {
    /// Whether `other` is in the same prefix.
    pub fn contains(&self, other: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u32| {
            let shift = width.saturating_sub(u32::from(self.prefix));
            a.checked_shr(shift) == b.checked_shr(shift)
        };
        match (self.address, other) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
            _ => false,
        }
    }
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The kernel's number for it.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its Ethernet address; other kinds of link have none.
    pub mac: Option<MacAddress>,
    /// Whether it carries frames.
    pub state: LinkState,
    /// Whether hosts on it resolve addresses (not loopback, not point to point, not NOARP).
    pub resolves: bool,
    /// The bridge or bond it is a port of.
    pub master: Option<u32>,
    /// Its addresses, sorted.
    pub networks: Vec<Network>,
}

impl Interface {
    /// Its IPv6 link-local address.
    pub fn link_local(&self) -> Option<Ipv6Addr> {
        self.networks.iter().find_map(|network| match network.address {
            IpAddr::V6(address) if address.is_unicast_link_local() => Some(address),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_its_own_addresses() {
        let network = |address: &str, prefix| Network { address: address.parse().unwrap(), prefix };
        let cases = [
            (network("192.0.2.10", 24), "192.0.2.200", true),
            (network("192.0.2.10", 24), "192.0.3.1", false),
            (network("192.0.2.10", 32), "192.0.2.10", true),
            (network("192.0.2.10", 32), "192.0.2.11", false),
            (network("192.0.2.10", 0), "203.0.113.1", true),
            (network("2001:db8::1", 64), "2001:db8::ffff", true),
            (network("2001:db8::1", 64), "2001:db8:0:1::1", false),
            (network("2001:db8::1", 0), "::1", true),
            (network("192.0.2.10", 0), "::1", false),
        ];
        for (network, other, want) in cases {
            assert_eq!(network.contains(other.parse().unwrap()), want, "{network:?} {other}");
        }
    }

    #[test]
    fn a_group_has_its_ethernet_address() {
        let group = "ff02::1:ff28:9c5a".parse().unwrap();
        assert_eq!(MacAddress::of_group(group).to_string(), "33:33:ff:28:9c:5a");
    }
}
