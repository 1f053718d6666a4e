"""Ctrl-C for one process alone."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Takes the terminal of standard output for this process: Ctrl-C does not reach who started it.

    `make` would otherwise end by Ctrl-C itself, as if something had failed.
    """
    terminal = sys.stdout.fileno()
    before = os.tcgetpgrp(terminal)
    if before == os.getpid():
        yield
        return
    # A process that is not in the foreground is stopped when it takes the terminal or gives it back, unless it ignores that.
    stopped = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpid())
    try:
        yield
    finally:
        os.tcsetpgrp(terminal, before)
        signal.signal(signal.SIGTTOU, stopped)
