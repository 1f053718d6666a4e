"""One rule of a fault script: which calls it meets and what happens to them."""

import fnmatch
import hashlib
import json
from dataclasses import dataclass, fields

from .throttling import throttling_error

# action -> was the request applied when the caller sees the fault?
ACTIONS = {
    "throttle": False,  # the service's own throttling error
    "error": False,  # `code`, `message`, `status`; by default a 500
    "delay": True,  # waits `delay_seconds`, then answers; longer than the client's time-out it is one
    "lost": True,  # applied, but the answer is an error
    "cut": True,  # applied, but the connection breaks inside the answer
}


@dataclass
class Fault:
    """What happens to one call."""

    rule: str
    action: str
    code: str
    message: str
    status: int
    delay_seconds: float


@dataclass
class Rule:
    """`seen` counts the calls that matched, `fired` those that were spoiled."""

    id: str
    service: str = "*"
    operation: str = "*"
    match: str = ""
    skip: int = 0
    count: int = 1
    probability: float = 1.0
    action: str = "throttle"
    code: str = ""
    message: str = ""
    status: int = 0
    delay_seconds: float = 0.0
    seen: int = 0
    fired: int = 0

    @classmethod
    def parse(cls, document):
        known = {known.name for known in fields(cls)} - {"seen", "fired"}
        unknown = set(document) - known
        if unknown or "id" not in document:
            raise ValueError(f"a rule has an id and any of {sorted(known)}; got {sorted(document)}")
        rule = cls(**document)
        if rule.action not in ACTIONS:
            raise ValueError(f"rule {rule.id}: action is one of {sorted(ACTIONS)}")
        return rule

    def meets(self, service, operation, parameters):
        if not (fnmatch.fnmatchcase(service, self.service) and fnmatch.fnmatchcase(operation, self.operation)):
            return False
        return not self.match or self.match in json.dumps(parameters, default=str)

    def fires(self, seed):
        """Counts one matching call and decides about it; equal seed and position give an equal decision."""
        position = self.seen
        self.seen += 1
        exhausted = 0 <= self.count <= self.fired
        if position < self.skip or exhausted or self._roll(seed, position) >= self.probability:
            return False
        self.fired += 1
        return True

    def _roll(self, seed, position):
        digest = hashlib.sha256(f"{seed}|{self.id}|{position}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    def fault_for(self, service):
        if self.action == "throttle":
            code, message, status = throttling_error(service)
        else:
            code, message, status = "InternalFailure", "The request processing has failed.", 500
        return Fault(
            rule=self.id,
            action=self.action,
            code=self.code or code,
            message=self.message or message,
            status=self.status or status,
            delay_seconds=self.delay_seconds,
        )
