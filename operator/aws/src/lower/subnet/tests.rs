use fairway_core::{
    evaluate::Facts,
    ids::{ProviderKind, StackId, StackKey},
};

use super::*;
use crate::{config::Config, lower::Stop, stack::Stacks};

fn subnet(id: &str, zone: &str, tags: &[&str]) -> Subnet {
    Subnet {
        id: format!("subnet-{id}"),
        zone: zone.to_owned(),
        zone_id: zone.to_owned(),
        zone_type: "availability-zone".to_owned(),
        cidr: "10.0.0.0/24".to_owned(),
        ipv6_cidrs: Vec::new(),
        free_addresses: 100,
        tags: tags.iter().map(|tag| ((*tag).to_owned(), "1".to_owned())).collect(),
    }
}

fn placed(subnets: Vec<Subnet>, kind: LoadBalancerKind) -> Lowering<Vec<String>> {
    let config = Config::new("demo", "us-east-1", "vpc-1");
    let stack = StackId::new(ProviderKind::Aws, StackKey::Group("g".to_owned()));
    let mut facts: Facts<Stacks> = Facts::default();
    facts.insert(Query::Subnets, Answer::Subnets(subnets));
    let scene = Scene::new(&config, &stack, &facts);
    let (scheme, ip_address_type) = (Scheme::InternetFacing, IpAddressType::Ipv4);
    discovered(&scene, Placement { kind, scheme, ip_address_type })
}

const ROLE: &str = "kubernetes.io/role/elb";
const OURS: &str = "kubernetes.io/cluster/demo";

#[test]
fn each_zone_gives_its_best_subnet() {
    let subnets = vec![
        subnet("1", "a", &[ROLE]),
        subnet("2", "a", &[ROLE, OURS]),
        subnet("4", "b", &[ROLE]),
        subnet("3", "b", &[ROLE]),
        subnet("5", "c", &["kubernetes.io/role/internal-elb"]),
    ];
    let want = Ok(vec!["subnet-2".to_owned(), "subnet-3".to_owned()]);
    assert_eq!(placed(subnets, LoadBalancerKind::Application), want);
}

#[test]
fn what_is_refused_is_named_with_its_reason() {
    let mut full = subnet("1", "a", &[ROLE]);
    full.free_addresses = 7;
    let subnets = vec![
        full,
        subnet("2", "b", &[ROLE, "kubernetes.io/cluster/other"]),
        subnet("3", "c", &[ROLE]),
        subnet("4", "d", &[]),
    ];
    let Err(Stop::Error(error)) = placed(subnets.clone(), LoadBalancerKind::Application) else {
        panic!("one zone is not enough for an ALB");
    };
    let text = error.to_string();
    for part in [
        "subnet-1 (a): 7 free addresses, 8 are needed",
        "subnet-2 (b): tagged for another cluster",
        "subnet-3 (c): 1 zone where 2 are needed",
        "subnet-4 (d): no tag kubernetes.io/role/elb",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(placed(subnets, LoadBalancerKind::Network), Ok(vec!["subnet-3".to_owned()]));
}

#[test]
fn subnets_are_given_by_id_or_name_and_have_to_fit_together() {
    let config = Config::new("demo", "us-east-1", "vpc-1");
    let stack = StackId::new(ProviderKind::Aws, StackKey::Group("g".to_owned()));
    let mut facts: Facts<Stacks> = Facts::default();
    let mut named = subnet("2", "b", &[]);
    named.tags.insert("Name".to_owned(), "private".to_owned());
    let all = vec![subnet("1", "a", &[]), named, subnet("3", "a", &[])];
    facts.insert(Query::Subnets, Answer::Subnets(all));
    let scene = Scene::new(&config, &stack, &facts);
    let placement = Placement {
        kind: LoadBalancerKind::Application,
        scheme: Scheme::Internal,
        ip_address_type: IpAddressType::Ipv4,
    };
    let given = |names: &[&str]| {
        given(&scene, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), placement)
    };
    assert_eq!(given(&["private", "subnet-1"]), Ok(vec!["subnet-1".to_owned(), "subnet-2".to_owned()]));
    assert_eq!(given(&["nosuch"]), Err(LowerError::SubnetNotFound("nosuch".to_owned()).into()));
    let clash = LowerError::BadSubnets("two of them are in one zone".to_owned());
    assert_eq!(given(&["subnet-1", "subnet-3"]), Err(clash.into()));
}
