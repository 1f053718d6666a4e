"""Reads a seed: checks every key, fills in ids and references.

Ids that are not given are hashes of the kind and the name, so equal seeds give equal ids.
"""

import hashlib
import ipaddress

from . import recorded

PREFIXES = {"vpc": "vpc-", "subnet": "subnet-", "group": "sg-", "instance": "i-", "interface": "eni-"}

TOP = {
    "account",
    "region",
    "vpc",
    "subnets",
    "securityGroups",
    "instances",
    "hostedZones",
    "certificates",
    "settings",
    "faults",
}
KEYS = {
    "vpc": {"id", "cidr", "extraCidrs", "defaultSecurityGroup", "tags"},
    "subnets": {"id", "name", "zone", "cidr", "tags"},
    "securityGroups": {"id", "name", "description", "tags"},
    "instances": {
        "id",
        "name",
        "type",
        "subnet",
        "privateAddress",
        "interface",
        "securityGroups",
        "podAddresses",
        "podCidrs",
        "tags",
    },
    "hostedZones": {"id", "name"},
    "certificates": {"arn", "domain", "alternativeNames", "type"},
}


def read_seed(document):
    """A complete seed out of what was written, or out of a recorded environment. ValueError names what is wrong."""
    if recorded.is_recorded(document):
        document = recorded.as_seed(document)
    _check_keys("seed", document, TOP)
    seed = {
        "account": document.get("account", "000000000000"),
        "region": document.get("region", "us-east-1"),
        "settings": document.get("settings", {}),
        "faults": document.get("faults", {}),
    }
    seed["vpc"] = _vpc(document)
    seed["subnets"] = [_subnet(subnet) for subnet in document.get("subnets", [])]
    seed["securityGroups"] = [_group(group) for group in document.get("securityGroups", [])]
    seed["instances"] = [_instance(seed, instance) for instance in document.get("instances", [])]
    seed["hostedZones"] = [_zone(zone) for zone in document.get("hostedZones", [])]
    seed["certificates"] = [_certificate(seed, certificate) for certificate in document.get("certificates", [])]
    return seed


def derived_id(kind, name):
    return PREFIXES[kind] + _digest(kind, name)[:17]


def _digest(kind, name):
    return hashlib.sha256(f"{kind}/{name}".encode()).hexdigest()


def _check_keys(where, document, allowed):
    unknown = set(document) - allowed
    if unknown:
        raise ValueError(f"{where}: unknown keys {sorted(unknown)}; known are {sorted(allowed)}")


def _required(where, document, *keys):
    missing = [key for key in keys if key not in document]
    if missing:
        raise ValueError(f"{where}: missing {', '.join(missing)} in {document}")


def _vpc(document):
    _required("seed", document, "vpc")
    vpc = dict(document["vpc"])
    _check_keys("vpc", vpc, KEYS["vpc"])
    _required("vpc", vpc, "cidr")
    vpc.setdefault("id", derived_id("vpc", vpc["cidr"]))
    vpc.setdefault("defaultSecurityGroup", derived_id("group", f"{vpc['id']}/default"))
    return vpc


def _subnet(subnet):
    _check_keys("subnets", subnet, KEYS["subnets"])
    _required("subnets", subnet, "zone", "cidr")
    name = subnet.get("name", subnet["cidr"])
    return {**subnet, "name": name, "id": subnet.get("id", derived_id("subnet", name))}


def _group(group):
    _check_keys("securityGroups", group, KEYS["securityGroups"])
    _required("securityGroups", group, "name")
    return {**group, "id": group.get("id", derived_id("group", group["name"]))}


def _instance(seed, instance):
    _check_keys("instances", instance, KEYS["instances"])
    _required("instances", instance, "name", "subnet", "privateAddress", "securityGroups")
    pods = list(instance.get("podAddresses", []))
    for cidr in instance.get("podCidrs", []):
        pods += [str(address) for address in ipaddress.ip_network(cidr).hosts()]
    name_tag = {"Name": instance["name"]}
    return {
        "id": instance.get("id", derived_id("instance", instance["name"])),
        "interface": instance.get("interface", derived_id("interface", instance["name"])),
        "type": instance.get("type", "m5.large"),
        "subnet": _referred(seed["subnets"], instance["subnet"]),
        "securityGroups": [_referred(seed["securityGroups"], group) for group in instance["securityGroups"]],
        "privateAddress": instance["privateAddress"],
        "podAddresses": pods,
        "tags": instance.get("tags", name_tag),
    }


def _referred(objects, reference):
    """The id of the object that has `reference` as its id or its name."""
    for found in objects:
        if reference in (found["id"], found["name"]):
            return found["id"]
    raise ValueError(f"nothing has the id or name {reference}")


def _zone(zone):
    _check_keys("hostedZones", zone, KEYS["hostedZones"])
    _required("hostedZones", zone, "name")
    own_id = zone.get("id", "Z" + _digest("zone", zone["name"])[:20].upper())
    return {"name": zone["name"], "id": own_id.split("/")[-1]}


def _certificate(seed, certificate):
    _check_keys("certificates", certificate, KEYS["certificates"])
    _required("certificates", certificate, "domain")
    digest = _digest("certificate", certificate["domain"])
    own_id = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    arn = f"arn:aws:acm:{seed['region']}:{seed['account']}:certificate/{own_id}"
    return {**certificate, "arn": certificate.get("arn", arn)}
