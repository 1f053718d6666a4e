"""Which ports of nodes and pods load balancers reach: a span of those that are needed, or all of them."""

from e2e.lib.waiting import eventually, need

IP = {"target-type": "ip", "healthcheck-port": "9000"}
ROUTE = ("ports.example.com", "/", "Prefix", "web", 80)


def node_rules(cloud):
    filters = [{"Name": "vpc-id", "Values": [cloud.vpc]}, {"Name": "group-name", "Values": ["nodes"]}]
    rules = cloud.ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["IpPermissions"]
    ours = [rule for rule in rules if any("targetGroupBinding" in pair.get("Description", "") for pair in rule["UserIdGroupPairs"])]
    return sorted((rule["FromPort"], rule["ToPort"]) for rule in ours)


def become(cloud, wanted):
    eventually(f"rules of nodes {wanted}", lambda: need(node_rules(cloud) == wanted, node_rules(cloud)))


def test_ports_are_spanned_by_one_rule_or_all_open_where_the_operator_is_told_so(world, cloud):
    shop = world.shop("ports")
    operator = world.operator("test_restricted_ports-spanned", world.flags(owner=None)).ready()
    try:
        shop.ingress("web", [ROUTE], IP)
        shop.up("web")
        become(cloud, [(8080, 9000)])
        assert operator.stop() == 0
        mark = cloud.mark()
        operator = world.operator("test_restricted_ports-all", world.flags("--disable-restricted-sg-rules", owner=None)).ready()
        become(cloud, [(0, 65535)])
        calls = [call["operation"] for call in cloud.writes(mark)]
        # Rules may come before the bindings that ask for more; each time, what is new comes first.
        assert set(calls[::2]) == {"AuthorizeSecurityGroupIngress"} and set(calls[1::2]) == {"RevokeSecurityGroupIngress"}, calls
        assert operator.stop() == 0
        operator = world.operator("test_restricted_ports-again", world.flags(owner=None)).ready()
        become(cloud, [(8080, 9000)])
    finally:
        shop.close()
        operator.stop()
