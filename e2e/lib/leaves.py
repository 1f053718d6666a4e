"""Two JSON values compared leaf by leaf, but for a list of what is ignored.

A leaf is named by its path: keys and indexes joined by `|`, since keys hold dots and slashes. An entry of the list has a `path`
(a shell pattern over such a name), a `reason`, and perhaps a `part`: a regular expression; then only what it matches is ignored,
and the rest of the text is compared. Empty objects and lists are leaves, too.
"""

import dataclasses
import fnmatch
import functools
import re
from typing import Any

ABSENT = "(absent)"


@dataclasses.dataclass(frozen=True, eq=False)  # hashed by identity, for the cache of `_about`
class Ignored:
    """One entry of the list."""

    path: str
    reason: str
    part: str | None = None

    def matches(self, path: str) -> bool:
        """Whether the entry is about this leaf."""
        return fnmatch.fnmatchcase(path, self.path)

    def without(self, value: Any) -> Any:
        """What is left to compare of a leaf's value."""
        return re.sub(self.part, "*", value) if self.part and isinstance(value, str) else value


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every leaf of a JSON value by its path."""
    inner = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    if not inner:
        return {path: value}
    found: dict[str, Any] = {}
    for key, below in inner:
        found |= leaves(below, f"{path}|{key}" if path else str(key))
    return found


def differences(wanted: Any, found: Any, ignored: list[Ignored]) -> list[str]:
    """One line a leaf that differs or is on one side only."""
    one, other = (_compared(value, tuple(ignored)) for value in (wanted, found))
    paths = sorted(one.keys() | other.keys())
    return [
        f"{path}: wanted {one.get(path, ABSENT)!r}, found {other.get(path, ABSENT)!r}"
        for path in paths if one.get(path, ABSENT) != other.get(path, ABSENT)
    ]


@functools.cache  # paths are few and compared again and again
def _about(ignored: tuple[Ignored, ...], path: str) -> list[Ignored]:
    """The entries about a leaf."""
    return [entry for entry in ignored if entry.matches(path)]


def _compared(value: Any, ignored: tuple[Ignored, ...]) -> dict[str, Any]:
    kept = {}
    for path, leaf in leaves(value).items():
        entries = _about(ignored, path)
        if any(entry.part is None for entry in entries):
            continue
        for entry in entries:
            leaf = entry.without(leaf)
        kept[path] = leaf
    return kept
