"""Seeds: ids as given or derived, references, recorded environments, and the state read back by names."""

import json
from pathlib import Path

import pytest
from fairway_localstack.seed.document import read_seed

from e2e.lib.aws_state import dump

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
RECORDED = {
    "cluster": "demo",
    "region": "us-east-1",
    "vpc": [
        {
            "VpcId": "vpc-0aaaaaaaaaaaaaaaa",
            "OwnerId": "000000000000",
            "CidrBlock": "10.0.0.0/16",
            "Tags": [],
            "CidrBlockAssociationSet": [{"CidrBlock": "10.0.0.0/16"}],
        }
    ],
    "subnets": [
        {
            "SubnetId": f"subnet-0{zone * 16}",
            "AvailabilityZone": f"us-east-1{zone}",
            "CidrBlock": f"10.0.{number}.0/24",
            "Tags": [{"Key": "kubernetes.io/role/elb", "Value": "1"}],
        }
        for number, zone in enumerate("abc")
    ],
    "securityGroups": [
        {"GroupId": "sg-0ddddddddddddddd0", "GroupName": "default", "Description": "default VPC security group"},
        {"GroupId": "sg-0eeeeeeeeeeeeeee0", "GroupName": "nodes", "Description": "of nodes", "Tags": []},
    ],
    "instances": [
        {
            "InstanceId": "i-0fffffffffffffff0",
            "InstanceType": "m1.small",
            "SubnetId": "subnet-0aaaaaaaaaaaaaaaa",
            "NetworkInterfaces": [
                {
                    "NetworkInterfaceId": "eni-0bbbbbbbbbbbbbbb0",
                    "PrivateIpAddress": "10.0.0.4",
                    "Groups": [{"GroupId": "sg-0eeeeeeeeeeeeeee0"}],
                    "PrivateIpAddresses": [
                        {"Primary": True, "PrivateIpAddress": "10.0.0.4"},
                        {"Primary": False, "PrivateIpAddress": "10.0.0.5"},
                    ],
                }
            ],
        }
    ],
    "certificate": {
        "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555",
        "DomainName": "*.example.com",
        "SubjectAlternativeNames": ["*.example.com"],
        "Type": "IMPORTED",
    },
    "zone": "/hostedzone/ZRECORDED",
}


def test_ids_that_are_not_given_are_the_same_each_time():
    first, second = (read_seed(json.loads((SEEDS / "three-zones.json").read_text())) for _ in range(2))
    assert first == second
    assert first["securityGroups"][0]["id"].startswith("sg-")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vpc": {"cidr": "10.0.0.0/16", "colour": "red"}}, "colour"),
        ({"subnet": []}, "subnet"),
        ({"subnets": [{"cidr": "10.0.0.0/24"}]}, "zone"),
        (
            {"instances": [{"name": "n", "subnet": "nowhere", "privateAddress": "10.0.0.9", "securityGroups": []}]},
            "nowhere",
        ),
    ],
)
def test_a_seed_that_cannot_be_read_says_why(change, message):
    with pytest.raises(ValueError, match=message):
        read_seed({"vpc": {"cidr": "10.0.0.0/16"}, **change})


def test_the_default_seed_has_what_a_controller_looks_for(emulator, clients):
    emulator.control("POST", "reset", {"seed": json.loads((SEEDS / "three-zones.json").read_text())})
    ec2 = clients.client("ec2")
    for role in ("elb", "internal-elb"):
        filters = [{"Name": f"tag:kubernetes.io/role/{role}", "Values": ["1", ""]}]
        found = ec2.describe_subnets(Filters=filters)["Subnets"]
        assert {subnet["AvailabilityZone"] for subnet in found} == {"us-east-1a", "us-east-1b", "us-east-1c"}
    instance = ec2.describe_instances(InstanceIds=["i-00000000000000001"])["Reservations"][0]["Instances"][0]
    assert instance["Placement"]["AvailabilityZone"] == "us-east-1a"
    addresses = [address["PrivateIpAddress"] for address in instance["NetworkInterfaces"][0]["PrivateIpAddresses"]]
    assert addresses[0] == instance["PrivateIpAddress"]
    assert len(addresses) == 63
    certificates = clients.client("acm").list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
    assert [certificate["DomainName"] for certificate in certificates] == ["*.example.com"]


def test_a_recorded_environment_stands_up_with_its_ids(emulator, clients):
    emulator.control("POST", "reset", {"seed": RECORDED})
    ec2 = clients.client("ec2")
    assert [vpc["VpcId"] for vpc in ec2.describe_vpcs(VpcIds=["vpc-0aaaaaaaaaaaaaaaa"])["Vpcs"]] == [
        "vpc-0aaaaaaaaaaaaaaaa"
    ]
    filters = [{"Name": "vpc-id", "Values": ["vpc-0aaaaaaaaaaaaaaaa"]}]
    groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    assert {group["GroupId"]: group["Description"] for group in groups} == {
        "sg-0ddddddddddddddd0": "default VPC security group",
        "sg-0eeeeeeeeeeeeeee0": "of nodes",
    }
    found = ec2.describe_instances(InstanceIds=["i-0fffffffffffffff0"])["Reservations"][0]["Instances"][0]
    interface = found["NetworkInterfaces"][0]
    assert interface["NetworkInterfaceId"] == "eni-0bbbbbbbbbbbbbbb0"
    assert [address["PrivateIpAddress"] for address in interface["PrivateIpAddresses"]] == ["10.0.0.4", "10.0.0.5"]
    zones = clients.client("route53").list_hosted_zones()["HostedZones"]
    assert [(zone["Id"], zone["Name"]) for zone in zones] == [("/hostedzone/ZRECORDED", "example.com.")]
    arn = RECORDED["certificate"]["CertificateArn"]
    assert clients.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"


def test_a_reset_forgets_objects_faults_time_and_counts(world, clients):
    world("POST", "clock", {"advance": 100})
    world("PUT", "faults", {"rules": [{"id": "x", "count": -1}]})
    world("POST", "reset", {"seed": None})
    assert world("GET", "faults") == {"seed": 0, "rules": [], "limits": []}
    assert world("GET", "clock")["offset_seconds"] == 0
    assert world("GET", "counters")["total"] == 0
    assert clients.client("route53").list_hosted_zones()["HostedZones"] == []


def test_the_state_is_read_back_by_names(emulator, clients):
    emulator.control("POST", "reset", {"seed": RECORDED})
    elb, dns = clients.client("elbv2"), clients.client("route53")
    group = elb.create_target_group(
        Name="web",
        Protocol="HTTP",
        Port=80,
        VpcId="vpc-0aaaaaaaaaaaaaaaa",
        TargetType="ip",
        Tags=[{"Key": "a", "Value": "b"}],
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.5"}, {"Id": "10.0.0.6", "Port": 81}])
    balancer = elb.create_load_balancer(
        Name="shop",
        Subnets=["subnet-0aaaaaaaaaaaaaaaa", "subnet-0bbbbbbbbbbbbbbbb"],
        SecurityGroups=["sg-0eeeeeeeeeeeeeee0"],
    )["LoadBalancers"][0]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    listener = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=forward
    )["Listeners"][0]["ListenerArn"]
    path = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/x"]}}]
    elb.create_rule(ListenerArn=listener, Priority=3, Conditions=path, Actions=forward)
    alias = {
        "HostedZoneId": balancer["CanonicalHostedZoneId"],
        "DNSName": balancer["DNSName"],
        "EvaluateTargetHealth": True,
    }
    dns.change_resource_record_sets(
        HostedZoneId="ZRECORDED",
        ChangeBatch={
            "Changes": [
                {
                    "Action": "CREATE",
                    "ResourceRecordSet": {"Name": "shop.example.com", "Type": "A", "AliasTarget": alias},
                },
            ]
        },
    )

    state = dump(emulator.endpoint)

    rendered = {
        "Type": "forward",
        "TargetGroupArn": "web",
        "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": "web", "Weight": 1}],
            "TargetGroupStickinessConfig": {"Enabled": False},
        },
    }
    shop = state["loadBalancers"]["shop"]
    assert shop["zones"] == ["us-east-1a/10.0.0.0/24", "us-east-1b/10.0.1.0/24"]
    assert shop["securityGroups"] == ["nodes"]
    assert shop["listeners"]["80/HTTP"] == {
        "alpn": None,
        "certificates": [],
        "default": [rendered],
        "ssl": None,
        "tags": {},
        "rules": [{"actions": [rendered], "conditions": path, "priority": "3"}],
    }
    assert state["targetGroups"]["web"]["targets"] == ["10.0.0.5:80", "10.0.0.6:81"]
    assert state["targetGroups"]["web"]["tags"] == {"a": "b"}
    assert state["securityGroups"] == {"nodes": {"description": "of nodes", "ingress": [], "tags": {}}}
    assert state["records"] == {
        "example.com.": [
            {
                "Name": "shop.example.com.",
                "Type": "A",
                "alias": {"to": "loadBalancer:shop", "zone": "Z35SXDOTRQ7X7K", "health": True},
            }
        ]
    }
