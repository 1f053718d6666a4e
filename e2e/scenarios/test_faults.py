"""Throttles, lost answers, broken connections and delays: it converges, makes nothing twice and leaves nothing."""

import pytest

from e2e.lib.manifests import port
from e2e.lib.shop import WEB
from e2e.lib.waiting import eventually, need

SETTINGS = {"provisioning_seconds": 0}  # as AWS: a look has to find each load balancer active
IP = {"target-type": "ip"}
# Back-off doubles from a second.
PATIENT = 60.0
CREATIONS = ("CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "CreateRule", "CreateSecurityGroup", "ChangeResourceRecordSets")


def everything(shop):
    """An Ingress and a Service with a name each; gives the names."""
    names = [f"a-{shop.namespace}.example.com", f"lb-{shop.namespace}.example.com"]
    shop.ingress("a", [(names[0], "/", "Prefix", "web", 80), (names[0], "/two", "Prefix", "nodes", 80)], IP)
    shop.balancer("lb", [port(80, "http", "http")], {"nlb-target-type": "ip", "external-dns.alpha.kubernetes.io/hostname": names[1]})
    return names


def converged(shop, names):
    """All is there, once."""
    for kind, name in (("Ingress", "a"), ("Service", "lb")):
        shop.up(name, kind, PATIENT)
    for group in ("web:80", "nodes:80", "lb:80"):
        app = "nodes" if group.startswith("nodes") else "web"
        shop.targets(group, [f"{address}:{WEB}" for address in shop.addresses[app]], PATIENT)
    eventually("names", lambda: need(all((name, "A") in shop.cloud.records() for name in names), sorted(shop.cloud.records())), PATIENT)
    dump, stacks = shop.cloud.dump(), {f"{shop.namespace}/a", f"{shop.namespace}/lb"}

    def ours(kind):
        return [name for name, item in dump[kind].items() if stacks & set(item["tags"].values())]

    assert (len(ours("loadBalancers")), len(ours("targetGroups")), len(ours("securityGroups"))) == (2, 3, 2)
    assert len(shop.routes("a")) == 2


@pytest.fixture
def faults(cloud):
    """Sets a script of faults; afterwards there are none, and at least one must have struck."""
    def script(*rules, seed=1):
        cloud.forget()
        cloud.faults(*rules, seed=seed)

    yield script
    struck = cloud.counters()["faults"]
    cloud.faults()
    assert struck, "no fault struck"


@pytest.mark.parametrize("action", ["lost", "cut", "throttle", "error"])
def test_every_creation_fails_once(action, shop, cloud, faults):
    faults(*({"operation": operation, "count": 1, "action": action} for operation in CREATIONS))
    names = everything(shop)
    converged(shop, names)
    assert len(cloud.counters()["faults"]) == len(CREATIONS), cloud.counters()["faults"]


def test_a_third_of_all_calls_is_throttled(shop, cloud, faults):
    faults({"service": "*", "probability": 0.3, "count": -1, "action": "throttle"}, seed=7)
    names = everything(shop)
    # The test's own reads would be throttled, too: until both are ready, only the cluster is asked.
    for stack in (f"aws:ingress:{shop.namespace}/a", f"aws:service:{shop.namespace}/lb"):
        shop.cluster.ready(stack, PATIENT)
    struck = cloud.counters()["faults"]
    assert struck["rule-0"] > 5, struck
    cloud.faults()
    converged(shop, names)


def test_every_deletion_fails_once(shop, cloud, faults):
    names = everything(shop)
    converged(shop, names)
    deletions = ("DeleteLoadBalancer", "DeleteTargetGroup", "DeleteSecurityGroup", "ChangeResourceRecordSets")
    faults(*({"operation": operation, "count": 1, "action": "lost"} for operation in deletions))
    shop.remove("Ingress", "a", PATIENT)
    shop.remove("Service", "lb", PATIENT)
    assert len(cloud.counters()["faults"]) >= len(deletions) - 1


def test_what_is_seen_late_is_not_made_twice(shop, cloud, request):
    request.addfinalizer(lambda: cloud.settings(visibility_lag_seconds=0))
    cloud.settings(visibility_lag_seconds=2)
    mark = cloud.mark()
    names = everything(shop)
    converged(shop, names)
    made = [call["parameters"].get("Name") for call in cloud.writes(mark) if call["operation"] == "CreateLoadBalancer" and not call["error"]]
    assert len(made) == len(set(made)) == 2, made
