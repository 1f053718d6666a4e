"""Makes the package importable, however pytest was called."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab import Lab, unique_name


@pytest.fixture(scope="session")
def control_plane() -> Iterator[Lab]:
    """A lab without nodes, shared by the tests that do not end it."""
    with Lab(unique_name("plane"), quiet=True) as lab:
        yield lab
