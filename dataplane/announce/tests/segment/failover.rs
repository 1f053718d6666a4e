//! The three parts of the data plane together: announced, translated and answered by a proxy on the node.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use fairway_announce::{Announcement, Announcer};
use fairway_l4::{Affinity, Endpoint, Frontend, Installer, Place, Protocol, Ruleset, Service, TrafficPolicy};
use fairway_l7::{Action, FixedResponse, Options, Proxy, RouteTable};

use crate::world::{World, build, eventually};

const VIP: &str = "192.0.2.100";

/// A node that serves the address with its own name once it owns it.
struct Node {
    announcer: Announcer,
    _proxy: Proxy,
    interface: u32,
}

impl Node {
    fn start(world: &World, host: &'static str, own: &'static str) -> Self {
        world.on(host, move || {
            let proxy_at = SocketAddr::new(own.parse().unwrap(), 18080);
            let options = Options { threads: std::num::NonZeroUsize::new(1), ..Options::default() };
            let proxy = Proxy::start(options).unwrap();
            proxy.install(Arc::new(table(proxy_at, host))).unwrap();
            run(async { Installer::default().install(&rules(proxy_at)).await }).unwrap();
            let all = fairway_sys::interfaces().unwrap();
            let interface = all.iter().find(|interface| interface.name == "eth0").unwrap().index;
            Self { announcer: Announcer::start().unwrap(), _proxy: proxy, interface }
        })
    }

    fn own(&self) {
        let address: IpAddr = VIP.parse().unwrap();
        let wanted = BTreeSet::from([Announcement { address, interface: self.interface }]);
        let errors = run(self.announcer.set(wanted));
        assert!(errors.is_empty(), "{errors:?}");
    }
}

fn table(proxy_at: SocketAddr, host: &str) -> RouteTable {
    let mut table = RouteTable::builder();
    table.listen(proxy_at, fairway_l7::Protocol::Plain).unwrap().public_port(proxy_at, 80).unwrap();
    let page = FixedResponse::new(200, "text/plain", host).unwrap();
    table.default_action(proxy_at, Action::Fixed(page)).unwrap();
    table.build()
}

fn rules(proxy_at: SocketAddr) -> Ruleset {
    let mut rules = Ruleset::default();
    let service = Service {
        endpoints: BTreeSet::from([Endpoint { address: proxy_at, place: Place::Here }]),
        policy: TrafficPolicy::Local,
        affinity: Affinity::None,
        sources: Vec::new(),
    };
    let frontend = Frontend { address: VIP.parse().unwrap(), protocol: Protocol::Tcp, port: 80 };
    rules.add(frontend, service).unwrap();
    rules
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Which node answers the client; nothing if none does at once.
fn asked(world: &World) -> Option<String> {
    world.on("client", || {
        let address = SocketAddr::new(VIP.parse().unwrap(), 80);
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(50)).ok()?;
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.rsplit("\r\n").next().map(str::to_owned)
    })
}

#[test]
fn an_address_is_served_by_the_next_node_when_its_owner_dies() {
    let Some(world) = build(&["client", "a", "b"]) else { return };
    let (a, b) = (Node::start(&world, "a", "192.0.2.2"), Node::start(&world, "b", "192.0.2.3"));
    assert_eq!(asked(&world), None, "nobody owns the address yet");
    a.own();
    eventually("the owner serves", || asked(&world).as_deref() == Some("a"));
    world.cut("a");
    assert_eq!(asked(&world), None, "the owner is gone");
    b.own();
    let gap = eventually("the next owner serves", || asked(&world).as_deref() == Some("b"));
    eprintln!("served again {} ms after the take-over", gap.as_millis());
}
