//! Network interfaces that carry addresses of pods, or belong to nodes.
//!
//! All of a cluster's are asked for at once, again and again, and each time few are new. What was told of an address or an
//! instance is kept for as long as it is asked for: one that nobody asks for any more is forgotten at once, as the
//! next pod that has the address may be carried by another interface.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fairway_aws::facts::{Interface, InterfaceGroup};
use ipnet::IpNet;
use tokio::time::Instant;

use crate::Aws;
use crate::fault::Fault;
use crate::thin::ec2::{NetworkInterface, Select};

/// An interface may get other security groups.
const FOUND: Duration = Duration::from_secs(600);
/// One that is not there may come at any moment.
const MISSING: Duration = Duration::from_secs(10);

/// What was told of addresses and instances.
#[derive(Default)]
pub(super) struct Interfaces {
    known: Mutex<BTreeMap<String, Told>>,
}

/// Interfaces of one address or instance, and when they were told.
struct Told {
    at: Instant,
    interfaces: Vec<Arc<NetworkInterface>>,
}

impl Told {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < if self.interfaces.is_empty() { MISSING } else { FOUND }
    }
}

impl Interfaces {
    pub(super) fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Forgets all others, and gives those that AWS has to be asked about.
    fn unknown(&self, wanted: &BTreeSet<&String>) -> BTreeSet<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|one, told| wanted.contains(one) && told.is_fresh());
        wanted.iter().filter(|one| !known.contains_key(**one)).map(|one| (*one).clone()).collect()
    }

    /// Keeps what was told of those that were asked about.
    fn learn(&self, asked: &BTreeSet<String>, found: Vec<NetworkInterface>) {
        let at = Instant::now();
        let mut told: BTreeMap<String, Vec<Arc<NetworkInterface>>> =
            asked.iter().map(|one| (one.clone(), Vec::new())).collect();
        let addresses: BTreeSet<IpAddr> = asked.iter().filter_map(|one| one.parse().ok()).collect();
        for interface in found.into_iter().map(Arc::new) {
            for one in carried(&interface, &addresses).iter().chain(&instance_of(&interface)) {
                if let Some(interfaces) = told.get_mut(one) {
                    interfaces.push(Arc::clone(&interface));
                }
            }
        }
        let told = told.into_iter().map(|(one, interfaces)| (one, Told { at, interfaces }));
        self.known.lock().unwrap_or_else(PoisonError::into_inner).extend(told);
    }

    /// All that is known, each interface as it was told last.
    fn all(&self) -> Vec<Arc<NetworkInterface>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut latest: BTreeMap<&str, (Instant, &Arc<NetworkInterface>)> = BTreeMap::new();
        for told in known.values() {
            for interface in &told.interfaces {
                let entry = latest.entry(&interface.id).or_insert((told.at, interface));
                if told.at > entry.0 {
                    *entry = (told.at, interface);
                }
            }
        }
        latest.into_values().map(|(_, interface)| Arc::clone(interface)).collect()
    }
}

impl Aws {
    /// Interfaces that carry these addresses or belong to these instances.
    pub(super) async fn interfaces(
        &self,
        addresses: &[String],
        instances: &[String],
    ) -> Result<Vec<Interface>, Fault> {
        let kept = &self.answers.interfaces;
        let unknown = kept.unknown(&addresses.iter().chain(instances).collect());
        if !unknown.is_empty() {
            kept.learn(&unknown, self.read_interfaces(&unknown).await?);
        }
        let wanted: BTreeSet<IpAddr> = addresses.iter().filter_map(|ip| ip.parse().ok()).collect();
        let interfaces = kept.all();
        let answer = |all: &crate::inventory::SecurityGroups| {
            let groups = |id: &String| InterfaceGroup {
                id: id.clone(),
                tags: all.get(id).map(|group| group.tags.clone()).unwrap_or_default(),
            };
            let one = |interface: &Arc<NetworkInterface>| Interface {
                id: interface.id.clone(),
                groups: interface.group_ids.iter().map(groups).collect(),
                addresses: carried(interface, &wanted),
                instance: instance_of(interface),
            };
            interfaces.iter().map(one).collect()
        };
        self.security_groups(answer).await
    }

    async fn read_interfaces(&self, asked: &BTreeSet<String>) -> Result<Vec<NetworkInterface>, Fault> {
        let (addresses, instances): (Vec<&String>, Vec<&String>) =
            asked.iter().partition(|one| one.parse::<IpAddr>().is_ok());
        let (six, four): (Vec<&String>, Vec<&String>) =
            addresses.into_iter().partition(|ip| ip.contains(':'));
        let of_vpc = || Select::all().filter("vpc-id", [&self.config.vpc]);
        let selects = [
            of_vpc().with_private_ips(four),
            of_vpc().filter("ipv6-addresses.ipv6-address", six),
            of_vpc().attached_to(instances),
        ];
        let mut found = BTreeMap::new();
        for select in selects.iter().filter(|select| !select.is_empty()) {
            let interfaces =
                self.ec2("DescribeNetworkInterfaces", self.ec2.network_interfaces(select)).await?;
            found.extend(interfaces.into_iter().map(|interface| (interface.id.clone(), interface)));
        }
        Ok(found.into_values().collect())
    }
}

fn instance_of(interface: &NetworkInterface) -> Option<String> {
    interface.attachment.as_ref()?.instance_id.clone()
}

/// Addresses of an interface, and those of `wanted` that lie in prefixes delegated to it.
fn carried(interface: &NetworkInterface, wanted: &BTreeSet<IpAddr>) -> Vec<String> {
    let prefixes = interface.ipv4_prefixes.iter().chain(&interface.ipv6_prefixes);
    let prefixes = prefixes.filter_map(|prefix| prefix.parse::<IpNet>().ok());
    let delegated = prefixes.flat_map(|prefix| wanted.range(prefix.network()..=prefix.broadcast()));
    let own = interface.private_ips.iter().chain(&interface.ipv6_addresses).cloned();
    own.chain(delegated.map(ToString::to_string)).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(id: &str, addresses: &[&str], groups: &[&str]) -> NetworkInterface {
        let texts = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
        NetworkInterface {
            id: id.to_owned(),
            private_ips: texts(addresses),
            group_ids: texts(groups),
            ..NetworkInterface::default()
        }
    }

    fn wanted(all: &[String]) -> BTreeSet<&String> {
        all.iter().collect()
    }

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(|&one| one.to_owned()).collect()
    }

    #[test]
    fn addresses_out_of_delegated_prefixes_are_carried() {
        let mut interface = interface("eni-1", &["10.0.0.5"], &[]);
        interface.ipv4_prefixes = names(&["10.0.1.0/28"]);
        interface.ipv6_prefixes = names(&["fd00:1::/80"]);
        let wanted =
            ["10.0.0.5", "10.0.0.255", "10.0.1.0", "10.0.1.15", "10.0.1.16", "fd00:1::9", "fd00:2::9"];
        let wanted = wanted.iter().map(|ip| ip.parse().unwrap()).collect();
        assert_eq!(carried(&interface, &wanted), ["10.0.0.5", "10.0.1.0", "10.0.1.15", "fd00:1::9"]);
    }

    #[tokio::test(start_paused = true)]
    async fn aws_is_asked_about_what_is_new_and_again_about_what_it_did_not_know() {
        let kept = Interfaces::default();
        let (first, both) = (names(&["10.0.0.5"]), names(&["10.0.0.5", "10.0.0.6"]));
        let asked = kept.unknown(&wanted(&first));
        assert_eq!(asked, first.iter().cloned().collect());
        kept.learn(&asked, vec![interface("eni-1", &["10.0.0.5"], &["sg-1"])]);

        let asked = kept.unknown(&wanted(&both));
        assert_eq!(asked, BTreeSet::from(["10.0.0.6".to_owned()]));
        kept.learn(&asked, Vec::new());
        assert!(kept.unknown(&wanted(&both)).is_empty());

        tokio::time::advance(MISSING).await;
        assert_eq!(kept.unknown(&wanted(&both)), asked, "it may be there by now");
        tokio::time::advance(FOUND).await;
        assert_eq!(kept.unknown(&wanted(&both)).len(), 2, "its groups may be others by now");
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_nobody_asks_for_is_forgotten() {
        let kept = Interfaces::default();
        let (first, other) = (names(&["10.0.0.5"]), names(&["10.0.0.6"]));
        kept.learn(&kept.unknown(&wanted(&first)), vec![interface("eni-1", &["10.0.0.5"], &[])]);
        assert_eq!(kept.unknown(&wanted(&other)).len(), 1);
        assert!(kept.all().is_empty());
        assert_eq!(kept.unknown(&wanted(&first)).len(), 1, "another pod may have it, on another interface");
    }

    #[tokio::test(start_paused = true)]
    async fn an_interface_is_as_it_was_told_last() {
        let kept = Interfaces::default();
        let both = names(&["10.0.0.5", "10.0.0.6"]);
        let told = |groups: &[&str]| vec![interface("eni-1", &["10.0.0.5", "10.0.0.6"], groups)];
        kept.learn(&kept.unknown(&wanted(&both[1..])), told(&["sg-1"]));
        tokio::time::advance(Duration::from_secs(1)).await;
        kept.learn(&kept.unknown(&wanted(&both)), told(&["sg-2"]));
        let all = kept.all();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].group_ids, ["sg-2"]);
    }
}
