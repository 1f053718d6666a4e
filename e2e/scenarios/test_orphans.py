"""`fairway orphans`: what an operator left behind is listed and, when told to, deleted; nothing else is."""

import json

import pytest

from e2e.lib.command import CHANGES, ERROR, HELD, NOTHING, reader
from e2e.lib.site import left_of_ours
from e2e.lib.waiting import eventually, need

# Interfaces linger after a load balancer, and keep its security groups in use.
SETTINGS = {"interface_linger_seconds": 4}
IP = {"target-type": "ip"}


@pytest.fixture
def fairway(world, tmp_path):
    with reader(world, tmp_path) as command:
        yield command


def made(world, shop, **annotations):
    """Everything of an Ingress and its Service has been made, and nobody runs any more."""
    world.clear_lease()
    operator = world.operator("test_orphans", world.flags(owner=None)).ready()
    shop.ingress("a", [(f"{shop.namespace}.other.test", "/", "Prefix", "web", 80)], IP | annotations)
    shop.up("a")
    shop.targets("web:80", [f"{address}:8080" for address in shop.addresses["web"]])
    rules = lambda: world.cloud.dump()["securityGroups"]["nodes"]["ingress"]  # noqa: E731
    eventually("its rules on nodes", lambda: need(rules(), "there are none"))
    assert operator.stop() == 0, operator.tail()


def abandoned(world, shop):
    """The namespace is gone, and nobody was there to clean up AWS."""
    for kind in ("Ingress", "TargetGroupBinding"):
        for item in world.cluster.all(kind, shop.namespace):
            name = item["metadata"]["name"]
            world.cluster.delete(kind, shop.namespace, name)
            world.cluster.patch(kind, shop.namespace, name, {"metadata": {"finalizers": None}})
    for state in world.cluster.all("LoadBalancerState"):
        world.cluster.delete("LoadBalancerState", None, state["metadata"]["name"])
    shop.close()


def kinds(done):
    return [(entry["kind"], entry["outcome"]) for entry in json.loads(done.text)]


def test_what_nobody_asks_for_is_listed_and_deleted(world, cloud, fairway):
    shop = world.shop("orphans")
    before = cloud.dump()
    made(world, shop)
    cloud.plant_group("somebody-elses", {"elbv2.k8s.aws/cluster": "other", "ingress.k8s.aws/stack": f"{shop.namespace}/a"})
    cloud.plant_group("half-marked", {"elbv2.k8s.aws/cluster": world.account["cluster"]})
    theirs = {name: cloud.dump()["securityGroups"][name] for name in ("somebody-elses", "half-marked")}
    living = fairway.run("orphans")
    assert (living.code, living.text) == (NOTHING, "Nothing of this cluster is left over.\n"), living.complaint
    abandoned(world, shop)

    mark = cloud.mark()
    listed = fairway.run("orphans")
    assert listed.code == CHANGES, listed.text + listed.complaint
    lines = listed.text.splitlines()
    assert lines[0].startswith("- load balancer k8s-orphans") and lines[-1] == "4 left over, 0 deleted."
    assert f"    no Ingress {shop.namespace}/a asks for it" in lines and "    with listener 80 and its rule" in lines
    unsure = fairway.run("orphans", "--delete")
    assert unsure.code == CHANGES and unsure.text.endswith("Nothing was deleted: say --delete --yes.\n")
    assert not cloud.writes(mark), "nothing is written by looking"

    done = fairway.run("orphans", "--delete", "--yes", "--output=json")
    deleted = [("load balancer", "deleted"), ("target group", "deleted"), ("security group", "deleted"), ("security group", "deleted")]
    assert (done.code, kinds(done)) == (NOTHING, deleted), done.text + done.complaint
    order = [call["operation"] for call in cloud.writes(mark) if not call["error"]]
    assert order == ["DeleteLoadBalancer", "DeleteTargetGroup", "DeleteSecurityGroup", "RevokeSecurityGroupIngress", "DeleteSecurityGroup"]
    after = cloud.dump()
    assert left_of_ours(after, world.account["cluster"]) == ["securityGroups/half-marked"], "it names no stack"
    assert {name: after["securityGroups"].pop(name) for name in theirs} == theirs
    assert after == before
    for group in cloud.ec2.describe_security_groups()["SecurityGroups"]:
        if group["GroupName"] in theirs:
            cloud.ec2.delete_security_group(GroupId=group["GroupId"])


def test_protection_is_honoured(world, cloud, fairway):
    shop = world.shop("protected")
    made(world, shop, **{"load-balancer-attributes": "deletion_protection.enabled=true"})
    abandoned(world, shop)
    mark = cloud.mark()
    done = fairway.run("orphans", f"--only={shop.namespace.replace('-', '')[:8]}", "--delete", "--yes", "--output=json")
    assert done.code in (HELD, ERROR) and kinds(done)[0] == ("load balancer", "stays"), done.text + done.complaint
    stays = {entry["kind"]: entry.get("stays") for entry in json.loads(done.text)}
    assert stays["load balancer"] == "its deletion protection is on"
    assert stays["security group"].endswith("which stays, uses it")
    assert not cloud.writes(mark)

    arn = cloud.elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    cloud.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}])
    done = fairway.run("orphans", "--delete", "--yes")
    assert done.code == NOTHING, done.text + done.complaint
    assert left_of_ours(cloud.dump(), world.account["cluster"]) == []
