"""What the AWS Load Balancer Controller really made of some objects, Fairway makes of them too: leaf by leaf."""

from collections.abc import Iterator

import pytest

from e2e.lib import chart, etcd, recorded
from e2e.lib.cloud import Cloud
from e2e.lib.cluster import Cluster
from e2e.lib.leaves import differences
from e2e.lib.operator import Operator
from e2e.lib.site import LEASE, LOGS, left_of_ours
from e2e.lib.waiting import eventually, need, steadily

pytestmark = pytest.mark.lab



@pytest.fixture
def operator(cloud: Cloud, cluster: Cluster, program, request) -> Iterator[Operator]:
    """An operator with the peer's flags, and DNS left alone."""
    cluster.delete("Lease", chart.NAMESPACE, LEASE)
    flags = recorded.flags(cloud.vpc)
    kubeconfig = cluster.kubeconfig_for(chart.NAMESPACE, chart.ACCOUNT)
    operator = Operator(program, LOGS / f"vectors-{request.node.callspec.id}.log", kubeconfig, cloud.endpoint, flags)
    try:
        yield operator.ready()
    finally:
        operator.stop()


@pytest.mark.parametrize("name", recorded.CASES)
def test_the_same_objects_make_the_same_things(name, lab, cluster, cloud, operator):
    case, ignored = recorded.load(name), recorded.ignored()
    before = cloud.dump()
    present = {item["metadata"]["name"] for item in cluster.all("Service", recorded.NAMESPACE)}
    inputs = sorted(case.classes + case.inputs, key=lambda item: item["kind"] == "Ingress")
    made = [item for item in inputs if item["kind"] != "Service" or item["metadata"]["name"] not in present]
    assert made, "a case brings something of its own"

    def compared() -> None:
        found = differences(case.wanted, recorded.state(cluster, cloud.dump(), case), ignored)
        need(not found, "\n  ".join([f"{len(found)} leaves differ:", *found[:40]]))

    try:
        for item in made:
            if item["kind"] == "Service":
                etcd.put(lab, item)
            else:
                cluster.apply({**item, "metadata": {key: value for key, value in item["metadata"].items() if key not in ("uid", "creationTimestamp")}})
        eventually(f"{name} as recorded", compared)
        steadily("as recorded, and so it stays", compared, 1.0)
    finally:
        # Those who use a class go before it.
        for item in reversed(made):
            cluster.delete(*recorded.named(item))
    for item in made:
        cluster.gone(*recorded.named(item))

    def cleaned() -> None:
        dump = cloud.dump()
        need(not left_of_ours(dump, recorded.CLUSTER), f"left: {left_of_ours(dump, recorded.CLUSTER)}")
        need(dump == before, "the account is not as it was before")

    eventually("an account as before", cleaned)
