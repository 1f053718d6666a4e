//! ARP for IPv4 over Ethernet: reading packets, and the ones that an owner of addresses sends.

use std::net::Ipv4Addr;

use fairway_sys::MacAddress;

use crate::ethernet::{Header, field, mac, split, start};

const ETHERTYPE: u16 = 0x0806;
/// Ethernet, IPv4, six and four bytes.
const KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// What a packet does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Asks who has the target address.
    Request,
    /// Says who has the sender address.
    Reply,
}

/// An ARP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// What it does.
    pub operation: Operation,
    /// The Ethernet address that is claimed for `sender_address`.
    pub sender: MacAddress,
    /// The sender's IPv4 address; 0.0.0.0 in a probe.
    pub sender_address: Ipv4Addr,
    /// The Ethernet address of the target; zero in a request.
    pub target: MacAddress,
    /// The address that is asked for, or the receiver of a reply.
    pub target_address: Ipv4Addr,
}

impl Packet {
    /// Reads a frame; nothing if it is not ARP for IPv4 over Ethernet.
    pub fn read(frame: &[u8]) -> Option<(Header, Self)> {
        let (header, payload) = split(frame, ETHERTYPE)?;
        if payload.get(..6)? != KIND {
            return None;
        }
        let operation = match field::<2>(payload, 6)? {
            [0, 1] => Operation::Request,
            [0, 2] => Operation::Reply,
            _ => return None,
        };
        let packet = Self {
            operation,
            sender: mac(payload, 8)?,
            sender_address: field::<4>(payload, 14)?.into(),
            target: mac(payload, 18)?,
            target_address: field::<4>(payload, 24)?.into(),
        };
        Some((header, packet))
    }

    /// The packet as a frame from its sender to `destination`.
    pub fn frame(&self, destination: MacAddress) -> Vec<u8> {
        let mut frame = start(Header { destination, source: self.sender }, ETHERTYPE);
        frame.extend(KIND);
        frame.extend(match self.operation {
            Operation::Request => [0, 1],
            Operation::Reply => [0, 2],
        });
        frame.extend(self.sender.0);
        frame.extend(self.sender_address.octets());
        frame.extend(self.target.0);
        frame.extend(self.target_address.octets());
        frame
    }
}

/// What a received packet means to the owner of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// This frame is the answer.
    Answer(Vec<u8>),
    /// Somebody else claims this address of ours.
    Conflict(Ipv4Addr),
    /// Nothing.
    Nothing,
}

/// Judges a frame heard on the interface with `own` as its Ethernet address.
pub fn hear(frame: &[u8], own: MacAddress, owns: impl Fn(Ipv4Addr) -> bool) -> Heard {
    let Some((header, packet)) = Packet::read(frame) else {
        return Heard::Nothing;
    };
    if packet.sender == own || header.source == own {
        return Heard::Nothing;
    }
    if owns(packet.sender_address) {
        return Heard::Conflict(packet.sender_address);
    }
    let for_us = header.destination == own || header.destination == MacAddress::BROADCAST;
    if packet.operation != Operation::Request || !for_us || !owns(packet.target_address) {
        return Heard::Nothing;
    }
    let reply = Packet {
        operation: Operation::Reply,
        sender: own,
        sender_address: packet.target_address,
        target: packet.sender,
        target_address: packet.sender_address,
    };
    Heard::Answer(reply.frame(packet.sender))
}

/// Tells the segment that `address` is at `own`: a request and a reply, because some hosts honour only one.
pub fn gratuitous(own: MacAddress, address: Ipv4Addr) -> [Vec<u8>; 2] {
    let packet = |operation, target| {
        Packet { operation, sender: own, sender_address: address, target, target_address: address }
            .frame(MacAddress::BROADCAST)
    };
    [packet(Operation::Request, MacAddress([0; 6])), packet(Operation::Reply, own)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
    const PEER: MacAddress = MacAddress([2, 0, 0, 0, 0, 2]);
    const VIP: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);
    const HOST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);

    fn request(sender: MacAddress, from: Ipv4Addr, target: Ipv4Addr) -> Packet {
        let zero = MacAddress([0; 6]);
        let operation = Operation::Request;
        Packet { operation, sender, sender_address: from, target: zero, target_address: target }
    }

    fn heard(packet: Packet, destination: MacAddress) -> Heard {
        hear(&packet.frame(destination), OWN, |address| address == VIP)
    }

    #[test]
    fn only_requests_for_owned_addresses_are_answered() {
        let reply = Packet {
            operation: Operation::Reply,
            sender: OWN,
            sender_address: VIP,
            target: PEER,
            target_address: HOST,
        };
        let answer = Heard::Answer(reply.frame(PEER));
        let other = MacAddress([2, 0, 0, 0, 0, 9]);
        let asked = request(PEER, HOST, VIP);
        let cases = [
            ("a broadcast request", heard(asked, MacAddress::BROADCAST), answer.clone()),
            ("a request to us", heard(asked, OWN), answer),
            ("a request to another", heard(asked, other), Heard::Nothing),
            ("another address", heard(request(PEER, HOST, HOST), MacAddress::BROADCAST), Heard::Nothing),
            ("our own request", heard(request(OWN, VIP, VIP), MacAddress::BROADCAST), Heard::Nothing),
            ("a foreign claim", heard(request(PEER, VIP, VIP), MacAddress::BROADCAST), Heard::Conflict(VIP)),
            ("a reply", heard(Packet { operation: Operation::Reply, ..asked }, OWN), Heard::Nothing),
        ];
        for (name, got, want) in cases {
            assert_eq!(got, want, "{name}");
        }
    }

    #[test]
    fn a_probe_for_an_owned_address_is_answered() {
        let probe = request(PEER, Ipv4Addr::UNSPECIFIED, VIP);
        assert!(matches!(heard(probe, MacAddress::BROADCAST), Heard::Answer(_)));
    }

    #[test]
    fn a_gratuitous_request_is_laid_out_as_rfc_826_says() {
        let [request, reply] = gratuitous(OWN, VIP);
        let want = [
            [0xff; 6].as_slice(),
            &OWN.0,
            &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
            &OWN.0,
            &VIP.octets(),
            &[0; 6],
            &VIP.octets(),
        ]
        .concat();
        assert_eq!(request, want);
        let (header, packet) = Packet::read(&reply).unwrap();
        assert_eq!(
            (header.destination, packet.operation, packet.target),
            (MacAddress::BROADCAST, Operation::Reply, OWN)
        );
    }

    proptest! {
        #[test]
        fn no_frame_panics(mut frame in prop::collection::vec(any::<u8>(), 0..80), shape in any::<bool>()) {
            if shape && frame.len() > 20 {
                frame[12..20].copy_from_slice(&[8, 6, 0, 1, 8, 0, 6, 4]);
            }
            let _ = hear(&frame, OWN, |_| true);
        }
    }
}
