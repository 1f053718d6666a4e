"""What a test may tune about the emulated account: delays of states, page size, quotas.

| field                       | unit    | default | what it delays or limits                                           |
|-----------------------------|---------|---------|--------------------------------------------------------------------|
| `provisioning_seconds`      | seconds | 0       | load balancer: `provisioning` -> `active`                          |
| `target_initial_seconds`    | seconds | 0       | target in use: `initial` -> `healthy`                              |
| `interface_linger_seconds`  | seconds | 1       | a deleted load balancer's interfaces hold their security groups    |
| `visibility_lag_seconds`    | seconds | 0       | new objects are absent from reads; writes see them at once         |
| `change_pending_seconds`    | seconds | 0       | Route 53 change: `PENDING` -> `INSYNC`                             |
| `zone_busy_seconds`         | seconds | 0       | another change of the zone gets `PriorRequestNotComplete`          |
| `certificate_seconds`       | seconds | 0       | requested certificate: until its records are told or it is issued  |
| `page_size`                 | items   | none    | upper bound of every page, below AWS's own                         |
| `change_batch_error`        | -       | `error` | wire form of `InvalidChangeBatch`: `error` or `messages`           |
| `quotas`                    | -       | AWS's   | see `QUOTAS`                                                       |

A delay of 0 means that the first read after the write already sees the final state; the answer to the write itself
says `provisioning` or `PENDING`, as AWS's does. All delays are in virtual time.

Without `provisioning_seconds` (`null`) the answer to the creation says `active` already, which AWS's never does: for tests of
other things than waiting.
"""

from dataclasses import asdict, dataclass, field, fields

# Default quotas of an account. Sources: "Quotas for your Application Load Balancers" and "... Network Load Balancers"
# in the Elastic Load Balancing user guides, "Quotas" in the Route 53 developer guide and
# in the ACM user guide.
QUOTAS = {
    "application-load-balancers": 50,
    "network-load-balancers": 50,
    "target-groups": 3000,
    "listeners-per-load-balancer": 50,
    "rules-per-load-balancer": 100,
    "targets-per-target-group": 1000,
    "certificates-per-load-balancer": 25,
    "target-groups-per-action": 5,
    "condition-values-per-rule": 5,
    "condition-wildcards-per-rule": 6,
    "tags-per-resource": 50,
    "records-per-zone": 10000,
    "domains-per-certificate": 10,
    "certificates-per-year": 5000,
}


@dataclass
class Settings:
    provisioning_seconds: float | None = 0.0
    target_initial_seconds: float = 0.0
    interface_linger_seconds: float = 1.0
    visibility_lag_seconds: float = 0.0
    change_pending_seconds: float = 0.0
    zone_busy_seconds: float = 0.0
    certificate_seconds: float = 0.0
    page_size: int | None = None
    change_batch_error: str = "error"
    quotas: dict = field(default_factory=lambda: dict(QUOTAS))

    def update(self, changes):
        """Takes over some fields. ValueError names what is unknown or impossible; nothing is changed then."""
        unknown = set(changes) - {known.name for known in fields(self)}
        unknown |= set(changes.get("quotas", {})) - set(QUOTAS)
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        if changes.get("change_batch_error", "error") not in ("error", "messages"):
            raise ValueError("change_batch_error is 'error' or 'messages'")
        for name, value in changes.items():
            if name == "quotas":
                self.quotas.update(value)
            else:
                setattr(self, name, value)

    def reset(self):
        self.__dict__.update(Settings().__dict__)

    def as_json(self):
        return asdict(self)
