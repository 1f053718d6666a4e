"""The common behaviours, one test each."""

import pytest

from e2e.lib.behaviours import load_all, run

BEHAVIOURS = load_all()


def test_there_are_enough_behaviours_and_their_names_are_distinct():
    names = [(file, behaviour["name"]) for file, behaviour in BEHAVIOURS]
    assert len(names) == len(set(names)) >= 60


@pytest.mark.parametrize(
    "step",
    [
        {"call": "elbv2.DescribeLoadBalancers", "with": {}, "expect": {"LoadBalancers.#": 1}},
        {"call": "elbv2.DescribeLoadBalancers", "with": {}, "error": "LoadBalancerNotFound"},
        {"call": "elbv2.DescribeLoadBalancers", "with": {"Names": ["nobody"]}},
        {"call": "elbv2.DescribeLoadBalancers", "with": {}, "save": {"lb": "LoadBalancers.0"}},
    ],
)
def test_a_behaviour_that_does_not_hold_is_noticed(step, emulator, clients):
    with pytest.raises(AssertionError, match="step 1 of"):
        run({"name": "planted", "steps": [step]}, clients, emulator.control)


@pytest.mark.parametrize(
    "behaviour", [pytest.param(found, id=f"{file}: {found['name']}") for file, found in BEHAVIOURS]
)
def test_behaviour(behaviour, emulator, clients):
    run(behaviour, clients, emulator.control)
