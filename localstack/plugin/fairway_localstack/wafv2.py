"""Where WAFv2 is stricter than moto: a resource has one web ACL at most.

A handler is `(base, emulator, context, request) -> answer`; `base(context, request)` is moto's answer.
"""

from .moto_bridge import keep_only_web_acl


def associate_web_acl(base, emulator, context, request):
    """Source: AssociateWebACL, "you can associate a resource with only one web ACL"; another takes the place of the first."""
    answer = base(context, request)
    keep_only_web_acl(context.account_id, context.region, request["WebACLArn"], request["ResourceArn"])
    return answer


OPERATIONS = {"AssociateWebACL": associate_web_acl}
