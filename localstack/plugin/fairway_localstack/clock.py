"""Virtual time: real time plus an offset that tests advance. Nothing in the emulator looks at another clock."""

import datetime
import time


class Clock:
    """`now()` is in seconds and only compared with itself; `wall()` is the date that goes into answers."""

    def __init__(self, ticks=time.monotonic):
        self._ticks = ticks
        self.offset = 0.0

    def now(self):
        return self._ticks() + self.offset

    def wall(self):
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.offset)

    def advance(self, seconds):
        if seconds < 0:
            raise ValueError("time only moves forward")
        self.offset += seconds

    def reset(self):
        self.offset = 0.0
