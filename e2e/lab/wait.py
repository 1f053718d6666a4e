"""Bounded waiting for a condition."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TimedOut(TimeoutError):
    """A condition did not come true in time; the message says which, and what was seen last."""


def until(what: str, seconds: float, probe: Callable[[], T | None], pause: float = 0.05) -> T:
    """Calls `probe` until it returns something true, and returns that.

    `OSError` counts as "not yet": whoever is waited for may not listen so far. The last one becomes the cause of the failure.
    """
    deadline = time.monotonic() + seconds
    last: OSError | None = None
    while True:
        try:
            value = probe()
            if value:
                return value
        except OSError as error:
            last = error
        if time.monotonic() >= deadline:
            raise TimedOut(f"{what}: not within {seconds:g} s" + (f" (last: {last})" if last else "")) from last
        time.sleep(pause)
