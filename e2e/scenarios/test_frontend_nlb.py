"""A network load balancer in front of an Ingress: made behind the back of what serves, and gone when nobody is sent to it."""

import functools

from e2e.lib.waiting import eventually, need

IP = {"target-type": "ip"}
ON = {**IP, "enable-frontend-nlb": "true"}
TWO = {"listen-ports": '[{"HTTP": 80}, {"HTTP": 81}]'}
FRONT = "alb.ingress.kubernetes.io/"


def on_web(shop, path="/"):
    return (f"{shop.namespace}.example.com", path, "Prefix", "web", 80)


def addresses(shop, count, name="a"):
    """Waits until the status shows so many host names, and gives them: that of the load balancer itself comes first."""

    def probe():
        entries = shop.cluster.addresses("Ingress", shop.namespace, name)
        need(len(entries) == count, f"status has {entries}; {shop.cluster.events('Ingress', shop.namespace, name)}")
        return [entry["hostname"] for entry in entries]

    return eventually(f"{count} addresses", probe)


def behind(cloud, listener):
    """The target group that a listener of a dump forwards to."""
    return cloud.dump()["targetGroups"][listener["default"][0]["TargetGroupArn"]]


def target(cloud, group):
    """The one target of a group, as `ARN:port`."""
    arn = cloud.elb.describe_target_groups(Names=[group])["TargetGroups"][0]["TargetGroupArn"]
    health = cloud.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return [f"{one['Target']['Id']}:{one['Target']['Port']}" for one in health]


def names(cloud):
    """Host names of all load balancers."""
    pages = cloud.elb.get_paginator("describe_load_balancers").paginate()
    return [one["DNSName"].lower() for page in pages for one in page["LoadBalancers"]]


def gone(cloud, address):
    """Waits until the load balancer of this address is not there any more."""
    eventually(f"{address} to go", lambda: need(address not in names(cloud), names(cloud)))


def test_it_stands_in_front_with_names_and_tags_of_the_peer(shop, cloud, cluster):
    stack = shop.ingress("a", [on_web(shop)], {**ON, "tags": "team=shop"})
    own, front = addresses(shop, 2)
    cluster.ready(stack)
    alb, nlb = cloud.seen(own), cloud.seen(front)
    name = cloud.balancer(own)["LoadBalancerName"]
    assert cloud.balancer(front)["LoadBalancerName"] == f"{name[:28]}-nlb"
    assert (nlb["type"], nlb["scheme"], nlb["zones"]) == ("network", "internal", alb["zones"])
    assert nlb["securityGroups"] == alb["securityGroups"]
    mark = {"elbv2.k8s.aws/cluster": "lab", "ingress.k8s.aws/stack": f"{shop.namespace}/a"}
    assert nlb["tags"] == {**mark, "team": "shop", "ingress.k8s.aws/resource": "FrontendNlb"}
    assert list(nlb["listeners"]) == ["80/TCP"]
    assert nlb["listeners"]["80/TCP"]["tags"] == {**mark, "ingress.k8s.aws/resource": "FrontendNlb-ls-TCP-80"}
    group = behind(cloud, nlb["listeners"]["80/TCP"])
    assert group["tags"] == {**mark, "ingress.k8s.aws/resource": "FrontendNlb-tg-TCP-80"}
    check = [group[f"HealthCheck{part}"] for part in ("Protocol", "Port", "Path", "IntervalSeconds", "TimeoutSeconds")]
    assert (group["TargetType"], group["Protocol"], group["Port"]) == ("alb", "TCP", 80)
    assert (check, group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) == (["HTTP", "traffic-port", "/", 15, 5], 2, 2)
    assert target(cloud, group_name(cloud, front, 80)) == [f"{cloud.balancer(own)['LoadBalancerArn']}:80"]
    entries = cluster.addresses("Ingress", shop.namespace, "a")
    assert [entry["port"] for entry in entries[0]["ports"]] == [80] and "ports" not in entries[1]
    bindings = cluster.all("TargetGroupBinding", shop.namespace)
    assert [binding["spec"]["serviceRef"]["name"] for binding in bindings] == ["web"], "no object stands for its target"


def group_name(cloud, front, port):
    """Name of the target group behind a port of the load balancer in front."""
    arn = cloud.balancer(front)["LoadBalancerArn"]
    listeners = cloud.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    groups = [one["DefaultActions"][0]["TargetGroupArn"] for one in listeners if one["Port"] == port]
    need(groups, f"no listener on {port}")
    return groups[0].split("/")[1]


def test_it_is_registered_once_what_is_behind_it_is_active(shop, cloud, cluster, request):
    cloud.settings(provisioning_seconds=3600)
    request.addfinalizer(lambda: cloud.settings(provisioning_seconds=None))
    mark = cloud.mark()
    shop.ingress("a", [on_web(shop)], ON)

    def both():
        made = [call["operation"] for call in cloud.writes(mark)]
        need(made.count("CreateLoadBalancer") == 2 and "CreateRule" in made, made)

    eventually("both load balancers", both)
    own = f"{shop.namespace}/a"
    groups = [one for one in cloud.target_groups().values() if one["TargetType"] == "alb" and one["tags"]["ingress.k8s.aws/stack"] == own]
    assert [one["targets"] for one in groups] == [[]]
    cloud.control("POST", "clock", {"advance": 3601})
    own, front = addresses(shop, 2)
    assert target(cloud, group_name(cloud, front, 80)) == [f"{cloud.balancer(own)['LoadBalancerArn']}:80"], "published when it leads somewhere"


def test_it_comes_and_goes_and_what_serves_stays(shop, cloud, cluster):
    shop.ingress("a", [on_web(shop)], IP)
    own = shop.address("a")
    cluster.annotate("Ingress", shop.namespace, "a", {f"{FRONT}enable-frontend-nlb": "true"})
    same, front = addresses(shop, 2)
    assert same == own
    arn = cloud.balancer(front)["LoadBalancerArn"]
    mark = cloud.mark()
    cluster.annotate("Ingress", shop.namespace, "a", {f"{FRONT}enable-frontend-nlb": None})
    assert shop.address("a") == own
    gone(cloud, front)
    eventually("its target group to go", lambda: need(
        "DeleteTargetGroup" in [call["operation"] for call in cloud.writes(mark)], cloud.writes(mark)))
    deleted = [call for call in cloud.writes(mark) if call["operation"] == "DeleteLoadBalancer"]
    assert len(deleted) == 1 and cloud.balancer(own)["LoadBalancerArn"] != arn, "what serves is still there"


def test_another_listener_behind_is_registered_before_connections_go_there(shop, cloud, cluster):
    mapping = f"{FRONT}frontend-nlb-listener-port-mapping"
    shop.ingress("a", [on_web(shop)], {**ON, **TWO, mapping: "8080=80"})
    own, front = addresses(shop, 2)
    before = eventually("a listener", lambda: group_name(cloud, front, 8080))
    mark = cloud.mark()
    cluster.annotate("Ingress", shop.namespace, "a", {mapping: "8080=81"})

    def switched():
        after = group_name(cloud, front, 8080)
        need(after != before, after)
        need(before not in cloud.target_groups(), "the old group is still there")
        return after

    after = eventually("the switch", switched)
    assert target(cloud, after) == [f"{cloud.balancer(own)['LoadBalancerArn']}:81"]
    order = [call["operation"] for call in cloud.writes(mark)]
    wanted = ["CreateTargetGroup", "RegisterTargets", "ModifyListener", "DeleteTargetGroup"]
    assert [operation for operation in order if operation in wanted] == wanted


def test_a_listener_behind_goes_after_what_leads_to_it(shop, cloud, cluster):
    shop.ingress("a", [on_web(shop)], {**ON, **TWO})
    own, front = addresses(shop, 2)
    eventually("a second listener", lambda: group_name(cloud, front, 81))
    cluster.annotate("Ingress", shop.namespace, "a", {f"{FRONT}listen-ports": '[{"HTTP": 80}]'})

    def one_each():
        need(sorted(cloud.seen(own)["listeners"]) == ["80/HTTP"], cloud.seen(own)["listeners"])
        need(sorted(cloud.seen(front)["listeners"]) == ["80/TCP"], cloud.seen(front)["listeners"])

    eventually("one listener each", one_each)


def test_protection_is_honoured(shop, cloud, cluster, request):
    attributes = f"{FRONT}frontend-nlb-attributes"
    stack = shop.ingress("a", [on_web(shop)], {**ON, attributes: "deletion_protection.enabled=true"})
    _, front = addresses(shop, 2)
    cluster.ready(stack)
    arn = cloud.balancer(front)["LoadBalancerArn"]
    off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
    unprotect = functools.partial(cloud.elb.modify_load_balancer_attributes, LoadBalancerArn=arn, Attributes=off)
    request.addfinalizer(lambda: unprotect() if front in names(cloud) else None)
    cluster.annotate("Ingress", shop.namespace, "a", {f"{FRONT}enable-frontend-nlb": "false", attributes: None})
    cluster.warned("Ingress", shop.namespace, "a", "DeletionProtected")
    assert front in names(cloud)
    unprotect()
    cluster.annotate("Ingress", shop.namespace, "a", {f"{FRONT}tags": "look=again"})
    gone(cloud, front)


def test_who_contradicts_is_held_and_the_others_are_served(shop, cluster):
    group = {**ON, "group.name": shop.namespace}
    shop.ingress("a", [on_web(shop, "/a")], {**group, "frontend-nlb-scheme": "internal"})
    addresses(shop, 2)
    shop.ingress("b", [on_web(shop, "/b")], {**group, "frontend-nlb-scheme": "internet-facing"})
    said = cluster.warned("Ingress", shop.namespace, "b", "ConflictingSetting")
    assert "frontend-nlb-scheme" in said and f"{shop.namespace}/a" in said
    assert len(cluster.addresses("Ingress", shop.namespace, "a")) == 2


def test_nothing_of_it_is_left_behind(shop, cloud):
    shop.ingress("a", [on_web(shop)], ON)
    both = addresses(shop, 2)
    shop.remove("Ingress", "a")
    for address in both:
        gone(cloud, address)
    left = [group for group in cloud.dump()["targetGroups"].values() if group["tags"].get("ingress.k8s.aws/stack") == f"{shop.namespace}/a"]
    assert left == []
