"""Fixtures of the scenarios, and the rule that nothing may be skipped in CI."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

E2E = Path(__file__).resolve().parent
sys.path[:0] = [str(E2E.parent), str(E2E), str(E2E.parent / "localstack")]

from e2e.lib import site as sites  # noqa: E402  (the paths above come first)
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
def world(site: sites.Site) -> Iterator[sites.Site]:
    """The site with an account made anew and nobody leading; afterwards nothing of Fairway's may be left in the account."""
    site.sweep()
    site.cloud.reset()
    # Nothing is learnt from waiting a second for every load balancer's interfaces; test_ingress_to_alb does it once.
    site.cloud.settings(interface_linger_seconds=0)
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
