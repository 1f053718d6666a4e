"""Reads are shared by all load balancers, and those of others cost nothing once they have been seen."""

from collections import Counter

import pytest

from e2e.lib.waiting import eventually, need, steadily

IP = {"target-type": "ip"}
OWNER = None
# Written when targets are registered.
CHECKPOINT = "checkpoint"
# More than one page of tags (20) has of each.
FOREIGN = 45
# Six are writes; the rest is a look at what was made, asked for by its ARN, until it is active and its targets are there.
CALLS_PER_INGRESS = 12


@pytest.fixture(scope="module")
def world(world):
    """An account full of what others made."""
    cloud = world.cloud
    subnets = [cloud.subnets("private")[name] for name in ("private-b", "private-c")]
    made = []
    for number in range(FOREIGN):
        balancer = cloud.elb.create_load_balancer(Name=f"theirs-{number}", Subnets=subnets, Scheme="internal")["LoadBalancers"][0]
        group = cloud.elb.create_target_group(Name=f"theirs-{number}", Protocol="HTTP", Port=80, VpcId=cloud.vpc, TargetType="ip")
        made.append((balancer["LoadBalancerArn"], group["TargetGroups"][0]["TargetGroupArn"]))
    yield world
    for balancer, group in made:
        cloud.elb.delete_load_balancer(LoadBalancerArn=balancer)
        cloud.elb.delete_target_group(TargetGroupArn=group)


def served(shop, name):
    """Applies an Ingress and waits until all is made and its pods are registered, by what the cluster says: calls are counted."""
    before = bindings(shop)
    stack = shop.ingress(name, [(f"{name}.example.com", "/", "Prefix", "web", 80)], IP)
    shop.address(name)
    shop.cluster.ready(stack)

    def probe():
        new = {key: ready for key, ready in bindings(shop).items() if key not in before}
        need(new and all(new.values()), new)

    eventually(f"pods behind {name}", probe)


def bindings(shop):
    """Whether targets are registered, by binding."""
    all_of = shop.cluster.all("TargetGroupBinding", shop.namespace)
    return {one["metadata"]["name"]: any(CHECKPOINT in key for key in one["metadata"].get("annotations", {})) for one in all_of}


def elbv2(cloud, mark):
    return [call for call in cloud.journal(mark) if call["service"] == "elbv2"]


def whole(call):
    """Whether a call lists everything there is."""
    listed = call["operation"] in ("DescribeLoadBalancers", "DescribeTargetGroups")
    return listed and not {"LoadBalancerArns", "Names", "TargetGroupArns", "LoadBalancerArn"} & set(call["parameters"])


def test_defect_16_load_balancers_of_others_are_read_once_and_not_with_each_look(shop, cloud):
    start = cloud.mark()
    served(shop, "first")
    tags = [call for call in elbv2(cloud, start) if call["operation"] == "DescribeTags"]
    assert len(tags) <= 2 * (FOREIGN // 20 + 1), f"tags of {FOREIGN} and {FOREIGN} are read 20 at a time, once: {len(tags)} calls"

    mark = cloud.mark()
    served(shop, "second")
    calls = elbv2(cloud, mark)
    counted = Counter(call["operation"] for call in calls)
    looked_at = [arn for call in calls if call["operation"] == "DescribeTags" for arn in call["parameters"]["ResourceArns"]]
    assert not [arn for arn in looked_at if "/theirs-" in arn], f"tags of others are looked at again: {looked_at}"
    assert not [call for call in calls if whole(call)], f"everything is listed again: {counted}"
    assert sum(counted.values()) <= CALLS_PER_INGRESS, f"beside {FOREIGN} of others: {counted}"

    # What is settled costs nothing.
    mark = cloud.mark()
    steadily("no call", lambda: need(not elbv2(cloud, mark), elbv2(cloud, mark)), 5.0)
    shop.remove("Ingress", "second")
    shop.remove("Ingress", "first")


def test_a_new_pod_is_the_only_one_whose_interface_is_asked_for(shop, cloud):
    shop.ingress("a", [(f"{shop.namespace}.example.com", "/", "Prefix", "web", 80)], IP)
    shop.up("a")
    registered = lambda: shop.targets("web:80", [f"{address}:8080" for address in shop.addresses["web"]])  # noqa: E731
    registered()
    mark = cloud.mark()
    shop.pods("web", 1)
    registered()
    eventually("its interface", lambda: need(asked_for(cloud, mark), cloud.journal(mark)))
    assert asked_for(cloud, mark) == {shop.addresses["web"][-1]}


def asked_for(cloud, mark):
    """Addresses whose network interfaces were asked for."""
    calls = [call for call in cloud.journal(mark) if call["operation"] == "DescribeNetworkInterfaces"]
    filters = [one for call in calls for one in call["parameters"]["Filters"] if one["Name"] == "addresses.private-ip-address"]
    return {address for one in filters for address in one["Values"]}
