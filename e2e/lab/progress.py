"""Progress lines with the time since the start, on standard error, so that standard output stays for results."""

import sys
import time


class Progress:
    """Prints one line per step; `quiet` keeps it silent, as test fixtures like it."""

    def __init__(self, quiet: bool = False) -> None:
        self._begin = time.monotonic()
        self._quiet = quiet

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._begin

    def step(self, text: str) -> None:
        """Says what is being done now."""
        if not self._quiet:
            print(f"[{self.elapsed():6.1f}s] {text}", file=sys.stderr, flush=True)
