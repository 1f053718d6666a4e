"""The record sets of the zones, in the order in which Route 53 lists them, and the changes made to them."""

import bisect
from dataclasses import dataclass, field

from ..errors import refuse
from ..moto_bridge import hosted_zone
from .names import sort_key


def key_of(record):
    return sort_key(record["Name"], record["Type"], record.get("SetIdentifier"))


class Zone:
    def __init__(self, name, records):
        self.name = name
        self.changed_at = None
        self.keys, self._records, self._by_name = [], {}, {}
        for record in records:
            self.put(record)

    def get(self, key):
        return self._records.get(key)

    def put(self, record):
        key = key_of(record)
        if key not in self._records:
            bisect.insort(self.keys, key)
            self._by_name.setdefault(key[0], set()).add(key)
        self._records[key] = record

    def remove(self, key):
        del self._records[key]
        del self.keys[bisect.bisect_left(self.keys, key)]
        self._by_name[key[0]].discard(key)

    def keys_at(self, labels):
        """Keys of all record sets of one name, given as reversed labels."""
        return self._by_name.get(labels, set())


@dataclass
class Zones:
    """All zones that record sets were asked of, and the changes that were accepted."""

    clock: object
    settings: object
    zones: dict = field(default_factory=dict)
    changes: dict = field(default_factory=dict)

    def zone(self, account, zone_id):
        """moto decides whether a zone exists; its first record sets (NS, SOA) are taken over once."""
        short = zone_id.split("/")[-1]
        found = hosted_zone(account, short)
        if found is None:
            self.zones.pop((account, short), None)
            refuse("NoSuchHostedZone", f"No hosted zone found with ID: {short}", 404)
        if (account, short) not in self.zones:
            self.zones[account, short] = Zone(*found)
        return self.zones[account, short]

    def accept(self):
        """Numbers a change and remembers when it was made."""
        change_id = f"/change/C{len(self.changes) + 1:013d}"
        self.changes[change_id] = (self.clock.now(), self.clock.wall())
        return self.change(change_id, fresh=True)

    def change(self, change_id, fresh=False):
        """ChangeInfo of a change. Source: GetChange. PENDING until the settings' delay has passed."""
        full = change_id if change_id.startswith("/change/") else f"/change/{change_id}"
        if full not in self.changes:
            refuse("NoSuchChange", f"Could not find resource with ID: {change_id}", 404)
        since, submitted = self.changes[full]
        settled = not fresh and self.clock.now() - since >= self.settings.change_pending_seconds
        return {"ChangeInfo": {"Id": full, "Status": "INSYNC" if settled else "PENDING", "SubmittedAt": submitted}}
