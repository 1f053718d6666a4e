//! The VPC and what stands in it from the beginning.

use std::collections::{BTreeMap, BTreeSet};

use fairway_aws::{
    facts::{Certificate, Interface, InterfaceGroup, Subnet},
    model::Tags,
};
use serde::Deserialize;

use super::{Aws, GroupRow, ZoneRow};

/// What stands in an account from the beginning: the emulator's seed format.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seed {
    vpc: SeedVpc,
    #[serde(default)]
    subnets: Vec<SeedSubnet>,
    #[serde(default)]
    security_groups: Vec<SeedGroup>,
    #[serde(default)]
    instances: Vec<SeedInstance>,
    #[serde(default)]
    hosted_zones: Vec<SeedZone>,
    #[serde(default)]
    certificates: Vec<SeedCertificate>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeedVpc {
    id: String,
    cidr: String,
    default_security_group: String,
}

#[derive(Debug, Clone, Deserialize)]
struct SeedSubnet {
    id: String,
    name: String,
    zone: String,
    cidr: String,
    #[serde(default)]
    tags: Tags,
}

#[derive(Debug, Clone, Deserialize)]
struct SeedGroup {
    id: String,
    name: String,
    #[serde(default)]
    tags: Tags,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeedInstance {
    id: String,
    private_address: String,
    security_groups: Vec<String>,
    #[serde(default)]
    pod_addresses: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct SeedZone {
    id: String,
    name: String,
}

#[derive(Debug, Clone, Deserialize)]
struct SeedCertificate {
    arn: String,
    domain: String,
}

impl Aws {
    /// An account that holds what the seed names.
    #[must_use]
    pub fn seeded(seed: Seed) -> Self {
        let mut aws = Self {
            vpc: seed.vpc.id,
            vpc_cidrs: vec![seed.vpc.cidr],
            default_group: seed.vpc.default_security_group,
            ..Self::default()
        };
        let default = GroupRow::new(&aws.default_group, "default", "default VPC security group", Tags::new());
        aws.groups.insert(aws.default_group.clone(), default);
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        for group in seed.security_groups {
            ids.insert(group.name.clone(), group.id.clone());
            aws.groups
                .insert(group.id.clone(), GroupRow::new(&group.id, &group.name, &group.name, group.tags));
        }
        aws.subnets = seed.subnets.into_iter().map(|subnet| (subnet.id.clone(), subnet.place())).collect();
        for instance in seed.instances {
            aws.add_instance(instance, &ids);
        }
        aws.zones =
            seed.hosted_zones.into_iter().map(|z| (z.id.clone(), ZoneRow::new(&z.id, &z.name))).collect();
        aws.certificates = seed.certificates.into_iter().map(|c| (c.arn.clone(), c.issued())).collect();
        aws
    }

    fn add_instance(&mut self, instance: SeedInstance, ids: &BTreeMap<String, String>) {
        let group = |name: &String| {
            let id = ids.get(name).cloned().unwrap_or_else(|| name.clone());
            let tags = self.groups.get(&id).map(|group| group.tags.clone()).unwrap_or_default();
            InterfaceGroup { id, tags }
        };
        let groups = instance.security_groups.iter().map(group).collect();
        let id = format!("eni-{}", instance.id.trim_start_matches("i-"));
        let addresses = [vec![instance.private_address.clone()], instance.pod_addresses].concat();
        let interface = Interface { id: id.clone(), instance: Some(instance.id.clone()), addresses, groups };
        self.interfaces.insert(id, interface);
        self.instances.insert(instance.id, instance.private_address);
    }

    /// Whether an address lies in one of the VPC's ranges.
    pub(super) fn in_vpc(&self, address: &str) -> bool {
        let Ok(address) = address.parse::<std::net::Ipv4Addr>() else { return false };
        self.vpc_cidrs.iter().any(|cidr| {
            let Some((net, bits)) = cidr.split_once('/') else { return false };
            let (Ok(net), Ok(bits)) = (net.parse::<std::net::Ipv4Addr>(), bits.parse::<u32>()) else {
                return false;
            };
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            net.to_bits() & mask == address.to_bits() & mask
        })
    }

    /// Security groups that somebody's interface carries.
    pub(super) fn groups_in_use(&self) -> BTreeSet<&str> {
        let nodes =
            self.interfaces.values().flat_map(|interface| &interface.groups).map(|group| group.id.as_str());
        let balancers =
            self.balancers.values().flat_map(|balancer| &balancer.security_groups).map(String::as_str);
        let gone =
            self.lingering.iter().filter(|(until, _)| *until > self.now).flat_map(|(_, groups)| groups);
        nodes.chain(balancers).chain(gone.map(String::as_str)).collect()
    }
}

impl SeedSubnet {
    fn place(self) -> Subnet {
        let letter = self.zone.chars().last().unwrap_or('a');
        let number = u32::from(letter) - u32::from('a') + 1;
        let mut tags = self.tags;
        tags.entry("Name".to_owned()).or_insert(self.name);
        Subnet {
            id: self.id,
            zone_id: format!("use1-az{number}"),
            zone: self.zone,
            zone_type: "availability-zone".to_owned(),
            cidr: self.cidr,
            ipv6_cidrs: Vec::new(),
            free_addresses: 4000,
            tags,
        }
    }
}

impl SeedCertificate {
    fn issued(self) -> Certificate {
        Certificate { arn: self.arn, names: vec![self.domain.to_lowercase()], issued: true }
    }
}
