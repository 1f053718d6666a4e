use std::collections::BTreeSet;
use std::net::{IpAddr, UdpSocket};

use fairway_announce::{AnnounceError, Announcement, Announcer, interfaces_for};

use crate::world::{World, build, eventually};

const V4: &str = "192.0.2.100";
const V6: &str = "2001:db8::100";

/// An announcer on a host, with its interface found as the product finds it.
struct Node {
    announcer: Announcer,
    interface: u32,
}

impl Node {
    fn start(world: &World, host: &str) -> Self {
        world.on(host, || {
            let all = fairway_sys::interfaces().unwrap();
            let found = interfaces_for(V4.parse().unwrap(), &all);
            assert_eq!(found.len(), 1, "{all:?}");
            Self { announcer: Announcer::start().unwrap(), interface: found[0] }
        })
    }

    fn set_on(&self, interface: u32, addresses: &[&str]) -> Vec<AnnounceError> {
        let announcement = |text: &&str| Announcement { address: text.parse::<IpAddr>().unwrap(), interface };
        let wanted: BTreeSet<_> = addresses.iter().map(announcement).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.announcer.set(wanted))
    }

    fn set(&self, addresses: &[&str]) {
        let errors = self.set_on(self.interface, addresses);
        assert!(errors.is_empty(), "{errors:?}");
    }
}

/// Lets the client send something to the address, so that it asks for it.
fn touch(world: &World, address: &'static str) {
    world.on("client", move || {
        let any = if address.contains(':') { "[::]:0" } else { "0.0.0.0:0" };
        let socket = UdpSocket::bind(any).unwrap();
        let _ = socket.send_to(b"x", (address, 9)); // fails at once if the address is known not to answer
    });
}

#[test]
fn an_address_is_answered_for_and_moves_with_its_announcement() {
    let Some(world) = build(&["client", "a", "b"]) else { return };
    let (mac_a, mac_b) = (world.mac("a"), world.mac("b"));
    let (a, b) = (Node::start(&world, "a"), Node::start(&world, "b"));
    a.set(&[V4, V6]);
    for address in [V4, V6] {
        touch(&world, address);
        let resolved = || world.neighbour("client", address).as_deref() == Some(mac_a.as_str());
        eventually("the client learns the first owner", resolved);
    }
    assert!(a.announcer.counters().answered >= 2);

    a.set(&[]);
    b.set(&[V4, V6]);
    for address in [V4, V6] {
        let moved = || world.neighbour("client", address).as_deref() == Some(mac_b.as_str());
        let took = eventually("the client learns the second owner without asking", moved);
        eprintln!("{address} moved in {} ms", took.as_millis());
    }

    b.set(&[V6]);
    world.forget_neighbours("client");
    touch(&world, V4);
    touch(&world, V6);
    eventually("the address that stayed is answered for", || {
        world.neighbour("client", V6) == Some(mac_b.clone())
    });
    eventually("nobody answers for the other", || {
        let state = std::process::Command::new("ip")
            .args(["-n", &world.namespace("client"), "neigh", "show", V4])
            .output()
            .unwrap();
        assert!(!String::from_utf8_lossy(&state.stdout).contains("lladdr"));
        String::from_utf8_lossy(&state.stdout).contains("FAILED")
    });
}

#[test]
fn a_reachability_check_is_answered() {
    let Some(world) = build(&["client", "a"]) else { return };
    let a = Node::start(&world, "a");
    a.set(&[V6]);
    touch(&world, V6);
    eventually("the client learns the owner", || world.neighbour("client", V6).is_some());
    let before = a.announcer.counters().answered;
    // A probe in this state is unicast: Linux sends it without the option only to routers, but the same code
    // path (destination is our Ethernet address, target is on no interface) carries it.
    let namespace = world.namespace("client");
    let mac = world.mac("a");
    let set = ["-n", &namespace, "neigh", "replace", V6, "lladdr", &mac, "nud", "probe", "dev", "eth0"];
    assert!(std::process::Command::new("ip").args(set).status().unwrap().success());
    eventually("the check is answered", || a.announcer.counters().answered > before);
}

#[test]
fn a_second_owner_is_noticed() {
    let Some(world) = build(&["client", "a", "b"]) else { return };
    let (a, b) = (Node::start(&world, "a"), Node::start(&world, "b"));
    a.set(&[V4]);
    b.set(&[V4]);
    eventually("the first owner sees the claim", || a.announcer.counters().conflicts >= 1);
}

#[test]
fn an_interface_that_does_not_exist_is_an_error_of_its_addresses_only() {
    let Some(world) = build(&["client", "a"]) else { return };
    let a = Node::start(&world, "a");
    let errors = a.set_on(9999, &[V4]);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].source.kind(), std::io::ErrorKind::NotFound);
    a.set(&[V4]);
    touch(&world, V4);
    eventually("the announcer goes on", || world.neighbour("client", V4).is_some());
}
