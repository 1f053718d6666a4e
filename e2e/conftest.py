"""Fixtures of the scenarios, and the rule that nothing may be skipped in CI."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

E2E = Path(__file__).resolve().parent
sys.path[:0] = [str(E2E.parent), str(E2E), str(E2E.parent / "localstack")]

from lab import Lab, unique_name  # noqa: E402  (the paths above come first)

from e2e.lib import delivery, node_shop as kitchens, site as sites  # noqa: E402
from e2e.lib.cloud import Cloud  # noqa: E402
from e2e.lib.cluster import Cluster  # noqa: E402
from e2e.lib.operator import Operator  # noqa: E402
from e2e.lib.shop import Shop  # noqa: E402
from e2e.lib.waiting import eventually, need  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI a skip is a failure; a failure shows the end of the operator's log."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is a failure in CI: {report.longrepr}"
    operator = getattr(item, "funcargs", {}).get("operator")
    if report.failed and isinstance(operator, Operator):
        report.sections.append((f"operator's log ({operator.log})", operator.tail()))


LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out on a foreign cluster what only a lab allows."""
    needy = [item for item in items if item.get_closest_marker("lab")] if sites.on_foreign_cluster() else []
    items[:] = [item for item in items if item not in needy]
    config.hook.pytest_deselected(items=needy)
    config.stash[LEFT_OUT] = len(needy)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Says what was left out, and why."""
    if left := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"left out on a foreign cluster: {left} tests that need the lab's own etcd or API server")


@pytest.fixture(scope="session")
def program() -> Path:
    """The operator's binary: FAIRWAY_BIN, or a debug build."""
    if named := os.environ.get("FAIRWAY_BIN"):
        return Path(named).resolve()
    subprocess.run(["cargo", "build", "--quiet", "--package=fairway"], cwd=E2E.parent, check=True)
    return E2E.parent / "target" / "debug" / "fairway"


@pytest.fixture(scope="session")
def site(program: Path) -> Iterator[sites.Site]:
    """One cluster and one account for the whole run."""
    with sites.opened(program) as site:
        yield site


@pytest.fixture(scope="module")
def world(site: sites.Site, request: pytest.FixtureRequest) -> Iterator[sites.Site]:
    """The site with an account made anew and nobody leading; afterwards nothing of Fairway's may be left in the account.

    A module's SETTINGS are the emulator's.
    """
    site.sweep()
    site.cloud.reset()
    site.cloud.settings(**{**sites.QUICK, **getattr(request.module, "SETTINGS", {})})
    site.clear_lease()
    yield site


@pytest.fixture(scope="module")
def operator(world: sites.Site, request: pytest.FixtureRequest) -> Iterator[Operator]:
    """One operator for all tests of a module, with the module's FLAGS and OWNER (None: DNS is left alone)."""
    flags = world.flags(*getattr(request.module, "FLAGS", ()), owner=getattr(request.module, "OWNER", sites.OWNER))
    operator = world.operator(request.module.__name__.rpartition(".")[2], flags)
    try:
        yield operator.ready()
        eventually("nothing of ours left in AWS", lambda: nothing_left(world))
    finally:
        code = operator.stop()
    assert code == 0, f"the operator ended with {code}: {operator.tail()}"


def nothing_left(site: sites.Site) -> None:
    """Fails while there is anything in the account that carries our marks."""
    left = sites.left_of_ours(site.cloud.dump(), site.account["cluster"])
    need(not left, f"left: {left}")


@pytest.fixture
def shop(operator: Operator, world: sites.Site, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A namespace of the test's own, with a running operator."""
    shop = world.shop(request.module.__name__.rpartition("test_")[2].replace("_", "-"))
    yield shop
    shop.close()


@pytest.fixture
def cloud(world: sites.Site) -> Cloud:
    return world.cloud


@pytest.fixture
def cluster(world: sites.Site) -> Cluster:
    return world.cluster


@pytest.fixture(scope="session")
def node_lab() -> Iterator[Lab]:
    """Two real nodes with AWS, and Fairway installed by its chart: the release binaries, or those in the folder FAIRWAY_PROGRAMS."""
    if os.geteuid():
        pytest.skip("nodes need root")
    named = os.environ.get("FAIRWAY_PROGRAMS")
    programs = {name: Path(named) / name for name in delivery.PROGRAMS} if named else delivery.build()
    with Lab(unique_name("nodes"), nodes=2, aws=True, quiet=True) as lab:
        delivery.deliver(lab, programs)
        delivery.install(lab, sites.OWNER)
        kitchens.pool(Cluster(lab.api, lab.service_account_kubeconfig))
        yield lab


@pytest.fixture
def node_cluster(node_lab: Lab) -> Cluster:
    return Cluster(node_lab.api, node_lab.service_account_kubeconfig)


@pytest.fixture
def node_cloud(node_lab: Lab) -> Cloud:
    aws = node_lab.describe()["aws"]
    return Cloud(aws["endpoint"], aws["vpc"], aws["region"])


@pytest.fixture
def node_shop(node_lab: Lab, node_cluster: Cluster, node_cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[kitchens.NodeShop]:
    """A namespace of the test's own on real nodes."""
    words = request.node.name.removeprefix("test_").split("_")
    shop = kitchens.NodeShop(node_lab, node_cluster, node_cloud, f"n-{'-'.join(words)[:24].strip('-')}")
    yield shop
    shop.close()
