"""Token buckets: a rate limit per pattern, account and region."""

import fnmatch
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """`match` is a pattern over `service.Operation`; the first limit that matches is the one that counts."""

    match: str
    capacity: float
    refill_per_second: float
    per_region: bool = True

    @classmethod
    def parse(cls, document):
        unknown = set(document) - {"match", "capacity", "refill_per_second", "per_region"}
        if unknown:
            raise ValueError(f"unknown keys of a limit: {sorted(unknown)}")
        return cls(**document)


class Buckets:
    def __init__(self):
        self.limits = []
        self._levels = {}

    def replace(self, limits):
        self.limits, self._levels = limits, {}

    def take(self, call, account, region, now):
        """Takes a token for `call`; False when its bucket is empty."""
        limit = next((limit for limit in self.limits if fnmatch.fnmatchcase(call, limit.match)), None)
        if limit is None:
            return True
        key = (limit, account, region if limit.per_region else None)
        level, since = self._levels.get(key, (limit.capacity, now))
        level = min(limit.capacity, level + (now - since) * limit.refill_per_second)
        allowed = level >= 1
        self._levels[key] = (level - 1 if allowed else level, now)
        return allowed
