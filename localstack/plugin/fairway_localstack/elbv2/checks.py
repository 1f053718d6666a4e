"""Rules about names, tags and pages that all kinds of resources share."""

import re

from ..errors import refuse
from ..pages import cut

MAX_PAGE = 400


def check_name(kind, name):
    """Source: CreateLoadBalancer and CreateTargetGroup, parameter Name."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?", name or ""):
        refuse(
            "ValidationError",
            f"The {kind} name '{name}' can have at most 32 characters, only letters, digits and hyphens, "
            "and must not begin or end with a hyphen",
        )


def page(elb, items, request):
    """One page of `items` and the NextMarker entry that belongs beside it. Source: parameters Marker and PageSize."""
    size = request.get("PageSize") or MAX_PAGE
    if not 1 <= size <= MAX_PAGE:
        refuse("ValidationError", f"PageSize must be between 1 and {MAX_PAGE}")
    size = min(size, elb.settings.page_size or size)
    part, following = cut(items, size, request.get("Marker"))
    return part, ({"NextMarker": following} if following else {})


def as_tags(pairs):
    """Key to value; refuses keys given twice and keys that belong to AWS. Source: AddTags, Tag restrictions."""
    keys = [pair["Key"] for pair in pairs or []]
    if len(set(keys)) != len(keys):
        refuse("DuplicateTagKeys", "Tag keys must be unique")
    if any(key.lower().startswith("aws:") for key in keys):
        refuse("ValidationError", "Tag keys beginning with 'aws:' are reserved for system use")
    return {pair["Key"]: pair.get("Value") or "" for pair in pairs or []}


def put_tags(elb, arn, tags):
    merged = {**elb.store.tags.get(arn, {}), **tags}
    check_tag_count(elb, merged)
    elb.store.tags[arn] = merged


def check_tag_count(elb, tags):
    if len(tags) > elb.quota("tags-per-resource"):
        refuse("TooManyTags", "The maximum number of tags on this resource has been reached")
