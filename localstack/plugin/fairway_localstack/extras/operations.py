"""Handlers `(emulator, scope, request) -> answer`; `scope` has `account_id` and `region`."""

import hashlib

from ..errors import refuse


def get_subscription_state(emulator, scope, request):
    return {"SubscriptionState": "ACTIVE"}


def get_web_acl_for_resource(emulator, scope, request):
    acl = emulator.extras.web_acls.get((scope.account_id, scope.region, request["ResourceArn"]))
    return {"WebACLSummary": {"WebACLId": acl, "Name": acl}} if acl else {}


def associate_web_acl(emulator, scope, request):
    emulator.extras.web_acls[scope.account_id, scope.region, request["ResourceArn"]] = request["WebACLId"]
    return {}


def disassociate_web_acl(emulator, scope, request):
    emulator.extras.web_acls.pop((scope.account_id, scope.region, request["ResourceArn"]), None)
    return {}


def create_accelerator(emulator, scope, request):
    own_id = hashlib.sha256(f"{request['Name']}/{len(emulator.extras.accelerators)}".encode()).hexdigest()
    arn = f"arn:aws:globalaccelerator::{scope.account_id}:accelerator/{own_id[:36]}"
    emulator.extras.accelerators[arn] = {
        "AcceleratorArn": arn,
        "Name": request["Name"],
        "Enabled": request.get("Enabled", True),
        "Status": "DEPLOYED",
        "IpAddressType": request.get("IpAddressType") or "IPV4",
        "DnsName": f"a{own_id[:16]}.awsglobalaccelerator.com",
    }
    return {"Accelerator": emulator.extras.accelerators[arn]}


def describe_accelerator(emulator, scope, request):
    if request["AcceleratorArn"] not in emulator.extras.accelerators:
        refuse("AcceleratorNotFoundException", "The accelerator does not exist")
    return {"Accelerator": emulator.extras.accelerators[request["AcceleratorArn"]]}


def list_accelerators(emulator, scope, request):
    return {"Accelerators": list(emulator.extras.accelerators.values())}


SHIELD = {"GetSubscriptionState": get_subscription_state}
WAF_REGIONAL = {
    "GetWebACLForResource": get_web_acl_for_resource,
    "AssociateWebACL": associate_web_acl,
    "DisassociateWebACL": disassociate_web_acl,
}
GLOBAL_ACCELERATOR = {
    "CreateAccelerator": create_accelerator,
    "DescribeAccelerator": describe_accelerator,
    "ListAccelerators": list_accelerators,
}
