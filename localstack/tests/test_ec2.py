"""EC2: what AWS does. In order, in one account."""

import pytest
from account import PORT_80, Account, outcome, satisfies, unique

OBJECTS = ("tagged_group",)


def delete_referenced(on):
    holder, source = on.group(), on.group()
    pairs = [{"GroupId": source, "Description": "z"}]
    permission = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": pairs}
    on.ec2.authorize_security_group_ingress(GroupId=holder, IpPermissions=[permission])
    return outcome(on.ec2.delete_security_group, GroupId=source)


def delete_in_use(on):
    group = on.group()
    on.balancer(SecurityGroups=[group])
    return outcome(on.ec2.delete_security_group, GroupId=group)


def run_and_describe(on):
    ran = on.ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=on.pair[0])
    wanted = [ran["Instances"][0]["InstanceId"]]
    return on.ec2.describe_instances(InstanceIds=wanted)["Reservations"][0]["Instances"][0]


CHECKS = [
    (
        "sg.tags_on_create",
        lambda g: g == [{"Key": "k", "Value": "v"}],
        lambda on: on.ec2.describe_security_groups(GroupIds=[on.tagged_group])["SecurityGroups"][0].get("Tags"),
    ),
    (
        "sg.dup_rule",
        "InvalidPermission.Duplicate",
        lambda on: outcome(on.ec2.authorize_security_group_ingress, GroupId=on.tagged_group, IpPermissions=PORT_80),
    ),
    (
        "sg.revoke_missing",
        "InvalidPermission.NotFound",
        lambda on: outcome(
            on.ec2.revoke_security_group_ingress,
            GroupId=on.tagged_group,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 81, "ToPort": 81, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
        ),
    ),
    (
        "sg.dup_name",
        "InvalidGroup.Duplicate",
        lambda on: (
            lambda n: (
                on.ec2.create_security_group(VpcId=on.vpc, GroupName=n, Description="d"),
                outcome(on.ec2.create_security_group, VpcId=on.vpc, GroupName=n, Description="d"),
            )[1]
        )(unique()),
    ),
    (
        "sg.rules_limit_60",
        "RulesPerSecurityGroupLimitExceeded",
        lambda on: outcome(
            on.ec2.authorize_security_group_ingress,
            GroupId=on.tagged_group,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": p, "ToPort": p, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
                for p in range(1000, 1070)
            ],
        ),
    ),
    ("sg.delete_referenced", "DependencyViolation", lambda on: delete_referenced(on)),
    (
        "sg.filter_tagkey_page",
        lambda g: g[0] == 1,
        lambda on: (
            len(
                on.ec2.describe_security_groups(
                    Filters=[{"Name": "tag:k", "Values": ["v"]}, {"Name": "vpc-id", "Values": [on.vpc]}]
                )["SecurityGroups"]
            ),
        ),
    ),
    (
        "sg.maxresults_page",
        lambda g: g[0] == 5 and g[1],
        lambda on: (lambda r: (len(r["SecurityGroups"]), r.get("NextToken")))(
            on.ec2.describe_security_groups(MaxResults=5)
        ),
    ),
    (
        "sg.notfound",
        "InvalidGroup.NotFound|InvalidGroupId.Malformed",
        lambda on: outcome(on.ec2.describe_security_groups, GroupIds=["sg-0123456789abcdef0"]),
    ),
    (
        "sg.invalid_desc_char",
        "InvalidParameterValue",
        lambda on: outcome(on.ec2.create_security_group, VpcId=on.vpc, GroupName=unique(), Description="bad☃"),
    ),
    (
        "subnet.filter_role_tag",
        lambda g: g == 1,
        lambda on: (
            on.ec2.create_tags(Resources=[on.subnets["a"]], Tags=[{"Key": "kubernetes.io/role/elb", "Value": "1"}]),
            len(
                on.ec2.describe_subnets(
                    Filters=[
                        {"Name": "tag:kubernetes.io/role/elb", "Values": ["1", ""]},
                        {"Name": "vpc-id", "Values": [on.vpc]},
                    ]
                )["Subnets"]
            ),
        )[1],
    ),
    (
        "subnet.notfound",
        "InvalidSubnetID.NotFound",
        lambda on: outcome(on.ec2.describe_subnets, SubnetIds=["subnet-0123456789abcdef0"]),
    ),
    (
        "inst.notfound",
        "InvalidInstanceID.NotFound",
        lambda on: outcome(on.ec2.describe_instances, InstanceIds=["i-0123456789abcdef0"]),
    ),
    (
        "inst.run_describe",
        lambda g: g[0] == g[1]["VpcId"] and len(g[1]["NetworkInterfaces"]) == 1,
        lambda on: (on.vpc, run_and_describe(on)),
    ),
    (
        "eni.filter_private_ip",
        lambda g: g[1] == [g[0]],
        lambda on: (
            on.interface,
            [
                n["NetworkInterfaceId"]
                for n in on.ec2.describe_network_interfaces(
                    Filters=[
                        {"Name": "addresses.private-ip-address", "Values": ["10.0.0.200"]},
                        {"Name": "vpc-id", "Values": [on.vpc]},
                    ]
                )["NetworkInterfaces"]
            ],
        ),
    ),
    (
        "eni.notfound",
        "InvalidNetworkInterfaceID.NotFound",
        lambda on: outcome(on.ec2.describe_network_interfaces, NetworkInterfaceIds=["eni-0123456789abcdef0"]),
    ),
    (
        "az.zone_type",
        lambda g: g == "availability-zone",
        lambda on: on.ec2.describe_availability_zones(ZoneNames=["us-east-1a"])["AvailabilityZones"][0].get("ZoneType"),
    ),
    (
        "az.ids",
        lambda g: g[0].startswith("use1-az"),
        lambda on: [z["ZoneId"] for z in on.ec2.describe_availability_zones()["AvailabilityZones"]],
    ),
    (
        "rt.describe",
        lambda g: g >= 1,
        lambda on: len(on.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [on.vpc]}])["RouteTables"]),
    ),
    ("ec2.get_sgs_for_vpc", "OK", lambda on: outcome(on.ec2.get_security_groups_for_vpc, VpcId=on.vpc)),
    (
        "ec2.createtags_notfound",
        lambda g: g[0].endswith(".NotFound") or "Invalid" in g[0],
        lambda on: outcome(on.ec2.create_tags, Resources=["sg-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "b"}]),
    ),
    ("sg.delete_while_lb_uses_it", "DependencyViolation", lambda on: delete_in_use(on)),
]


@pytest.fixture(scope="module")
def account(emulator, clients):
    emulator.control("POST", "reset", {"seed": None})
    return Account(clients).with_objects(OBJECTS)


@pytest.mark.parametrize(("wanted", "look"), [pytest.param(*check[1:], id=check[0]) for check in CHECKS])
def test_check(wanted, look, account):
    found = look(account)
    assert satisfies(wanted, found), f"wanted {wanted}, found {found}"
