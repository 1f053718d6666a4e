//! Whole Ethernet frames on one interface, and membership of multicast groups.

use std::io::{self, Read};
use std::mem;
use std::net::Ipv6Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use socket2::{Domain, Protocol, SockAddr, SockFilter, Socket, Type};
use tokio::io::unix::AsyncFd;

/// What a [`PacketSocket`] receives. Frames that the host itself sends are not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// ARP.
    Arp,
    /// IPv6 neighbour solicitations without extension headers.
    NeighbourSolicitations,
}

impl Traffic {
    fn ethertype(self) -> u16 {
        match self {
            Self::Arp => 0x0806,
            Self::NeighbourSolicitations => 0x86dd,
        }
    }
}

/// A socket for frames on one interface; does not block. Needs `CAP_NET_RAW`.
#[derive(Debug)]
pub struct PacketSocket(Socket);

impl PacketSocket {
    /// Opens a socket on the interface with this index.
    pub fn open(index: u32, traffic: Traffic) -> io::Result<Self> {
        // Opened for no protocol: nothing is queued before the filter and the interface are set.
        let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking(), Some(Protocol::from(0)))?;
        if traffic == Traffic::NeighbourSolicitations {
            socket.attach_filter(&solicitations())?;
        }
        socket.bind(&link_address(index, traffic.ethertype())?)?;
        Ok(Self(socket))
    }

    /// Registers the socket with the tokio runtime that the caller runs in (without one it panics).
    pub fn watch(self) -> io::Result<AsyncFd<Self>> {
        // SAFETY: `as_raw_fd` gives the descriptor of the socket that `self` owns. It is the same at every call
        // and stays open until `self` is dropped, for no method gives the socket away or closes it.
        #[expect(unsafe_code, reason = "registration relies on the descriptor staying the same and open")]
        let watched = unsafe { AsyncFd::register(self) };
        Ok(watched?)
    }

    /// Sends a frame, Ethernet header included.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        match self.0.send(frame)? {
            sent if sent == frame.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    /// Receives a frame; what does not fit is cut off.
    pub fn receive(&self, frame: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(frame)
    }
}

impl AsRawFd for PacketSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Next header (byte 6 of the IPv6 header) is ICMPv6 and its type (byte 0 behind the header) is 135.
fn solicitations() -> [SockFilter; 6] {
    [
        SockFilter::new(0x30, 0, 0, 14 + 6),  // load the byte
        SockFilter::new(0x15, 0, 3, 58),      // go on if equal, else drop
        SockFilter::new(0x30, 0, 0, 14 + 40), // load the byte
        SockFilter::new(0x15, 0, 1, 135),     // go on if equal, else drop
        SockFilter::new(0x06, 0, 0, 0xffff),  // accept
        SockFilter::new(0x06, 0, 0, 0),       // drop
    ]
}

fn link_address(index: u32, ethertype: u16) -> io::Result<SockAddr> {
    let index = i32::try_from(index).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // SAFETY: the storage is at least as large and as strictly aligned as any socket address, and it is zeroed,
    // which is a valid sockaddr_ll; the length set is that of the type written.
    #[expect(unsafe_code, reason = "no safe constructor for link-layer addresses exists")]
    let address = unsafe {
        SockAddr::try_init(|storage, length| {
            let link = storage.cast::<libc::sockaddr_ll>();
            (*link).sll_family = u16::try_from(libc::AF_PACKET).unwrap_or_default();
            (*link).sll_protocol = ethertype.to_be();
            (*link).sll_ifindex = index;
            *length = u32::try_from(mem::size_of::<libc::sockaddr_ll>()).unwrap_or_default();
            Ok(())
        })
    };
    address.map(|((), address)| address)
}

/// Membership of an IPv6 multicast group on one interface, until dropped: the interface accepts its frames, and
/// switches that listen to MLD deliver them.
#[derive(Debug)]
pub struct GroupMembership(#[expect(dead_code, reason = "held for its membership")] Socket);

impl GroupMembership {
    /// Joins `group` on the interface with this index.
    pub fn join(index: u32, group: Ipv6Addr) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
        socket.join_multicast_v6(&group, index)?;
        Ok(Self(socket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_address_names_its_interface() {
        let address = link_address(7, 0x0806).unwrap();
        assert_eq!(address.family(), libc::AF_PACKET as libc::sa_family_t);
        assert_eq!(address.len() as usize, mem::size_of::<libc::sockaddr_ll>());
        assert_eq!(address.as_socket(), None);
        assert!(link_address(u32::MAX, 0).is_err());
    }
}
