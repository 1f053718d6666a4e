"""What a single record set must look like. Source: ResourceRecordSet, "Supported DNS record types"."""

import ipaddress
import re

from ..elbv2.zones import ALL_ZONES
from ..errors import AwsError, refuse
from .names import normal

POLICIES = (
    "Weight",
    "Region",
    "Failover",
    "GeoLocation",
    "MultiValueAnswer",
    "GeoProximityLocation",
    "CidrRoutingConfig",
)
LONGEST_TTL = 2**31 - 1
LONGEST_STRING = 255
_STRING = r'"((?:[^"\\]|\\.)*)"'


def canonical(record):
    """The record set in the form in which it is stored and compared."""
    kept = {key: value for key, value in record.items() if value is not None}
    kept["Name"] = normal(kept["Name"])
    if "AliasTarget" in kept:
        kept["AliasTarget"] = {**kept["AliasTarget"], "DNSName": normal(kept["AliasTarget"]["DNSName"])}
    return kept


def policies_of(record):
    return [policy for policy in POLICIES if policy in record]


def same(one, other):
    """Equality as DELETE sees it: the order of values does not matter."""
    return _comparable(one) == _comparable(other)


def _comparable(record):
    values = sorted(value["Value"] for value in record.get("ResourceRecords") or [])
    return {**record, "ResourceRecords": values}


def problem(zone_name, record):
    """A message about what is wrong with the record set, or None."""
    _check_shape(record)
    checks = (_outside_zone, _mixed_policies, _at_apex, _bad_alias, _bad_values)
    return next((message for message in (check(zone_name, record) for check in checks) if message), None)


def _check_shape(record):
    is_alias, has_values = "AliasTarget" in record, bool(record.get("ResourceRecords"))
    if is_alias == has_values or is_alias == (record.get("TTL") is not None):
        refuse(
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], but found none or more in Change with [Name={record['Name']}, Type={record['Type']}]",
        )
    if not 0 <= record.get("TTL", 0) <= LONGEST_TTL:
        refuse("InvalidInput", f"TTL must be between 0 and {LONGEST_TTL}")
    if not 0 <= record.get("Weight", 0) <= 255:
        refuse("InvalidInput", "Weight must be between 0 and 255")


def _outside_zone(zone_name, record):
    name = record["Name"]
    if name != zone_name and not name.endswith("." + zone_name):
        return f"RRSet with DNS name {name} is not permitted in zone {zone_name}"
    return None


def _mixed_policies(zone_name, record):
    found, name, kind = policies_of(record), record["Name"], record["Type"]
    if len(found) > 1:
        return f"RRSet with DNS name {name}, type {kind} has more than one routing policy"
    if bool(found) != ("SetIdentifier" in record):
        return f"RRSet with DNS name {name}, type {kind} needs both a SetIdentifier and a routing policy, or neither"
    # "In addition, you include the HealthCheckId element and specify the health check that you want Amazon Route 53 to
    # perform" (ResourceRecordSet, Failover). An alias has EvaluateTargetHealth instead.
    if record.get("Failover") == "PRIMARY" and "AliasTarget" not in record and not record.get("HealthCheckId"):
        return "A non-alias primary ResourceRecordSet must have an associated health check"
    return None


def _at_apex(zone_name, record):
    if record["Type"] == "CNAME" and record["Name"] == zone_name:
        return f"RRSet of type CNAME with DNS name {zone_name} is not permitted at apex in zone {zone_name}"
    return None


def _bad_alias(zone_name, record):
    if "AliasTarget" not in record:
        return None
    target = record["AliasTarget"]
    if "MultiValueAnswer" in record:
        return f"RRSet with DNS name {record['Name']} cannot be an alias with the multivalue answer policy"
    if ".elb." in target["DNSName"] and target["HostedZoneId"] not in ALL_ZONES:
        return (
            f"Tried to create an alias that targets {target['DNSName']}, type {record['Type']} in zone "
            f"{target['HostedZoneId']}, but the alias target name does not lie within the target zone"
        )
    return None


def _bad_values(zone_name, record):
    values = [value["Value"] for value in record.get("ResourceRecords") or []]
    if len(set(values)) != len(values):
        return f"Duplicate Resource Record: '{values[0]}'"
    if record["Type"] == "CNAME" and len(values) > 1:
        return f"RRSet of type CNAME with DNS name {record['Name']} can have only one value"
    check = {"A": _bad_ipv4, "AAAA": _bad_ipv6, "TXT": _bad_text, "CNAME": _bad_name}.get(record["Type"])
    problems = (check(value) for value in values) if check else ()
    found = next((message for message in problems if message), None)
    return f"Invalid Resource Record: 'FATAL problem: {found}'" if found else None


def _bad_ipv4(value):
    return (
        None
        if _is_address(value, 4)
        else f"ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '{value}'"
    )


def _bad_ipv6(value):
    return (
        None
        if _is_address(value, 6)
        else f"AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address) encountered with '{value}'"
    )


def _is_address(value, version):
    try:
        return ipaddress.ip_address(value).version == version
    except ValueError:
        return False


def _bad_text(value):
    if not re.fullmatch(rf"\s*{_STRING}(\s+{_STRING})*\s*", value):
        return f"InvalidCharacterString (Value should be enclosed in quotation marks) encountered with '{value}'"
    if any(len(string) > LONGEST_STRING for string in re.findall(_STRING, value)):
        return f"CharacterStringTooLong (Value is too long) encountered with '{value}'"
    return None


def _bad_name(value):
    try:
        normal(value)
    except AwsError as error:
        return error.message
    return None
