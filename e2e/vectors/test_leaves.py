"""The comparison notices every leaf: shown on the recorded cases themselves, without a cluster."""

import json

import pytest

from e2e.lib import recorded
from e2e.lib.leaves import Ignored, differences, leaves

CASES = sorted(folder.name for folder in recorded.FOLDER.iterdir() if (folder / "aws.json").exists())


def changed(value, path, leaf):
    """A copy of `value` with another leaf at `path`; without one, the leaf is taken away."""
    copied = json.loads(json.dumps(value))
    *way, last = path.split("|")
    place = copied
    for key in way:
        place = place[int(key)] if isinstance(place, list) else place[key]
    last = int(last) if isinstance(place, list) else last
    if leaf is None:
        del place[last]
    else:
        place[last] = leaf
    return copied


def other(leaf):
    """A value that differs from `leaf` in every part."""
    if isinstance(leaf, str):
        return "".join("x" if letter != "x" else "y" for letter in leaf) or "x"
    return "x" if isinstance(leaf, (dict, list)) or leaf is None else leaf + 1 if not isinstance(leaf, bool) else not leaf


@pytest.mark.parametrize("name", CASES)
def test_every_changed_leaf_is_a_difference(name):
    wanted, ignored = recorded.load(name).wanted, recorded.ignored()
    assert differences(wanted, wanted, ignored) == []
    found = leaves(wanted)
    assert len(found) > 80, "a case has at least a load balancer's and a target group's leaves"
    for path, leaf in found.items():
        skipped = any(entry.part is None and entry.matches(path) for entry in ignored)
        for mutated in (changed(wanted, path, other(leaf)), changed(wanted, path, None)):
            assert bool(differences(wanted, mutated, ignored)) != skipped, path


@pytest.mark.parametrize("name", CASES)
def test_something_more_is_a_difference(name):
    wanted, ignored = recorded.load(name).wanted, recorded.ignored()
    for place in ("aws|loadBalancers", "aws|targetGroups", "aws|securityGroups", "objects"):
        more = changed(wanted, f"{place}|one-more", {"tags": {"a": "b"}})
        assert differences(wanted, more, ignored), place


def test_no_entry_of_the_list_is_idle():
    paths = [path for name in CASES for path in leaves(recorded.load(name).wanted)]
    idle = [entry.path for entry in recorded.ignored() if not any(entry.matches(path) for path in paths)]
    assert idle == []


def test_each_entry_of_the_list_has_a_reason():
    assert all(len(entry.reason) > 10 for entry in recorded.ignored())


def test_only_the_ignored_part_of_a_text_may_differ():
    ignored = [Ignored("a", "ids", r"[0-9]+$")]
    assert differences({"a": "x-1"}, {"a": "x-22"}, ignored) == []
    assert differences({"a": "x-1"}, {"a": "y-1"}, ignored) == ["a: wanted 'x-*', found 'y-*'"]
    assert differences({"a": "x-1", "b": 1}, {"b": 1}, ignored) == ["a: wanted 'x-*', found '(absent)'"]
