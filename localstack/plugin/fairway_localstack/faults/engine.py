"""Decides, before a request is dispatched, what becomes of it.

Guarantee: equal seed, rules and order of matching calls give equal faults. Across concurrent clients the order is not
determined; there, match on parameters.
"""

import threading

from .buckets import Buckets, Limit
from .rules import Fault, Rule
from .throttling import throttling_error


class Engine:
    def __init__(self):
        self._lock = threading.Lock()
        self.clear()

    def clear(self):
        self.seed, self.rules, self.buckets = 0, [], Buckets()

    def load(self, script):
        """Replaces what the script names: `seed`, `rules`, `limits`. ValueError if it cannot be read."""
        unknown = set(script) - {"seed", "rules", "limits"}
        if unknown:
            raise ValueError(f"unknown keys of a fault script: {sorted(unknown)}")
        rules = [Rule.parse(rule) for rule in script.get("rules", [])]
        limits = [Limit.parse(limit) for limit in script.get("limits", [])]
        with self._lock:
            self.seed = script.get("seed", self.seed)
            if "rules" in script:
                self.rules = rules
            if "limits" in script:
                self.buckets.replace(limits)

    def judge(self, call, now):
        """The fault that meets `call`, or None. An empty bucket comes before any rule."""
        with self._lock:
            if self.buckets.limits and not self.buckets.take(call.name, call.account, call.region, now):
                return Fault("limit", "throttle", *throttling_error(call.service), 0.0)
            for rule in self.rules:
                if rule.meets(call.service, call.operation, call.parameters) and rule.fires(self.seed):
                    return rule.fault_for(call.service)
        return None

    def as_json(self):
        with self._lock:
            rules = [dict(vars(rule)) for rule in self.rules]
            limits = [dict(vars(limit)) for limit in self.buckets.limits]
        return {"seed": self.seed, "rules": rules, "limits": limits}
