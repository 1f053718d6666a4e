"""Watches the owner of a lab and tears the lab down when the owner is gone without having done so, whatever killed it.

Runs as a process of its own session, so that neither Ctrl-C nor the end of a terminal reaches it. It waits for two things: the
owner's end, and a word on standard input. `RELEASED` means that the lab is down, or shall stay up on its own.
"""

import os
import select
import signal
import subprocess
import sys

from . import paths, processes, teardown
from .wait import patient

RELEASED = b"released\n"


class Warden:
    """The owner's end of the line."""

    def __init__(self, name: str) -> None:
        folder = paths.folder(name)
        env = {key: value for key, value in os.environ.items() if key != processes.MARKER}  # not a process of any lab
        env["PYTHONPATH"] = str(paths.SOURCES.parent)
        (folder / "logs").mkdir(exist_ok=True)
        with open(folder / "logs" / "warden.log", "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lab.warden", name, str(os.getpid())],
                stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, env=env, start_new_session=True)

    def release(self) -> None:
        """Tells it that nothing is left to watch, and waits until it has ended."""
        try:
            self._process.communicate(RELEASED, timeout=patient(10))
        except BrokenPipeError:  # somebody killed it; then there is nobody to tell
            self._process.wait(timeout=patient(10))


def watch(name: str, owner: int) -> None:
    """Waits for the word or for the owner's end, and in the latter case removes the lab."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not _released(owner):
        print(f"the owner {owner} is gone; removing lab {name}", flush=True)
        teardown.remove(name)


def _released(owner: int) -> bool:
    try:
        ended = os.pidfd_open(owner)
    except ProcessLookupError:
        return False
    waiting = select.poll()
    waiting.register(ended, select.POLLIN)
    waiting.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    happened = {descriptor for descriptor, _ in waiting.poll()}
    # The word may be in the pipe although the owner ended right after it; without a word, reading gives nothing.
    if sys.stdin.fileno() in happened:
        return os.read(sys.stdin.fileno(), len(RELEASED)) == RELEASED
    return False


if __name__ == "__main__":
    watch(sys.argv[1], int(sys.argv[2]))
