"""The one module that touches moto's internals: their names differ between releases, so they are spelled only here.

`MotoNetwork` is what the load balancing model asks of EC2 and ACM. The `create_*` functions make seeded objects with
given ids: moto draws ids from functions of its own, which are replaced for the length of one call.
"""

import copy
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from unittest import mock

from moto.acm.models import CertBundle, acm_backends
from moto.ec2.models import ec2_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.route53.models import route53_backends
from moto.wafv2.models import wafv2_backends


def forget_everything():
    moto_api_backend.reset()


@contextmanager
def _forced_ids(**ids):
    """Makes moto's `random_<kind>_id` functions return the given ids; a None leaves moto's choice."""
    places = {
        "vpc": "moto.ec2.models.vpcs.random_vpc_id",
        "subnet": "moto.ec2.models.subnets.random_subnet_id",
        "security_group": "moto.ec2.models.security_groups.random_security_group_id",
        "interface": "moto.ec2.models.elastic_network_interfaces.random_eni_id",
        "instance": "moto.ec2.models.instances.random_instance_id",
    }
    with ExitStack() as stack:
        for kind, wanted in ids.items():
            if wanted is not None:
                stack.enter_context(mock.patch(places[kind], return_value=wanted))
        yield


def keep_only_web_acl(account, region, web_acl, resource):
    """Takes every other web ACL away from a resource: moto keeps them beside the new one."""
    for arn, found in wafv2_backends[account][region].wacls.items():
        kept = [other for other in found.associated_resources if other != resource]
        found.associated_resources[:] = kept + ([resource] if arn == web_acl else [])


class MotoNetwork:
    """VPCs, subnets, security groups, interfaces, instances and certificates of one account and region."""

    def __init__(self, account, region):
        self._ec2 = ec2_backends[account][region]
        self._acm = acm_backends[account][region]

    def subnet(self, subnet_id):
        for zone in self._ec2.subnets.values():
            if subnet_id in zone:
                found = zone[subnet_id]
                return {
                    "zone": found.availability_zone,
                    "vpc": found.vpc_id,
                    "cidr": found.cidr_block,
                    "has_ipv6": bool(found.ipv6_cidr_block_associations),
                }
        return None

    def vpc_cidrs(self, vpc_id):
        """All CIDR blocks of a VPC; empty when there is no such VPC."""
        vpc = self._ec2.vpcs.get(vpc_id)
        if vpc is None:
            return []
        blocks = [block["cidr_block"] for block in vpc.get_cidr_block_association_set()]
        return blocks + [block["cidr_block"] for block in vpc.get_cidr_block_association_set(ipv6=True)]

    def security_group_vpc(self, group_id):
        group = self._ec2.get_security_group_from_id(group_id)
        return group and group.vpc_id

    def default_security_group(self, vpc_id):
        return self._ec2.get_security_group_from_name("default", vpc_id).id

    def elastic_address(self, allocation_id):
        found = (address for address in self._ec2.addresses if address.allocation_id == allocation_id)
        return next((address.public_ip for address in found), None)

    def instance(self, instance_id):
        for reservation in self._ec2.reservations.values():
            for instance in reservation.instances:
                if instance.id == instance_id:
                    return {"state": instance.state, "vpc": instance.vpc_id}
        return None

    def has_certificate(self, arn):
        return ":server-certificate/" in arn or arn in self._acm._certificates

    def is_issued(self, arn):
        """Server certificates of IAM always are."""
        if arn not in self._acm._certificates:
            return True
        return self._acm.get_certificate(arn).status == "ISSUED"

    def create_interface(self, subnet_id, description):
        interface = self._ec2.create_network_interface(self._ec2.get_subnet(subnet_id), None, description=description)
        interface.requester_managed = True
        interface.status = "in-use"
        return interface.id

    def interfaces_with(self, wanted):
        """Ids of interfaces that have an address of each of these sets."""
        found = set()
        for interface in self._ec2.enis.values():
            own = {address["PrivateIpAddress"] for address in interface.private_ip_addresses}
            if all(own & addresses for addresses in wanted):
                found.add(interface.id)
        return found

    def set_interface_groups(self, interface_id, group_ids):
        interface = self._ec2.enis[interface_id]
        interface._group_set = [self._ec2.get_security_group_from_id(group) for group in group_ids]

    def delete_interface(self, interface_id):
        self._ec2.enis.pop(interface_id, None)

    def security_group_users(self, group_id):
        """Ids of the interfaces and of the other groups that hold on to a security group."""
        interfaces = [
            interface.id
            for interface in self._ec2.enis.values()
            if any(group.id == group_id for group in interface.group_set)
        ]
        groups = [
            group.id
            for groups in self._ec2.groups.values()
            for group in groups.values()
            if group.id != group_id and _refers_to(group, group_id)
        ]
        return interfaces + groups

    def create_vpc(self, wanted):
        with _forced_ids(vpc=wanted["id"], security_group=wanted.get("defaultSecurityGroup")):
            vpc = self._ec2.create_vpc(wanted["cidr"])
        for cidr in wanted.get("extraCidrs", []):
            self._ec2.associate_vpc_cidr_block(vpc.id, cidr)
        vpc.add_tags(wanted.get("tags", {}))

    def create_subnet(self, vpc_id, wanted):
        with _forced_ids(subnet=wanted["id"]):
            subnet = self._ec2.create_subnet(vpc_id, wanted["cidr"], availability_zone=wanted["zone"])
        subnet.map_public_ip_on_launch = False
        subnet.default_for_az = "false"
        subnet.add_tags(wanted.get("tags", {}))

    def create_security_group(self, vpc_id, wanted):
        with _forced_ids(security_group=wanted["id"]):
            # By name, because LocalStack wraps this function in one that knows no other way.
            self._ec2.create_security_group(
                name=wanted["name"],
                description=wanted.get("description", wanted["name"]),
                vpc_id=vpc_id,
                tags=wanted.get("tags", {}),
            )

    def create_instance(self, wanted):
        """An instance with one interface that carries the pod addresses as secondary addresses."""
        with _forced_ids(instance=wanted["id"], interface=wanted["interface"]):
            reservation = self._ec2.run_instances(
                "ami-12345678",
                1,
                None,
                [],
                security_group_ids=list(wanted["securityGroups"]),
                subnet_id=wanted["subnet"],
                private_ip=wanted["privateAddress"],
                instance_type=wanted.get("type", "m5.large"),
                is_instance_type_default=False,
                region_name=self._ec2.region_name,
            )
        instance = reservation.instances[0]
        instance.add_tags(wanted.get("tags", {}))
        interface = self._ec2.enis[wanted["interface"]]
        interface.private_ip_addresses += [
            {"Primary": False, "PrivateIpAddress": address} for address in wanted.get("podAddresses", [])
        ]

    def create_certificate(self, account, region, wanted):
        bundle = copy.copy(_generated(wanted["domain"], tuple(wanted.get("alternativeNames", [])), account, region))
        bundle.arn, bundle.type, bundle.status = wanted["arn"], wanted.get("type", "IMPORTED"), "ISSUED"
        self._acm._certificates[bundle.arn] = bundle


@lru_cache
def _generated(domain, alternative_names, account, region):
    """Kept, because a key takes longer to make than everything else that a reset does."""
    return CertBundle.generate_cert(domain, account_id=account, region=region, sans=list(alternative_names))


def _refers_to(group, group_id):
    rules = group.ingress_rules + group.egress_rules
    return any((rule.source_group or {}).get("GroupId") == group_id for rule in rules)


def create_hosted_zone(account, wanted):
    """A public zone with the wanted id."""
    backend = route53_backends[account]["aws"]
    zone = backend.create_hosted_zone(wanted["name"].rstrip(".") + ".", private_zone=False, comment="")
    del backend.zones[zone.id]
    zone.id = wanted["id"]
    backend.zones[zone.id] = zone


def hosted_zone(account, zone_id):
    """Name and first record sets of a zone, or None."""
    zone = route53_backends[account]["aws"].zones.get(zone_id)
    if zone is None:
        return None
    sets = [
        {
            "Name": record.name,
            "Type": record.type_,
            "TTL": int(record.ttl or 0),
            "ResourceRecords": [{"Value": value} for value in record.records],
        }
        for record in zone.rrsets
    ]
    return zone.name, sets


def is_private_zone(account, zone_id):
    zone = route53_backends[account]["aws"].zones.get(zone_id)
    return zone is not None and zone.private_zone


def caller_references(account):
    return {zone.caller_reference for zone in route53_backends[account]["aws"].zones.values()}
