"""The webhook as it is installed: reached through its Service, under its own roles; and pods that are held while they end."""

import time

import pytest

from e2e.lib import manifests, webhook
from e2e.lib.waiting import eventually, need
from lab import ApiError

pytestmark = pytest.mark.nodes
HOLD = "fairway.dev/drain-hold"
HOLD_SECONDS = 4
ROLLOUT_SECONDS = 90.0


def rolled_out(cluster, namespace, name):
    """Fails until a Deployment has no pod of an older version any more."""
    found = cluster.get("Deployment", namespace, name)
    status, wanted = found["status"], found["spec"]["replicas"]
    need(status.get("observedGeneration") == found["metadata"]["generation"], "not seen yet")
    counts = {key: status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")}
    need(set(counts.values()) == {wanted}, counts)


def template(cluster, namespace, name, annotations):
    """Changes the pods of a Deployment, one after the other."""
    change = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    cluster.patch("Deployment", namespace, name, change)


def test_the_api_server_asks_through_the_service(node_shop, node_cluster):
    shop = node_shop
    eventually("the leader has told the API server whom to trust", lambda: need(all(webhook.bundles(node_cluster)), "a webhook has no bundle"))
    bad = manifests.ingress(shop.namespace, "bad", [(shop.host, "/", "Prefix", "web", 80)], {"alb.ingress.kubernetes.io/target-type": "pods"})

    def refused():
        try:
            node_cluster.api.post(f"/apis/networking.k8s.io/v1/namespaces/{shop.namespace}/ingresses?dryRun=All", bad)
        except ApiError as error:
            need(error.status == 422 and "alb.ingress.kubernetes.io/target-type" in str(error), error)
            return
        need(False, "it was not asked about")

    eventually("refused", refused)
    bad["metadata"]["annotations"] = {}
    node_cluster.api.post(f"/apis/networking.k8s.io/v1/namespaces/{shop.namespace}/ingresses?dryRun=All", bad)


def test_a_rolling_update_of_held_pods_loses_no_request(node_shop, node_cluster):
    shop = node_shop
    shop.ingress("fairway")
    address = shop.address()
    shop.served(address)
    template(node_cluster, shop.namespace, "web", {HOLD: str(HOLD_SECONDS)})
    eventually("held pods", lambda: rolled_out(node_cluster, shop.namespace, "web"), ROLLOUT_SECONDS)
    pods = [pod for pod in node_cluster.all("Pod", shop.namespace) if pod["metadata"]["labels"]["app"] == "web" and "deletionTimestamp" not in pod["metadata"]]
    for pod in pods:
        assert pod["spec"]["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": HOLD_SECONDS}}}
        assert pod["spec"]["terminationGracePeriodSeconds"] == 1 + HOLD_SECONDS
    before = {pod["metadata"]["name"] for pod in pods}
    shop.served(address)

    template(node_cluster, shop.namespace, "web", {HOLD: str(HOLD_SECONDS), "round": "2"})
    answers, until = [], time.monotonic() + ROLLOUT_SECONDS
    while time.monotonic() < until:
        status, seen = shop.curl(address)
        answers.append((status, seen.get("pod")))
        if len(answers) % 10 == 0 and is_done(node_cluster, shop.namespace, before):
            break
    lost = [answer for answer in answers if answer[0] != 200]
    assert not lost, f"{len(lost)} of {len(answers)} requests: {lost[:5]}"
    names = {name for _, name in answers}
    assert names & before and names - before, "requests went to pods before and after"
    assert is_done(node_cluster, shop.namespace, before), "the rollout has ended"


def is_done(cluster, namespace, before):
    """Whether the pods that were there before are gone, held or not."""
    names = {pod["metadata"]["name"] for pod in cluster.all("Pod", namespace)}
    try:
        rolled_out(cluster, namespace, "web")
    except AssertionError:
        return False
    return not names & before
