"""The chart in a cluster with nodes: operator and agents run as pods from images, under their own roles, and leave nothing."""

import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from e2e.lib import chart, delivery, site as sites
from e2e.lib.waiting import eventually, need

pytestmark = pytest.mark.nodes
NAMESPACED = ("Deployment", "DaemonSet", "ServiceAccount", "Role", "RoleBinding")
CLUSTER_WIDE = ("ClusterRole", "ClusterRoleBinding", "IngressClass")


@pytest.mark.parametrize("package", delivery.PROGRAMS)
def test_an_image_holds_the_program_and_what_it_links(node_lab, tmp_path, package):
    with tarfile.open(node_lab.folder / "images" / f"{package}.tar") as archive:
        (manifest,) = json.load(archive.extractfile("manifest.json"))
        (name,) = manifest["Layers"]
        with tarfile.open(fileobj=archive.extractfile(name)) as layer:
            layer.extract(package, tmp_path, filter="data")
            folders = {f"/{entry.name}" for entry in layer if entry.isdir()}
            files = {f"/{entry.name}" for entry in layer if not entry.isdir()}
    linked = {word for word in subprocess.check_output(["ldd", tmp_path / package], text=True).split() if word.startswith("/")}
    assert any(Path(path).name == "libnftables.so.1" for path in linked) == (package == "fairway-agent")
    assert files == {f"/{package}", "/etc/passwd"} | linked
    assert folders == {str(parent) for path in files for parent in Path(path).parents} - {"/"} | {"/tmp"}


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
        assert subject not in subjects or binding["roleRef"]["name"] in (account, f"{account}-webhook"), binding
    allowed = [node_lab.exec("host", [node_lab.environment["KUBECTL"], "auth", "can-i", verb, what, f"--as={subject}", *more], check=False).stdout.strip()
               for verb, what, more in (("*", "*", ["--all-namespaces"]), ("list", "secrets", ["--all-namespaces"]), ("delete", "ingresses", ["-n", "default"]),
                                        ("create", "pods", ["-n", "default"]), ("update", "clusterroles", []),
                                        ("patch", "validatingwebhookconfigurations/other", []), ("create", "mutatingwebhookconfigurations", []))]
    assert allowed == ["no"] * 7


def test_an_ingress_is_served_by_what_was_installed(node_shop, node_cloud):
    node_shop.ingress("alb")
    assert node_cloud.seen(node_shop.address())["type"] == "application"


def test_uninstalling_leaves_nothing_but_definitions_and_their_objects(node_lab, node_cluster):
    before = custom(node_cluster)
    assert {("CustomResourceDefinition", "loadbalancerstates.fairway.dev"), ("IPAddressPool", "e2e")} <= set(before)
    delivery.uninstall(node_lab)
    try:
        assert custom(node_cluster) == before
        eventually("nothing left", lambda: need(not left(node_cluster), left(node_cluster)))
        for node in node_lab.describe()["nodes"]:
            tables = node_lab.exec(node["name"], ["nft", "list", "tables"]).stdout
            assert "fairway" not in tables
    finally:
        delivery.install(node_lab, sites.OWNER)


def custom(cluster):
    """Uids, by kind and name, of custom resource definitions and of the objects that the cluster's administrator made of them."""
    kinds = ("CustomResourceDefinition", "IPAddressPool", "L2Advertisement")
    return {(kind, item["metadata"]["name"]): item["metadata"]["uid"] for kind in kinds for item in cluster.all(kind)}


def left(cluster):
    """Objects of the release."""
    found = [item for kind in NAMESPACED for item in cluster.all(kind, chart.NAMESPACE)] + [item for kind in CLUSTER_WIDE for item in cluster.all(kind)]
    ours = [item for item in found if item["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == delivery.RELEASE]
    return [f"{item['metadata']['name']}" for item in ours + cluster.all("Pod", chart.NAMESPACE)]
