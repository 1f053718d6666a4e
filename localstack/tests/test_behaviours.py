"""The common behaviours, one test each."""

import pytest

from e2e.lib.behaviours import load_all, run

BEHAVIOURS = load_all()


def test_there_are_enough_behaviours_and_their_names_are_distinct():
    names = [(file, behaviour["name"]) for file, behaviour in BEHAVIOURS]
    assert len(names) == len(set(names)) >= 60


@pytest.mark.parametrize(
    "behaviour", [pytest.param(found, id=f"{file}: {found['name']}") for file, found in BEHAVIOURS]
)
def test_behaviour(behaviour, emulator, clients):
    run(behaviour, clients, emulator.control)
