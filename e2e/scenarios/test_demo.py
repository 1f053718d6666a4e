"""The demo on a terminal: it stays up until Ctrl-C, then takes everything with it and ends well."""

import contextlib
import os
import pty
import select
import signal
import sys
import time
from pathlib import Path

import pytest

from lab import leftovers, patient, unique_name, until

E2E = Path(__file__).resolve().parents[1]
# The end of the demo without its middle: a lab with a node, and the wait for Ctrl-C.
STAYS = """
import sys
sys.path[:0] = sys.argv[1:3]
from demo import stay
from lab import Lab
with Lab(sys.argv[3], nodes=1) as lab:
    assert sys.stdout.isatty()
    stay(lab)
"""
UP_SECONDS = 60
END_SECONDS = 30


def reads_until(terminal: int, word: bytes, seconds: float) -> bytes:
    """What comes from a terminal until `word`, or its end."""
    deadline, seen = time.monotonic() + patient(seconds), b""
    # Reading a terminal that nobody writes to any more is an error, not an end.
    with contextlib.suppress(OSError):
        while word not in seen and select.select([terminal], [], [], max(deadline - time.monotonic(), 0))[0]:
            seen += os.read(terminal, 4096)
    return seen


def ended(child: int) -> tuple[int] | None:
    """The exit code of a child that has ended."""
    pid, status = os.waitpid(child, os.WNOHANG)
    return (os.waitstatus_to_exitcode(status),) if pid else None


@pytest.mark.nodes
def test_ctrl_c_ends_the_demo_and_leaves_nothing() -> None:
    if os.geteuid():
        pytest.skip("nodes need root")
    name = unique_name("demo")
    child, terminal = pty.fork()
    if child == 0:
        # As `make demo` does it: on a terminal, Ctrl-C is sent to make as well.
        os.environ |= {"PROGRAM": STAYS, "NAME": name}
        recipe = f'demo: ; @{sys.executable} -c "$$PROGRAM" {E2E} {E2E / "demo"} "$$NAME"'
        os.execvp("make", ["make", "--no-print-directory", "--file=/dev/null", f"--eval={recipe}", "demo"])
    try:
        seen = reads_until(terminal, b"until Ctrl-C", UP_SECONDS)
        assert b"until Ctrl-C" in seen, seen
        kinds = ("process", "namespace", "control group", "folder")
        assert all(any(left.startswith(kind) for left in leftovers(name)) for kind in kinds), "there is something to take along"
        os.write(terminal, b"\x03")
        said = reads_until(terminal, b"nothing comes after the end", END_SECONDS)
        code = until("the end", END_SECONDS, lambda: ended(child))
        child = 0
        assert code == (0,), said
        assert leftovers(name) == []
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(terminal)
