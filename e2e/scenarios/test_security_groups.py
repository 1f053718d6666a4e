"""Doors of a load balancer that do not fit one security group."""

from e2e.lib.waiting import eventually, need

IP = {"target-type": "ip"}
ROUTE = ("doors.example.com", "/", "Prefix", "web", 80)
RESOURCE = "ingress.k8s.aws/resource"


def ranges(numbers):
    return [f"10.{number}.0.0/16" for number in numbers]


def doors(shop, name, numbers, **more):
    asked = {**IP, "inbound-cidrs": ",".join(ranges(numbers)), **more}
    shop.ingress(name, [ROUTE], asked)


def groups(cloud, shop, name):
    """Ranges that are let in by managed groups of a stack, by their resource id, and ids likewise."""
    marks = [{"Name": "tag:ingress.k8s.aws/stack", "Values": [f"{shop.namespace}/{name}"]}]
    found = cloud.ec2.describe_security_groups(Filters=marks)["SecurityGroups"]
    role = {group["GroupId"]: next(tag["Value"] for tag in group["Tags"] if tag["Key"] == RESOURCE) for group in found}
    sources = {
        role[group["GroupId"]]: sorted(one["CidrIp"] for rule in group["IpPermissions"] for one in rule["IpRanges"]) for group in found
    }
    return sources, {role: group for group, role in role.items()}


def carried(cloud, shop, name):
    return set(cloud.elb.describe_load_balancers(LoadBalancerArns=[shop.arn(name)])["LoadBalancers"][0]["SecurityGroups"])


def lets_in(cloud, shop, name, numbers, many):
    """Waits until exactly these ranges are let in, by so many groups that the load balancer carries; gives them."""

    def probe():
        sources, ids = groups(cloud, shop, name)
        need(sorted(one for all in sources.values() for one in all) == sorted(ranges(numbers)), sources)
        need(len(sources) == many, sources)
        need(set(ids.values()) <= carried(cloud, shop, name), ids)
        return sources

    return eventually(f"{len(numbers)} ranges in {many} groups", probe)


def test_ranges_that_do_not_fit_one_group_are_spread_and_stay_where_they_are(shop, cloud):
    doors(shop, "wide", range(50))
    shop.up("wide")
    first = lets_in(cloud, shop, "wide", range(50), 1)
    assert set(first) == {"ManagedLBSecurityGroup"}

    doors(shop, "wide", range(130))
    spread = lets_in(cloud, shop, "wide", range(130), 3)
    assert set(spread) == {"ManagedLBSecurityGroup", "ManagedLBSecurityGroup:2", "ManagedLBSecurityGroup:3"}
    assert set(first["ManagedLBSecurityGroup"]) <= set(spread["ManagedLBSecurityGroup"])

    doors(shop, "wide", range(131))
    one_more = lets_in(cloud, shop, "wide", range(131), 3)
    assert {role: set(spread[role]) - set(one_more[role]) for role in spread} == {role: set() for role in spread}

    mark = cloud.mark()
    doors(shop, "wide", range(40))
    lets_in(cloud, shop, "wide", range(40), 1)
    calls = [call["operation"] for call in cloud.writes(mark)]
    assert calls.index("SetSecurityGroups") < calls.index("DeleteSecurityGroup"), calls
    shop.remove("Ingress", "wide")


def test_all_ranges_change_without_a_moment_in_which_nobody_is_let_in(shop, cloud):
    doors(shop, "changed", range(60))
    shop.up("changed")
    lets_in(cloud, shop, "changed", range(60), 1)
    mark = cloud.mark()
    doors(shop, "changed", range(100, 160))
    lets_in(cloud, shop, "changed", range(100, 160), 1)
    calls = [call["operation"] for call in cloud.writes(mark)]
    order = ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "SetSecurityGroups", "RevokeSecurityGroupIngress"]
    first = [calls.index(call) for call in order]
    assert first == sorted(first), calls
    shop.remove("Ingress", "changed")


def test_a_prefix_list_counts_as_often_as_it_may_have_entries(shop, cloud):
    made = [
        cloud.ec2.create_managed_prefix_list(PrefixListName=name, MaxEntries=40, AddressFamily="IPv4")["PrefixList"]["PrefixListId"]
        for name in ("offices", "partners")
    ]
    shop.ingress("lists", [ROUTE], {**IP, "security-group-prefix-lists": ",".join(made)})
    shop.up("lists")

    def probe():
        found = groups(cloud, shop, "lists")[1]
        need(len(found) == 2, found)
        need(set(found.values()) <= carried(cloud, shop, "lists"), found)

    eventually("two groups", probe)
    shop.remove("Ingress", "lists")
    for one in made:
        cloud.ec2.delete_managed_prefix_list(PrefixListId=one)


def test_what_fits_no_group_is_held_with_the_numbers(shop, cloud):
    doors(shop, "held", range(20))
    shop.up("held")
    lets_in(cloud, shop, "held", range(20), 1)
    doors(shop, "held", range(241))
    said = shop.cluster.warned("Ingress", shop.namespace, "held", "LimitExceeded")
    assert "241 permissions in its 4 security groups" in said and "240 is the most" in said
    assert sorted(groups(cloud, shop, "held")[0]) == ["ManagedLBSecurityGroup"]
    shop.remove("Ingress", "held")


def test_a_neighbour_does_not_wait_because_of_groups_that_a_held_member_gave(shop, cloud):
    shared = [{"Name": "tag:elbv2.k8s.aws/resource", "Values": ["backend-sg"]}]

    def unshared():
        found = cloud.ec2.describe_security_groups(Filters=shared)["SecurityGroups"]
        need(not found, found)

    eventually("no shared group from other stacks", unshared)
    group = {**IP, "group.name": shop.namespace}
    shop.ingress("gives", [ROUTE], {**group, "security-groups": "sg-0a"})
    shop.cluster.warned("Ingress", shop.namespace, "gives", "SecurityGroupNotFound")
    shop.ingress("plain", [ROUTE], group)
    shop.address("plain")
    (backend,) = cloud.ec2.describe_security_groups(Filters=shared)["SecurityGroups"]
    assert backend["GroupId"] in carried(cloud, shop, "plain")
    shop.remove("Ingress", "gives")
    shop.remove("Ingress", "plain")
