//! A ruleset as commands of nft(8).
//!
//! Shape: one map a family leads from (address, protocol, port) to a chain of the service, so that a look-up
//! costs the same for any number of services. A guard in front (before translation) refuses and drops.
//! Connections that policy `Cluster` translated are masqueraded; they are found by their original destination,
//! so no packet mark is used that another component could use too.
//!
//! The chains come one step before those of kube-proxy (priority -101 instead of -100): of two translations on
//! one hook the first wins, so both can know the same service.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::net::{IpAddr, SocketAddr};

use crate::ruleset::{Affinity, Frontend, Protocol, Ruleset, Service, TrafficPolicy};
use crate::slots::{self, SLOTS};

/// The table that belongs to Fairway alone.
pub const TABLE: &str = "inet fairway";

/// Equal on every node, so that a client keeps its endpoint when it enters by another one.
const SEED: u32 = 0x6661_6972;

/// One of the two address families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Family {
    const ALL: [Self; 2] = [Self::V4, Self::V6];

    fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    fn keyword(self) -> &'static str {
        match self {
            Self::V4 => "ip",
            Self::V6 => "ip6",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::V4 => "ipv4_addr",
            Self::V6 => "ipv6_addr",
        }
    }
}

/// A service with the number that names its chains.
struct Numbered<'r> {
    number: usize,
    frontend: &'r Frontend,
    service: &'r Service,
    reachable: Vec<SocketAddr>,
}

impl Numbered<'_> {
    fn family(&self) -> Family {
        Family::of(self.frontend.address)
    }

    fn key(&self) -> String {
        let Frontend { address, protocol, port } = self.frontend;
        format!("{address} . {protocol} . {port}")
    }

    fn is_guarded(&self) -> bool {
        self.reachable.is_empty() || !self.service.sources.is_empty()
    }
}

/// The commands that replace the table by the ruleset in one transaction. Equal rulesets give equal text.
pub fn render(ruleset: &Ruleset) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, ruleset);
    out
}

/// The commands that remove the table; no error if it is not there.
pub(crate) fn render_removal() -> String {
    format!("add table {TABLE}\ndelete table {TABLE}\n")
}

fn write_all(out: &mut String, ruleset: &Ruleset) -> fmt::Result {
    let services: Vec<Numbered<'_>> = ruleset
        .services()
        .enumerate()
        .map(|(number, (frontend, service))| Numbered {
            number,
            frontend,
            service,
            reachable: service.reachable(),
        })
        .collect();
    out.push_str(&render_removal());
    writeln!(out, "table {TABLE} {{")?;
    for service in &services {
        if service.is_guarded() {
            write_guard(out, service)?;
        }
        if !service.reachable.is_empty() {
            write_service(out, service)?;
        }
    }
    for family in Family::ALL {
        let of_family = || services.iter().filter(move |service| service.family() == family);
        write_map(out, "guards", family, of_family().filter(|service| service.is_guarded()))?;
        write_map(out, "services", family, of_family().filter(|service| !service.reachable.is_empty()))?;
        write_masqueraded(out, family, of_family())?;
        write_addresses(out, family, of_family())?;
        write_private(out, family, ruleset)?;
    }
    write_hooks(out)?;
    out.push_str("}\n");
    Ok(())
}

fn write_guard(out: &mut String, service: &Numbered<'_>) -> fmt::Result {
    writeln!(out, "\tchain guards-{} {{", service.number)?;
    let sources = &service.service.sources;
    if !sources.is_empty() {
        let family = service.family().keyword();
        writeln!(out, "\t\t{family} saddr != {{ {} }} drop", list(sources.iter()))?;
    }
    if service.reachable.is_empty() {
        let served_elsewhere = !service.service.endpoints.is_empty();
        match (served_elsewhere, service.frontend.protocol) {
            (true, _) => out.push_str("\t\tdrop\n"),
            (false, Protocol::Tcp) => out.push_str("\t\tmeta l4proto tcp reject with tcp reset\n"),
            (false, Protocol::Udp) => out.push_str("\t\treject with icmpx port-unreachable\n"),
        }
    }
    out.push_str("\t}\n");
    Ok(())
}

fn write_service(out: &mut String, service: &Numbered<'_>) -> fmt::Result {
    let family = service.family().keyword();
    let protocol = service.frontend.protocol;
    let (choice, owners) = match service.service.affinity {
        Affinity::None => {
            (format!("numgen random mod {}", service.reachable.len()), service.reachable.clone())
        }
        Affinity::Client => {
            (format!("jhash {family} saddr mod {SLOTS} seed {SEED:#x}"), slots::assign(&service.reachable))
        }
    };
    let elements = owners.iter().enumerate().map(|(slot, owner)| {
        let (address, port) = (owner.ip(), owner.port());
        format!("{slot} : {address} . {port}")
    });
    writeln!(out, "\tchain services-{} {{", service.number)?;
    let elements = list(elements);
    writeln!(out, "\t\tmeta l4proto {protocol} dnat {family} addr . port to {choice} map {{ {elements} }}")?;
    out.push_str("\t}\n");
    Ok(())
}

fn write_map<'n>(
    out: &mut String,
    name: &str,
    family: Family,
    services: impl Iterator<Item = &'n Numbered<'n>>,
) -> fmt::Result {
    let elements =
        list(services.map(|service| format!("{} : goto {name}-{}", service.key(), service.number)));
    writeln!(out, "\tmap {name}-{} {{", family.keyword())?;
    writeln!(out, "\t\ttype {} . inet_proto . inet_service : verdict", family.kind())?;
    write_elements(out, &elements)
}

fn write_masqueraded<'n>(
    out: &mut String,
    family: Family,
    services: impl Iterator<Item = &'n Numbered<'n>>,
) -> fmt::Result {
    let cluster = services.filter(|service| service.service.policy == TrafficPolicy::Cluster);
    let elements = list(cluster.map(Numbered::key));
    writeln!(out, "\tset masqueraded-{} {{", family.keyword())?;
    writeln!(out, "\t\ttype {} . inet_proto . inet_service", family.kind())?;
    write_elements(out, &elements)
}

fn write_addresses<'n>(
    out: &mut String,
    family: Family,
    services: impl Iterator<Item = &'n Numbered<'n>>,
) -> fmt::Result {
    let addresses: BTreeSet<IpAddr> = services.map(|service| service.frontend.address).collect();
    writeln!(out, "\tset addresses-{} {{\n\t\ttype {}", family.keyword(), family.kind())?;
    write_elements(out, &list(addresses.iter()))
}

fn write_private(out: &mut String, family: Family, ruleset: &Ruleset) -> fmt::Result {
    let of_family = ruleset.private().filter(|socket| Family::of(socket.ip()) == family);
    writeln!(out, "\tset private-{} {{\n\t\ttype {} . inet_service", family.keyword(), family.kind())?;
    write_elements(out, &list(of_family.map(|socket| format!("{} . {}", socket.ip(), socket.port()))))
}

fn write_elements(out: &mut String, elements: &str) -> fmt::Result {
    if !elements.is_empty() {
        writeln!(out, "\t\telements = {{ {elements} }}")?;
    }
    out.push_str("\t}\n");
    Ok(())
}

fn write_hooks(out: &mut String) -> fmt::Result {
    let chain = |out: &mut String, name: &str, hook: &str, rule: &dyn Fn(&str) -> String| {
        writeln!(out, "\tchain {name} {{\n\t\ttype {hook}; policy accept;")?;
        for family in Family::ALL {
            writeln!(out, "\t\t{}", rule(family.keyword()))?;
        }
        out.push_str("\t}\n");
        fmt::Result::Ok(())
    };
    let guard = |ip: &str| format!("ct state new {ip} daddr . meta l4proto . th dport vmap @guards-{ip}");
    let translate = |ip: &str| format!("{ip} daddr . meta l4proto . th dport vmap @services-{ip}");
    let masquerade = |ip: &str| {
        let original = format!("ct original {ip} daddr . meta l4proto . ct original proto-dst");
        // The program knows the type of the original port only after the protocols are narrowed down.
        format!(
            "meta l4proto {{ tcp, udp }} ct status dnat {original} @masqueraded-{ip} masquerade fully-random"
        )
    };
    let private = |ip: &str| {
        format!("meta l4proto tcp ct status & dnat != dnat {ip} daddr . th dport @private-{ip} drop")
    };
    // What is still addressed to it after translation is for a port without service. Said before routing: the address
    // is on no interface, and there may be no route for it.
    let refuse = |ip: &str| {
        format!(
            "{ip} daddr @addresses-{ip} meta l4proto tcp reject with tcp reset\n\t\t{ip} daddr @addresses-{ip} reject with icmpx port-unreachable"
        )
    };
    chain(out, "guard-forwarded", "filter hook prerouting priority -110", &guard)?;
    chain(out, "guard-own", "filter hook output priority -110", &guard)?;
    chain(out, "translate-forwarded", "nat hook prerouting priority -101", &translate)?;
    chain(out, "translate-own", "nat hook output priority -101", &translate)?;
    chain(out, "keep-private", "filter hook input priority -10", &private)?;
    chain(out, "refuse-forwarded", "filter hook prerouting priority -90", &refuse)?;
    chain(out, "refuse-own", "filter hook output priority -10", &refuse)?;
    chain(out, "masquerade-cluster", "nat hook postrouting priority 99", &masquerade)
}

fn list(parts: impl Iterator<Item = impl ToString>) -> String {
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruleset::{Endpoint, Place, RulesetError};

    fn frontend(address: &str, protocol: Protocol, port: u16) -> Frontend {
        Frontend { address: address.parse().unwrap(), protocol, port }
    }

    fn service(policy: TrafficPolicy, endpoints: &[(&str, Place)]) -> Service {
        let endpoint =
            |(address, place): &(&str, Place)| Endpoint { address: address.parse().unwrap(), place: *place };
        let endpoints = endpoints.iter().map(endpoint).collect();
        Service { endpoints, policy, affinity: Affinity::None, sources: Vec::new() }
    }

    fn rendered(services: Vec<(Frontend, Service)>) -> String {
        let mut ruleset = Ruleset::default();
        services.into_iter().for_each(|(frontend, service)| ruleset.add(frontend, service).unwrap());
        render(&ruleset)
    }

    #[test]
    fn each_kind_of_service_gets_its_rules() {
        let vip = || frontend("198.51.100.10", Protocol::Tcp, 80);
        let (here, there) = (("203.0.113.1:8080", Place::Here), ("203.0.113.2:8080", Place::Elsewhere));
        let (cluster, local) = (TrafficPolicy::Cluster, TrafficPolicy::Local);
        let restricted = |ranges: &[&str]| Service {
            sources: ranges.iter().map(|range| range.parse().unwrap()).collect(),
            ..service(cluster, &[here])
        };
        let masqueraded =
            "\t\ttype ipv4_addr . inet_proto . inet_service\n\t\telements = { 198.51.100.10 . tcp . 80 }";
        let cases = [
            (
                "both endpoints",
                service(cluster, &[here, there]),
                "dnat ip addr . port to numgen random mod 2 map { 0 : 203.0.113.1 . 8080, 1 : 203.0.113.2 . 8080 }",
                true,
            ),
            ("the client's address is replaced", service(cluster, &[here]), masqueraded, true),
            ("or kept", service(local, &[here]), masqueraded, false),
            (
                "only the local endpoint",
                service(local, &[here, there]),
                "mod 1 map { 0 : 203.0.113.1 . 8080 }",
                true,
            ),
            ("another node serves", service(local, &[there]), "chain guards-0 {\n\t\tdrop\n", true),
            (
                "nobody serves",
                service(cluster, &[]),
                "chain guards-0 {\n\t\tmeta l4proto tcp reject with tcp reset\n",
                true,
            ),
            (
                "ranges",
                restricted(&["192.0.2.0/25", "192.0.2.128/25"]),
                "ip saddr != { 192.0.2.0/24 } drop",
                true,
            ),
            (
                "ranges of the other family let nobody in",
                restricted(&["2001:db8::/32"]),
                "ip saddr != { 0.0.0.0/32 } drop",
                true,
            ),
            (
                "a range of everybody restricts nobody",
                restricted(&["192.0.2.0/24", "0.0.0.0/0"]),
                "saddr != {",
                false,
            ),
            (
                "affinity",
                Service { affinity: Affinity::Client, ..service(cluster, &[here]) },
                "jhash ip saddr mod 509 seed 0x66616972 map",
                true,
            ),
        ];
        for (name, service, part, present) in cases {
            let text = rendered(vec![(vip(), service)]);
            assert_eq!(text.contains(part), present, "{name}: {text}");
        }
    }

    #[test]
    fn families_do_not_mix() {
        let mut ruleset = Ruleset::default();
        let wrong = service(TrafficPolicy::Cluster, &[("203.0.113.1:1", Place::Here)]);
        let vip = frontend("2001:db8::1", Protocol::Udp, 53);
        assert!(matches!(ruleset.add(vip, wrong), Err(RulesetError::Family { .. })));
        let right = service(TrafficPolicy::Cluster, &[("[2001:db8::2]:1", Place::Here)]);
        ruleset.add(vip, right.clone()).unwrap();
        assert_eq!(ruleset.add(vip, right), Err(RulesetError::Duplicate(vip)));
        let text = render(&ruleset);
        assert!(text.contains("2001:db8::1 . udp . 53 : goto services-0"), "{text}");
        assert!(text.contains("meta l4proto udp dnat ip6 addr . port to"), "{text}");
    }

    #[test]
    fn the_whole_is_one_replacement() {
        let text = rendered(Vec::new());
        assert!(
            text.starts_with("add table inet fairway\ndelete table inet fairway\ntable inet fairway {\n")
        );
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }
}
