"""The chart in a cluster with nodes: operator and agents run as pods from images, under their own roles, and leave nothing."""

import pytest

from e2e.lib import chart, delivery, site as sites
from e2e.lib.waiting import eventually, need

pytestmark = pytest.mark.nodes
NAMESPACED = ("Deployment", "DaemonSet", "ServiceAccount", "Role", "RoleBinding")
CLUSTER_WIDE = ("ClusterRole", "ClusterRoleBinding", "IngressClass")


def test_operator_and_agents_run_as_pods(node_lab, node_cluster):
    pods = [pod for pod in node_cluster.all("Pod", chart.NAMESPACE) if "deletionTimestamp" not in pod["metadata"]]
    images = sorted(pod["spec"]["containers"][0]["image"] for pod in pods)
    assert images == [f"{delivery.REGISTRY}/fairway-agent:{delivery.TAG}"] * 2 + [f"{delivery.REGISTRY}/fairway:{delivery.TAG}"] * 2
    assert {pod["spec"]["nodeName"] for pod in pods if "agent" in pod["metadata"]["name"]} == {"node1", "node2"}
    for pod in pods:
        container = pod["spec"]["containers"][0]["securityContext"]
        assert container["allowPrivilegeEscalation"] is False and container["capabilities"]["drop"] == ["ALL"]


@pytest.mark.parametrize("account", ["fairway", "fairway-agent"])
def test_nobody_is_an_administrator(node_lab, node_cluster, account):
    subject = f"system:serviceaccount:{chart.NAMESPACE}:{account}"
    for binding in node_cluster.all("ClusterRoleBinding"):
        subjects = [f"system:serviceaccount:{entry.get('namespace')}:{entry['name']}" for entry in binding.get("subjects", [])]
        assert subject not in subjects or binding["roleRef"]["name"] == account, binding
    allowed = [node_lab.exec("host", [node_lab.environment["KUBECTL"], "auth", "can-i", verb, what, f"--as={subject}", *more], check=False).stdout.strip()
               for verb, what, more in (("*", "*", ["--all-namespaces"]), ("list", "secrets", ["--all-namespaces"]), ("delete", "ingresses", ["-n", "default"]),
                                        ("create", "pods", ["-n", "default"]), ("update", "clusterroles", []))]
    assert allowed == ["no"] * 5


def test_an_ingress_is_served_by_what_was_installed(node_shop, node_cloud):
    node_shop.ingress("alb")
    assert node_cloud.seen(node_shop.address())["type"] == "application"


def test_uninstalling_leaves_nothing(node_lab, node_cluster):
    delivery.uninstall(node_lab)
    try:
        eventually("nothing left", lambda: need(not left(node_cluster), left(node_cluster)))
        for node in node_lab.describe()["nodes"]:
            tables = node_lab.exec(node["name"], ["nft", "list", "tables"]).stdout
            assert "fairway" not in tables
    finally:
        delivery.install(node_lab, sites.OWNER)


def left(cluster):
    """Objects of the release."""
    found = [item for kind in NAMESPACED for item in cluster.all(kind, chart.NAMESPACE)] + [item for kind in CLUSTER_WIDE for item in cluster.all(kind)]
    ours = [item for item in found if item["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == delivery.RELEASE]
    return [f"{item['metadata']['name']}" for item in ours + cluster.all("Pod", chart.NAMESPACE)]
