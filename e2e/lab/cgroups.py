"""Control groups of a lab: one group `fairway.<lab>` in each hierarchy, with one group per node in it.

Each kubelet needs a root of its own, because it deletes pods' groups that it does not know. cgroup v1 has one hierarchy per
controller (and often a v2 tree without controllers beside them), v2 has a single one.
"""

import errno
import os
import signal
import time
from pathlib import Path

from .wait import patient

ROOT = Path("/sys/fs/cgroup")
REMOVE_SECONDS = 5.0


class NoCgroups(RuntimeError):
    """This machine's control groups cannot hold a node."""


def version() -> str:
    """`v1` or `v2`: which kind the controllers are in."""
    return "v2" if _mounts().get(str(ROOT)) == "cgroup2" else "v1"


def make(lab: str, node: str) -> str:
    """Makes the groups of one node and returns their path as kubelet's `cgroupRoot` wants it."""
    for hierarchy in _hierarchies():
        group = hierarchy / _name(lab)
        if version() == "v2":
            _delegate(hierarchy)
        group.mkdir(exist_ok=True)
        if version() == "v2":
            _delegate(group)
        (group / node).mkdir(exist_ok=True)
        _inherit_cpuset(group)
        _inherit_cpuset(group / node)
    return f"/{_name(lab)}/{node}"


def processes(lab: str, node: str | None = None) -> set[int]:
    """Processes in a lab's groups, or in those of one node: its containers' processes."""
    found: set[int] = set()
    for group in existing(lab):
        top = group / node if node else group
        for path in top.rglob("cgroup.procs"):
            try:
                found.update(int(pid) for pid in path.read_text().split())
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP):  # gone meanwhile, or a threaded group
                    raise
    return found


def existing(lab: str) -> list[Path]:
    """The lab's groups that exist, one per hierarchy at most."""
    return [group for hierarchy in _hierarchies() if (group := hierarchy / _name(lab)).is_dir()]


def kill(lab: str, node: str | None = None) -> None:
    """Kills all processes in a lab's groups, or in those of one node, and waits until they are gone."""
    deadline = time.monotonic() + patient(REMOVE_SECONDS)
    while (pids := processes(lab, node)) and time.monotonic() < deadline:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


def remove(lab: str) -> None:
    """Removes a lab's groups, deepest first. The kernel may need a moment to let go of those whose processes just died."""
    deadline = time.monotonic() + patient(REMOVE_SECONDS)
    for group in existing(lab):
        while group.is_dir():
            try:
                for path in sorted((path for path in group.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts)):
                    path.rmdir()
                group.rmdir()
            except OSError as error:
                if error.errno not in (errno.EBUSY, errno.ENOENT) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def _name(lab: str) -> str:
    return f"fairway.{lab}"


def _mounts() -> dict[str, str]:
    """Mount points of control-group hierarchies and their file system types."""
    found = {}
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, point, kind, *_ = line.split()
        if kind in ("cgroup", "cgroup2"):
            found[point] = kind
    return found


def _hierarchies() -> list[Path]:
    # Links such as cpu,cpuacct -> cpu are not mount points, so each hierarchy comes once.
    return [Path(point) for point in sorted(_mounts()) if Path(point) == ROOT or Path(point).parent == ROOT]


def _delegate(group: Path) -> None:
    """v2: lets children of `group` use all the controllers it has."""
    wanted = (group / "cgroup.controllers").read_text().split()
    try:
        (group / "cgroup.subtree_control").write_text(" ".join(f"+{controller}" for controller in wanted))
    except OSError as error:
        raise NoCgroups(
            f"{group}: controllers cannot be handed down ({error.strerror}); "
            "in a container, its own processes must first move into a child group") from error


def _inherit_cpuset(group: Path) -> None:
    """v1: a new cpuset group has no processors and takes no process until it is given some."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        own = group / file
        if own.exists() and not own.read_text().strip() and version() == "v1":
            own.write_text((group.parent / file).read_text())
