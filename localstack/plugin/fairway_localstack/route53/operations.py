"""Handlers `(base, emulator, context, request) -> answer`; `base(context, request)` is moto's answer."""

from ..errors import refuse
from ..moto_bridge import caller_references
from .batch import change_resource_record_sets
from .listing import list_resource_record_sets


def change_sets(base, emulator, context, request):
    return change_resource_record_sets(emulator.zones, context.account_id, request)


def list_sets(base, emulator, context, request):
    return list_resource_record_sets(emulator.zones, context.account_id, request)


def get_change(base, emulator, context, request):
    return emulator.zones.change(request["Id"])


def create_hosted_zone(base, emulator, context, request):
    if request["CallerReference"] in caller_references(context.account_id):
        refuse(
            "HostedZoneAlreadyExists",
            "A hosted zone has already been created with the specified caller reference.",
            409,
        )
    # moto fails without a comment.
    config = {"Comment": "", **(request.get("HostedZoneConfig") or {}), "PrivateZone": bool(request.get("VPC"))}
    return base(context, {**request, "HostedZoneConfig": config})


def get_hosted_zone(base, emulator, context, request):
    answer = base(context, request)
    zone = emulator.zones.zone(context.account_id, request["Id"])
    answer["HostedZone"]["ResourceRecordSetCount"] = len(zone.keys)
    return answer


def delete_hosted_zone(base, emulator, context, request):
    zone = emulator.zones.zone(context.account_id, request["Id"])
    # NS and SOA of the zone itself go with it.
    if len(zone.keys) > 2:
        refuse(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
        )
    return base(context, request)


OPERATIONS = {
    "ChangeResourceRecordSets": change_sets,
    "CreateHostedZone": create_hosted_zone,
    "DeleteHostedZone": delete_hosted_zone,
    "GetChange": get_change,
    "GetHostedZone": get_hosted_zone,
    "ListResourceRecordSets": list_sets,
}
