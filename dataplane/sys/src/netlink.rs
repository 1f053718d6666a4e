//! Interfaces and addresses over rtnetlink.
//!
//! Messages are written and read as bytes in native order, each attribute as (length, kind, value, padding to
//! four). Source: rtnetlink(7), linux/rtnetlink.h, linux/if_addr.h.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use socket2::{Domain, Protocol, Socket, Type};

use crate::link::{Interface, LinkState, MacAddress, Network};

const REQUEST: u16 = 1;
const ACK: u16 = 4;
const DUMP: u16 = 0x300;
const REPLACE_OR_CREATE: u16 = 0x500;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const NEW_LINK: u16 = 16;
const GET_LINK: u16 = 18;
const NEW_ADDRESS: u16 = 20;
const DELETE_ADDRESS: u16 = 21;
const GET_ADDRESS: u16 = 22;

/// IFA_PROTO, and the value that says that an address is Fairway's. The kernel uses 1 to 3 itself.
const ADDRESS_PROTOCOL: u16 = 11;
const MARK: u8 = 0xfa;

const HEADER: usize = 16;
const LINK_HEADER: usize = 16;
const ADDRESS_HEADER: usize = 8;
/// The kernel cuts dumps into datagrams of at most this size.
const DATAGRAM: usize = 64 * 1024;

/// All interfaces of the namespace, by index.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let mut found: BTreeMap<u32, Interface> = BTreeMap::new();
    for message in dump(GET_LINK, LINK_HEADER)? {
        if message.kind == NEW_LINK
            && let Some(interface) = read_link(&message.payload)
        {
            found.insert(interface.index, interface);
        }
    }
    for message in dump(GET_ADDRESS, ADDRESS_HEADER)? {
        if message.kind == NEW_ADDRESS
            && let Some(address) = read_address(&message.payload)
            && let Some(interface) = found.get_mut(&address.index)
        {
            interface.networks.push(address.network);
        }
    }
    found.values_mut().for_each(|interface| interface.networks.sort());
    Ok(found.into_values().collect())
}

/// The addresses that [`add_address`] put on interfaces, with the interface's index: also those of an earlier
/// process, which a crash left behind. Kernels before 5.18 do not keep the mark and give none.
pub fn own_addresses() -> io::Result<Vec<(u32, Network)>> {
    let all = dump(GET_ADDRESS, ADDRESS_HEADER)?;
    let addresses = all.iter().filter(|message| message.kind == NEW_ADDRESS);
    let marked = addresses
        .filter_map(|message| read_address(&message.payload))
        .filter(|address| address.protocol == MARK);
    Ok(marked.map(|address| (address.index, address.network)).collect())
}

/// Puts an address on an interface and marks it as Fairway's; no error if it is there. IPv6 addresses skip duplicate detection and are
/// deprecated, so that the host does not choose them as source of its own traffic. Needs `CAP_NET_ADMIN`.
pub fn add_address(index: u32, network: Network) -> io::Result<()> {
    let mut payload = address_payload(index, network);
    if network.address.is_ipv6() {
        // IFA_CACHEINFO: preferred for 0 s, valid for ever, two timestamps that only the kernel sets.
        let lifetimes = [0_u32, u32::MAX, 0, 0].map(u32::to_ne_bytes).concat();
        put_attribute(&mut payload, 6, &lifetimes);
    }
    put_attribute(&mut payload, ADDRESS_PROTOCOL, &[MARK]);
    order(NEW_ADDRESS, REQUEST | ACK | REPLACE_OR_CREATE, &payload)
}

/// Takes an address off an interface; no error if it is not there. Needs `CAP_NET_ADMIN`.
pub fn remove_address(index: u32, network: Network) -> io::Result<()> {
    match order(DELETE_ADDRESS, REQUEST | ACK, &address_payload(index, network)) {
        Err(error) if error.raw_os_error() == Some(libc::EADDRNOTAVAIL) => Ok(()),
        other => other,
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Message {
    kind: u16,
    payload: Vec<u8>,
}

fn open() -> io::Result<Socket> {
    Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, Some(Protocol::from(libc::NETLINK_ROUTE)))
}

/// Asks for all objects of a kind.
fn dump(kind: u16, header: usize) -> io::Result<Vec<Message>> {
    let mut socket = open()?;
    socket.write_all(&message(kind, REQUEST | DUMP, &vec![0; header]))?;
    let (mut all, mut datagram) = (Vec::new(), vec![0; DATAGRAM]);
    loop {
        let length = socket.read(&mut datagram)?;
        for message in split(datagram.get(..length).unwrap_or_default())? {
            match message.kind {
                DONE => return Ok(all),
                ERROR => {
                    return Err(failure(&message.payload).unwrap_or_else(|| bad("unexpected end of a dump")));
                }
                _ => all.push(message),
            }
        }
    }
}

/// Sends one order and waits for its acknowledgement.
fn order(kind: u16, flags: u16, payload: &[u8]) -> io::Result<()> {
    let mut socket = open()?;
    socket.write_all(&message(kind, flags, payload))?;
    let mut datagram = vec![0; DATAGRAM];
    let length = socket.read(&mut datagram)?;
    let answers = split(datagram.get(..length).unwrap_or_default())?;
    let answer =
        answers.iter().find(|message| message.kind == ERROR).ok_or_else(|| bad("no acknowledgement"))?;
    failure(&answer.payload).map_or(Ok(()), Err)
}

fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + payload.len()).unwrap_or(u32::MAX);
    let sequence = 1_u32; // one request per socket
    let mut out = length.to_ne_bytes().to_vec();
    out.extend(kind.to_ne_bytes());
    out.extend(flags.to_ne_bytes());
    out.extend(sequence.to_ne_bytes());
    out.extend(0_u32.to_ne_bytes());
    out.extend(payload);
    out
}

/// The messages of one datagram.
fn split(datagram: &[u8]) -> io::Result<Vec<Message>> {
    let (mut all, mut rest) = (Vec::new(), datagram);
    while !rest.is_empty() {
        let cut = || bad("a netlink message is cut off");
        let length = word(rest, 0).and_then(|length| usize::try_from(length).ok()).ok_or_else(cut)?;
        let kind = half(rest, 4).ok_or_else(cut)?;
        let payload = rest.get(HEADER..length).ok_or_else(cut)?.to_vec();
        all.push(Message { kind, payload });
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(all)
}

/// The error in an acknowledgement; none if it is a success.
fn failure(payload: &[u8]) -> Option<io::Error> {
    match word(payload, 0).map(u32::cast_signed) {
        Some(0) => None,
        Some(code) => Some(io::Error::from_raw_os_error(code.wrapping_neg())),
        None => Some(bad("a netlink error is cut off")),
    }
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn read_link(payload: &[u8]) -> Option<Interface> {
    const UP: u32 = 1;
    const LOOPBACK: u32 = 8;
    const POINT_TO_POINT: u32 = 0x10;
    const RUNNING: u32 = 0x40;
    const NO_ARP: u32 = 0x80;
    let ethernet = half(payload, 2)? == libc::ARPHRD_ETHER;
    let index = word(payload, 4)?;
    let flags = word(payload, 8)?;
    let attributes = attributes(payload.get(LINK_HEADER..)?);
    let name = attributes.get(&3)?.split(|&b| b == 0).next()?;
    let mac = attributes.get(&1).filter(|_| ethernet).and_then(|value| <[u8; 6]>::try_from(*value).ok());
    let running = flags & UP != 0 && flags & RUNNING != 0;
    Some(Interface {
        index,
        name: String::from_utf8_lossy(name).into_owned(),
        mac: mac.map(MacAddress),
        state: if running { LinkState::Running } else { LinkState::Stopped },
        resolves: flags & (LOOPBACK | POINT_TO_POINT | NO_ARP) == 0,
        master: attributes.get(&10).and_then(|value| word(value, 0)),
        networks: Vec::new(),
    })
}

/// An address on an interface.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    index: u32,
    network: Network,
    /// Who put it there; 0 if nobody said.
    protocol: u8,
}

fn read_address(payload: &[u8]) -> Option<Address> {
    let prefix = *payload.get(1)?;
    let index = word(payload, 4)?;
    let attributes = attributes(payload.get(ADDRESS_HEADER..)?);
    // IFA_LOCAL is the own address where it differs from IFA_ADDRESS, the far end of a point-to-point link.
    let value = attributes.get(&2).or_else(|| attributes.get(&1))?;
    let address = match value.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(*value).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(*value).ok()?),
        _ => return None,
    };
    let protocol = attributes.get(&ADDRESS_PROTOCOL).and_then(|value| value.first().copied()).unwrap_or(0);
    Some(Address { index, network: Network { address, prefix }, protocol })
}

fn address_payload(index: u32, network: Network) -> Vec<u8> {
    const NO_DUPLICATE_DETECTION: u8 = 2;
    let (family, flags, value) = match network.address {
        IpAddr::V4(address) => (libc::AF_INET, 0, Ipv4Addr::octets(&address).to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6, NO_DUPLICATE_DETECTION, Ipv6Addr::octets(&address).to_vec()),
    };
    let mut out = vec![u8::try_from(family).unwrap_or_default(), network.prefix, flags, 0];
    out.extend(index.to_ne_bytes());
    put_attribute(&mut out, 2, &value);
    put_attribute(&mut out, 1, &value);
    out
}

fn put_attribute(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    out.extend(length.to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// Values by kind; flags in the upper two bits of the kind are dropped.
fn attributes(bytes: &[u8]) -> BTreeMap<u16, &[u8]> {
    let (mut all, mut rest) = (BTreeMap::new(), bytes);
    while let (Some(length), Some(kind)) = (half(rest, 0), half(rest, 2)) {
        let Some(value) = rest.get(4..usize::from(length)) else {
            break;
        };
        all.insert(kind & 0x3fff, value);
        rest = rest.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
    }
    all
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_listed_with_its_address() {
        let all = interfaces().unwrap();
        let loopback = all.iter().find(|interface| interface.name == "lo").unwrap();
        assert!(!loopback.resolves);
        assert_eq!(loopback.mac, None);
        let own = Network { address: IpAddr::V4(Ipv4Addr::LOCALHOST), prefix: 8 };
        assert!(loopback.networks.contains(&own), "{loopback:?}");
    }

    #[test]
    fn messages_and_attributes_survive_writing_and_reading() {
        let network = Network { address: "2001:db8::1".parse().unwrap(), prefix: 128 };
        let payload = address_payload(7, network);
        let both = [message(NEW_ADDRESS, REQUEST, &payload), message(DONE, 0, &[0; 4])].concat();
        let read = split(&both).unwrap();
        assert_eq!(read.iter().map(|message| message.kind).collect::<Vec<_>>(), [NEW_ADDRESS, DONE]);
        assert_eq!(read_address(&read[0].payload), Some(Address { index: 7, network, protocol: 0 }));
    }

    #[test]
    fn what_is_cut_off_is_an_error_not_a_panic() {
        let whole = message(NEW_LINK, 0, &[0; 40]);
        for length in 1..whole.len() {
            assert!(split(&whole[..length]).is_err(), "{length}");
        }
        for length in 0..40 {
            let _ = (read_link(&whole[..length]), read_address(&whole[..length]), failure(&whole[..length]));
        }
        assert!(attributes(&[200, 0, 1, 0, 9]).is_empty());
    }
}
