"""Makes the package importable, however pytest was called, and names labs so that two runs of the tests do not meet."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab import Lab  # noqa: E402


def unique(purpose: str) -> str:
    """A lab's name that belongs to this run of the tests."""
    return f"{purpose}-{os.getpid()}"


@pytest.fixture(scope="session")
def control_plane() -> Iterator[Lab]:
    """A lab without nodes, shared by the tests that do not end it."""
    with Lab(unique("plane"), quiet=True) as lab:
        yield lab
