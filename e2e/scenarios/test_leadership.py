"""Two replicas: one leads, its death hands over, and one that slept through the end of its term writes nothing when it wakes."""

import signal
import time

import pytest

from e2e.lib import chart, site as sites
from e2e.lib.waiting import eventually, need, steadily

IP = {"target-type": "ip"}
HANDOVER_SECONDS = 20.0
HOST = "a.other.test"


def paths(*names):
    return [(HOST, name, "Prefix", "web", 80) for name in names]


class Replicas:
    """Operators by name, all with the same flags."""

    def __init__(self, site):
        self._site, self._running = site, {}

    def start(self, name):
        operator = self._site.operator(f"test_leadership-{name}", self._site.flags(owner=None), identity=name)
        self._running[name] = operator
        return operator.ready()

    def leader(self):
        lease = self._site.cluster.find("Lease", chart.NAMESPACE, sites.LEASE)
        return lease and lease["spec"].get("holderIdentity")

    def wait_for_leader(self, name, seconds=HANDOVER_SECONDS):
        eventually(f"{name} leads", lambda: need(self.leader() == name, f"{self.leader()} leads"), seconds)

    def stop(self):
        for operator in self._running.values():
            if operator.alive():
                operator.kill()


@pytest.fixture
def replicas(world):
    replicas = Replicas(world)
    yield replicas
    replicas.stop()


@pytest.fixture
def shop(world, replicas):
    """A namespace that is left by whoever leads at the end; the test calls `close`."""
    return world.shop("leadership")


def writes_of(operator):
    """Calls of a replica that change something, as it counts them itself."""
    from e2e.lib.cloud import READS

    return {call: count for call, count in operator.calls().items() if not call.partition(".")[2].startswith(READS)}


def routed(shop, path):
    eventually(f"a rule for {path}", lambda: need(any(f"{path}," in line for line in shop.routes("a")), shop.routes("a")), HANDOVER_SECONDS)


def test_leadership(replicas, shop, cloud, cluster):
    first = replicas.start("first")
    replicas.wait_for_leader("first")
    second = replicas.start("second")
    shop.ingress("a", paths("/one"), IP)
    shop.up("a")
    others = set(second.calls()) - {"elbv2.DescribeAccountLimits"}  # every process asks once, at its start
    assert writes_of(first) and not others, "only the leader calls AWS"

    first.kill()
    killed = time.monotonic()
    shop.ingress("a", paths("/one", "/two"), IP)
    routed(shop, "/two")
    assert time.monotonic() - killed < HANDOVER_SECONDS
    assert replicas.leader() == "second"

    # The second falls asleep in the middle of its work: its call is answered only after it has stopped.
    cloud.faults({"operation": "CreateRule", "count": 1, "action": "delay", "delay_seconds": 2})
    mark = cloud.mark()
    shop.ingress("a", paths("/one", "/two", "/three", "/four"), IP)
    eventually("work begun", lambda: need("CreateRule" in [call["operation"] for call in cloud.writes(mark)], "no call yet"))
    second.send(signal.SIGSTOP)
    cloud.faults()
    third = replicas.start("third")
    replicas.wait_for_leader("third")
    routed(shop, "/three")
    routed(shop, "/four")
    shop.ingress("a", paths("/five"), IP)
    routed(shop, "/five")
    settled(shop, cloud)

    before, mark, events = writes_of(third), cloud.mark(), said_by(cluster, shop, "second")
    second.send(signal.SIGCONT)
    eventually("it has noticed", lambda: need("not leading any more" in second.tail(200), second.tail(3)))
    steadily("nothing is written", lambda: need(not cloud.writes(mark), cloud.writes(mark)), 4.0)
    assert writes_of(third) == before
    assert said_by(cluster, shop, "second") == events, "it records no events either"
    assert replicas.leader() == "third"

    shop.close()
    eventually("nothing of ours left in AWS", lambda: need(not sites.left_of_ours(cloud.dump(), "lab"), "there is something"))
    assert third.stop() == 0
    assert not replicas.leader(), "who stops gives the lease back"


def settled(shop, cloud):
    """Waits until AWS has not been written to for a second."""
    def quiet():
        mark = cloud.mark()
        time.sleep(1.0)
        need(not cloud.writes(mark), "it is still being written to")

    eventually("quiet", quiet)


def said_by(cluster, shop, identity):
    return [event["metadata"]["name"] for event in cluster.all("Event", shop.namespace) if event.get("reportingInstance") == identity]
