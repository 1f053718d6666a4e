//! A client, a node that forwards, and a pod with several addresses, each in a namespace; gone when dropped.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

static WORLDS: AtomicU32 = AtomicU32::new(0);
const HOSTS: [&str; 3] = ["client", "node", "pod"];
pub(crate) const POD_PORT: u16 = 8080;

pub(crate) struct World {
    name: String,
}

/// The world, or nothing and why.
pub(crate) fn build() -> Option<World> {
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !root || Command::new("nft").arg("--version").output().is_err() {
        eprintln!("skipped: network namespaces need root, and looking at rules the nft program");
        return None;
    }
    let world = World { name: format!("fl{}-{}", std::process::id(), WORLDS.fetch_add(1, Ordering::SeqCst)) };
    for host in HOSTS {
        world.ip(&format!("netns add @{host}"));
        world.ip(&format!("-n @{host} link set lo up"));
    }
    for (host, link, v4, v6) in
        [("client", "c0", "192.0.2", "2001:db8:1:"), ("pod", "p0", "203.0.113", "2001:db8:2:")]
    {
        world.ip(&format!("-n @{host} link add eth0 type veth peer name {link} netns @node"));
        world.ip(&format!("-n @node addr add {v4}.1/24 dev {link}"));
        world.ip(&format!("-n @node -6 addr add {v6}:1/64 dev {link} nodad"));
        world.ip(&format!("-n @node link set {link} up"));
        world.ip(&format!("-n @{host} link set eth0 up"));
        for last in [10, 11] {
            world.ip(&format!("-n @{host} addr add {v4}.{last}/24 dev eth0"));
            world.ip(&format!("-n @{host} -6 addr add {v6}:{last}/64 dev eth0 nodad"));
        }
        world.ip(&format!("-n @{host} route add default via {v4}.1"));
        world.ip(&format!("-n @{host} -6 route add default via {v6}:1"));
    }
    world.on("node", || {
        fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
        fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1").unwrap();
    });
    Some(world)
}

impl World {
    /// Runs in the namespace of a host, on a thread of its own.
    pub(crate) fn on<T: Send + 'static>(&self, host: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
        let file = File::open(format!("/run/netns/{}-{host}", self.name)).unwrap();
        let body = move || {
            fairway_sys::enter_network_namespace(file.as_fd()).unwrap();
            run()
        };
        thread::spawn(body).join().unwrap()
    }

    fn ip(&self, arguments: &str) {
        let arguments = arguments.replace('@', &format!("{}-", self.name));
        let output = Command::new("ip").args(arguments.split(' ')).output().unwrap();
        assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A server on an address of the pod that says who it is and who asked.
    pub(crate) fn serve(&self, address: &str) -> SocketAddr {
        self.serve_on("pod", address)
    }

    /// The same on an address of any host.
    pub(crate) fn serve_on(&self, host: &str, address: &str) -> SocketAddr {
        let address = SocketAddr::new(address.parse().unwrap(), POD_PORT);
        let listener = self.on(host, move || TcpListener::bind(address).unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let peer = stream.peer_addr().unwrap().ip();
                let _ = writeln!(stream, "{} {peer}", address.ip()); // the client may not wait for it
            }
        });
        address
    }

    /// Connects `times` times; counts who served and which client address was seen there.
    pub(crate) fn connect(
        &self,
        to: SocketAddr,
        times: usize,
    ) -> std::io::Result<BTreeMap<(IpAddr, IpAddr), usize>> {
        self.on("client", move || {
            let mut seen = BTreeMap::new();
            for _ in 0..times {
                let mut stream = TcpStream::connect_timeout(&to, Duration::from_millis(700))?;
                stream.set_read_timeout(Some(Duration::from_secs(5)))?;
                let mut line = String::new();
                stream.read_to_string(&mut line)?;
                let (server, client) = line.trim().split_once(' ').unwrap();
                *seen.entry((server.parse().unwrap(), client.parse().unwrap())).or_insert(0) += 1;
            }
            Ok(seen)
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for host in HOSTS {
            let namespace = format!("{}-{host}", self.name);
            let _ = Command::new("ip").args(["netns", "del", &namespace]).output(); // it may not have been made
        }
    }
}
