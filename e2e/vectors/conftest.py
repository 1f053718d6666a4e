"""A cluster and an account as they were when the peer was recorded."""

from collections.abc import Iterator

import pytest

from lab import Lab, unique_name

from e2e.lib import chart, etcd, recorded
from e2e.lib.cloud import Cloud
from e2e.lib.cluster import Cluster
from e2e.lib.site import QUICK


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A cluster of its own: other nodes would become targets, and objects are written into its etcd."""
    with Lab(unique_name("vectors"), aws=True, quiet=True) as lab:
        cluster = Cluster(lab.api, lab.service_account_kubeconfig)
        chart.install(cluster)
        for item in recorded.environment_objects():
            prepare(lab, item)
        yield lab


def prepare(lab: Lab, item: dict) -> None:
    """Puts an object of the environment there as it was: names and checkpoints hold UIDs and creation times.

    EndpointSlices follow from Services and the pod, and the class is the chart's.
    """
    if item["kind"] == "Service" and item["metadata"]["name"] != "kubernetes":
        etcd.put(lab, recorded.authored(item))
    if item["kind"] in ("Node", "Pod"):
        # Without its owner, which was not recorded: an owner that does not exist takes its pod along.
        etcd.put(lab, recorded.authored(item) | {"status": item["status"]})


@pytest.fixture
def cluster(lab: Lab) -> Cluster:
    return Cluster(lab.api, lab.service_account_kubeconfig)


@pytest.fixture
def cloud(lab: Lab) -> Cloud:
    """The recorded account, made anew."""
    seed = recorded.environment()
    cloud = Cloud(lab.describe()["aws"]["endpoint"], seed["vpc"][0]["VpcId"])
    cloud.reset(seed)
    cloud.settings(**QUICK)
    return cloud
