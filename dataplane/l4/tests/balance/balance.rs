use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use fairway_l4::{
    Affinity, Endpoint, Frontend, InstallError, Installer, Place, Protocol, Ruleset, Service, TrafficPolicy,
};

use crate::world::{World, build};

const VIP: &str = "198.51.100.10";
const VIP6: &str = "2001:db8:9::10";

fn at(address: &str) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), 80)
}

fn service(policy: TrafficPolicy, endpoints: &[(SocketAddr, Place)]) -> Service {
    let endpoints = endpoints.iter().map(|&(address, place)| Endpoint { address, place }).collect();
    Service { endpoints, policy, affinity: Affinity::None, sources: Vec::new() }
}

fn install(world: &World, services: Vec<(&str, Service)>) {
    let mut ruleset = Ruleset::default();
    for (address, service) in services {
        let frontend = Frontend { address: address.parse().unwrap(), protocol: Protocol::Tcp, port: 80 };
        ruleset.add(frontend, service).unwrap();
    }
    world.on("node", move || run(async move { Installer::default().install(&ruleset).await })).unwrap();
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Tables of the node, as the `nft` program lists them.
fn list(world: &World) -> String {
    world.on("node", || {
        let output = Command::new("nft").args(["list", "tables"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    })
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn connections_are_spread_and_come_from_the_node() {
    let Some(world) = build() else { return };
    let endpoints = ["203.0.113.10", "203.0.113.11"].map(|address| (world.serve(address), Place::Elsewhere));
    let six = [(world.serve("2001:db8:2::10"), Place::Here)];
    let (four, six) = (service(TrafficPolicy::Cluster, &endpoints), service(TrafficPolicy::Cluster, &six));
    install(&world, vec![(VIP, four), (VIP6, six)]);
    let seen = world.connect(at(VIP), 40).unwrap();
    eprintln!("{seen:?}");
    let node = ip("203.0.113.1");
    assert_eq!(
        seen.keys().copied().collect::<Vec<_>>(),
        [(ip("203.0.113.10"), node), (ip("203.0.113.11"), node)]
    );
    let seen = world.connect(at(VIP6), 2).unwrap();
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [(ip("2001:db8:2::10"), ip("2001:db8:2::1"))]);
}

#[test]
fn local_policy_keeps_the_client_and_uses_local_endpoints() {
    let Some(world) = build() else { return };
    let endpoints =
        [(world.serve("203.0.113.10"), Place::Here), (world.serve("203.0.113.11"), Place::Elsewhere)];
    install(&world, vec![(VIP, service(TrafficPolicy::Local, &endpoints))]);
    let seen = world.connect(at(VIP), 10).unwrap();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [((ip("203.0.113.10"), ip("192.0.2.10")), 10)]);
    install(&world, vec![(VIP, service(TrafficPolicy::Local, &endpoints[1..]))]);
    assert_eq!(world.connect(at(VIP), 1).unwrap_err().kind(), ErrorKind::TimedOut, "another node serves it");
}

#[test]
fn a_proxy_on_the_node_serves_an_address_that_is_on_no_interface() {
    let Some(world) = build() else { return };
    let proxy = [(world.serve_on("node", "192.0.2.1"), Place::Here)];
    install(&world, vec![(VIP, service(TrafficPolicy::Local, &proxy))]);
    let seen = world.connect(at(VIP), 5).unwrap();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [((ip("192.0.2.1"), ip("192.0.2.10")), 5)]);
}

#[test]
fn a_private_socket_is_reached_by_its_service_only_and_other_ports_are_refused() {
    let Some(world) = build() else { return };
    let socket = world.serve_on("node", "192.0.2.1");
    let mut ruleset = Ruleset::default();
    let frontend = Frontend { address: VIP.parse().unwrap(), protocol: Protocol::Tcp, port: 80 };
    ruleset.add(frontend, service(TrafficPolicy::Local, &[(socket, Place::Here)])).unwrap();
    let open = ruleset.clone();
    world.on("node", move || run(async move { Installer::default().install(&open).await })).unwrap();
    assert_eq!(world.connect(socket, 1).unwrap().len(), 1, "it is reached directly");
    ruleset.keep_private(socket);
    world.on("node", move || run(async move { Installer::default().install(&ruleset).await })).unwrap();
    assert_eq!(world.connect(socket, 1).unwrap_err().kind(), ErrorKind::TimedOut, "and now it is not");
    assert_eq!(world.connect(at(VIP), 3).unwrap().len(), 1);
    let other = SocketAddr::new(VIP.parse().unwrap(), 81);
    assert_eq!(world.connect(other, 1).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_client_with_affinity_stays_until_its_endpoint_goes() {
    let Some(world) = build() else { return };
    let endpoints = ["203.0.113.10", "203.0.113.11"].map(|address| (world.serve(address), Place::Here));
    let sticky =
        |endpoints: &[_]| Service { affinity: Affinity::Client, ..service(TrafficPolicy::Local, endpoints) };
    install(&world, vec![(VIP, sticky(&endpoints))]);
    let seen = world.connect(at(VIP), 20).unwrap();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let ((first, _), _) = seen.into_iter().next().unwrap();
    let others: Vec<_> = endpoints.iter().copied().filter(|(address, _)| address.ip() != first).collect();
    install(&world, vec![(VIP, sticky(&others))]);
    let seen = world.connect(at(VIP), 5).unwrap();
    assert_eq!(seen.keys().map(|(server, _)| *server).collect::<Vec<_>>(), [others[0].0.ip()]);
}

#[test]
fn who_may_not_come_is_dropped_and_where_nobody_serves_is_refused() {
    let Some(world) = build() else { return };
    let endpoint = [(world.serve("203.0.113.10"), Place::Here)];
    let only = |range: &str| Service {
        sources: vec![range.parse().unwrap()],
        ..service(TrafficPolicy::Cluster, &endpoint)
    };
    install(&world, vec![(VIP, only("192.0.2.0/24"))]);
    assert_eq!(world.connect(at(VIP), 3).unwrap().len(), 1);
    install(&world, vec![(VIP, only("10.0.0.0/8"))]);
    assert_eq!(world.connect(at(VIP), 1).unwrap_err().kind(), ErrorKind::TimedOut);
    install(&world, vec![(VIP, service(TrafficPolicy::Cluster, &[]))]);
    assert_eq!(world.connect(at(VIP), 1).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn the_table_comes_and_goes_and_nothing_else_is_touched() {
    let Some(world) = build() else { return };
    world.on("node", || {
        assert!(Command::new("nft").args(["add", "table", "ip", "other"]).status().unwrap().success());
    });
    let endpoint = [(world.serve("203.0.113.10"), Place::Here)];
    install(&world, vec![(VIP, service(TrafficPolicy::Cluster, &endpoint))]);
    assert_eq!(list(&world), "table ip other\ntable inet fairway\n");
    for _ in 0..2 {
        world.on("node", || run(Installer::default().remove())).unwrap();
        assert_eq!(list(&world), "table ip other\n");
    }
    assert!(world.connect(at(VIP), 1).is_err());
}

#[test]
fn what_the_kernel_refuses_is_told_and_succeeds_later() {
    let Some(world) = build() else { return };
    // Nobody but its owner may touch such a table, and it goes with its owner.
    let mut owner = world.on("node", || Command::new("nft").arg("-i").stdin(Stdio::piped()).spawn().unwrap());
    let mut orders = owner.stdin.take().unwrap();
    writeln!(orders, "add table inet fairway {{ flags owner; }}").unwrap();
    for _ in 0..100 {
        if list(&world).contains("fairway") {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let refused = world.on("node", || run(Installer::default().remove()));
    let Err(InstallError::Refused(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("Operation not permitted"), "{why}");
    drop(orders);
    owner.wait().unwrap();
    world.on("node", || run(Installer::default().remove())).unwrap();
}
