"""What the small services remember."""

from dataclasses import dataclass, field


@dataclass
class Extras:
    # (account, region, resource) -> web ACL id
    web_acls: dict = field(default_factory=dict)
    # accelerator ARN -> accelerator
    accelerators: dict = field(default_factory=dict)
