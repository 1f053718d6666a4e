"""State of one account and region, and what every handler is given.

Records are dictionaries in the API's own form; keys that begin with `_` are ours and never answered.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from ..errors import refuse

# Odd and close to 2**64 / golden ratio: successive multiples are distinct and look random.
_SPREAD = 0x9E3779B97F4A7C15


def _nested_counts():
    return defaultdict(lambda: defaultdict(int))


@dataclass
class Store:
    load_balancers: dict = field(default_factory=dict)
    target_groups: dict = field(default_factory=dict)
    listeners: dict = field(default_factory=dict)
    rules: dict = field(default_factory=dict)
    trust_stores: dict = field(default_factory=dict)
    capacities: dict = field(default_factory=dict)
    tags: dict = field(default_factory=lambda: defaultdict(dict))
    # target group -> load balancer -> number of actions that name it
    uses: dict = field(default_factory=_nested_counts)
    # (due, interface id) of deleted load balancers
    lingering: list = field(default_factory=list)
    # target id -> TargetHealth, as a test wants it
    health: dict = field(default_factory=dict)
    issued: int = 0

    def new_id(self):
        """16 hex digits, the same sequence in every fresh account."""
        self.issued += 1
        return f"{(self.issued * _SPREAD) & (2**64 - 1):016x}"


@dataclass(frozen=True)
class Elb:
    account: str
    region: str
    store: Store
    network: Any
    clock: Any
    settings: Any

    def arn(self, resource):
        return f"arn:aws:elasticloadbalancing:{self.region}:{self.account}:{resource}"

    def quota(self, name):
        return self.settings.quotas[name]

    def visible(self, record):
        """New objects are absent from reads for a while, if the settings say so."""
        return self.clock.now() - record["_created"] >= self.settings.visibility_lag_seconds

    def load_balancer(self, arn):
        return _known(self.store.load_balancers, arn, "LoadBalancer", "load balancers")

    def target_group(self, arn):
        return _known(self.store.target_groups, arn, "TargetGroup", "target groups")

    def listener(self, arn):
        return _known(self.store.listeners, arn, "Listener", "listeners")

    def rule(self, arn):
        return _known(self.store.rules, arn, "Rule", "rules")

    def seen(self, record, kind):
        """`record` if a read may see it already; else the error for an unknown one of its kind."""
        if not self.visible(record):
            refuse(f"{kind}NotFound", "One or more resources not found")
        return record

    def is_active(self, balancer):
        return self.clock.now() - balancer["_created"] >= (self.settings.provisioning_seconds or 0)

    def listeners_of(self, load_balancer_arn):
        return [record for record in self.store.listeners.values() if record["LoadBalancerArn"] == load_balancer_arn]

    def rules_of(self, listener_arn):
        return [record for record in self.store.rules.values() if record["_listener"] == listener_arn]


def _known(records, arn, kind, words):
    if arn not in records:
        refuse(f"{kind}NotFound", f"One or more {words} not found: '{arn}'")
    return records[arn]


def public(record):
    """The part of a record that belongs into an answer."""
    return {key: value for key, value in record.items() if not key.startswith("_") and value is not None}
