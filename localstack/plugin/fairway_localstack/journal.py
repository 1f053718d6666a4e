"""What was called, how often, and with which outcome."""

import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass

# 100,000 calls, because a long test run stays below it.
KEPT = 100_000


@dataclass
class Call:
    """One request. `error` is the code in the answer, `fault` the rule that spoiled it; both empty when all went well."""

    number: int
    at: float
    service: str
    operation: str
    account: str
    region: str
    parameters: dict
    error: str = ""
    fault: str = ""

    @property
    def name(self):
        return f"{self.service}.{self.operation}"


class Journal:
    def __init__(self):
        self._lock = threading.Lock()
        self.clear()

    def clear(self):
        self._calls, self._counts, self._errors, self._faults = deque(maxlen=KEPT), Counter(), Counter(), Counter()
        self._numbered = 0

    def open(self, at, context, parameters):
        with self._lock:
            self._numbered += 1
            service, operation = context.service.service_name, context.operation.name
            call = Call(self._numbered, at, service, operation, context.account_id, context.region, parameters)
            self._calls.append(call)
            self._counts[call.name] += 1
        return call

    def close(self, call, error):
        """Writes down how `call` ended; `call.fault` is set by then."""
        with self._lock:
            call.error = error
            if error:
                self._errors[f"{call.name}:{error}"] += 1
            if call.fault:
                self._faults[call.fault] += 1

    def counters(self):
        """Calls per operation, errors per operation and code, faults per rule."""
        with self._lock:
            return {
                "total": sum(self._counts.values()),
                "calls": dict(sorted(self._counts.items())),
                "errors": dict(sorted(self._errors.items())),
                "faults": dict(sorted(self._faults.items())),
            }

    def entries(self, after, service):
        """Calls numbered above `after`, of one service or (empty) of all, oldest first."""
        with self._lock:
            calls = list(self._calls)
        return [asdict(call) for call in calls if call.number > after and service in ("", call.service)]
