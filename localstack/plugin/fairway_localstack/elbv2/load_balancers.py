"""Load balancers: creation, the settings that can be changed, deletion.

Source: Elastic Load Balancing API reference, version 2015-12-01, one function per operation.
"""

from ..errors import refuse
from . import attributes, interfaces
from .checks import as_tags, check_name, check_tag_count, page, put_tags
from .listeners import delete_listener
from .placement import place
from .state import public
from .targets import is_target
from .zones import zone_of

SHORT_TYPES = {"application": "app", "network": "net", "gateway": "gwy"}
MAX_NAMED = 20


def create_load_balancer(elb, request):
    name, kind = request["Name"], request.get("Type") or "application"
    check_name("load balancer", name)
    if name.startswith("internal-"):
        refuse("ValidationError", "The load balancer name cannot begin with 'internal-'")
    wanted = _settings(elb, request, kind)
    existing = _by_name(elb, name)
    if existing:
        if _identity(existing) != _identity(wanted):
            refuse("DuplicateLoadBalancerName", f"A load balancer with the name '{name}' exists, with other settings")
        return {"LoadBalancers": [_answer(elb, existing)]}
    _check_quota(elb, kind)
    tags = as_tags(request.get("Tags"))
    check_tag_count(elb, tags)
    created = _record(elb, name, wanted)
    elb.store.load_balancers[created["LoadBalancerArn"]] = created
    put_tags(elb, created["LoadBalancerArn"], tags)
    interfaces.attach(elb, created)
    at_once = elb.settings.provisioning_seconds is None
    return {"LoadBalancers": [{**_answer(elb, created), "State": {"Code": "active" if at_once else "provisioning"}}]}


def _settings(elb, request, kind):
    """What a caller may choose, checked and with defaults filled in."""
    zones, vpc, has_ipv6 = place(elb, request, kind)
    groups = list(request.get("SecurityGroups") or [])
    _check_groups(elb, groups, vpc)
    without_groups = not groups
    if kind == "application" and not groups:
        groups = [elb.network.default_security_group(vpc)]
    addresses = request.get("IpAddressType") or "ipv4"
    _check_address_type(addresses, has_ipv6)
    return {
        "Type": kind,
        "Scheme": request.get("Scheme") or "internet-facing",
        "IpAddressType": addresses,
        "VpcId": vpc,
        "AvailabilityZones": zones,
        "SecurityGroups": groups,
        "CustomerOwnedIpv4Pool": request.get("CustomerOwnedIpv4Pool"),
        "IpamPools": request.get("IpamPools") or {},
        "_without_groups": kind == "network" and without_groups,
    }


def _identity(settings):
    """What makes a second creation under the same name the same request."""
    plain = tuple(settings[key] for key in ("Type", "Scheme", "IpAddressType"))
    subnets = frozenset(zone["SubnetId"] for zone in settings["AvailabilityZones"])
    return plain, subnets, frozenset(settings["SecurityGroups"])


def _check_groups(elb, groups, vpc):
    for group in groups:
        if elb.network.security_group_vpc(group) != vpc:
            refuse("InvalidSecurityGroup", f"One or more security groups are invalid: '{group}'")


def _check_address_type(addresses, has_ipv6):
    if addresses != "ipv4" and not has_ipv6:
        refuse("InvalidSubnet", "All subnets must have IPv6 CIDR blocks for a load balancer with IPv6 addresses")


def _check_quota(elb, kind):
    quota = elb.quota("application-load-balancers" if kind == "application" else "network-load-balancers")
    if sum(existing["Type"] == kind for existing in elb.store.load_balancers.values()) >= quota:
        refuse("TooManyLoadBalancers", "The maximum number of load balancers has been reached")


def _record(elb, name, settings):
    own_id, kind = elb.store.new_id(), settings["Type"]
    defaults = attributes.APPLICATION if kind == "application" else attributes.NETWORK
    return {
        "LoadBalancerArn": elb.arn(f"loadbalancer/{SHORT_TYPES[kind]}/{name}/{own_id}"),
        "LoadBalancerName": name,
        "DNSName": _dns_name(elb.region, name, own_id, settings),
        "CanonicalHostedZoneId": zone_of(elb.region, kind),
        "CreatedTime": elb.clock.wall(),
        **settings,
        "_created": elb.clock.now(),
        "_attributes": dict(defaults),
        "_interfaces": {},
    }


def _dns_name(region, name, own_id, settings):
    if settings["Type"] != "application":
        return f"{name}-{own_id}.elb.{region}.amazonaws.com"
    prefix = "internal-" if settings["Scheme"] == "internal" else ""
    number = int(own_id[:8], 16) % 2_000_000_000 + 10_000_000
    return f"{prefix}{name}-{number}.{region}.elb.amazonaws.com"


def _answer(elb, record):
    return {**public(record), "State": {"Code": "active" if elb.is_active(record) else "provisioning"}}


def _by_name(elb, name):
    return next((found for found in elb.store.load_balancers.values() if found["LoadBalancerName"] == name), None)


def describe_load_balancers(elb, request):
    arns, names = request.get("LoadBalancerArns") or [], request.get("Names") or []
    if len(arns) > MAX_NAMED:
        refuse("ValidationError", f"Up to {MAX_NAMED} load balancers can be described in a single call")
    if arns and names:
        refuse("ValidationError", "Load balancer ARNs and load balancer names cannot be specified at the same time")
    found = [elb.seen(elb.load_balancer(arn), "LoadBalancer") for arn in arns]
    for name in names:
        record = _by_name(elb, name)
        if record is None:
            refuse("LoadBalancerNotFound", f"Load balancers '[{name}]' not found")
        found.append(elb.seen(record, "LoadBalancer"))
    if not arns and not names:
        found = [record for record in elb.store.load_balancers.values() if elb.visible(record)]
    part, marker = page(elb, found, request)
    return {"LoadBalancers": [_answer(elb, record) for record in part], **marker}


def delete_load_balancer(elb, request):
    """Succeeds for one that is gone already. Source: DeleteLoadBalancer."""
    record = elb.store.load_balancers.get(request["LoadBalancerArn"])
    if record is None:
        return {}
    arn = record["LoadBalancerArn"]
    if record["_attributes"]["deletion_protection.enabled"] == "true":
        refuse(
            "OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        )
    if is_target(elb, arn):
        refuse("ResourceInUse", f"Load balancer '{arn}' cannot be deleted because it is associated with another service")
    for listener in elb.listeners_of(arn):
        delete_listener(elb, {"ListenerArn": listener["ListenerArn"]})
    for kept in (elb.store.load_balancers, elb.store.tags, elb.store.capacities):
        kept.pop(arn, None)
    interfaces.release(elb, record)
    return {}


def set_subnets(elb, request):
    record = elb.load_balancer(request["LoadBalancerArn"])
    zones, vpc, has_ipv6 = place(elb, request, record["Type"])
    if vpc != record["VpcId"]:
        refuse("InvalidSubnet", "The subnets are not in the load balancer's VPC")
    addresses = request.get("IpAddressType") or record["IpAddressType"]
    _check_address_type(addresses, has_ipv6)
    record.update(AvailabilityZones=zones, IpAddressType=addresses)
    interfaces.attach(elb, record)
    return {"AvailabilityZones": zones, "IpAddressType": addresses}


def set_security_groups(elb, request):
    record = elb.load_balancer(request["LoadBalancerArn"])
    if record["_without_groups"]:
        refuse("InvalidConfigurationRequest", "The Network Load Balancer was created without security groups")
    _check_groups(elb, request["SecurityGroups"], record["VpcId"])
    record["SecurityGroups"] = list(request["SecurityGroups"])
    interfaces.attach(elb, record)
    return {"SecurityGroupIds": record["SecurityGroups"]}


def set_ip_address_type(elb, request):
    record = elb.load_balancer(request["LoadBalancerArn"])
    subnets = [elb.network.subnet(zone["SubnetId"]) for zone in record["AvailabilityZones"]]
    _check_address_type(request["IpAddressType"], all(subnet["has_ipv6"] for subnet in subnets))
    record["IpAddressType"] = request["IpAddressType"]
    return {"IpAddressType": record["IpAddressType"]}


def modify_load_balancer_attributes(elb, request):
    record = elb.load_balancer(request["LoadBalancerArn"])
    return attributes.change(record["_attributes"], request.get("Attributes"))


def describe_load_balancer_attributes(elb, request):
    record = elb.seen(elb.load_balancer(request["LoadBalancerArn"]), "LoadBalancer")
    return attributes.listed(record["_attributes"])


def modify_ip_pools(elb, request):
    record = elb.load_balancer(request["LoadBalancerArn"])
    record["IpamPools"] = {} if request.get("RemoveIpamPools") else request.get("IpamPools")
    return {"IpamPools": record["IpamPools"]}
