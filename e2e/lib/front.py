"""One load balancer and everything that belongs to it, without names that are made and without ids: two looks can be compared.

| path              | holds                                                                                              |
|-------------------|----------------------------------------------------------------------------------------------------|
| `name`            | unless it was made, when it is `(made)`                                                            |
| `scheme`, `ip`    | as the API has them                                                                                |
| `subnets`         | their `Name` tags, sorted                                                                          |
| `securityGroups`  | their names, sorted; those that were made are `(managed)` and `(backend)`                          |
| `managedGroup`    | tags and ingress permissions of the managed one                                                    |
| `capacity`, `ipv4Pool`, `ownPool`, `webAcl`, `classicAcl`, `shield` | what is reserved, used and put on; `null` if nothing |
| `attributes`, `tags` | of the load balancer                                                                            |
| `listeners`       | by `port/protocol`: attributes, certificates, mutual authentication, default actions, rules, tags  |
| `targetGroups`    | by the place of their rules: settings, attributes, tags, targets                                   |
| `addresses`       | elastic addresses, by allocation id                                                                |
| `front`           | the same of the network load balancer in front, or `null`; its target is `(behind)`                |
"""

import json
from typing import Any

from botocore.exceptions import ClientError

from .aws_state import GROUP_SETTINGS, client
from .waiting import need

MANAGED, BACKEND = "k8s-", "k8s-traffic-"
OURS = "elbv2.k8s.aws/cluster"


class Front:
    """Looks at one load balancer after the other."""

    def __init__(self, endpoint: str, region: str = "us-east-1") -> None:
        names = ("elbv2", "ec2", "wafv2", "waf-regional", "shield")
        self._elb, self._ec2, self._waf, self._classic, self._shield = (client(name, endpoint, region) for name in names)
        subnets = self._ec2.describe_subnets()["Subnets"]
        self._subnets = {one["SubnetId"]: _map(one.get("Tags", [])).get("Name", one["SubnetId"]) for one in subnets}

    def look(self, address: str) -> dict[str, Any]:
        """The load balancer with this DNS name. One that goes meanwhile is an `AssertionError`."""
        name = address.removeprefix("dualstack.").removeprefix("internal-").partition(".")[0].rpartition("-")[0]
        try:
            found = self._elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]
            return {**self._balancer(found), "front": self._in_front(found["LoadBalancerArn"])}
        except ClientError as error:
            need("NotFound" not in error.response["Error"]["Code"], f"{name}: {error}")
            raise

    def _in_front(self, behind: str) -> dict[str, Any] | None:
        """The youngest network load balancer of the same stack."""
        pages = self._elb.get_paginator("describe_load_balancers").paginate()
        network = [one for page in pages for one in page["LoadBalancers"] if one["Type"] == "network"]
        stack = self._tags([behind])[behind].get("ingress.k8s.aws/stack")
        arns = [one["LoadBalancerArn"] for one in network]
        tags = {arn: own for start in range(0, len(arns), 20) for arn, own in self._tags(arns[start:start + 20]).items()}
        own = [one for one in network if tags[one["LoadBalancerArn"]].get("ingress.k8s.aws/stack") == stack]
        return self._balancer(max(own, key=lambda one: one["CreatedTime"]), behind) if own else None

    def _balancer(self, found: dict[str, Any], behind: str | None = None) -> dict[str, Any]:
        arn, name = found["LoadBalancerArn"], found["LoadBalancerName"]
        groups = self._groups(arn, behind)
        security = self._security(found.get("SecurityGroups", []))
        capacity = self._elb.describe_capacity_reservation(LoadBalancerArn=arn).get("MinimumLoadBalancerCapacity", {})
        return {
            "name": "(made)" if name.startswith(MANAGED) else name,
            "scheme": found["Scheme"], "ip": found["IpAddressType"],
            "subnets": sorted(self._subnets[zone["SubnetId"]] for zone in found["AvailabilityZones"]),
            "addresses": [address["AllocationId"] for zone in found["AvailabilityZones"]
                          for address in zone.get("LoadBalancerAddresses", []) if "AllocationId" in address],
            **security,
            "capacity": capacity.get("CapacityUnits"),
            "ipv4Pool": found.get("IpamPools", {}).get("Ipv4IpamPoolId"), "ownPool": found.get("CustomerOwnedIpv4Pool"),
            "webAcl": self._waf.get_web_acl_for_resource(ResourceArn=arn).get("WebACL", {}).get("Name"),
            "classicAcl": self._classic.get_web_acl_for_resource(ResourceArn=arn).get("WebACLSummary", {}).get("WebACLId"),
            "shield": self._protection(arn),
            "attributes": _map(self._elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]),
            "tags": self._tags([arn])[arn],
            "listeners": self._listeners(arn, {group: where for group, (where, _) in groups.items()}),
            "targetGroups": {where: settings for where, settings in groups.values()},
        }

    def _security(self, ids: list[str]) -> dict[str, Any]:
        groups = self._ec2.describe_security_groups(GroupIds=ids)["SecurityGroups"] if ids else []
        names, managed = [], None
        for group in groups:
            name, tags = group["GroupName"], _map(group.get("Tags", []))
            if name.startswith(BACKEND):
                names.append("(backend)")
            elif name.startswith(MANAGED) and OURS in tags:
                names.append("(managed)")
                managed = {"tags": tags, "ingress": sorted(json.dumps(one, sort_keys=True) for one in group["IpPermissions"])}
            else:
                names.append(name)
        return {"securityGroups": sorted(names), "managedGroup": managed}

    def _protection(self, arn: str) -> str | None:
        try:
            return self._shield.describe_protection(ResourceArn=arn)["Protection"]["Name"]
        except self._shield.exceptions.ResourceNotFoundException:
            return None

    def _groups(self, balancer: str, behind: str | None) -> dict[str, tuple[str, dict[str, Any]]]:
        """Target groups by ARN: what they are for, and what they are."""
        found = self._elb.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"]
        tags = self._tags([group["TargetGroupArn"] for group in found])
        groups = {}
        for group in found:
            arn = group["TargetGroupArn"]
            health = self._elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            groups[arn] = (tags[arn].get("ingress.k8s.aws/resource", group["TargetGroupName"]), {
                **{key: group.get(key) for key in (*GROUP_SETTINGS, "TargetControlPort")},
                "attributes": _map(self._elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]),
                "tags": tags[arn],
                "targets": sorted("(behind)" if one["Target"]["Id"] == behind else one["Target"]["Id"]
                                  for one in health if one["TargetHealth"]["State"] != "draining"),
            })
        return groups

    def _listeners(self, balancer: str, groups: dict[str, str]) -> dict[str, Any]:
        found = self._elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
        tags = self._tags([listener["ListenerArn"] for listener in found])
        return {
            f"{listener['Port']}/{listener['Protocol']}": {
                "attributes": _map(self._elb.describe_listener_attributes(ListenerArn=arn)["Attributes"]),
                "certificates": self._certificates(arn) if listener["Protocol"] == "HTTPS" else [],
                "default": _renamed(listener["DefaultActions"], groups),
                "mutual": listener.get("MutualAuthentication"),
                "rules": self._rules(arn, groups),
                "ssl": listener.get("SslPolicy"),
                "tags": tags[arn],
            }
            for listener in found
            for arn in [listener["ListenerArn"]]
        }

    def _certificates(self, listener: str) -> list[str]:
        return sorted(one["CertificateArn"] for one in self._elb.describe_listener_certificates(ListenerArn=listener)["Certificates"])

    def _rules(self, listener: str, groups: dict[str, str]) -> list[dict[str, Any]]:
        found = [rule for rule in self._elb.describe_rules(ListenerArn=listener)["Rules"] if not rule["IsDefault"]]
        tags = self._tags([rule["RuleArn"] for rule in found])
        return [{
            "actions": _renamed(rule["Actions"], groups),
            "conditions": [{key: value for key, value in one.items() if key != "Values"} for one in rule["Conditions"]],
            "transforms": rule.get("Transforms", []),
            "tags": tags[rule["RuleArn"]],
        } for rule in found]

    def _tags(self, arns: list[str]) -> dict[str, dict[str, str]]:
        answer = self._elb.describe_tags(ResourceArns=arns)["TagDescriptions"] if arns else []
        return {entry["ResourceArn"]: _map(entry["Tags"]) for entry in answer}


def _map(pairs: list[dict[str, str]]) -> dict[str, str]:
    return {pair["Key"]: pair["Value"] for pair in pairs}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """With names in place of ARNs, at any depth."""
    if isinstance(value, dict):
        return {key: _renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    return names.get(value, value) if isinstance(value, str) else value
