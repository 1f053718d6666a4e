"""An Ingress moves between the cluster and AWS: the new address is live first, then status and names move, then the old one goes."""

import pytest

from e2e.lib.waiting import eventually, need, steadily

pytestmark = pytest.mark.nodes


@pytest.fixture
def provisioning(node_cloud):
    """Load balancers take an hour, until the clock is moved."""
    node_cloud.settings(provisioning_seconds=3600)
    yield lambda: node_cloud.control("POST", "clock", {"advance": 3601})
    node_cloud.settings(provisioning_seconds=0)


def name_is(shop, wanted):
    def probe():
        record = shop.cloud.records().get((shop.host, "A"))
        need(record is not None and wanted(record), record)

    eventually("the name", probe, 40.0)


def finalizers(shop):
    return shop.cluster.get("Ingress", shop.namespace, "web")["metadata"].get("finalizers")


def test_there_and_back(node_shop, node_cloud, node_cluster, provisioning):
    shop = node_shop
    shop.ingress("fairway")
    old = shop.address()
    shop.served(old)
    name_is(shop, lambda record: record.get("values") == [old])
    note = node_cluster.warned("Ingress", shop.namespace, "web", "SettingWithoutEffect")
    assert "alb.ingress.kubernetes.io/" in note

    shop.ingress("alb")
    eventually("a load balancer", lambda: need(node_cloud.dump()["loadBalancers"], "there is none"))

    def old_one_serves():
        assert node_cluster.addresses("Ingress", shop.namespace, "web")[0].get("ip") == old
        assert node_cloud.records()[(shop.host, "A")].get("values") == [old]
        assert shop.curl(old)[0] == 200

    steadily("the old address serves while the new one is provisioned", old_one_serves, 3.0)
    provisioning()
    eventually("the status moves", lambda: need("hostname" in node_cluster.addresses("Ingress", shop.namespace, "web")[0], "it shows the old one"), 40.0)
    name_is(shop, lambda record: record.get("alias", {}).get("to", "").startswith("loadBalancer:"))
    eventually("the old address goes", lambda: need(shop.curl(old)[0] == 0, "it answers"), 40.0)
    eventually("finalizers", lambda: need(finalizers(shop) == ["ingress.k8s.aws/resources"], finalizers(shop)), 40.0)

    mark = node_cloud.mark()
    shop.ingress("fairway")
    eventually("the status moves back", lambda: need("ip" in node_cluster.addresses("Ingress", shop.namespace, "web")[0], "it shows the old one"), 40.0)
    new = shop.address()
    shop.served(new)
    name_is(shop, lambda record: record.get("values") == [new])
    eventually("the load balancer goes", lambda: need(not node_cloud.dump()["loadBalancers"], "it is there"), 40.0)
    writes = node_cloud.writes(mark)
    moved = [call["number"] for call in writes if call["operation"] == "ChangeResourceRecordSets"]
    deleted = [call["number"] for call in writes if call["operation"] == "DeleteLoadBalancer"]
    assert len(deleted) == 1 and moved and min(moved) < deleted[0], "the name moved before what it pointed at went"
