//! Neighbour discovery: reading solicitations, and the advertisements that an owner of addresses sends.

use std::net::Ipv6Addr;

use fairway_sys::MacAddress;

use crate::ethernet::{Header, field, mac, split, start};

const ETHERTYPE: u16 = 0x86dd;
const IP_HEADER: usize = 40;
const ICMP: u8 = 58;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// Packets from beyond a router have a lower one and are not believed.
const HOP_LIMIT: u8 = 255;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// A neighbour solicitation that passed the checks of RFC 4861, 7.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Solicitation {
    /// Who asks; unspecified while a newcomer looks for duplicates.
    pub source: Ipv6Addr,
    /// The address asked for.
    pub target: Ipv6Addr,
    /// The asker's Ethernet address, if it tells it.
    pub source_link: Option<MacAddress>,
}

impl Solicitation {
    /// Reads a frame; nothing if it is no acceptable solicitation.
    pub fn read(frame: &[u8]) -> Option<(Header, Self)> {
        let (header, packet) = split(frame, ETHERTYPE)?;
        let (ip, rest) = packet.split_at_checked(IP_HEADER)?;
        let message = rest.get(..usize::from(u16::from_be_bytes(field(ip, 4)?)))?;
        let [next, hops] = field::<2>(ip, 6)?;
        let version = ip.first()? >> 4;
        let (source, destination) = (field::<16>(ip, 8)?.into(), field::<16>(ip, 24)?.into());
        let target = Ipv6Addr::from(field::<16>(message, 8)?);
        let sound = version == 6
            && (next, hops, field::<2>(message, 0)?) == (ICMP, HOP_LIMIT, [SOLICITATION, 0])
            && checksum(source, destination, message) == 0
            && !target.is_multicast();
        let source_link = link_option(message.get(24..)?)?;
        let duplicate_check = source == Ipv6Addr::UNSPECIFIED;
        if !sound || (duplicate_check && (source_link.is_some() || destination != solicited_node(target))) {
            return None;
        }
        Some((header, Self { source, target, source_link }))
    }
}

/// The source link-layer option; the outer `None` is a malformed list of options.
fn link_option(options: &[u8]) -> Option<Option<MacAddress>> {
    let (mut found, mut rest) = (None, options);
    while !rest.is_empty() {
        let [kind, eights] = field::<2>(rest, 0)?;
        let length = usize::from(eights) * 8;
        if length == 0 {
            return None;
        }
        let option = rest.get(..length)?;
        if (kind, eights) == (1, 1) {
            found = mac(option, 2);
        }
        rest = rest.get(length..)?;
    }
    Some(found)
}

/// The group on which an address is asked for.
pub fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    let [.., prefix_high, _, _, _] = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0).octets();
    let low = u16::from_be_bytes([b, c]);
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, u16::from_be_bytes([prefix_high, a]), low)
}

/// The answer to a frame heard on the interface with `own` and `source`; nothing if none is due.
///
/// A solicitation without link-layer option is a reachability check and is answered to the frame's sender. One
/// without source address is answered to all nodes, so that the newcomer learns that the address is taken.
pub fn answer(
    frame: &[u8],
    own: MacAddress,
    source: Ipv6Addr,
    owns: impl Fn(Ipv6Addr) -> bool,
) -> Option<Vec<u8>> {
    let (header, solicitation) = Solicitation::read(frame)?;
    if !owns(solicitation.target) || header.source == own {
        return None;
    }
    if solicitation.source == Ipv6Addr::UNSPECIFIED {
        return Some(unsolicited(own, source, solicitation.target));
    }
    let receiver = solicitation.source_link.unwrap_or(header.source);
    let flags = SOLICITED | OVERRIDE;
    Some(advertisement(
        Header { destination: receiver, source: own },
        source,
        solicitation.source,
        (solicitation.target, flags),
    ))
}

/// Tells the segment that `address` is at `own`.
pub fn unsolicited(own: MacAddress, source: Ipv6Addr, address: Ipv6Addr) -> Vec<u8> {
    let header = Header { destination: MacAddress::of_group(ALL_NODES), source: own };
    advertisement(header, source, ALL_NODES, (address, OVERRIDE))
}

fn advertisement(
    link: Header,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    (target, flags): (Ipv6Addr, u8),
) -> Vec<u8> {
    let mut message = vec![ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0];
    message.extend(target.octets());
    message.extend([2, 1]); // target link-layer address, one unit of eight bytes
    message.extend(link.source.0);
    let sum = checksum(source, destination, &message).to_be_bytes();
    message.splice(2..4, sum);
    let mut frame = start(link, ETHERTYPE);
    frame.extend([0x60, 0, 0, 0]);
    frame.extend(u16::try_from(message.len()).unwrap_or_default().to_be_bytes());
    frame.extend([ICMP, HOP_LIMIT]);
    frame.extend(source.octets());
    frame.extend(destination.octets());
    frame.extend(message);
    frame
}

/// The Internet checksum over the pseudo header and the message; 0 over a message that holds a right one.
fn checksum(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> u16 {
    let halves = |bytes: &[u8]| -> u64 {
        bytes
            .chunks(2)
            .map(|pair| {
                u64::from(pair.first().copied().unwrap_or(0)) << 8
                    | u64::from(pair.get(1).copied().unwrap_or(0))
            })
            .sum()
    };
    let mut sum = halves(&source.octets()) + halves(&destination.octets()) + halves(message);
    sum += message.len() as u64 + u64::from(ICMP);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
    const PEER: MacAddress = MacAddress([2, 0, 0, 0, 0, 2]);

    fn address(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    fn solicitation(source: &str, destination: Ipv6Addr, option: Option<MacAddress>) -> Vec<u8> {
        let mut message = vec![SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
        message.extend(address("2001:db8::10").octets());
        if let Some(mac) = option {
            message.extend([1, 1]);
            message.extend(mac.0);
        }
        let sum = checksum(address(source), destination, &message).to_be_bytes();
        message.splice(2..4, sum);
        let link = Header { destination: MacAddress::of_group(destination), source: PEER };
        let mut frame = start(link, ETHERTYPE);
        frame.extend([0x60, 0, 0, 0, 0, message.len() as u8, ICMP, HOP_LIMIT]);
        frame.extend(address(source).octets());
        frame.extend(destination.octets());
        frame.extend(message);
        frame
    }

    fn reply(frame: &[u8]) -> Option<(MacAddress, Ipv6Addr, u8)> {
        let vip = address("2001:db8::10");
        let out = answer(frame, OWN, address("fe80::1"), |asked| asked == vip)?;
        let message = &out[54..];
        assert_eq!(checksum(address("fe80::1"), field::<16>(&out, 38).unwrap().into(), message), 0);
        assert_eq!(
            (message[0], &message[8..24], &message[24..26], &message[26..32]),
            (ADVERTISEMENT, vip.octets().as_slice(), [2, 1].as_slice(), OWN.0.as_slice())
        );
        Some((mac(&out, 0).unwrap(), field::<16>(&out, 38).unwrap().into(), message[4]))
    }

    #[test]
    fn solicitations_are_answered_as_their_kind_asks() {
        let group = solicited_node(address("2001:db8::10"));
        let told = MacAddress([2, 0, 0, 0, 0, 7]);
        let vip = address("2001:db8::10");
        let client = address("2001:db8::c");
        let cases = [
            (
                "with its link address",
                solicitation("2001:db8::c", group, Some(told)),
                Some((told, client, 0x60)),
            ),
            ("a reachability check", solicitation("2001:db8::c", vip, None), Some((PEER, client, 0x60))),
            (
                "a duplicate check",
                solicitation("::", group, None),
                Some((MacAddress::of_group(ALL_NODES), ALL_NODES, 0x20)),
            ),
            ("a duplicate check with an option", solicitation("::", group, Some(told)), None),
            ("a duplicate check to one host", solicitation("::", vip, None), None),
        ];
        for (name, frame, want) in cases {
            assert_eq!(reply(&frame), want, "{name}");
        }
    }

    #[test]
    fn what_could_come_from_beyond_the_segment_is_not_answered() {
        let group = solicited_node(address("2001:db8::10"));
        let good = solicitation("2001:db8::c", group, Some(PEER));
        assert!(reply(&good).is_some());
        for (name, at) in [
            ("hop limit", 21),
            ("next header", 20),
            ("type", 54),
            ("code", 55),
            ("checksum", 56),
            ("version", 14),
        ] {
            let mut frame = good.clone();
            frame[at] ^= 0x11;
            assert_eq!(reply(&frame), None, "{name}");
        }
        let other = answer(&good, OWN, address("fe80::1"), |_| false);
        assert_eq!(other, None, "an address that is not owned");
    }

    #[test]
    fn the_solicited_node_group_takes_the_last_three_bytes() {
        assert_eq!(solicited_node(address("2001:db8::12:3456")), address("ff02::1:ff12:3456"));
    }

    proptest! {
        #[test]
        fn no_frame_panics(cut in 0_usize..90, at in 0_usize..86, byte in any::<u8>()) {
            let mut frame = solicitation("2001:db8::c", solicited_node(address("2001:db8::10")), Some(PEER));
            if let Some(place) = frame.get_mut(at) {
                *place = byte;
            }
            frame.truncate(cut);
            let _ = answer(&frame, OWN, address("fe80::1"), |_| true);
        }
    }
}
