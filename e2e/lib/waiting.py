"""Waiting for something to become true, with the last disagreement in the message when it does not."""

import time
from collections.abc import Callable
from typing import TypeVar

from lab import ApiError

T = TypeVar("T")

# Twice what the slowest ordinary step took on two busy processors.
PATIENCE = 20.0


# Not found, and "storage is (re)initializing", which a new definition answers for a moment.
PASSING = (404, 429)


class NotYet(AssertionError):
    """Raised by a probe that has to be called again; the message is what a time-out shows."""


def eventually(what: str, probe: Callable[[], T], seconds: float = PATIENCE, pause: float = 0.1) -> T:
    """Calls `probe` until it neither raises `AssertionError` or `OSError` nor is told to come again, and gives its answer."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return probe()
        except (AssertionError, OSError) as error:
            last: Exception = error
        except ApiError as error:
            if error.status not in PASSING:
                raise
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s; last: {last}") from last
        time.sleep(pause)


def steadily(what: str, probe: Callable[[], T], seconds: float, pause: float = 0.25) -> None:
    """Calls `probe` for so long; an `AssertionError` is the caller's, with `what` before it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            probe()
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from error
        time.sleep(pause)


def need(condition: object, message: object) -> None:
    """`assert` for code whose assertions are not rewritten."""
    if not condition:
        raise NotYet(str(message))
