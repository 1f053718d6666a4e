//! The Ethernet header, and reading fixed fields.

use fairway_sys::MacAddress;

/// Destination and source of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Who receives it.
    pub destination: MacAddress,
    /// Who sent it.
    pub source: MacAddress,
}

/// Length of destination, source and type.
const LENGTH: usize = 14;

/// The header and what follows it, if the frame is of this type.
pub(crate) fn split(frame: &[u8], ethertype: u16) -> Option<(Header, &[u8])> {
    let (header, payload) = frame.split_at_checked(LENGTH)?;
    if header.get(12..)? != ethertype.to_be_bytes() {
        return None;
    }
    Some((Header { destination: mac(header, 0)?, source: mac(header, 6)? }, payload))
}

/// Starts a frame.
pub(crate) fn start(header: Header, ethertype: u16) -> Vec<u8> {
    let mut frame = Vec::with_capacity(96);
    frame.extend(header.destination.0);
    frame.extend(header.source.0);
    frame.extend(ethertype.to_be_bytes());
    frame
}

/// The bytes at a place, as many as the type has.
pub(crate) fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

pub(crate) fn mac(bytes: &[u8], at: usize) -> Option<MacAddress> {
    field(bytes, at).map(MacAddress)
}
