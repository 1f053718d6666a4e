"""Change batches, all or nothing. Source: ChangeResourceRecordSets, "Quotas" in the developer guide."""

from ..errors import refuse
from . import records
from .zone import key_of

MAX_ELEMENTS, MAX_CHARACTERS = 1000, 32000


def change_resource_record_sets(zones, account, request):
    zone = zones.zone(account, request["HostedZoneId"])
    changes = request["ChangeBatch"]["Changes"]
    _check_busy(zones, zone)
    _check_size(changes)
    staged = _Staged(zone)
    problems = [problem for problem in (staged.apply(change) for change in changes) if problem]
    if problems:
        refuse("InvalidChangeBatch", f"[{', '.join(problems)}]")
    if len(zone.keys) + staged.growth() > zones.settings.quotas["records-per-zone"]:
        refuse("InvalidChangeBatch", "[The number of resource record sets in the zone is at its limit]")
    staged.commit()
    zone.changed_at = zones.clock.now()
    return zones.accept()


def _check_busy(zones, zone):
    busy = zones.settings.zone_busy_seconds
    if busy and zone.changed_at is not None and zones.clock.now() - zone.changed_at < busy:
        refuse(
            "PriorRequestNotComplete", "The request was rejected because Route 53 was still processing a prior request."
        )


def _check_size(changes):
    """An UPSERT counts twice, because it deletes and creates."""
    elements = characters = 0
    for change in changes:
        values = change["ResourceRecordSet"].get("ResourceRecords") or []
        times = 2 if change["Action"] == "UPSERT" else 1
        elements += times * max(1, len(values))
        characters += times * sum(len(value["Value"]) for value in values)
    if elements > MAX_ELEMENTS:
        refuse("InvalidChangeBatch", f"[Number of records limit of {MAX_ELEMENTS} exceeded.]")
    if characters > MAX_CHARACTERS:
        refuse("InvalidChangeBatch", "[RDATA character limit exceeded.]")


class _Staged:
    """A batch on its way: the zone as it would be, beside the zone as it is."""

    def __init__(self, zone):
        self._zone, self._changed, self._done = zone, {}, set()

    def apply(self, change):
        """Takes one change in; returns what is wrong with it, or None."""
        record, action = records.canonical(change["ResourceRecordSet"]), change["Action"]
        key = key_of(record)
        if (key, action) in self._done:
            shown = f"{record['Type']} {record['Name']}"
            return f"The request contains an invalid set of changes for a resource record set '{shown}'"
        self._done.add((key, action))
        current = self._get(key)
        if action == "DELETE":
            return self._delete(key, record, current)
        if action == "CREATE" and current is not None:
            return f"Tried to create resource record set {_quoted(record)} but it already exists"
        problem = records.problem(self._zone.name, record) or self._clash(key, record)
        if problem is None:
            self._changed[key] = record
        return problem

    def _get(self, key):
        return self._changed[key] if key in self._changed else self._zone.get(key)

    def _delete(self, key, record, current):
        if current is None:
            return f"Tried to delete resource record set {_quoted(record)} but it was not found"
        if not records.same(current, record):
            return f"Tried to delete resource record set {_quoted(record)} but the values provided do not match the current values"
        if record["Name"] == self._zone.name and record["Type"] in ("NS", "SOA"):
            return f"A HostedZone must contain at least one {record['Type']} record for the zone itself."
        self._changed[key] = None
        return None

    def _clash(self, key, record):
        name = record["Name"]
        for other in self._neighbours(key):
            if "CNAME" in (other["Type"], record["Type"]) and other["Type"] != record["Type"]:
                return (
                    f"RRSet of type {record['Type']} with DNS name {name} is not permitted because a conflicting RRSet "
                    f"of type {other['Type']} with the same DNS name already exists in zone {self._zone.name}"
                )
            if other["Type"] == record["Type"] and records.policies_of(other) != records.policies_of(record):
                return (
                    f"RRSet with DNS name {name}, type {record['Type']}, SetIdentifier {record.get('SetIdentifier')} "
                    "cannot be created as other RRSets exist with the same name and type."
                )
        return None

    def _neighbours(self, key):
        keys = self._zone.keys_at(key[0]) | {other for other in self._changed if other[0] == key[0]}
        found = (self._get(other) for other in sorted(keys - {key}))
        return [record for record in found if record]

    def growth(self):
        return sum((record is not None) - (self._zone.get(key) is not None) for key, record in self._changed.items())

    def commit(self):
        for key, record in self._changed.items():
            if record is not None:
                self._zone.put(record)
            elif self._zone.get(key) is not None:
                self._zone.remove(key)


def _quoted(record):
    identifier = f", set identifier='{record['SetIdentifier']}'" if "SetIdentifier" in record else ""
    return f"[name='{record['Name']}', type='{record['Type']}'{identifier}]"
