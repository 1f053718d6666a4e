//! On which interfaces an address is announced.

use std::net::IpAddr;

use fairway_sys::{Interface, LinkState};

/// The interfaces whose hosts can resolve `address`, by index.
///
/// Those with a network that holds the address; if there are none, all that resolve addresses at all: a router
/// on the segment may have a route for it. Ports of a bridge or bond are left out, their master stands for them.
pub fn interfaces_for(address: IpAddr, all: &[Interface]) -> Vec<u32> {
    let usable = |interface: &&Interface| {
        interface.state == LinkState::Running
            && interface.resolves
            && interface.mac.is_some()
            && interface.master.is_none()
    };
    let holds = |interface: &&Interface| interface.networks.iter().any(|network| network.contains(address));
    let usable: Vec<&Interface> = all.iter().filter(usable).collect();
    let near: Vec<u32> = usable.iter().copied().filter(holds).map(|interface| interface.index).collect();
    if near.is_empty() { usable.iter().map(|interface| interface.index).collect() } else { near }
}

#[cfg(test)]
mod tests {
    use fairway_sys::{MacAddress, Network};

    use super::*;

    fn interface(index: u32, network: &str) -> Interface {
        Interface {
            index,
            name: format!("eth{index}"),
            mac: Some(MacAddress([2, 0, 0, 0, 0, index as u8])),
            state: LinkState::Running,
            resolves: true,
            master: None,
            networks: vec![Network { address: network.parse().unwrap(), prefix: 24 }],
        }
    }

    #[test]
    fn an_address_is_announced_where_it_can_be_asked_for() {
        let first = interface(1, "192.0.2.1");
        let second = interface(2, "203.0.113.1");
        let port = Interface { master: Some(1), ..interface(3, "192.0.2.3") };
        let down = Interface { state: LinkState::Stopped, ..interface(4, "192.0.2.4") };
        let tunnel = Interface { resolves: false, ..interface(5, "192.0.2.5") };
        let all = [first, second, port, down, tunnel];
        let at = |address: &str| interfaces_for(address.parse().unwrap(), &all);
        assert_eq!(at("192.0.2.99"), [1]);
        assert_eq!(at("203.0.113.99"), [2]);
        assert_eq!(at("198.51.100.1"), [1, 2]);
    }
}
