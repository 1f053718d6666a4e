"""Pods with a readiness gate of a TargetGroupBinding learn what AWS says of their targets."""

from e2e.lib import manifests
from e2e.lib.shop import WEB
from e2e.lib.waiting import eventually, need, steadily

FLAGS = ["--targetgroupbinding-requeue-duration=1"]
SETTINGS = {"target_initial_seconds": 3600}
PREFIX = "target-health.elbv2.k8s.aws"
ASKS = "elbv2.DescribeTargetHealth"


def waiting_pod(shop, name, gate):
    """A pod whose containers are ready and which waits for its gate, as the kubelet would have it."""
    node, address = shop.site.place_pod()
    pod = manifests.pod(shop.namespace, name, "web", node, address, {"http": WEB})
    status = pod.pop("status")
    pod["spec"]["readinessGates"] = [{"conditionType": gate}]
    shop.cluster.apply(pod)
    waits = [{**one, "status": "False"} if one["type"] == "Ready" else one for one in status["conditions"]]
    shop.cluster.apply_status({**pod, "status": {**status, "conditions": waits}})
    return address


def told(shop, name, gate):
    conditions = shop.cluster.get("Pod", shop.namespace, name)["status"]["conditions"]
    found = [one for one in conditions if one["type"] == gate]
    need(found, conditions)
    return found[0]["status"], found[0].get("reason", "")


def becomes(shop, name, gate, want):
    def probe():
        found = told(shop, name, gate)
        need(found == want, found)

    eventually(f"pod {name} told {want}", probe)


def test_a_pod_is_let_in_when_its_target_is_healthy(shop, cloud):
    shop.ingress("shop", [(None, "/", "Prefix", "web", 80)], {"target-type": "ip"})
    shop.up("shop")
    binding = shop.cluster.all("TargetGroupBinding", shop.namespace)[0]["metadata"]["name"]
    gate = f"{PREFIX}/{binding}"
    before = shop.cluster.get("Pod", shop.namespace, "web-1")["status"]["conditions"]

    address = waiting_pod(shop, "gated", gate)
    wanted = [f"{one}:{WEB}" for one in (*shop.addresses["web"], address)]
    shop.targets("web:80", wanted)
    becomes(shop, "gated", gate, ("False", "Elb.RegistrationInProgress"))

    cloud.control("PUT", "health", {address: {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}})
    becomes(shop, "gated", gate, ("False", "Target.Timeout"))

    cloud.control("PUT", "health", {address: {"State": "healthy"}})
    becomes(shop, "gated", gate, ("True", ""))
    assert shop.cluster.get("Pod", shop.namespace, "web-1")["status"]["conditions"] == before, "it has no gate"

    # Nobody waits any more: AWS is asked no more.
    eventually("a quiet operator", lambda: quiet(cloud))
    asked = cloud.counters()["calls"].get(ASKS, 0)
    steadily("asks no more", lambda: need(cloud.counters()["calls"].get(ASKS, 0) == asked, cloud.counters()["calls"]), 3)


def quiet(cloud):
    mark = cloud.mark()
    steadily("no call", lambda: need(not cloud.journal(mark), cloud.journal(mark)), 1)


def test_a_pod_waits_no_more_when_the_binding_goes(shop, cloud):
    arn = cloud.elb.create_target_group(
        Name=shop.namespace, Protocol="HTTP", Port=80, VpcId=cloud.vpc, TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
    gate = f"{PREFIX}/mine"
    shop.cluster.apply({
        "apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "TargetGroupBinding", "metadata": {"name": "mine", "namespace": shop.namespace},
        "spec": {"targetGroupARN": arn, "targetType": "ip", "serviceRef": {"name": "web", "port": 80}},
    })
    waiting_pod(shop, "gated", gate)
    # No load balancer uses the group.
    becomes(shop, "gated", gate, ("False", "Target.NotInUse"))
    shop.remove("TargetGroupBinding", "mine")
    becomes(shop, "gated", gate, ("True", ""))
