"""One emulator for the whole run, on a free port; every test begins with an account of its own choosing."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "localstack"), str(ROOT / "localstack" / "plugin")]

from emulator import Emulator  # noqa: E402  (the path above comes first)

from e2e.lib.behaviours import WORLD, Clients  # noqa: E402


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    log = tmp_path_factory.mktemp("emulator") / "log.txt"
    with open(log, "w", encoding="utf-8") as file, Emulator.start(seed=WORLD, log=file) as running:
        yield running


@pytest.fixture(scope="session")
def clients(emulator):
    return Clients(emulator.endpoint)


@pytest.fixture
def world(emulator):
    """A fresh emulator with the common world; gives the control function."""
    emulator.control("POST", "reset", {})
    return emulator.control
