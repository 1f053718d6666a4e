"""What becomes of an installed chart: its leader dies, its values change, and the change is taken back."""

import contextlib
import os
import signal
import time

import pytest
from lab import processes

from e2e.lib import chart, delivery, site as sites
from e2e.lib.waiting import eventually, need

pytestmark = pytest.mark.nodes
HANDOVER_SECONDS = 20.0
ROLLOUT = ("--namespace", chart.NAMESPACE, "--wait", "--timeout", "2m")


def operators(cluster):
    """Pods of the operator that are ready, by name."""
    selected = [pod for pod in cluster.all("Pod", chart.NAMESPACE)
                if pod["metadata"].get("labels", {}).get("app.kubernetes.io/component") == "operator" and "deletionTimestamp" not in pod["metadata"]]
    ready = lambda pod: any(entry["type"] == "Ready" and entry["status"] == "True" for entry in pod["status"].get("conditions", []))  # noqa: E731
    return {pod["metadata"]["name"]: pod for pod in selected if ready(pod)}


def both(cluster):
    """Waits until there are two, one of which leads; gives the leader first."""

    def probe():
        pods = operators(cluster)
        need(len(pods) == 2 and leader(cluster) in pods, f"{leader(cluster)} of {sorted(pods)}")
        return sorted(pods, key=lambda name: name != leader(cluster))

    return eventually("two operators, one of which leads", probe, 60.0)


def leader(cluster):
    lease = cluster.find("Lease", chart.NAMESPACE, sites.LEASE)
    return (lease or {}).get("spec", {}).get("holderIdentity")


@contextlib.contextmanager
def killed(lab, cluster, name):
    """A pod's process is ended without a word, and the pod is taken away; gives when. Until the end of the block its node starts
    nothing: a container that is started again under its pod's name would go on with the lease of the one that was killed."""
    pod = operators(cluster)[name]
    node = pod["spec"]["nodeName"]
    container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
    # With the process that watches it: that one stops when kubelet does.
    kubelet = os.getpgid(processes.find(lab.folder, f"{node}.kubelet").pid)
    os.killpg(kubelet, signal.SIGSTOP)
    try:
        moment = time.monotonic()
        lab.exec(node, ["ctr", "--namespace=k8s.io", "tasks", "kill", "--signal=SIGKILL", container])
        lab.kubectl("delete", "pod", name, f"--namespace={chart.NAMESPACE}", "--grace-period=0", "--force", "--wait=false")
        yield moment
    finally:
        os.killpg(kubelet, signal.SIGCONT)


def paths(shop, *names):
    return [(shop.host, name, "Prefix", "web", 80) for name in names]


def routed(shop):
    """Paths that the load balancer at the Ingress' address knows."""
    rules = shop.cloud.seen(shop.address())["listeners"]["80/HTTP"]["rules"]
    return {value for rule in rules for condition in rule["conditions"] if condition["Field"] == "path-pattern"
            for value in condition["PathPatternConfig"]["Values"]}


def test_another_pod_leads_when_the_leader_is_killed(node_lab, node_cluster, node_shop):
    shop = node_shop
    first, _ = both(node_cluster)
    shop.ingress("alb", paths(shop, "/one"))
    eventually("the first path", lambda: need("/one" in routed(shop), "it is not there"), 40.0)

    with killed(node_lab, node_cluster, first) as moment:
        shop.ingress("alb", paths(shop, "/one", "/two"))
        eventually("the second path", lambda: need("/two" in routed(shop), "it is not there"), HANDOVER_SECONDS)
        assert time.monotonic() - moment < HANDOVER_SECONDS
    assert leader(node_cluster) != first, "the one that was killed does not come back under its name"
    assert first not in both(node_cluster), "a third pod takes its place"


def test_an_upgrade_changes_what_was_made_and_a_rollback_changes_it_back(node_lab, node_cluster, node_cloud, node_shop):
    shop = node_shop
    shop.ingress("alb")
    arn = node_cloud.balancer(shop.address())["LoadBalancerArn"]
    assert "team" not in node_cloud.tags(arn)
    before = agent_arguments(node_cluster)

    node_lab.helm("upgrade", delivery.RELEASE, chart.CHART, "--reuse-values", "--set-string", "defaultTags.team=shop", "--set", "agent.drainSeconds=2", *ROLLOUT)
    try:
        tagged = lambda: node_cloud.tags(arn).get("team")  # noqa: E731
        eventually("the tag on what there was", lambda: need(tagged() == "shop", node_cloud.tags(arn)), 60.0)
        assert "--drain-seconds=2" in agent_arguments(node_cluster) and "--drain-seconds=2" not in before
        assert node_cloud.balancer(shop.address())["LoadBalancerArn"] == arn, "it is the same load balancer"
    finally:
        node_lab.helm("rollback", delivery.RELEASE, *ROLLOUT)
    eventually("the tag is gone", lambda: need(tagged() is None, node_cloud.tags(arn)), 60.0)
    assert agent_arguments(node_cluster) == before
    both(node_cluster)


def agent_arguments(cluster):
    """Arguments of the agents."""
    (agents,) = cluster.all("DaemonSet", chart.NAMESPACE)
    return agents["spec"]["template"]["spec"]["containers"][0]["args"]
