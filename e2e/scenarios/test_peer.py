"""Beside an AWS Load Balancer Controller that leads, nothing is done; once its Lease has run out, everything is."""

import contextlib
import datetime
import threading

import pytest
from lab import ApiError

from e2e.lib.command import HELD, NOTHING, reader
from e2e.lib.peer import LEASE
from e2e.lib.waiting import eventually, need, steadily

NAMESPACE = "kube-system"
# What the peer takes by default: shorter ones run out when the machine stands still for a moment.
DURATION = 15
# A look comes every two seconds, and a Lease that runs out is noticed by the next one.
NOTICED = DURATION + 6.0
IP = {"target-type": "ip"}
HELD_METRIC = "fairway_held_by_peer"


class Peer:
    """Somebody who holds the peer's Lease and renews it, from `leads` to `leaves`."""

    def __init__(self, cluster):
        self._cluster, self._gone, self._thread = cluster, threading.Event(), None

    def leads(self):
        self._gone.clear()
        self._renew()
        self._thread = threading.Thread(target=self._renew_on, daemon=True)
        self._thread.start()

    def leaves(self):
        self._gone.set()
        if self._thread:
            self._thread.join()

    def _renew_on(self):
        while not self._gone.wait(1.0):
            # As it does: what fails is tried again until the Lease has run out.
            with contextlib.suppress(ApiError, OSError):
                self._renew()

    def _renew(self):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
        self._cluster.apply({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LEASE, "namespace": NAMESPACE},
            "spec": {"holderIdentity": "lbc-0", "leaseDurationSeconds": DURATION, "renewTime": now}})


@pytest.fixture
def peer(cluster):
    it = Peer(cluster)
    yield it
    it.leaves()
    cluster.delete("Lease", NAMESPACE, LEASE)


@pytest.fixture
def beside(world, peer):
    """An operator that finds the peer leading from its first look on."""
    world.clear_lease()
    peer.leads()
    operator = world.operator("test_peer", world.flags())
    yield operator
    assert operator.stop() == 0, operator.tail()


def rule(shop, path):
    return [(f"{shop.namespace}.example.com", path, "Prefix", "web", 80)]


def test_nothing_is_applied_while_the_peer_leads(world, cluster, cloud, peer, beside):
    shop = world.shop("peer")
    stack = f"aws:ingress:{shop.namespace}/a"
    mark = cloud.mark()
    beside.ready()
    shop.ingress("a", rule(shop, "/one"), IP)
    condition = eventually("why", lambda: held(cluster, stack))
    assert f"lbc-0 (Lease {NAMESPACE}/{LEASE})" in condition["message"]
    assert beside.metrics()[HELD_METRIC] == 1
    assert "lbc-0" in beside.tail(200)
    steadily("nothing is written", lambda: need(not cloud.writes(mark), cloud.writes(mark)), 3.0)
    assert "finalizers" not in cluster.get("Ingress", shop.namespace, "a")["metadata"]

    peer.leaves()
    cluster.published("Ingress", shop.namespace, "a", NOTICED + 20)
    cluster.ready(stack)
    assert beside.metrics()[HELD_METRIC] == 0

    # It is scaled up again, and changes something that Fairway takes for settled.
    peer.leads()
    eventually("held again", lambda: need(beside.metrics()[HELD_METRIC] == 1, "not yet"))
    shop.ingress("a", rule(shop, "/two"), IP)
    eventually("said again", lambda: held(cluster, stack))
    mark = cloud.mark()
    steadily("nothing is written", lambda: need(not cloud.writes(mark), cloud.writes(mark)), 3.0)
    shop.ingress("a", rule(shop, "/one"), IP)
    arn = shop.arn("a")
    (group,) = cloud.elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]
    cloud.elb.modify_target_group(TargetGroupArn=group["TargetGroupArn"], HealthCheckPath="/elsewhere")
    peer.leaves()
    repaired = lambda: cloud.elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"][0]["HealthCheckPath"]  # noqa: E731
    eventually("a look at what was settled", lambda: need(repaired() == "/", repaired()), NOTICED + 20)
    shop.close()


def held(cluster, stack):
    condition = cluster.condition(stack, "Ready")
    need((condition["status"], condition["reason"]) == ("False", "PeerLeads"), condition)
    return condition


def test_a_takeover_names_what_the_peer_left(world, cluster, peer, tmp_path):
    """The webhook matches nothing, or the cluster would be without Ingresses."""
    with reader(world, tmp_path) as fairway:
        alone = fairway.run("takeover")
        assert alone.code == NOTHING, alone.text + alone.complaint
        assert alone.text.startswith("Nothing to do: ")
        cluster.apply(webhook())
        try:
            peer.leads()
            done = fairway.run("takeover")
        finally:
            cluster.delete("ValidatingWebhookConfiguration", None, "aws-load-balancer-webhook")
        assert done.code == HELD, done.text + done.complaint
        lines = done.text.splitlines()
        assert lines[0] == (
            "! ValidatingWebhookConfiguration aws-load-balancer-webhook is the peer's; Service kube-system/aws-load-balancer-webhook-service"
            " has no endpoints: writes of ingresses are refused")
        assert lines[1].startswith(f"The AWS Load Balancer Controller leads: lbc-0 (Lease {NAMESPACE}/{LEASE}).")


def webhook():
    service = {"name": "aws-load-balancer-webhook-service", "namespace": NAMESPACE, "path": "/validate-networking-v1-ingress"}
    rules = [{"apiGroups": ["networking.k8s.io"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["ingresses"]}]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "aws-load-balancer-webhook"},
        "webhooks": [{
            "name": "vingress.elbv2.k8s.aws", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
            "clientConfig": {"service": service}, "rules": rules, "objectSelector": {"matchLabels": {"nobody": "has-this"}}}]}
