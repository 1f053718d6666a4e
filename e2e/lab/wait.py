"""Bounded waiting for a condition."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


# On a machine that is so many times slower than others, everything is waited for so many times longer.
PATIENCE = float(os.environ.get("FAIRWAY_LAB_PATIENCE", "1"))


class TimedOut(TimeoutError):
    """A condition did not come true in time; the message says which, and what was seen last."""


def patient(seconds: float) -> float:
    """What takes so many seconds on an ordinary machine is given this long."""
    return seconds * PATIENCE


def until(what: str, seconds: float, probe: Callable[[], T | None], pause: float = 0.05) -> T:
    """Calls `probe` until it returns something true, and returns that; `seconds` are those of an ordinary machine.

    `OSError` counts as "not yet": whoever is waited for may not listen so far. The last one becomes the cause of the failure.
    """
    allowed = patient(seconds)
    deadline = time.monotonic() + allowed
    last: OSError | None = None
    while True:
        try:
            value = probe()
            if value:
                return value
        except OSError as error:
            last = error
        if time.monotonic() >= deadline:
            raise TimedOut(f"{what}: not within {allowed:g} s" + (f" (last: {last})" if last else "")) from last
        time.sleep(pause)
