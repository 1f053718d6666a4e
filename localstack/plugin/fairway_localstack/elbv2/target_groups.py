"""Target groups. Source: CreateTargetGroup and its neighbours in the API reference."""

from ..errors import refuse
from . import attributes, protocols
from .checks import as_tags, check_name, check_tag_count, page, put_tags
from .state import public

HEALTH_RANGES = {
    "HealthCheckIntervalSeconds": (5, 300),
    "HealthCheckTimeoutSeconds": (2, 120),
    "HealthyThresholdCount": (2, 10),
    "UnhealthyThresholdCount": (2, 10),
}
CHANGEABLE = (
    *HEALTH_RANGES,
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckPath",
    "HealthCheckEnabled",
    "Matcher",
)


def create_target_group(elb, request):
    name = request["Name"]
    check_name("target group", name)
    wanted = _settings(elb, request)
    existing = _by_name(elb, name)
    if existing:
        if any(existing.get(key) != value for key, value in wanted.items()):
            refuse("DuplicateTargetGroupName", f"A target group with the name '{name}' exists, with other settings")
        return {"TargetGroups": [_answer(elb, existing)]}
    if len(elb.store.target_groups) >= elb.quota("target-groups"):
        refuse("TooManyTargetGroups", "The maximum number of target groups has been reached")
    tags = as_tags(request.get("Tags"))
    check_tag_count(elb, tags)
    created = _record(elb, name, wanted)
    elb.store.target_groups[created["TargetGroupArn"]] = created
    put_tags(elb, created["TargetGroupArn"], tags)
    return {"TargetGroups": [_answer(elb, created)]}


def _settings(elb, request):
    """The group as asked for, with AWS's defaults filled in."""
    target_type, protocol = request.get("TargetType") or "instance", request.get("Protocol")
    if target_type != "lambda":
        _check_endpoint(elb, request)
    if target_type == "alb":
        _check_alb(request)
    _check_health_ranges(request)
    return {
        "Protocol": protocol,
        "Port": request.get("Port"),
        "VpcId": request.get("VpcId"),
        "TargetType": target_type,
        "IpAddressType": request.get("IpAddressType") or "ipv4",
        "TargetControlPort": _control_port(request),
        "ProtocolVersion": (request.get("ProtocolVersion") or "HTTP1") if protocol in protocols.HTTP else None,
        **_health_check(request, protocol),
    }


def _check_alb(request):
    """Source: "Application Load Balancers as targets" in the user guide of Network Load Balancers."""
    if request["Protocol"] != "TCP":
        refuse("InvalidConfigurationRequest", "Target groups of type alb support the protocol TCP only")
    if request.get("HealthCheckProtocol") == "TCP":
        refuse("InvalidConfigurationRequest", "Health checks of target groups of type alb are of HTTP or HTTPS")


def _control_port(request):
    """Port of the target optimizer's agent. Source: CreateTargetGroup, TargetControlPort."""
    port = request.get("TargetControlPort")
    if port is not None and (request.get("TargetType") != "ip" or request.get("Protocol") not in protocols.HTTP):
        refuse("InvalidConfigurationRequest", "A target control port is for targets of type ip behind HTTP or HTTPS")
    if port is not None and not 1 <= port <= 65535:
        refuse("ValidationError", "Target control port must be between 1 and 65535")
    return port


def _check_endpoint(elb, request):
    protocol = request.get("Protocol")
    if not protocol or not request.get("Port"):
        refuse("ValidationError", "A protocol and a port must be specified")
    if protocol not in protocols.HTTP | protocols.TRANSPORT | {"GENEVE"}:
        refuse("ValidationError", f"Value '{protocol}' at 'protocol' failed to satisfy constraint")
    if not 1 <= request["Port"] <= 65535:
        refuse("ValidationError", "Port must be between 1 and 65535")
    if not request.get("VpcId"):
        refuse("ValidationError", "A VPC ID must be specified")
    if not elb.network.vpc_cidrs(request["VpcId"]):
        refuse("ValidationError", f"The VPC ID '{request['VpcId']}' is not found")


def _check_health_ranges(request):
    for key, (low, high) in HEALTH_RANGES.items():
        value = request.get(key)
        if value is not None and not low <= value <= high:
            refuse("ValidationError", f"{key} must be between {low} and {high}")


def _health_check(request, protocol):
    over_http = protocol in protocols.HTTP
    unasked = protocol if over_http else "HTTP" if request.get("TargetType") == "alb" else "TCP"
    checked_by = request.get("HealthCheckProtocol") or unasked
    timeout = 5 if over_http else 10 if checked_by == "TCP" else 6
    settings = {
        "HealthCheckProtocol": checked_by,
        "HealthCheckPort": request.get("HealthCheckPort") or "traffic-port",
        "HealthCheckEnabled": request.get("HealthCheckEnabled", True),
        "HealthCheckIntervalSeconds": request.get("HealthCheckIntervalSeconds") or 30,
        "HealthCheckTimeoutSeconds": request.get("HealthCheckTimeoutSeconds") or timeout,
        "HealthyThresholdCount": request.get("HealthyThresholdCount") or 5,
        "UnhealthyThresholdCount": request.get("UnhealthyThresholdCount") or 2,
    }
    if checked_by in protocols.HTTP:
        is_grpc = request.get("ProtocolVersion") == "GRPC"
        codes = {"GrpcCode": "12"} if is_grpc else {"HttpCode": "200" if over_http else "200-399"}
        settings["HealthCheckPath"] = request.get("HealthCheckPath") or ("/AWS.ALB/healthcheck" if is_grpc else "/")
        settings["Matcher"] = request.get("Matcher") or codes
    return settings


def _record(elb, name, settings):
    over_http = settings["Protocol"] in protocols.HTTP
    return {
        "TargetGroupArn": elb.arn(f"targetgroup/{name}/{elb.store.new_id()}"),
        "TargetGroupName": name,
        **settings,
        "_created": elb.clock.now(),
        "_attributes": dict(attributes.TARGET_GROUP_HTTP if over_http else attributes.TARGET_GROUP_L4),
        "_targets": {},
        "_draining": {},
    }


def _answer(elb, record):
    return {**public(record), "LoadBalancerArns": list(elb.store.uses[record["TargetGroupArn"]])}


def _by_name(elb, name):
    return next((found for found in elb.store.target_groups.values() if found["TargetGroupName"] == name), None)


def describe_target_groups(elb, request):
    found = [record for record in _selected(elb, request)]
    part, marker = page(elb, found, request)
    return {"TargetGroups": [_answer(elb, record) for record in part], **marker}


def _selected(elb, request):
    if request.get("TargetGroupArns"):
        return [elb.seen(elb.target_group(arn), "TargetGroup") for arn in request["TargetGroupArns"]]
    if request.get("Names"):
        return [_named(elb, name) for name in request["Names"]]
    visible = [record for record in elb.store.target_groups.values() if elb.visible(record)]
    balancer = request.get("LoadBalancerArn")
    if balancer:
        elb.load_balancer(balancer)
        return [record for record in visible if balancer in elb.store.uses[record["TargetGroupArn"]]]
    return visible


def _named(elb, name):
    record = _by_name(elb, name)
    if record is None:
        refuse("TargetGroupNotFound", "One or more target groups not found")
    return elb.seen(record, "TargetGroup")


def modify_target_group(elb, request):
    record = elb.target_group(request["TargetGroupArn"])
    _check_health_ranges(request)
    record.update({key: request[key] for key in CHANGEABLE if request.get(key) is not None})
    return {"TargetGroups": [_answer(elb, record)]}


def delete_target_group(elb, request):
    """Succeeds for one that is gone already. Source: DeleteTargetGroup."""
    arn = request["TargetGroupArn"]
    if arn in elb.store.target_groups and elb.store.uses[arn]:
        refuse("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    for kept in (elb.store.target_groups, elb.store.tags, elb.store.uses):
        kept.pop(arn, None)
    return {}


def modify_target_group_attributes(elb, request):
    record = elb.target_group(request["TargetGroupArn"])
    if record["TargetType"] == "alb":
        refuse("InvalidConfigurationRequest", "Attributes of target groups of type alb cannot be modified")
    return attributes.change(record["_attributes"], request.get("Attributes"))


def describe_target_group_attributes(elb, request):
    record = elb.seen(elb.target_group(request["TargetGroupArn"]), "TargetGroup")
    return attributes.listed(record["_attributes"])
