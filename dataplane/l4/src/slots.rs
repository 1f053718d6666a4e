//! Which endpoint a client address belongs to.

use std::net::SocketAddr;

/// Slots that client addresses are hashed to. Prime, and large enough that 25 endpoints get shares within a few
/// percent of each other.
pub(crate) const SLOTS: usize = 509;

/// The endpoint of each slot: the one with the highest hash of (endpoint, slot). Every node that knows the same
/// endpoints gets the same table, and removing an endpoint moves only its own slots.
pub(crate) fn assign(endpoints: &[SocketAddr]) -> Vec<SocketAddr> {
    let best =
        |slot: usize| endpoints.iter().copied().max_by_key(|endpoint| (hash(endpoint, slot), *endpoint));
    (0..SLOTS).filter_map(best).collect()
}

/// FNV-1a with a final mix. Not the standard library's hasher: that may differ between two builds.
fn hash(endpoint: &SocketAddr, slot: usize) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    match endpoint {
        SocketAddr::V4(v4) => add(&v4.ip().octets()),
        SocketAddr::V6(v6) => add(&v6.ip().octets()),
    }
    add(&endpoint.port().to_be_bytes());
    add(&(slot as u64).to_be_bytes());
    sum ^= sum >> 33;
    sum = sum.wrapping_mul(0xff51_afd7_ed55_8ccd);
    sum ^ (sum >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(count: u8) -> Vec<SocketAddr> {
        (1..=count).map(|n| SocketAddr::from(([203, 0, 113, n], 8080))).collect()
    }

    #[test]
    fn shares_are_even() {
        let all = endpoints(5);
        let table = assign(&all);
        assert_eq!(table.len(), SLOTS);
        for endpoint in all {
            let share = table.iter().filter(|owner| **owner == endpoint).count();
            assert!((70..=135).contains(&share), "{endpoint} has {share} of {SLOTS}");
        }
    }

    #[test]
    fn removing_an_endpoint_moves_only_its_slots() {
        let all = endpoints(5);
        let fewer: Vec<_> = all.iter().copied().filter(|endpoint| *endpoint != all[2]).collect();
        for (before, after) in assign(&all).into_iter().zip(assign(&fewer)) {
            assert!(before == after || before == all[2]);
        }
    }

    #[test]
    fn without_endpoints_there_are_no_slots() {
        assert!(assign(&[]).is_empty());
    }
}
