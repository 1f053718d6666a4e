"""Tags of all load balancing resources. Source: AddTags, RemoveTags, DescribeTags."""

from ..errors import refuse
from .checks import as_tags, check_tag_count, put_tags

MAX_DESCRIBED = 20


def _check_exists(elb, arn):
    kinds = {
        "loadbalancer": ("LoadBalancer", elb.store.load_balancers),
        "targetgroup": ("TargetGroup", elb.store.target_groups),
        "listener": ("Listener", elb.store.listeners),
        "listener-rule": ("Rule", elb.store.rules),
        "truststore": ("TrustStore", elb.store.trust_stores),
    }
    resource = arn.split(":")[-1].split("/")[0]
    if resource not in kinds:
        refuse("ValidationError", f"'{arn}' is not a valid resource ARN")
    kind, records = kinds[resource]
    if arn not in records:
        refuse(f"{kind}NotFound", f"'{arn}' not found")


def add_tags(elb, request):
    """Tags all of the resources or none."""
    tags = as_tags(request["Tags"])
    for arn in request["ResourceArns"]:
        _check_exists(elb, arn)
        check_tag_count(elb, {**elb.store.tags.get(arn, {}), **tags})
    for arn in request["ResourceArns"]:
        put_tags(elb, arn, tags)
    return {}


def remove_tags(elb, request):
    for arn in request["ResourceArns"]:
        _check_exists(elb, arn)
    for arn in request["ResourceArns"]:
        for key in request["TagKeys"]:
            elb.store.tags.get(arn, {}).pop(key, None)
    return {}


def describe_tags(elb, request):
    arns = request["ResourceArns"]
    if len(arns) > MAX_DESCRIBED:
        refuse("ValidationError", f"The number of resources must be at most {MAX_DESCRIBED}")
    for arn in arns:
        _check_exists(elb, arn)
    return {"TagDescriptions": [{"ResourceArn": arn, "Tags": pairs(elb.store.tags.get(arn, {}))} for arn in arns]}


def pairs(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]
