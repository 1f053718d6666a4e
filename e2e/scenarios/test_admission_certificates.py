"""Certificates of the webhook: made once for all replicas, replaced while answering, and missed by nobody when no replica is there."""

import time

import pytest

from e2e.lib import chart, manifests, webhook
from e2e.lib.operator import free_port
from e2e.lib.waiting import eventually, need
from lab import ApiError

pytestmark = pytest.mark.lab  # the API server reaches the operator on loopback
LIFETIME_SECONDS = 24
ROTATIONS = 2
# Two thirds of a lifetime, and a twelfth until the successor is served; twice that for a busy machine.
ROTATION_SECONDS = LIFETIME_SECONDS * 3 / 4 * 2
BAD = {"alb.ingress.kubernetes.io/target-type": "pods"}


class Replicas:
    """Operators that answer, each on a port of its own."""

    def __init__(self, world, lifetime=None):
        self.world, self.running, self.ports = world, [], []
        self.more = [f"--webhook-certificate-lifetime={lifetime}"] if lifetime else []

    def start(self, name):
        port = free_port()
        flags = self.world.flags(*webhook.flags(port, *self.more), owner=None)
        self.ports.append(port)
        self.running.append(self.world.operator(f"test_admission_certificates-{name}", flags, identity=name))

    def stop(self):
        for operator in self.running:
            assert operator.stop() == 0


@pytest.fixture
def replicas(world):
    replicas = Replicas(world, LIFETIME_SECONDS)
    yield replicas
    for operator in replicas.running:
        if operator.alive():
            operator.kill()
    world.clear_lease()


@pytest.fixture(scope="module")
def namespace(world):
    name = "admission-certificates"
    world.cluster.apply(manifests.namespace(name))
    yield name
    world.cluster.delete("Namespace", None, name)


def asked(cluster, namespace):
    """Whether the API server asks, and is answered: what could never be read is refused then."""
    bad = manifests.ingress(namespace, "bad", [("a.other.test", "/", "Prefix", "web", 80)], BAD)
    try:
        cluster.api.post(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses?dryRun=All", bad)
    except ApiError as error:
        assert error.status == 422, error
        return True
    return False


def test_two_replicas_share_certificates_and_replace_them_unseen(replicas, cluster, namespace):
    replicas.start("first")
    replicas.start("second")
    for operator in replicas.running:
        operator.ready()
    # The API server asks one of them; whichever leads tells it whom to trust.
    with webhook.installed(cluster, replicas.ports[1]):
        eventually("asked", lambda: need(asked(cluster, namespace), "stored without a question"))
        serving = [eventually("a keyring", lambda: webhook.keyring(cluster))["serving"]["certificate"]]
        until = time.monotonic() + ROTATION_SECONDS * ROTATIONS
        questions = 0
        while len(serving) <= ROTATIONS and time.monotonic() < until:
            assert asked(cluster, namespace), f"not asked, or not answered, after {questions} questions and {len(serving) - 1} rotations"
            questions += 1
            bundle = webhook.bundles(cluster)[0]
            served = {webhook.served(port, bundle) for port in replicas.ports}
            assert served, "a replica serves what is not to be trusted"
            now = webhook.keyring(cluster)["serving"]["certificate"]
            if now != serving[-1]:
                serving.append(now)
            time.sleep(0.1)
        assert len(serving) == ROTATIONS + 1, f"{len(serving) - 1} rotations in {ROTATION_SECONDS * ROTATIONS} s"
        assert questions > 5 * ROTATIONS
        # Both have come to serve the same.
        bundle = webhook.bundles(cluster)[0]
        eventually("both serve one", lambda: need(len({webhook.served(port, bundle) for port in replicas.ports}) == 1, "two"))
        replicas.stop()


def test_whoever_writes_another_bundle_is_put_right(replicas, cluster, namespace):
    replicas.start("first")
    replicas.running[0].ready()
    with webhook.installed(cluster, replicas.ports[0]):
        eventually("asked", lambda: need(asked(cluster, namespace), "stored without a question"))
        for kind in webhook.KINDS:
            hooks = cluster.get(kind, None, webhook.NAME)["webhooks"]
            for hook in hooks:
                hook["clientConfig"].pop("caBundle")
            cluster.patch(kind, None, webhook.NAME, {"webhooks": hooks})
        eventually("put right", lambda: need(all(webhook.bundles(cluster)), "none"))
        eventually("asked", lambda: need(asked(cluster, namespace), "stored without a question"))
        # A keyring that somebody took away is made anew.
        before = webhook.keyring(cluster)["serving"]["certificate"]
        cluster.patch("Secret", chart.NAMESPACE, webhook.NAME, {"data": None})
        eventually("another", lambda: need(webhook.keyring(cluster)["serving"]["certificate"] != before, "the same"))
        eventually("asked", lambda: need(asked(cluster, namespace), "stored without a question"))


def test_without_an_operator_nothing_is_held_up(replicas, cluster, namespace):
    replicas.start("first")
    replicas.running[0].ready()
    with webhook.installed(cluster, replicas.ports[0], **{"admission.services": "true", "admission.pods.holdAll": "true"}):
        eventually("asked", lambda: need(asked(cluster, namespace), "stored without a question"))
        replicas.stop()
        cluster.patch("Namespace", None, namespace, {"metadata": {"labels": {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}}})
        pod = manifests.pod(namespace, "pod", "web", None, "")
        pod.pop("status")
        pod["spec"].pop("nodeName")
        started = time.monotonic()
        cluster.apply(
            manifests.ingress(namespace, "bad", [("a.other.test", "/", "Prefix", "web", 80)], BAD),
            manifests.class_params("bad", {"inboundCIDRs": ["everybody"]}),
            manifests.service(namespace, "web", [manifests.port(80, "http", "http")], type="LoadBalancer"), pod)
        assert time.monotonic() - started < 5.0
        cluster.delete("IngressClassParams", None, "bad")
        cluster.delete("Ingress", namespace, "bad")
        cluster.gone("Ingress", namespace, "bad")


def test_the_operator_may_change_no_other_secret_or_configuration(world, cluster):
    # Any Secret may be read by its name, as Ingresses name those of their identity providers; none may be looked for.
    api = cluster.api.for_service_account(chart.NAMESPACE, chart.ACCOUNT)
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other", "namespace": chart.NAMESPACE}})
    place = f"/api/v1/namespaces/{chart.NAMESPACE}/secrets"
    configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    try:
        assert api.get(f"{place}/{webhook.NAME}")["metadata"]["name"] == webhook.NAME
        for path in (place, f"{configurations}/other", configurations, "/api/v1/secrets"):
            with pytest.raises(ApiError) as refused:
                api.get(path)
            assert refused.value.status == 403, path
        with pytest.raises(ApiError) as refused:
            api.patch(f"{place}/other", {"data": {"key": "dmFsdWU="}})
        assert refused.value.status == 403
    finally:
        cluster.delete("Secret", chart.NAMESPACE, "other")
