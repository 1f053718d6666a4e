"""Where EC2 is stricter than moto: descriptions, pages, groups in use, groups not visible yet.

A handler is `(base, emulator, context, request) -> answer`; `base(context, request)` is moto's answer.
"""

import re

from .errors import refuse
from .moto_bridge import MotoNetwork
from .pages import cut

# Source: CreateSecurityGroup, parameters Description and GroupName, and IpRange, Description.
_PERMITTED = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*")
LONGEST_DESCRIPTION = 255
ADDRESS_FILTERS = ("addresses.private-ip-address", "private-ip-address")

# operation -> (list in the answer, smallest and largest MaxResults). Source: parameter MaxResults of each operation.
PAGED = {
    "DescribeRouteTables": ("RouteTables", 5, 100),
    "DescribeSubnets": ("Subnets", 5, 1000),
    "DescribeVpcs": ("Vpcs", 5, 1000),
}


def create_security_group(base, emulator, context, request):
    _check_text("GroupDescription", request.get("Description") or "")
    _check_text("GroupName", request.get("GroupName") or "")
    if (request.get("GroupName") or "").lower().startswith("sg-"):
        refuse("InvalidParameterValue", "Group names may not be in the format sg-*")
    answer = base(context, request)
    emulator.group_births[context.account_id, context.region, answer["GroupId"]] = emulator.clock.now()
    return answer


def authorize_security_group_ingress(base, emulator, context, request):
    for permission in request.get("IpPermissions") or []:
        for sources in ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds"):
            for source in permission.get(sources) or []:
                _check_text("Description", source.get("Description") or "")
    return base(context, request)


def _check_text(parameter, text):
    if not text.isascii() or not _PERMITTED.fullmatch(text) or len(text) > LONGEST_DESCRIPTION:
        refuse("InvalidParameterValue", f"Value ({text}) for parameter {parameter} is invalid.")


def describe_security_groups(base, emulator, context, request):
    if request.get("MaxResults") and request.get("GroupIds"):
        refuse("InvalidParameterCombination", "The parameter MaxResults cannot be used with the parameter GroupIds")
    answer = base(context, request)
    visible = [group for group in answer.get("SecurityGroups") or [] if _visible(emulator, context, group["GroupId"])]
    missing = {group["GroupId"] for group in answer.get("SecurityGroups") or []} - {
        group["GroupId"] for group in visible
    }
    if missing & set(request.get("GroupIds") or []):
        refuse("InvalidGroup.NotFound", f"The security group '{sorted(missing)[0]}' does not exist")
    return page({**answer, "SecurityGroups": visible}, emulator, request, ("SecurityGroups", 5, 1000))


def _visible(emulator, context, group_id):
    born = emulator.group_births.get((context.account_id, context.region, group_id))
    return born is None or emulator.clock.now() - born >= emulator.settings.visibility_lag_seconds


def delete_security_group(base, emulator, context, request):
    """Source: DeleteSecurityGroup, "the operation fails with DependencyViolation"."""
    group_id = request.get("GroupId")
    if group_id and MotoNetwork(context.account_id, context.region).security_group_users(group_id):
        refuse("DependencyViolation", f"resource {group_id} has a dependent object")
    return base(context, request)


def describe_network_interfaces(base, emulator, context, request):
    """moto compares address filters with the primary address only; AWS looks at all of an interface's addresses."""
    filters = request.get("Filters") or []
    by_address = [set(wanted["Values"]) for wanted in filters if wanted["Name"] in ADDRESS_FILTERS]
    others = [wanted for wanted in filters if wanted["Name"] not in ADDRESS_FILTERS]
    asked = {**request, "Filters": others} if others else _without(request, "Filters")
    if not by_address:
        return page(base(context, asked), emulator, request, ("NetworkInterfaces", 5, 1000))
    with_them = MotoNetwork(context.account_id, context.region).interfaces_with(by_address)
    # moto takes seconds to describe all interfaces of a large account.
    ids = request.get("NetworkInterfaceIds") or sorted(with_them)
    described = base(context, {**asked, "NetworkInterfaceIds": ids})["NetworkInterfaces"] if ids else []
    found = [interface for interface in described if interface["NetworkInterfaceId"] in with_them]
    return page({"NetworkInterfaces": found}, emulator, request, ("NetworkInterfaces", 5, 1000))


def _without(request, key):
    return {name: value for name, value in request.items() if name != key}


def page(answer, emulator, request, shape):
    """One page of the list in `answer`, as MaxResults, NextToken and the settings ask for it."""
    key, low, high = shape
    wanted = request.get("MaxResults")
    if wanted is not None and not low <= wanted <= high:
        refuse(
            "InvalidParameterValue",
            f"Value ( {wanted} ) for parameter maxResults is invalid. Expecting {low} to {high}.",
        )
    size = min(wanted or high, emulator.settings.page_size or high)
    part, following = cut(answer.get(key) or [], size, request.get("NextToken"), "InvalidPaginationToken")
    rest = {name: value for name, value in answer.items() if name != "NextToken"}
    return {**rest, key: part, **({"NextToken": following} if following else {})}


def _paged(shape):
    def describe(base, emulator, context, request):
        return page(base(context, request), emulator, request, shape)

    return describe


OPERATIONS = {
    "AuthorizeSecurityGroupIngress": authorize_security_group_ingress,
    "CreateSecurityGroup": create_security_group,
    "DeleteSecurityGroup": delete_security_group,
    "DescribeNetworkInterfaces": describe_network_interfaces,
    "DescribeSecurityGroups": describe_security_groups,
    **{operation: _paged(shape) for operation, shape in PAGED.items()},
}
