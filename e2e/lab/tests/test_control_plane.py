"""A control plane is whole: its identities, its rights, its controllers, and objects that tests make instead of kubelets."""

import json
from pathlib import Path

import pytest

from lab import AlreadyUp, ApiError, Lab, leftovers, patient, unique_name, until

READY_SECONDS = 20  # 3.5 s on an idle machine with two processors; the tests may share it with a build


def test_a_lab_can_be_started_and_ended_twice_in_a_row() -> None:
    name = unique_name("twice")
    for _ in range(2):
        lab = Lab(name, quiet=True)
        with lab:
            assert lab.progress.elapsed() < patient(READY_SECONDS)
            assert lab.describe()["state"] == "ready"
            assert json.loads(lab.kubectl("get", "namespace", "default", "-o", "json"))["status"]["phase"] == "Active"
        assert leftovers(name) == []
    lab.down()  # once more is fine
    assert leftovers(name) == []


def test_labs_run_beside_each_other_and_do_not_share_objects(control_plane: Lab) -> None:
    with Lab(unique_name("other"), quiet=True) as other:
        other.kubectl("create", "namespace", "mine")
        assert set(other.describe()["ports"].values()).isdisjoint(control_plane.describe()["ports"].values())
        with pytest.raises(ApiError) as refused:
            control_plane.api.get("/api/v1/namespaces/mine")
        assert refused.value.status == 404
    assert control_plane.api.get("/readyz") == "ok", "ending one lab leaves the other alone"


def test_a_name_in_use_is_refused_and_its_lab_left_alone(control_plane: Lab) -> None:
    with pytest.raises(AlreadyUp, match=control_plane.name):
        Lab(control_plane.name, quiet=True).up()
    assert control_plane.api.get("/readyz") == "ok"


def test_a_failed_block_takes_its_lab_down() -> None:
    name = unique_name("failed")
    with pytest.raises(ZeroDivisionError), Lab(name, quiet=True):
        raise ZeroDivisionError
    assert leftovers(name) == []


def test_a_service_account_has_its_own_rights_only(control_plane: Lab) -> None:
    kubectl = control_plane.kubectl
    kubectl("create", "serviceaccount", "reader")
    kubectl("create", "role", "reads", "--verb=get,list", "--resource=services")
    kubectl("create", "rolebinding", "reads", "--role=reads", "--serviceaccount=default:reader")
    config = control_plane.service_account_kubeconfig("default", "reader")

    assert "kubernetes" in kubectl("--kubeconfig", config, "get", "services")
    denied = control_plane.exec("host", [control_plane.environment["KUBECTL"], "--kubeconfig", config, "get", "secrets"], check=False)
    assert denied.returncode != 0
    assert "cannot list resource" in denied.stderr


def test_endpoint_slices_follow_pods_that_nobody_runs(control_plane: Lab) -> None:
    api = control_plane.api
    api.post("/api/v1/nodes", {"metadata": {"name": "made-up"}, "spec": {"providerID": "aws:///us-east-1a/i-0abc"}})
    api.post("/api/v1/namespaces/default/services",
             {"metadata": {"name": "shop"}, "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80, "targetPort": 8080}]}})
    api.post("/api/v1/namespaces/default/pods", {
        "metadata": {"name": "shop", "labels": {"app": "shop"}},
        "spec": {"nodeName": "made-up", "containers": [{"name": "shop", "image": "shop"}]},
    })
    api.patch("/api/v1/namespaces/default/pods/shop/status", {"status": {
        "phase": "Running", "podIP": "10.0.1.7", "podIPs": [{"ip": "10.0.1.7"}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }})

    def ready_addresses() -> list[str]:
        slices = api.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=shop")
        endpoints = [endpoint for each in slices["items"] for endpoint in each.get("endpoints") or []]
        return [address for endpoint in endpoints if endpoint["conditions"]["ready"] for address in endpoint["addresses"]]

    assert until("endpoint slice of the Service shop", 10, ready_addresses) == ["10.0.1.7"]


def test_helm_sees_the_cluster(control_plane: Lab, tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: chart, version: 0.1.0, kubeVersion: '>= 1.33.0-0 < 1.36.0-0'}")
    (chart / "templates" / "map.yaml").write_text("{apiVersion: v1, kind: ConfigMap, metadata: {name: '{{ .Release.Name }}'}}")
    control_plane.helm("install", "released", chart)
    assert control_plane.api.get("/api/v1/namespaces/default/configmaps/released")["metadata"]["name"] == "released"


def test_the_collector_removes_what_an_owner_leaves(control_plane: Lab) -> None:
    api = control_plane.api
    owner = api.post("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "owner"}})
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    api.post("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "owned", "ownerReferences": [reference]}})
    api.delete("/api/v1/namespaces/default/configmaps/owner")

    def gone() -> bool:
        try:
            api.get("/api/v1/namespaces/default/configmaps/owned")
        except ApiError as error:
            return error.status == 404
        return False

    until("the owned object to go", 20, gone)
