"""Targets of a group and their health over time. Source: RegisterTargets, DeregisterTargets, DescribeTargetHealth."""

import ipaddress

from ..errors import refuse

UNUSED = {
    "State": "unused",
    "Reason": "Target.NotInUse",
    "Description": "Target group is not configured to receive traffic from the load balancer",
}
UNREGISTERED = {
    "State": "unused",
    "Reason": "Target.NotRegistered",
    "Description": "Target is not registered to the target group",
}
INITIAL = {
    "State": "initial",
    "Reason": "Elb.RegistrationInProgress",
    "Description": "Target registration is in progress",
}
DRAINING = {
    "State": "draining",
    "Reason": "Target.DeregistrationInProgress",
    "Description": "Target deregistration is in progress",
}


def _key(group, target):
    return target["Id"], target.get("Port") or group["Port"], target.get("AvailabilityZone")


def register_targets(elb, request):
    group = elb.target_group(request["TargetGroupArn"])
    check = {"ip": _check_address, "instance": _check_instance, "alb": _check_load_balancer}.get(group["TargetType"])
    for target in request["Targets"]:
        if check:
            check(elb, group, target)
    keys = [_key(group, target) for target in request["Targets"]]
    if len(set(keys) | set(group["_targets"])) > elb.quota("targets-per-target-group"):
        refuse("TooManyTargets", "The maximum number of targets in the target group has been reached")
    for key in keys:
        group["_draining"].pop(key, None)
        group["_targets"].setdefault(key, elb.clock.now())
    return {}


def _check_address(elb, group, target):
    try:
        address = ipaddress.ip_address(target["Id"])
    except ValueError:
        refuse("ValidationError", f"The IP address '{target['Id']}' is not a valid address")
    wanted = 6 if group["IpAddressType"] == "ipv6" else 4
    if address.version != wanted:
        refuse("ValidationError", f"The IP address '{address}' must be an IPv{wanted} address")
    networks = [ipaddress.ip_network(cidr) for cidr in elb.network.vpc_cidrs(group["VpcId"])]
    if any(address in network for network in networks if network.version == address.version):
        return
    if target.get("AvailabilityZone") != "all":
        refuse("InvalidTarget", f"'{address}' is outside the VPC; specify 'all' as its Availability Zone")
    if not address.is_private:
        refuse("ValidationError", f"The IP address '{address}' must be in the VPC or a private range")


def _check_instance(elb, group, target):
    instance = elb.network.instance(target["Id"])
    if instance is None:
        refuse("InvalidTarget", f"The following targets are not valid instances: '{target['Id']}'")
    if instance["vpc"] != group["VpcId"]:
        refuse("InvalidTarget", f"The following targets are not in the target group VPC: '{target['Id']}'")
    if instance["state"] != "running":
        refuse("InvalidTarget", f"The following targets are not in a running state: '{target['Id']}'")


def _check_load_balancer(elb, group, target):
    balancer = elb.store.load_balancers.get(target["Id"])
    if balancer is None or balancer["Type"] != "application" or balancer["VpcId"] != group["VpcId"]:
        refuse("InvalidTarget", f"'{target['Id']}' is not an Application Load Balancer of the same VPC")
    if not elb.is_active(balancer):
        refuse("InvalidTarget", f"'{target['Id']}' is not active")
    if (target.get("Port") or group["Port"]) != group["Port"]:
        refuse("ValidationError", "The port of an Application Load Balancer must be that of the target group")
    if not any(listener["Port"] == group["Port"] for listener in elb.listeners_of(target["Id"])):
        refuse("InvalidTarget", f"'{target['Id']}' has no listener on port {group['Port']}")
    if any(registered[0] != target["Id"] for registered in group["_targets"]):
        refuse("TooManyTargets", "A target group of type alb can have one target")


def is_target(elb, balancer, port=None):
    """Whether a load balancer is somebody's target, at one port or at any."""
    groups = [group for group in elb.store.target_groups.values() if group["TargetType"] == "alb"]
    return any(key[0] == balancer and port in (None, key[1]) for group in groups for key in group["_targets"])


def deregister_targets(elb, request):
    group = elb.target_group(request["TargetGroupArn"])
    delay = int(group["_attributes"]["deregistration_delay.timeout_seconds"])
    for target in request["Targets"]:
        for key in _registered(group, target):
            del group["_targets"][key]
            group["_draining"][key] = elb.clock.now() + delay
    return {}


def _registered(group, target):
    """Without a port, all of the target's ports are meant."""
    return [key for key in group["_targets"] if key[0] == target["Id"] and target.get("Port") in (None, key[1])]


def describe_target_health(elb, request):
    group = elb.target_group(request["TargetGroupArn"])
    now = elb.clock.now()
    group["_draining"] = {key: due for key, due in group["_draining"].items() if due > now}
    asked = [_key(group, target) for target in request.get("Targets") or []]
    keys = asked or [*group["_targets"], *group["_draining"]]
    return {"TargetHealthDescriptions": [_description(elb, group, key) for key in keys]}


def _description(elb, group, key):
    target = {"Id": key[0], "Port": key[1]}
    if key[2]:
        target["AvailabilityZone"] = key[2]
    checked = group["HealthCheckPort"]
    return {
        "Target": target,
        "HealthCheckPort": str(key[1]) if checked == "traffic-port" else checked,
        "TargetHealth": _health(elb, group, key),
    }


def _health(elb, group, key):
    if key in group["_draining"]:
        return DRAINING
    if key not in group["_targets"]:
        return UNREGISTERED
    if not elb.store.uses[group["TargetGroupArn"]]:
        return UNUSED
    if key[0] in elb.store.health:
        return elb.store.health[key[0]]
    age = elb.clock.now() - group["_targets"][key]
    return INITIAL if age < elb.settings.target_initial_seconds else {"State": "healthy"}
