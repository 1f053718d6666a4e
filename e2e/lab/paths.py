"""Where the lab keeps things, and which names a lab may have.

| folder                   | holds                                                                |
|--------------------------|----------------------------------------------------------------------|
| `target/lab/bin`         | what `lab build` makes: the cluster program, its links, helm, images |
| `target/lab/<name>`      | everything that belongs to one running lab; gone after `lab down`    |
| `target/lab/logs/<name>` | the logs of the last lab of that name, kept after it went down       |
| `target/lab/locks`       | lock files, so that labs may be started and stopped at the same time |
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).resolve().parent
STATE = REPOSITORY / "target" / "lab"
BIN = STATE / "bin"
LOGS = STATE / "logs"
LOCKS = STATE / "locks"

RESERVED = frozenset({"bin", "logs", "locks"})
# Short, because the name is part of namespace and cgroup names; no dot, because a dot ends it there.
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?")


class BadName(ValueError):
    """A lab's name that could not be used for its folder, namespaces and cgroups."""


def folder(name: str) -> Path:
    """The folder of the lab `name`, whether it exists or not."""
    if name in RESERVED or not NAME.fullmatch(name):
        raise BadName(f"{name!r} is no name for a lab: use up to 24 of a-z, 0-9 and -, other than {', '.join(sorted(RESERVED))}")
    return STATE / name


def unique_name(purpose: str) -> str:
    """A lab's name that belongs to this process, so that two runs of the same tests do not meet."""
    return f"{purpose}-{os.getpid()}"


def folders() -> list[Path]:
    """Folders of all labs that are up, or were left by a crash."""
    if not STATE.is_dir():
        return []
    return sorted(path for path in STATE.iterdir() if path.is_dir() and path.name not in RESERVED)


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Holds the lock `name` against every other process; a dead holder's lock is free."""
    LOCKS.mkdir(parents=True, exist_ok=True)
    with open(LOCKS / name, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
