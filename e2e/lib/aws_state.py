"""What stands in AWS, read back through the public API and rendered with names instead of ids.

The rendering has the shape of the recorded states in the compatibility vectors:

| key              | holds                                                                                          |
|------------------|------------------------------------------------------------------------------------------------|
| `loadBalancers`  | by name: attributes, tags, scheme, type, security groups, `zone/cidr` of its subnets, listeners |
| `targetGroups`   | by name: settings, attributes, tags, `id:port` of the targets that are not draining            |
| `securityGroups` | by name: description, tags, ingress permissions as JSON texts; without `default`               |
| `records`        | by zone name: record sets without NS and SOA                                                   |

Left out: `Values` beside a typed condition and `Order` of actions. Sorted, because their order proves nothing: security
groups, zones, certificates, targets, permissions, record values. An alias to a load balancer names it.

    python -m e2e.lib.aws_state http://[::1]:4566
"""

import argparse
import functools
import json

import boto3

GROUP_SETTINGS = (
    "HealthCheckIntervalSeconds",
    "HealthCheckPath",
    "HealthCheckPort",
    "HealthCheckProtocol",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "IpAddressType",
    "Matcher",
    "Port",
    "Protocol",
    "ProtocolVersion",
    "TargetType",
    "UnhealthyThresholdCount",
)
# DescribeTags takes no more resources in a call.
TAGGED_AT_ONCE = 20


def dump(endpoint, region="us-east-1"):
    """The whole state behind an AWS endpoint, as described above. Errors of the API are passed on."""
    reader = Reader(endpoint, region)
    return {
        "loadBalancers": reader.load_balancers(),
        "records": reader.records(),
        "securityGroups": reader.security_groups(),
        "targetGroups": reader.target_groups(),
    }


@functools.cache  # making one takes longer than most calls
def client(service, endpoint, region="us-east-1"):
    """A boto3 client for an emulator; the credentials are as made up as the account."""
    return boto3.client(
        service, endpoint_url=endpoint, region_name=region, aws_access_key_id="test", aws_secret_access_key="test"
    )


class Reader:
    """One look: each part of `dump` by itself. Lists that parts share are read once, when one first needs them."""

    def __init__(self, endpoint, region="us-east-1"):
        self._elb, self._ec2, self._dns = (client(name, endpoint, region) for name in ("elbv2", "ec2", "route53"))

    @functools.cached_property
    def balancers(self):
        """All load balancers as the API describes them."""
        return self._all(self._elb, "describe_load_balancers", "LoadBalancers")

    @functools.cached_property
    def _groups(self):
        return self._all(self._elb, "describe_target_groups", "TargetGroups")

    @functools.cached_property
    def _security(self):
        return self._all(self._ec2, "describe_security_groups", "SecurityGroups")

    @functools.cached_property
    def _subnets(self):
        return {subnet["SubnetId"]: subnet for subnet in self._all(self._ec2, "describe_subnets", "Subnets")}

    @functools.cached_property
    def _security_names(self):
        return {group["GroupId"]: group["GroupName"] for group in self._security}

    @functools.cached_property
    def _group_names(self):
        return {group["TargetGroupArn"]: group["TargetGroupName"] for group in self._groups}

    @staticmethod
    def _all(api, operation, key, **arguments):
        pages = api.get_paginator(operation).paginate(**arguments)
        return [item for page in pages for item in page[key]]

    def _tags(self, arns):
        found = {}
        for start in range(0, len(arns), TAGGED_AT_ONCE):
            answer = self._elb.describe_tags(ResourceArns=arns[start : start + TAGGED_AT_ONCE])
            found |= {entry["ResourceArn"]: _as_map(entry["Tags"]) for entry in answer["TagDescriptions"]}
        return found

    def load_balancers(self, only=None):
        """All load balancers, or only the one of this DNS name."""
        chosen = [balancer for balancer in self.balancers if only in (None, balancer["DNSName"].lower())]
        tags = self._tags([balancer["LoadBalancerArn"] for balancer in chosen])
        return {
            balancer["LoadBalancerName"]: {
                "attributes": _as_map(self._elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]),
                "ip": balancer["IpAddressType"],
                "listeners": self._listeners(arn),
                "scheme": balancer["Scheme"],
                "securityGroups": sorted(self._security_names[group] for group in balancer.get("SecurityGroups", [])),
                "tags": tags[arn],
                "type": balancer["Type"],
                "zones": sorted(self._zone(zone) for zone in balancer["AvailabilityZones"]),
            }
            for balancer in chosen
            for arn in [balancer["LoadBalancerArn"]]
        }

    def _zone(self, zone):
        return f"{zone['ZoneName']}/{self._subnets[zone['SubnetId']]['CidrBlock']}"

    def _listeners(self, balancer_arn):
        listeners = self._all(self._elb, "describe_listeners", "Listeners", LoadBalancerArn=balancer_arn)
        tags = self._tags([listener["ListenerArn"] for listener in listeners])
        return {
            f"{listener['Port']}/{listener['Protocol']}": {
                "alpn": listener.get("AlpnPolicy") or None,
                "certificates": self._certificates(listener),
                "default": self._actions(listener["DefaultActions"]),
                "rules": self._rules(listener["ListenerArn"]),
                "ssl": listener.get("SslPolicy"),
                "tags": tags[listener["ListenerArn"]],
            }
            for listener in listeners
        }

    def _certificates(self, listener):
        arn = listener["ListenerArn"]
        found = self._all(self._elb, "describe_listener_certificates", "Certificates", ListenerArn=arn)
        return sorted(certificate["CertificateArn"] for certificate in found)

    def _rules(self, listener_arn):
        rules = self._all(self._elb, "describe_rules", "Rules", ListenerArn=listener_arn)
        return [
            {
                "actions": self._actions(rule["Actions"]),
                "conditions": [_condition(condition) for condition in rule["Conditions"]],
                "priority": rule["Priority"],
                # Only where there are some: no recorded case has any.
                **({"transforms": rule["Transforms"]} if rule.get("Transforms") else {}),
            }
            for rule in rules
            if not rule["IsDefault"]
        ]

    def _actions(self, actions):
        return [self._named({key: value for key, value in action.items() if key != "Order"}) for action in actions]

    def _named(self, value):
        """Replaces the ARN of every target group by its name, at any depth."""
        if isinstance(value, dict):
            return {key: self._named(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._named(inner) for inner in value]
        return self._group_names.get(value, value) if isinstance(value, str) else value

    def group_tags(self):
        """Tags of all target groups."""
        tags = self._tags(list(self._group_names))
        return {name: tags[arn] for arn, name in self._group_names.items()}

    def target_groups(self):
        """All target groups."""
        tags = self._tags(list(self._group_names))
        return {
            group["TargetGroupName"]: {
                **{key: group.get(key) for key in GROUP_SETTINGS},
                "attributes": _as_map(self._elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]),
                "tags": tags[arn],
                "targets": self._targets(arn),
            }
            for group in self._groups
            for arn in [group["TargetGroupArn"]]
        }

    def _targets(self, group_arn):
        found = self._elb.describe_target_health(TargetGroupArn=group_arn)["TargetHealthDescriptions"]
        return sorted(
            f"{entry['Target']['Id']}:{entry['Target']['Port']}"
            for entry in found
            if entry["TargetHealth"]["State"] != "draining"
        )

    def security_groups(self):
        """All security groups but the default ones."""
        return {
            group["GroupName"]: {
                "description": group["Description"],
                "ingress": sorted(self._permission(permission) for permission in group["IpPermissions"]),
                "tags": _as_map(group.get("Tags", [])),
            }
            for group in self._security
            if group["GroupName"] != "default"
        }

    def _permission(self, permission):
        return json.dumps(
            {
                "p": permission["IpProtocol"],
                "f": permission.get("FromPort"),
                "t": permission.get("ToPort"),
                "c": _sources(permission.get("IpRanges", []), "CidrIp"),
                "c6": _sources(permission.get("Ipv6Ranges", []), "CidrIpv6"),
                "g": sorted(
                    [self._security_names.get(pair["GroupId"], pair["GroupId"]), pair.get("Description", "")]
                    for pair in permission.get("UserIdGroupPairs", [])
                ),
                "pl": _sources(permission.get("PrefixListIds", []), "PrefixListId"),
            }
        )

    def records(self, only=None):
        """Record sets of all zones, or only of the one of this name."""
        zones = [zone for zone in self._all(self._dns, "list_hosted_zones", "HostedZones") if only in (None, zone["Name"])]
        return {zone["Name"]: self._records_of(zone["Id"]) for zone in zones}

    def _records_of(self, zone_id):
        sets = self._all(self._dns, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id)
        return [self._record(record) for record in sets if record["Type"] not in ("NS", "SOA")]

    def _record(self, record):
        """The API's own keys, but values as a sorted list and the alias in its own form."""
        rendered = {key: value for key, value in record.items() if key not in ("ResourceRecords", "AliasTarget")}
        if "ResourceRecords" in record:
            rendered["values"] = sorted(value["Value"] for value in record["ResourceRecords"])
        if "AliasTarget" in record:
            rendered["alias"] = self._alias(record["AliasTarget"])
        return rendered

    def _alias(self, target):
        name = target["DNSName"].rstrip(".").removeprefix("dualstack.")
        found = (balancer for balancer in self.balancers if balancer["DNSName"].lower() == name)
        pointed = next((f"loadBalancer:{balancer['LoadBalancerName']}" for balancer in found), target["DNSName"])
        return {"to": pointed, "zone": target["HostedZoneId"], "health": target["EvaluateTargetHealth"]}


def _as_map(pairs):
    return {pair["Key"]: pair["Value"] for pair in pairs}


def _condition(condition):
    """Without the plain Values that AWS repeats beside a typed config."""
    typed = any(key.endswith("Config") for key in condition)
    return {key: value for key, value in condition.items() if not (typed and key == "Values")}


def _sources(ranges, key):
    return sorted([source[key], source.get("Description", "")] for source in ranges)


def main():
    parser = argparse.ArgumentParser(description="Prints the state behind an AWS endpoint as JSON.")
    parser.add_argument("endpoint")
    parser.add_argument("--region", default="us-east-1")
    arguments = parser.parse_args()
    print(json.dumps(dump(arguments.endpoint, arguments.region), indent=1, sort_keys=True, default=str))


if __name__ == "__main__":
    main()
