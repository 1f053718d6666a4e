//! A switch with hosts, each in a network namespace of its own; gone when dropped.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

static WORLDS: AtomicU32 = AtomicU32::new(0);

pub(crate) struct World {
    name: String,
    hosts: Vec<&'static str>,
}

/// A world with these hosts, which get 192.0.2.1, .2, ... and 2001:db8::1, ::2, ...; or nothing, and why.
pub(crate) fn build(hosts: &[&'static str]) -> Option<World> {
    let output = Command::new("id").arg("-u").output().unwrap();
    if output.stdout != b"0\n" {
        eprintln!("skipped: network namespaces need root");
        return None;
    }
    let name = format!("fw{}-{}", std::process::id(), WORLDS.fetch_add(1, Ordering::SeqCst));
    let mut world = World { name, hosts: vec!["sw"] };
    let switch = world.namespace("sw");
    ip(&format!("netns add {switch}"));
    ip(&format!("-n {switch} link add br0 type bridge stp_state 0 forward_delay 0"));
    ip(&format!("-n {switch} link set br0 up"));
    for (number, host) in (1..).zip(hosts) {
        world.hosts.push(host);
        let namespace = world.namespace(host);
        ip(&format!("netns add {namespace}"));
        ip(&format!("-n {namespace} link set lo up"));
        ip(&format!("-n {namespace} link add eth0 type veth peer name v{host} netns {switch}"));
        ip(&format!("-n {switch} link set v{host} master br0 up"));
        ip(&format!("-n {namespace} link set eth0 up"));
        ip(&format!("-n {namespace} addr add 192.0.2.{number}/24 dev eth0"));
        ip(&format!("-n {namespace} -6 addr add 2001:db8::{number}/64 dev eth0 nodad"));
    }
    Some(world)
}

impl World {
    pub(crate) fn namespace(&self, host: &str) -> String {
        format!("{}-{host}", self.name)
    }

    /// Runs in the namespace of a host, on a thread of its own.
    pub(crate) fn on<T: Send + 'static>(&self, host: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
        let file = File::open(format!("/run/netns/{}", self.namespace(host))).unwrap();
        let body = move || {
            fairway_sys::enter_network_namespace(file.as_fd()).unwrap();
            run()
        };
        thread::spawn(body).join().unwrap()
    }

    /// The link address that a host has stored for an address, if it is settled.
    pub(crate) fn neighbour(&self, host: &str, address: &str) -> Option<String> {
        let shown = ip(&format!("-n {} neigh show {address} dev eth0", self.namespace(host)));
        let mut words = shown.split_whitespace();
        words.find(|word| *word == "lladdr")?;
        words.next().map(str::to_owned)
    }

    pub(crate) fn forget_neighbours(&self, host: &str) {
        ip(&format!("-n {} neigh flush all", self.namespace(host)));
    }

    /// Takes a host off the segment, as if it had lost its power.
    pub(crate) fn cut(&self, host: &str) {
        ip(&format!("-n {} link set v{host} down", self.namespace("sw")));
    }

    pub(crate) fn mac(&self, host: &str) -> String {
        self.on(host, || {
            let all = fairway_sys::interfaces().unwrap();
            all.iter().find(|interface| interface.name == "eth0").unwrap().mac.unwrap().to_string()
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for host in &self.hosts {
            let namespace = self.namespace(host);
            let _ = Command::new("ip").args(["netns", "del", &namespace]).output(); // it may not have been made
        }
    }
}

fn ip(arguments: &str) -> String {
    let output = Command::new("ip").args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Waits for something that will become true; gives how long it took.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}");
        thread::sleep(Duration::from_millis(10));
    }
    start.elapsed()
}
