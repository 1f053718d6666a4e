"""Removes a lab, however it ended: orderly, by a crash in the middle of its start, or half removed already.

Nothing here relies on the lab's own description alone. Processes are found by record, by control group and by the mark in their
environment; namespaces, mounts and control groups by the lab's name.
"""

import shutil
import subprocess
from pathlib import Path

from . import cgroups, network, paths, processes

# They keep nothing worth closing, and waiting for them takes seconds.
ABRUPT = ("aws", "etcd", "kube-", "node")
GRACE_SECONDS = 5.0
SWEEPS = 5
KEPT_LOGS = 20


class TeardownFailed(RuntimeError):
    """Something of a lab is still there; the message lists it."""


def remove(name: str) -> None:
    """Stops and removes everything of the lab `name`; does nothing if there is nothing. Raises if anything stays."""
    folder = paths.folder(name)
    with paths.locked(f"lab-{name}"):
        _end_processes(name, folder)
        network.remove(name)
        cgroups.remove(name)
        for point in _mounts(folder):
            subprocess.run(["umount", "--lazy", point], check=True)
        if folder.exists():
            _keep_logs(folder)
            shutil.rmtree(folder)
        remaining = leftovers(name)
    if remaining:
        raise TeardownFailed(f"lab {name} left behind: {', '.join(remaining)}")


def leftovers(name: str) -> list[str]:
    """What there still is of a lab: processes, namespaces, mounts, control groups, its folder."""
    folder = paths.folder(name)
    found = [f"process {process.pid}" for process in processes.marked(folder)]
    found += [f"process {pid} in a control group" for pid in sorted(cgroups.processes(name))]
    found += [f"namespace {namespace}" for namespace in network.existing(name)]
    found += [f"mount {point}" for point in _mounts(folder)]
    found += [f"control group {group}" for group in cgroups.existing(name)]
    found += [f"folder {folder}"] if folder.exists() else []
    return found


def _end_processes(name: str, folder: Path) -> None:
    recorded = [process for process in processes.recorded(folder) if process.alive()]
    processes.stop([process for process in recorded if not process.name.startswith(ABRUPT)], GRACE_SECONDS)
    processes.stop([process for process in recorded if process.name.startswith(ABRUPT)])
    cgroups.kill(name)
    for _ in range(SWEEPS):  # a marked process may have started another one before it was killed
        marked = processes.marked(folder)
        if not marked:
            return
        processes.stop(marked)


def _mounts(folder: Path) -> list[str]:
    """Mount points below the lab's folder, deepest first."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    return sorted((point for point in points if point.startswith(f"{folder}/")), key=len, reverse=True)


def _keep_logs(folder: Path) -> None:
    """Keeps the logs of the newest labs, so that a failed test can be understood afterwards."""
    logs = folder / "logs"
    if not logs.is_dir():
        return
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    kept = paths.LOGS / folder.name
    shutil.rmtree(kept, ignore_errors=True)
    logs.rename(kept)
    newest = sorted(paths.LOGS.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in newest[KEPT_LOGS:]:
        shutil.rmtree(old, ignore_errors=True)
