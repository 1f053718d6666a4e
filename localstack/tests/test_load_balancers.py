"""Load balancers: what AWS does. In order, in one account."""

import re

import pytest
from account import Account, outcome, satisfies, unique

OBJECTS = (
    "base",
    "network",
)


def delete_protected(on):
    arn = on.balancer()["LoadBalancerArn"]
    protect = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    on.elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protect)
    return outcome(on.elbv2.delete_load_balancer, LoadBalancerArn=arn)


def addresses_of_mappings(on):
    allocations = [on.ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in on.pair]
    mappings = [{"SubnetId": subnet, "AllocationId": own} for subnet, own in zip(on.pair, allocations)]
    balancer = on.balancer(Type="network", SubnetMappings=mappings)
    addresses = [zone["LoadBalancerAddresses"] for zone in balancer["AvailabilityZones"]]
    return [[address.get("AllocationId") for address in zone] for zone in addresses]


CHECKS = [
    (
        "lb.idempotent_same_settings",
        "OK",
        lambda on: outcome(
            on.elbv2.create_load_balancer, Name="base1", Subnets=on.pair, SecurityGroups=[on.base_group]
        ),
    ),
    (
        "lb.dup_name_other_settings",
        "DuplicateLoadBalancerName",
        lambda on: outcome(on.elbv2.create_load_balancer, Name="base1", Subnets=on.pair, Scheme="internal"),
    ),
    (
        "lb.one_subnet",
        "ValidationError",
        lambda on: outcome(on.elbv2.create_load_balancer, Name=unique(), Subnets=on.pair[:1]),
    ),
    (
        "lb.same_az",
        "InvalidConfigurationRequest|ValidationError",
        lambda on: outcome(on.elbv2.create_load_balancer, Name=unique(), Subnets=[on.subnets["a"], on.subnets["a2"]]),
    ),
    ("lb.name33", "ValidationError", lambda on: outcome(on.elbv2.create_load_balancer, Name="a" * 33, Subnets=on.pair)),
    (
        "lb.name_internal_prefix",
        "ValidationError",
        lambda on: outcome(on.elbv2.create_load_balancer, Name="internal-x", Subnets=on.pair),
    ),
    (
        "lb.name_hyphen_edge",
        "ValidationError",
        lambda on: outcome(on.elbv2.create_load_balancer, Name="-x", Subnets=on.pair),
    ),
    (
        "lb.subnet_notfound",
        "SubnetNotFound|InvalidSubnet",
        lambda on: outcome(on.elbv2.create_load_balancer, Name=unique(), Subnets=["subnet-0123", "subnet-0124"]),
    ),
    (
        "lb.sg_notfound",
        "InvalidSecurityGroup",
        lambda on: outcome(
            on.elbv2.create_load_balancer, Name=unique(), Subnets=on.pair, SecurityGroups=["sg-0123456"]
        ),
    ),
    ("lb.state_provisioning_on_create", "provisioning", lambda on: on.base["State"]["Code"]),
    ("lb.becomes_active", "active", lambda on: on.becomes_active()),
    ("lb.hosted_zone_alb_us_east_1", "Z35SXDOTRQ7X7K", lambda on: on.base["CanonicalHostedZoneId"]),
    ("lb.hosted_zone_nlb_us_east_1", "Z26RNL4JYFTOTI", lambda on: on.network["CanonicalHostedZoneId"]),
    (
        "lb.dns_alb_form",
        lambda g: re.match("^base1-\\d{6,10}\\.us-east-1\\.elb\\.amazonaws\\.com$", g),
        lambda on: on.base["DNSName"],
    ),
    (
        "lb.dns_nlb_form",
        lambda g: re.match("^nlb1-[0-9a-f]{16}\\.elb\\.us-east-1\\.amazonaws\\.com$", g),
        lambda on: on.network["DNSName"],
    ),
    (
        "lb.dns_internal_prefix",
        lambda g: g.startswith("internal-"),
        lambda on: on.balancer(Scheme="internal")["DNSName"],
    ),
    ("lb.nlb_default_scheme", "internet-facing", lambda on: on.network["Scheme"]),
    ("lb.alb_default_sg_when_none", lambda g: len(g) == 1, lambda on: on.balancer()["SecurityGroups"]),
    (
        "lb.notfound_arn",
        "LoadBalancerNotFound",
        lambda on: outcome(on.elbv2.describe_load_balancers, LoadBalancerArns=[on.base_arn[:-4] + "0000"]),
    ),
    ("lb.notfound_name", "LoadBalancerNotFound", lambda on: outcome(on.elbv2.describe_load_balancers, Names=["nope"])),
    (
        "lb.pagesize",
        lambda g: g[0] == 2 and g[1],
        lambda on: (lambda r: (len(r["LoadBalancers"]), r.get("NextMarker")))(
            on.elbv2.describe_load_balancers(PageSize=2)
        ),
    ),
    (
        "lb.paginator_total",
        lambda g: g[0] == g[1],
        lambda on: (
            sum(
                (
                    len(p["LoadBalancers"])
                    for p in on.elbv2.get_paginator("describe_load_balancers").paginate(
                        PaginationConfig={"PageSize": 2}
                    )
                )
            ),
            len(on.elbv2.describe_load_balancers()["LoadBalancers"]),
        ),
    ),
    (
        "lb.delete_nonexistent_ok",
        "OK",
        lambda on: outcome(on.elbv2.delete_load_balancer, LoadBalancerArn=on.base_arn[:-4] + "0000"),
    ),
    ("lb.deletion_protection", "OperationNotPermitted", lambda on: delete_protected(on)),
    (
        "lb.attr_unknown_key",
        "InvalidConfigurationRequest|ValidationError",
        lambda on: outcome(
            on.elbv2.modify_load_balancer_attributes,
            LoadBalancerArn=on.base_arn,
            Attributes=[{"Key": "nope.nope", "Value": "1"}],
        ),
    ),
    (
        "lb.attr_default_count_alb>=18",
        lambda g: len(g) >= 18,
        lambda on: sorted(
            (a["Key"] for a in on.elbv2.describe_load_balancer_attributes(LoadBalancerArn=on.base_arn)["Attributes"])
        ),
    ),
    (
        "lb.attr_nlb_dns_record_policy",
        lambda g: "dns_record.client_routing_policy" in g,
        lambda on: sorted(
            (
                a["Key"]
                for a in on.elbv2.describe_load_balancer_attributes(LoadBalancerArn=on.network["LoadBalancerArn"])[
                    "Attributes"
                ]
            )
        ),
    ),
    (
        "lb.attr_newer_keys_accepted",
        "OK",
        lambda on: outcome(
            on.elbv2.modify_load_balancer_attributes,
            LoadBalancerArn=on.base_arn,
            Attributes=[
                {"Key": k, "Value": v}
                for k, v in (
                    ("zonal_shift.config.enabled", "true"),
                    ("connection_logs.s3.enabled", "false"),
                    ("routing.http.xff_client_port.enabled", "true"),
                    ("client_keep_alive.seconds", "60"),
                    ("routing.http.preserve_host_header.enabled", "true"),
                )
            ],
        ),
    ),
    (
        "lb.attr_bad_value",
        "ValidationError|InvalidConfigurationRequest",
        lambda on: outcome(
            on.elbv2.modify_load_balancer_attributes,
            LoadBalancerArn=on.base_arn,
            Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "99999"}],
        ),
    ),
    (
        "lb.set_subnets",
        "OK",
        lambda on: outcome(
            on.elbv2.set_subnets,
            LoadBalancerArn=on.base_arn,
            Subnets=[on.subnets["a"], on.subnets["b"], on.subnets["c"]],
        ),
    ),
    (
        "lb.set_subnets_one",
        "ValidationError|InvalidConfigurationRequest",
        lambda on: outcome(on.elbv2.set_subnets, LoadBalancerArn=on.base_arn, Subnets=[on.subnets["a"]]),
    ),
    (
        "lb.set_sg",
        "OK",
        lambda on: outcome(on.elbv2.set_security_groups, LoadBalancerArn=on.base_arn, SecurityGroups=[on.base_group]),
    ),
    (
        "lb.set_sg_bad",
        "InvalidSecurityGroup",
        lambda on: outcome(on.elbv2.set_security_groups, LoadBalancerArn=on.base_arn, SecurityGroups=["sg-0000"]),
    ),
    (
        "lb.set_sg_nlb_without_sg",
        "InvalidConfigurationRequest",
        lambda on: outcome(
            on.elbv2.set_security_groups, LoadBalancerArn=on.network["LoadBalancerArn"], SecurityGroups=[on.base_group]
        ),
    ),
    (
        "lb.dualstack_without_v6_subnets",
        "ValidationError|InvalidSubnet|InvalidConfigurationRequest",
        lambda on: outcome(on.elbv2.set_ip_address_type, LoadBalancerArn=on.base_arn, IpAddressType="dualstack"),
    ),
    (
        "lb.nlb_eip_mapping_returned",
        lambda g: all((len(x) == 1 and x[0] for x in g)),
        lambda on: addresses_of_mappings(on),
    ),
    (
        "lb.nlb_private_ipv4_mapping",
        lambda g: "10.0.0.50" in str(g),
        lambda on: on.balancer(
            Type="network",
            Scheme="internal",
            SubnetMappings=[
                {"SubnetId": on.pair[0], "PrivateIPv4Address": "10.0.0.50"},
                {"SubnetId": on.pair[1], "PrivateIPv4Address": "10.0.1.50"},
            ],
        )["AvailabilityZones"],
    ),
    (
        "lb.ipam_pool_of_creation",
        "ipam-pool-1",
        lambda on: on.balancer(IpamPools={"Ipv4IpamPoolId": "ipam-pool-1"})["IpamPools"]["Ipv4IpamPoolId"],
    ),
    (
        "lb.ipam_pool_removed",
        {},
        lambda on: on.elbv2.modify_ip_pools(
            LoadBalancerArn=on.balancer(IpamPools={"Ipv4IpamPoolId": "ipam-pool-1"})["LoadBalancerArn"],
            RemoveIpamPools=["ipv4"],
        )["IpamPools"],
    ),
    (
        "lb.eni_visible_for_lb",
        lambda g: g >= 2,
        lambda on: len(
            on.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["ELB app/base1/*"]}])[
                "NetworkInterfaces"
            ]
        ),
    ),
    (
        "lb.sg_delete_dependency",
        "DependencyViolation",
        lambda on: outcome(on.ec2.delete_security_group, GroupId=on.base_group),
    ),
]


@pytest.fixture(scope="module")
def account(emulator, clients):
    emulator.control("POST", "reset", {"seed": None})
    return Account(clients).with_objects(OBJECTS)


@pytest.mark.parametrize(("wanted", "look"), [pytest.param(*check[1:], id=check[0]) for check in CHECKS])
def test_check(wanted, look, account):
    found = look(account)
    assert satisfies(wanted, found), f"wanted {wanted}, found {found}"
