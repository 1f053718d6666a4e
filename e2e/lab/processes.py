"""Processes of a lab: started in the background, recorded on disk, and found again by anyone.

A process is known by its pid *and* its start time, so a reused pid is never signalled. Each one also carries the lab's folder
in its environment (`MARKER`), and so do its children, unless they clear it: that finds what died before it could be recorded.
"""

import dataclasses
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .wait import patient

MARKER = "FAIRWAY_LAB"

# The kernel shows no environment while it puts a new program in a process' place, in seconds.
ENVIRONMENT_SHOWN = 0.2

# Children of this very process. They must be waited for, or they stay as zombies until it ends.
_children: list[subprocess.Popen[bytes]] = []


class NotRunning(RuntimeError):
    """A process that something needs has ended, or was never started."""


@dataclasses.dataclass(frozen=True)
class Process:
    """A process as recorded: `started` is in clock ticks since boot, as in field 22 of /proc/PID/stat."""

    name: str
    pid: int
    started: int

    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        reap()
        return start_time(self.pid) == self.started

    def send(self, number: signal.Signals) -> bool:
        """Signals it, if it is still the same process; says whether it was."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if start_time(self.pid) != self.started:
                return False
            signal.pidfd_send_signal(handle, number)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)


def start_time(pid: int) -> int | None:
    """When `pid` began, or nothing if there is no such process or it is only waiting to be collected."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in ("Z", "X") else int(fields[19])


def current(pid: int, name: str) -> Process | None:
    """The process that has `pid` now."""
    started = start_time(pid)
    return None if started is None else Process(name, pid, started)


def children(pid: int) -> list[int]:
    """Direct children of `pid`."""
    return [other for other in _pids() if (fields := _stat(other)) is not None and int(fields[1]) == pid]


def start(folder: Path, name: str, argv: Sequence[str | Path], env: Mapping[str, str] | None = None, keep_open: Iterable[int] = ()) -> Process:
    """Starts `argv` in a session of its own, with output in `logs/NAME.log`, and records it."""
    log = folder / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as output:
        child = subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {}), MARKER: str(folder)},
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )
    _children.append(child)
    process = current(child.pid, name)
    if process is None:
        raise ChildProcessError(f"{name} ended at once; see {log}")
    record(folder, process)
    return process


def record(folder: Path, process: Process) -> None:
    """Writes down a process, so that any later run can find it."""
    records = folder / "processes"
    records.mkdir(parents=True, exist_ok=True)
    (records / f"{process.name}.json").write_text(json.dumps(dataclasses.asdict(process)), encoding="utf-8")


def recorded(folder: Path) -> list[Process]:
    """All processes written down for a lab, alive or not. A record cut short by a crash is left to the marker."""
    found = []
    for path in sorted((folder / "processes").glob("*.json")):
        try:
            found.append(Process(**json.loads(path.read_text(encoding="utf-8"))))
        except (json.JSONDecodeError, FileNotFoundError):
            continue
    return found


def find(folder: Path, name: str) -> Process:
    """The running process that was written down by that name."""
    for process in recorded(folder):
        if process.name == name and process.alive():
            return process
    raise NotRunning(f"{name} does not run")


def marked(folder: Path) -> list[Process]:
    """Every running process that carries the lab's marker, except this one."""
    mark = f"{MARKER}={folder}".encode()
    found = []
    for pid in _pids():
        if mark in environment(pid) and pid != os.getpid() and (process := current(pid, f"pid {pid}")):
            found.append(process)
    return found


def environment(pid: int) -> list[bytes]:
    """What `pid` was started with; nothing where it is gone, the kernel's or somebody else's."""
    deadline = time.monotonic() + ENVIRONMENT_SHOWN
    try:
        while not (shown := Path(f"/proc/{pid}/environ").read_bytes()) and time.monotonic() < deadline:
            os.readlink(f"/proc/{pid}/exe")  # a program at all?
            time.sleep(0.001)
    except OSError:
        return []
    return shown.split(b"\0")


def stop(processes: Sequence[Process], grace: float = 0.0) -> None:
    """Ends processes: SIGTERM and up to `grace` seconds, then SIGKILL. Returns when they are gone, or after 5 s more."""
    if grace > 0:
        for process in processes:
            process.send(signal.SIGTERM)
        wait_gone(processes, patient(grace))
    for process in processes:
        process.send(signal.SIGKILL)
    wait_gone(processes, patient(5.0))


def wait_gone(processes: Sequence[Process], seconds: float) -> bool:
    """Waits until none of `processes` runs, and says whether that is so."""
    deadline = time.monotonic() + seconds
    while any(process.alive() for process in processes):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def reap() -> None:
    """Collects children of this process that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on; the command before it may hold blanks and brackets."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()
