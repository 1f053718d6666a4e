//! One interface on which addresses are answered for.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fairway_sys::{GroupMembership, Interface, LinkState, MacAddress, PacketSocket, Traffic};
use tokio::io::unix::AsyncFd;
use tokio::task::{AbortHandle, spawn_local};

use crate::announcer::Counted;
use crate::arp::{self, Heard};
use crate::ndp;

/// Longer than a frame that is of interest; the rest of others is cut off.
const FRAME: usize = 256;
/// RFC 5227: a conflict is answered by an announcement at most so often.
const DEFEND: Duration = Duration::from_secs(10);
/// 1.1 s apart, because older kernels ignore a second change of a neighbour within a second.
const BETWEEN: Duration = Duration::from_millis(1100);
/// How often an address is announced in a row: five times, and IPv6 three times as RFC 4861 allows.
const BURST_V4: u32 = 5;
const BURST_V6: u32 = 3;
/// Shorter than the time after which switches forget a silent address (300 s).
const HEARTBEAT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Station {
    index: u32,
    mac: Cell<MacAddress>,
    /// The source of advertisements.
    link_local: Cell<Option<Ipv6Addr>>,
    state: Cell<LinkState>,
    arp: AsyncFd<PacketSocket>,
    ndp: AsyncFd<PacketSocket>,
    owned: RefCell<BTreeMap<IpAddr, Owned>>,
    groups: RefCell<BTreeMap<Ipv6Addr, GroupMembership>>,
    counted: Counted,
}

/// Ends its announcements when dropped.
#[derive(Debug)]
struct Owned {
    announcing: AbortHandle,
    defended: Option<Instant>,
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.announcing.abort();
    }
}

/// A station with its listening tasks; they end when it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) station: Rc<Station>,
    tasks: [AbortHandle; 2],
}

impl Drop for Running {
    fn drop(&mut self) {
        self.station.owned.borrow_mut().clear();
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Running {
    /// Opens the sockets of an interface and starts to listen.
    pub(crate) fn start(interface: &Interface, counted: Counted) -> io::Result<Self> {
        let no_mac = || io::Error::new(io::ErrorKind::Unsupported, "the interface has no Ethernet address");
        let station = Rc::new(Station {
            index: interface.index,
            mac: Cell::new(interface.mac.ok_or_else(no_mac)?),
            link_local: Cell::new(interface.link_local()),
            state: Cell::new(interface.state),
            arp: PacketSocket::open(interface.index, Traffic::Arp)?.watch()?,
            ndp: PacketSocket::open(interface.index, Traffic::NeighbourSolicitations)?.watch()?,
            owned: RefCell::default(),
            groups: RefCell::default(),
            counted,
        });
        let arp = spawn_local(listen(Rc::clone(&station), |station| &station.arp, Station::hear_arp));
        let ndp = spawn_local(listen(Rc::clone(&station), |station| &station.ndp, Station::hear_ndp));
        Ok(Self { station, tasks: [arp.abort_handle(), ndp.abort_handle()] })
    }
}

/// Reads frames for ever. An error (the interface went down) is waited out.
async fn listen(
    station: Rc<Station>,
    socket: fn(&Station) -> &AsyncFd<PacketSocket>,
    hear: fn(&Station, &[u8]),
) {
    let mut frame = [0; FRAME];
    loop {
        let received = match socket(&station).readable().await {
            Ok(mut ready) => ready.try_io(|socket| socket.get_ref().receive(&mut frame)),
            Err(error) => Ok(Err(error)),
        };
        match received {
            Ok(Ok(length)) => hear(&station, frame.get(..length).unwrap_or_default()),
            Ok(Err(error)) => {
                tracing::warn!(interface = station.index, %error, "cannot listen");
                tokio::time::sleep(BETWEEN).await;
            }
            Err(_) => {} // it was not readable after all
        }
    }
}

impl Station {
    /// Makes these the owned addresses. What is new is announced before this returns.
    pub(crate) fn set(self: &Rc<Self>, wanted: &BTreeSet<IpAddr>) -> Vec<(IpAddr, io::Error)> {
        self.owned.borrow_mut().retain(|address, _| wanted.contains(address));
        let mut failed = self.join_groups(wanted);
        for &address in wanted {
            let owned = self.owned.borrow().contains_key(&address);
            if owned || failed.iter().any(|(other, _)| *other == address) {
                continue;
            }
            // Answering begins before the first announcement, so that nobody asks in vain.
            self.own(address);
            if let Err(error) = self.announce(address) {
                self.owned.borrow_mut().remove(&address);
                failed.push((address, error));
            }
        }
        failed
    }

    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        self.owned.borrow().keys().copied().collect()
    }

    /// Takes over what changed at the interface; announces again if it was away or has another address.
    pub(crate) fn refresh(self: &Rc<Self>, interface: &Interface) {
        let back = self.state.replace(interface.state) == LinkState::Stopped;
        let mac = interface.mac.unwrap_or(self.mac.get());
        let moved = self.mac.replace(mac) != mac;
        self.link_local.set(interface.link_local());
        if interface.state == LinkState::Running && (back || moved) {
            for address in self.addresses() {
                self.own(address);
                self.report(address, self.announce(address));
            }
        }
    }

    fn own(self: &Rc<Self>, address: IpAddr) {
        let announcing = spawn_local(repeat(Rc::clone(self), address)).abort_handle();
        self.owned.borrow_mut().insert(address, Owned { announcing, defended: None });
    }

    fn owns(&self, address: IpAddr) -> bool {
        self.owned.borrow().contains_key(&address)
    }

    fn join_groups(&self, wanted: &BTreeSet<IpAddr>) -> Vec<(IpAddr, io::Error)> {
        let mut groups = self.groups.borrow_mut();
        let v6 = wanted.iter().filter_map(|address| match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some((ndp::solicited_node(*address), *address)),
        });
        let mut failed = Vec::new();
        let mut kept = BTreeMap::new();
        for (group, address) in v6 {
            let joined = match groups.remove(&group) {
                _ if kept.contains_key(&group) => continue,
                Some(membership) => Ok(membership),
                None => GroupMembership::join(self.index, group),
            };
            match joined {
                Ok(membership) => drop(kept.insert(group, membership)),
                Err(error) => failed.push((address.into(), error)),
            }
        }
        *groups = kept;
        failed
    }

    fn announce(&self, address: IpAddr) -> io::Result<()> {
        match address {
            IpAddr::V4(address) => {
                for frame in arp::gratuitous(self.mac.get(), address) {
                    self.arp.get_ref().send(&frame)?;
                }
            }
            IpAddr::V6(address) => {
                let frame = ndp::unsolicited(self.mac.get(), self.source(address), address);
                self.ndp.get_ref().send(&frame)?;
            }
        }
        self.counted.announced.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// An interface without link-local address speaks for the address with the address itself.
    fn source(&self, address: Ipv6Addr) -> Ipv6Addr {
        self.link_local.get().unwrap_or(address)
    }

    fn hear_arp(&self, frame: &[u8]) {
        match arp::hear(frame, self.mac.get(), |address| self.owns(address.into())) {
            Heard::Nothing => {}
            Heard::Answer(reply) => self.answered(self.arp.get_ref().send(&reply)),
            Heard::Conflict(address) => self.defend(address),
        }
    }

    fn hear_ndp(&self, frame: &[u8]) {
        let Some((_, asked)) = ndp::Solicitation::read(frame) else {
            return;
        };
        let source = self.source(asked.target);
        if let Some(reply) = ndp::answer(frame, self.mac.get(), source, |address| self.owns(address.into())) {
            self.answered(self.ndp.get_ref().send(&reply));
        }
    }

    fn answered(&self, result: io::Result<()>) {
        match result {
            Ok(()) => drop(self.counted.answered.fetch_add(1, Ordering::Relaxed)),
            Err(error) => tracing::warn!(interface = self.index, %error, "cannot answer"),
        }
    }

    fn defend(&self, address: Ipv4Addr) {
        self.counted.conflicts.fetch_add(1, Ordering::Relaxed);
        self.counted.contested.lock().unwrap_or_else(PoisonError::into_inner).insert(address.into());
        let due = self.owned.borrow_mut().get_mut(&IpAddr::V4(address)).is_some_and(|owned| {
            let due = owned.defended.is_none_or(|last| last.elapsed() >= DEFEND);
            if due {
                owned.defended = Some(Instant::now());
            }
            due
        });
        if due {
            tracing::warn!(interface = self.index, %address, "another host claims this address");
            self.report(address.into(), self.announce(address.into()));
        }
    }

    fn report(&self, address: IpAddr, result: io::Result<()>) {
        if let Err(error) = result {
            tracing::warn!(interface = self.index, %address, %error, "cannot announce");
        }
    }
}

/// Announces an address again and again; the first time was before.
async fn repeat(station: Rc<Station>, address: IpAddr) {
    let burst = if address.is_ipv4() { BURST_V4 } else { BURST_V6 };
    for _ in 1..burst {
        tokio::time::sleep(BETWEEN).await;
        station.report(address, station.announce(address));
    }
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        station.report(address, station.announce(address));
    }
}
