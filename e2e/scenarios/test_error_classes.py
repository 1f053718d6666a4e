"""Classes of errors: who is told, what the state says, when it is tried again, and that a neighbour goes on.

| class       | who must act     | event                        | tried again                              |
|-------------|------------------|------------------------------|------------------------------------------|
| Invalid     | the author       | Warning, once a generation   | when the object changes                  |
| Conflict    | the author, or the other owner | Warning, once  | 10 s, doubling, up to 5 min              |
| Pending     | time             | none                         | 5 s                                      |
| Environment | an administrator | Warning                      | 2 min                                    |
| Transient   | nobody           | Warning after five in a row  | 1 s, doubling, up to 2 min               |
| Bug         | us               | Warning                      | 10 s, doubling, up to 5 min              |
| Fatal       | whoever runs it  | none: the process ends       | never                                    |

Delays are shortened by up to a half, so that what failed together is not tried again together; Pending and Environment by a tenth.
That of Environment passes while the other tests run. Each Ingress is there before its trouble begins, and the first look that fails is
left out of account: what it writes can bring another one at once.
"""

import subprocess

import pytest

from e2e.lib.operator import free_port
from e2e.lib.waiting import eventually, need, steadily

IP = {"target-type": "ip"}
TWO_PORTS = {**IP, "listen-ports": '[{"HTTP": 80}, {"HTTP": 8080}]'}
OWNER = None
# Clocks of two processes.
SLACK = 0.1
SCRIPT = {}


def route(path="/", service="web"):
    return ("a.example.com", path, "Prefix", service, 80)


class Trouble:
    """An Ingress `bad` that is served and will be in trouble, and a neighbour `good` with a load balancer of its own."""

    def __init__(self, shop):
        self.shop, self.cluster, self.cloud = shop, shop.cluster, shop.cloud
        shop.ingress("good", [route("/before")], IP)
        self.stack = shop.ingress("bad", [route(), route("/nodes", "nodes")], IP)
        shop.up("good")
        shop.up("bad")
        eventually("the bindings of both", self._bound)
        self.arn = shop.arn("bad")
        self.mark = self.cloud.mark()

    def _bound(self):
        bindings = self.cluster.all("TargetGroupBinding", self.shop.namespace)
        need(len(bindings) == 3 and all("finalizers" in binding["metadata"] for binding in bindings), bindings)

    def fault(self, operation, code, match="", count=-1):
        """From now on AWS answers an operation on the load balancer (or what is named) with this code."""
        rule = {"operation": operation, "match": match or self.arn, "count": count, "action": "error", "code": code, "status": 400}
        self.cloud.faults(rule, *SCRIPT.values())

    def asks_for_a_listener(self):
        self.shop.ingress("bad", [route(), route("/nodes", "nodes")], TWO_PORTS)

    def attempts(self, operation, number, seconds=30.0, match=""):
        """Times of the first attempts, in seconds, once there are so many."""

        def probe():
            times = self.asked(operation, match)
            need(len(times) >= number, f"{len(times)} calls of {operation}")
            return times[:number]

        return eventually(f"{number} calls of {operation}", probe, seconds)

    def asked(self, operation, match=""):
        """Times of all attempts so far, in seconds."""
        calls = [call for call in self.cloud.journal(self.mark) if call["operation"] == operation]
        return [call["at"] for call in calls if (match or self.arn) in str(call["parameters"])]

    def says(self, reason):
        """Waits until the state of `bad` names the reason; gives the message."""

        def probe():
            ready = self.cluster.condition(self.stack, "Ready")
            need((ready["status"], ready["reason"]) == ("False", reason), ready)
            return ready["message"]

        return eventually(f"Ready is False because of {reason}", probe)

    def warnings(self, reason=None):
        events = self.cluster.events("Ingress", self.shop.namespace, "bad")
        return [event for event in events if event.type == "Warning" and reason in (None, event.reason)]

    def neighbour_goes_on(self):
        """A change of the neighbour is served while the trouble lasts."""
        self.shop.ingress("good", [route("/after")], IP)

        def probe():
            lines = self.shop.routes("good")
            need(len(lines) == 1 and "/after," in lines[0], lines)

        eventually("the neighbour's new rule", probe)

    def ends(self, seconds=30.0):
        """AWS does as asked again, and nobody changes anything."""
        self.cloud.faults(*SCRIPT.values())
        self.shop.up("bad", seconds=seconds)


@pytest.fixture
def trouble(shop, cloud):
    yield Trouble(shop)
    cloud.faults(*SCRIPT.values())


def gaps(times):
    return [after - before for before, after in zip(times, times[1:])]


@pytest.fixture(scope="module")
def denied(operator, world):
    """One whose listener needs a permission that is missing, and stays so while the other tests run."""
    shop = world.shop("error-classes-denied")
    trouble = Trouble(shop)
    SCRIPT["denied"] = {"operation": "CreateListener", "match": trouble.arn, "count": -1, "action": "error", "code": "AccessDenied", "status": 403}
    world.cloud.faults(*SCRIPT.values())
    trouble.asks_for_a_listener()
    try:
        yield trouble
    finally:
        SCRIPT.clear()
        world.cloud.faults()
        shop.close()


def test_environment(denied):
    note = denied.cluster.warned("Ingress", denied.shop.namespace, "bad", "Forbidden")
    assert "elbv2 CreateListener: AccessDenied" in note
    assert note == denied.says("Forbidden")
    denied.neighbour_goes_on()


def test_invalid(trouble, shop, cloud, cluster):
    shop.ingress("bad", [route(), route("/new")], {**IP, "healthcheck-interval-seconds": "often"})
    note = cluster.warned("Ingress", shop.namespace, "bad", "InvalidSetting")
    assert 'healthcheck-interval-seconds' in note and '"often"' in note
    assert note in trouble.says("InvalidSetting")
    trouble.neighbour_goes_on()
    mark = cloud.mark()

    def own():
        return [call for call in cloud.writes(mark) if trouble.arn.rpartition("loadbalancer/")[2] in str(call["parameters"])]

    steadily("nobody asks before its author acts", lambda: need(not own(), own()), 3.0)
    assert len(trouble.warnings()) == 1, trouble.warnings()
    shop.ingress("bad", [route(), route("/new")], IP)
    shop.up("bad")
    assert any("/new," in line for line in shop.routes("bad"))


def test_conflict(trouble, shop, cluster):
    trouble.fault("CreateListener", "DuplicateListener")
    trouble.asks_for_a_listener()
    note = cluster.warned("Ingress", shop.namespace, "bad", "NameTaken")
    assert "elbv2 CreateListener: DuplicateListener" in note and note == trouble.says("NameTaken")
    trouble.neighbour_goes_on()
    _, again = gaps(trouble.attempts("CreateListener", 3))
    assert again >= 10 - SLACK, again
    assert len(trouble.warnings()) == 1, trouble.warnings()


def test_pending(trouble, shop):
    bindings = trouble.cluster.all("TargetGroupBinding", shop.namespace)
    (group,) = [binding["metadata"]["name"] for binding in bindings if binding["spec"]["serviceRef"]["name"] == "nodes"]
    trouble.fault("DeleteTargetGroup", "ResourceInUse", match=group)
    shop.ingress("bad", [route()], IP)
    assert "elbv2 DeleteTargetGroup: ResourceInUse" in trouble.says("NotYetFree")
    trouble.neighbour_goes_on()
    *_, again = gaps(trouble.attempts("DeleteTargetGroup", 3, match=group))
    # The neighbour's change brings a look; a deletion that was refused twice is not asked for within two seconds all the same.
    assert again >= 2 - SLACK, again
    assert not trouble.warnings(), trouble.warnings()
    trouble.ends()
    assert group not in trouble.cloud.target_groups()


def test_transient(trouble, shop, cluster):
    trouble.fault("CreateListener", "LoadBalancerNotFound")
    trouble.asks_for_a_listener()
    trouble.attempts("CreateListener", 1)
    assert "elbv2 CreateListener: LoadBalancerNotFound" in trouble.says("ChangedMeanwhile")
    assert not trouble.warnings(), trouble.warnings()
    _, *waits = gaps(trouble.attempts("CreateListener", 5, 60.0))
    assert all(wait >= least - SLACK for wait, least in zip(waits, (0.5, 1, 2))), waits
    trouble.neighbour_goes_on()
    cluster.warned("Ingress", shop.namespace, "bad", "ChangedMeanwhile")
    trouble.ends()


def test_bug(trouble, shop, cluster):
    trouble.fault("CreateListener", "MalformedInput")
    trouble.asks_for_a_listener()
    note = cluster.warned("Ingress", shop.namespace, "bad", "BadRequest")
    assert "elbv2 CreateListener: MalformedInput" in note and note == trouble.says("BadRequest")
    trouble.neighbour_goes_on()
    _, again = gaps(trouble.attempts("CreateListener", 3))
    assert again >= 10 - SLACK, again
    assert len(trouble.warnings()) == 1, trouble.warnings()


def test_environment_is_tried_again_after_two_minutes(denied):
    first, *_ = denied.asked("CreateListener")

    def again():
        later = [at for at in denied.asked("CreateListener") if at - first > 5.0]
        need(later, "not yet")
        return later[0]

    # The other tests have taken most of it.
    assert eventually("another attempt", again, 150.0) - first >= 108.0 - SLACK


def test_fatal(trouble, world, tmp_path):
    missing = tmp_path / "kubeconfig"
    command = [str(world.program), "run", *world.flags("--no-such-flag"), f"--metrics-bind-addr=127.0.0.1:{free_port()}"]
    for arguments, said in ((command, "--no-such-flag"), ([part for part in command if part != "--no-such-flag"], "kubeconfig")):
        ended = subprocess.run(arguments, env={"KUBECONFIG": str(missing)}, capture_output=True, text=True, timeout=20, check=False)
        assert ended.returncode == 1 and said in ended.stderr, ended
    assert not trouble.warnings()
    trouble.neighbour_goes_on()
