"""Listing record sets in pages. Source: ListResourceRecordSets."""

import bisect

from ..errors import refuse
from .names import normal, sort_key

MAX_ITEMS = 300


def list_resource_record_sets(zones, account, request):
    zone = zones.zone(account, request["HostedZoneId"])
    start = _start(zone, request)
    size = min(int(request.get("MaxItems") or MAX_ITEMS), MAX_ITEMS, zones.settings.page_size or MAX_ITEMS)
    end = start + size
    answer = {
        "ResourceRecordSets": [zone.get(key) for key in zone.keys[start:end]],
        "IsTruncated": end < len(zone.keys),
        "MaxItems": str(size),
    }
    if answer["IsTruncated"]:
        following = zone.get(zone.keys[end])
        answer.update(NextRecordName=following["Name"], NextRecordType=following["Type"])
        if "SetIdentifier" in following:
            answer["NextRecordIdentifier"] = following["SetIdentifier"]
    return answer


def _start(zone, request):
    name, kind = request.get("StartRecordName"), request.get("StartRecordType")
    if kind and not name:
        refuse("InvalidInput", "StartRecordType is specified but StartRecordName is not")
    if not name:
        return 0
    return bisect.bisect_left(zone.keys, sort_key(normal(name), kind, request.get("StartRecordIdentifier")))
