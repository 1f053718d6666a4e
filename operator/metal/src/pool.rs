//! Address pools: MetalLB's `IPAddressPool` as ranges.
//!
//! Errors: a range that cannot be read makes its pool invalid as a whole, so that a typing error never shrinks it
//! silently. Source: MetalLB's IPAddressPool, `metallb.io/v1beta1`.

use std::{collections::BTreeSet, net::IpAddr, str::FromStr as _};

use fairway_core::{
    class::{Class, Classified},
    ids::{Key, Kind, ObjectRef},
    note::Note,
    snapshot::Snapshot,
};
use fairway_crds::IPAddressPool;
use ipnet::IpNet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// First and last address, both of one family and both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    first: IpAddr,
    last: IpAddr,
}

/// What is wrong with a pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Neither a network nor a range.
    #[error(
        "spec.addresses: {0:?} is neither a network such as 192.0.2.0/24 nor a range such as 192.0.2.10-192.0.2.20"
    )]
    Unreadable(String),
    /// The last address lies before the first, or is of the other family.
    #[error("spec.addresses: {0:?} ends before it begins")]
    Reversed(String),
    /// There is nothing to give out.
    #[error("spec.addresses is empty")]
    Empty,
}

impl Classified for PoolError {
    fn class(&self) -> Class {
        Class::Invalid
    }

    fn code(&self) -> &'static str {
        "InvalidPool"
    }
}

impl Range {
    /// Reads `network/bits` or `first-last`, with spaces around the dash as MetalLB allows.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn parse(text: &str) -> Result<Self, PoolError> {
        let unreadable = || PoolError::Unreadable(text.to_owned());
        if let Some((first, last)) = text.split_once('-') {
            let address = |part: &str| IpAddr::from_str(part.trim()).map_err(|_| unreadable());
            let (first, last) = (address(first)?, address(last)?);
            let ordered = first.is_ipv4() == last.is_ipv4() && first <= last;
            return if ordered {
                Ok(Self { first, last })
            } else {
                Err(PoolError::Reversed(text.to_owned()))
            };
        }
        let net = IpNet::from_str(text.trim()).map_err(|_| unreadable())?;
        Ok(Self { first: net.network(), last: last_of(net) })
    }

    fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && (self.first..=self.last).contains(&address)
    }

    /// The first address that is not taken; a step for each address that is.
    fn first_free(&self, taken: &BTreeSet<IpAddr>, usable: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
        let mut candidate = self.first;
        loop {
            if usable(candidate) && !taken.contains(&candidate) {
                return Some(candidate);
            }
            candidate = successor(candidate).filter(|next| *next <= self.last)?;
        }
    }
}

fn last_of(net: IpNet) -> IpAddr {
    match net {
        IpNet::V4(net) => IpAddr::V4(net.broadcast()),
        IpNet::V6(net) => IpAddr::V6(net.broadcast()),
    }
}

fn successor(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => u32::from(address).checked_add(1).map(|next| IpAddr::V4(next.into())),
        IpAddr::V6(address) => u128::from(address).checked_add(1).map(|next| IpAddr::V6(next.into())),
    }
}

/// A pool that can be used.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Namespace and name of the object.
    pub key: Key,
    /// Labels, by which advertisements select it.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Given out without being asked for by name.
    pub auto_assign: bool,
    /// Lower is preferred; 0 comes last.
    pub priority: u32,
    ranges: Vec<Range>,
    avoid_buggy: bool,
    namespaces: Option<Namespaces>,
}

/// Which namespaces a pinned pool accepts.
#[derive(Debug, Clone)]
struct Namespaces {
    names: Vec<String>,
    selectors: Vec<LabelSelector>,
    has_service_selectors: bool,
}

impl Pool {
    /// Reads a pool.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(key: &Key, object: &IPAddressPool) -> Result<Self, PoolError> {
        let spec = &object.spec;
        let ranges = spec.addresses.iter().map(|text| Range::parse(text)).collect::<Result<Vec<_>, _>>()?;
        if ranges.is_empty() {
            return Err(PoolError::Empty);
        }
        let allocation = spec.service_allocation.as_ref();
        Ok(Self {
            key: key.clone(),
            labels: object.metadata.labels.clone().unwrap_or_default(),
            auto_assign: spec.auto_assign,
            priority: allocation.and_then(|a| a.priority).and_then(|p| u32::try_from(p).ok()).unwrap_or(0),
            ranges,
            avoid_buggy: spec.avoid_buggy_ips,
            namespaces: allocation.map(|allocation| Namespaces {
                names: allocation.namespaces.clone(),
                selectors: allocation.namespace_selectors.clone(),
                has_service_selectors: !allocation.service_selectors.is_empty(),
            }),
        })
    }

    /// Whether the pool holds an address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|range| range.contains(address)) && self.usable(address)
    }

    /// The first free address, ascending.
    #[must_use]
    pub fn first_free(&self, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
        self.ranges.iter().find_map(|range| range.first_free(taken, |address| self.usable(address)))
    }

    /// Whether members of a namespace may have its addresses. A pool that is pinned by Service selectors accepts no
    /// Ingress: an Ingress has no pod selector of its own to be chosen by.
    #[must_use]
    pub fn accepts(&self, snapshot: &Snapshot, namespace: &str) -> bool {
        let Some(pinned) = &self.namespaces else { return true };
        if pinned.has_service_selectors {
            return false;
        }
        if pinned.names.is_empty() && pinned.selectors.is_empty() {
            return true;
        }
        let empty = std::collections::BTreeMap::new();
        let object = snapshot.namespaces.get(&Key::cluster(namespace));
        let labels = object.and_then(|object| object.metadata.labels.as_ref()).unwrap_or(&empty);
        pinned.names.iter().any(|name| name == namespace)
            || pinned.selectors.iter().any(|selector| crate::election::selects(selector, labels))
    }

    /// Whether the pool is kept for some namespaces.
    #[must_use]
    pub const fn is_pinned(&self) -> bool {
        self.namespaces.is_some()
    }

    fn usable(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) if self.avoid_buggy => !matches!(v4.octets(), [_, _, _, 0 | 255]),
            _ => true,
        }
    }
}

/// Every pool that can be used, by the order in which they are tried, and what is wrong with the others.
#[must_use]
pub fn pools(snapshot: &Snapshot) -> (Vec<Pool>, Vec<Note>) {
    let (mut pools, mut notes) = (Vec::new(), Vec::new());
    for (key, object) in snapshot.ip_address_pools.iter() {
        match Pool::read(key, object) {
            Ok(pool) => pools.push(pool),
            Err(error) => notes.push(Note::warn(&ObjectRef::new(Kind::IpAddressPool, key.clone()), &error)),
        }
    }
    // Priority 0 means "no preference" and comes last; names break ties, so that equal clusters allocate equally.
    pools.sort_by_key(|pool| {
        (!pool.is_pinned(), pool.priority.checked_sub(1).unwrap_or(u32::MAX), pool.key.clone())
    });
    (pools, notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn pool(addresses: &[&str], avoid_buggy: bool) -> Result<Pool, PoolError> {
        let mut object = IPAddressPool::new("p", fairway_crds::IPAddressPoolSpec::default());
        object.spec.addresses = addresses.iter().map(ToString::to_string).collect();
        object.spec.avoid_buggy_ips = avoid_buggy;
        Pool::read(&Key::new("fairway", "p"), &object)
    }

    #[test]
    fn ranges_are_read_as_metallb_reads_them() {
        let cases = [
            (
                "a network holds its first and last address",
                "192.0.2.0/30",
                Ok((ip("192.0.2.0"), ip("192.0.2.3"))),
            ),
            ("one address is a network of its own", "192.0.2.7/32", Ok((ip("192.0.2.7"), ip("192.0.2.7")))),
            (
                "spaces around the dash are fine",
                "192.0.2.5 - 192.0.2.9",
                Ok((ip("192.0.2.5"), ip("192.0.2.9"))),
            ),
            ("IPv6 works the same", "2001:db8::/126", Ok((ip("2001:db8::"), ip("2001:db8::3")))),
            (
                "a reversed range is refused",
                "192.0.2.9-192.0.2.5",
                Err(PoolError::Reversed("192.0.2.9-192.0.2.5".into())),
            ),
            (
                "families do not mix",
                "192.0.2.9-2001:db8::1",
                Err(PoolError::Reversed("192.0.2.9-2001:db8::1".into())),
            ),
            ("a bare address is no range", "192.0.2.9", Err(PoolError::Unreadable("192.0.2.9".into()))),
        ];
        for (name, text, want) in cases {
            assert_eq!(Range::parse(text).map(|range| (range.first, range.last)), want, "{name}");
        }
    }

    #[test]
    fn addresses_are_given_out_in_ascending_order() {
        let pool = pool(&["192.0.2.10-192.0.2.12"], false).unwrap();
        let mut taken = BTreeSet::new();
        let mut given = Vec::new();
        while let Some(address) = pool.first_free(&taken) {
            taken.insert(address);
            given.push(address);
        }
        assert_eq!(given, [ip("192.0.2.10"), ip("192.0.2.11"), ip("192.0.2.12")]);
    }

    #[test]
    fn addresses_that_old_devices_refuse_are_left_out_when_asked() {
        let pool = pool(&["192.0.2.255-192.0.3.1"], true).unwrap();
        assert_eq!(pool.first_free(&BTreeSet::new()), Some(ip("192.0.3.1")));
        assert!(!pool.contains(ip("192.0.3.0")));
    }

    #[test]
    fn a_pool_with_one_bad_range_is_not_used_at_all() {
        assert_eq!(pool(&["192.0.2.0/24", "oops"], false).err(), Some(PoolError::Unreadable("oops".into())));
        assert_eq!(pool(&[], false).err(), Some(PoolError::Empty));
    }

    #[test]
    fn the_last_address_of_all_ends_the_search() {
        let pool = pool(&["255.255.255.255/32"], false).unwrap();
        assert_eq!(pool.first_free(&BTreeSet::from([ip("255.255.255.255")])), None);
    }
}
