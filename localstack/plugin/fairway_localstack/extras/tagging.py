"""Resource Groups Tagging API over the tags of the load balancing model, and of certificates. Source: GetResources."""

from moto.acm.models import acm_backends

from ..elbv2.tags import pairs
from ..errors import refuse
from ..pages import cut

MAX_PER_PAGE = 100


def get_resources(emulator, scope, request):
    elb = emulator.elb(scope.account_id, scope.region)
    known = {arn: tags for arn, tags in elb.store.tags.items() if _visible(elb, arn)}
    certificates = acm_backends[scope.account_id][scope.region]._certificates
    known.update({arn: dict(certificate.tags) for arn, certificate in certificates.items()})
    found = [
        {"ResourceARN": arn, "Tags": pairs(tags)}
        for arn, tags in known.items()
        if tags and _of_type(arn, request) and _tagged(tags, request)
    ]
    size = request.get("ResourcesPerPage") or MAX_PER_PAGE
    if not 1 <= size <= MAX_PER_PAGE:
        refuse("InvalidParameterException", f"ResourcesPerPage must be between 1 and {MAX_PER_PAGE}")
    size = min(size, emulator.settings.page_size or size)
    part, following = cut(found, size, request.get("PaginationToken"), "PaginationTokenExpiredException")
    return {"ResourceTagMappingList": part, "PaginationToken": following or ""}


def _visible(elb, arn):
    """The tag index is as late as every other read."""
    store = elb.store
    for records in (store.load_balancers, store.target_groups, store.listeners, store.rules):
        if arn in records:
            return elb.visible(records[arn])
    return True


def _of_type(arn, request):
    wanted = request.get("ResourceTypeFilters") or []
    service, kind = arn.split(":")[2], arn.split(":")[-1].split("/")[0]
    return not wanted or service in wanted or f"{service}:{kind}" in wanted


def _tagged(tags, request):
    return all(
        tag["Key"] in tags and (not tag.get("Values") or tags[tag["Key"]] in tag["Values"])
        for tag in request.get("TagFilters") or []
    )
