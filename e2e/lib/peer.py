"""A recorded case, put into an account and a cluster as the AWS Load Balancer Controller left it.

Nothing here is Fairway's: AWS is written through its API, and what the recording leaves out (tags of rules, and the half of a
checkpoint that hashes the ids of the account) is made as the peer makes it.
"""

import base64
import hashlib
import json
import re
from typing import Any

from lab import Lab

from . import etcd, recorded
from .cloud import Cloud
from .cluster import Cluster

LEASE = "aws-load-balancer-controller-leader"
# Of a TargetGroupBinding's spec, in the order in which the peer's checkpoint hashes them.
HASHED = (
    "targetGroupARN", "targetGroupName", "multiClusterTargetGroup", "targetType", "targetGroupProtocol", "serviceRef", "networking",
    "nodeSelector", "ipAddressType", "vpcID", "iamRoleArnToAssume", "assumeRoleExternalId")


class Planted:
    """What stands in the account: ids by name."""

    def __init__(self, cloud: Cloud, case: recorded.Case) -> None:
        self._cloud, self._aws = cloud, case.aws
        found = cloud.ec2.describe_security_groups()["SecurityGroups"]
        self.groups = {group["GroupName"]: group["GroupId"] for group in found}
        subnets = cloud.ec2.describe_subnets()["Subnets"]
        self._subnets = {subnet["CidrBlock"]: subnet["SubnetId"] for subnet in subnets}
        self.targets: dict[str, str] = {}
        self.hosts: dict[str, str] = {}
        self.listeners: list[str] = []
        for name, group in case.aws["securityGroups"].items():
            self._security_group(name, group)
        for name, group in case.aws["securityGroups"].items():
            self._permissions(name, group)
        for name, group in case.aws["targetGroups"].items():
            self._target_group(name, group)
        for name, balancer in case.aws["loadBalancers"].items():
            self._load_balancer(name, balancer)

    def _security_group(self, name: str, group: dict[str, Any]) -> None:
        if name not in self.groups:
            made = self._cloud.ec2.create_security_group(
                GroupName=name, Description=group["description"], VpcId=self._cloud.vpc,
                TagSpecifications=[{"ResourceType": "security-group", "Tags": _pairs(group["tags"])}])
            self.groups[name] = made["GroupId"]

    def _permissions(self, name: str, group: dict[str, Any]) -> None:
        wanted = [self._permission(json.loads(text)) for text in group["ingress"]]
        if wanted:
            self._cloud.ec2.authorize_security_group_ingress(GroupId=self.groups[name], IpPermissions=wanted)

    def _permission(self, it: dict[str, Any]) -> dict[str, Any]:
        described = lambda key, entries: [{key: source, **({"Description": text} if text else {})} for source, text in entries]  # noqa: E731
        pairs = [[self.groups[source], text] for source, text in it["g"]]
        return {
            "IpProtocol": it["p"], "FromPort": it["f"], "ToPort": it["t"], "IpRanges": described("CidrIp", it["c"]),
            "Ipv6Ranges": described("CidrIpv6", it["c6"]), "UserIdGroupPairs": described("GroupId", pairs),
            "PrefixListIds": described("PrefixListId", it["pl"])}

    def _target_group(self, name: str, group: dict[str, Any]) -> None:
        apart = ("attributes", "tags", "targets")
        settings = {key: value for key, value in group.items() if key not in apart and value is not None}
        made = self._cloud.elb.create_target_group(Name=name, VpcId=self._cloud.vpc, Tags=_pairs(group["tags"]), **settings)
        self.targets[name] = arn = made["TargetGroups"][0]["TargetGroupArn"]
        there = self._cloud.elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        if differing := _differing(group["attributes"], there):
            self._cloud.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=differing)
        if group["targets"]:
            targets = [{"Id": one.rpartition(":")[0], "Port": int(one.rpartition(":")[2])} for one in group["targets"]]
            self._cloud.elb.register_targets(TargetGroupArn=arn, Targets=targets)

    def _load_balancer(self, name: str, balancer: dict[str, Any]) -> None:
        made = self._cloud.elb.create_load_balancer(
            Name=name, Scheme=balancer["scheme"], Type=balancer["type"], IpAddressType=balancer["ip"],
            Subnets=[self._subnets[zone.partition("/")[2]] for zone in balancer["zones"]],
            SecurityGroups=[self.groups[group] for group in balancer["securityGroups"]], Tags=_pairs(balancer["tags"]))
        arn = made["LoadBalancers"][0]["LoadBalancerArn"]
        self.hosts[name] = made["LoadBalancers"][0]["DNSName"].lower()
        there = self._cloud.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        if differing := _differing(balancer["attributes"], there):
            self._cloud.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=differing)
        for key, listener in balancer["listeners"].items():
            self._listener(arn, key, listener)

    def _listener(self, balancer: str, key: str, listener: dict[str, Any]) -> None:
        port, _, protocol = key.partition("/")
        given = {"AlpnPolicy": listener["alpn"], "SslPolicy": listener["ssl"]}
        certificates = [{"CertificateArn": arn} for arn in listener["certificates"]]
        made = self._cloud.elb.create_listener(
            LoadBalancerArn=balancer, Port=int(port), Protocol=protocol, DefaultActions=self._known(listener["default"]),
            Tags=_pairs(listener["tags"]), **({"Certificates": certificates[:1]} if certificates else {}),
            **{key: value for key, value in given.items() if value})
        arn = made["Listeners"][0]["ListenerArn"]
        self.listeners.append(arn)
        if certificates[1:]:
            self._cloud.elb.add_listener_certificates(ListenerArn=arn, Certificates=certificates[1:])
        for rule in listener["rules"]:
            self._cloud.elb.create_rule(
                ListenerArn=arn, Priority=int(rule["priority"]), Conditions=rule["conditions"], Actions=self._known(rule["actions"]),
                Tags=_pairs(rule_tags(listener["tags"], port, rule["priority"])))

    def _known(self, value: Any) -> Any:
        """With the ARN of a target group for its name."""
        if isinstance(value, dict):
            return {key: self._known(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._known(inner) for inner in value]
        return self.targets.get(value, value) if isinstance(value, str) else value

    def rules(self) -> list[dict[str, Any]]:
        """The rules, without the default ones."""
        found = [rule for arn in self.listeners for rule in self._cloud.elb.describe_rules(ListenerArn=arn)["Rules"]]
        return [rule for rule in found if not rule["IsDefault"]]

    def retag_rules(self, resource: Any) -> None:
        """Gives each rule the resource id that `resource` makes of its tags' `port:priority`."""
        for rule in self.rules():
            tags = self._cloud.tags(rule["RuleArn"])
            (key,) = [key for key in tags if key.endswith(".k8s.aws/resource")]
            self._cloud.elb.add_tags(ResourceArns=[rule["RuleArn"]], Tags=_pairs({key: resource(tags[key])}))

    # The cluster's side

    def object(self, item: dict[str, Any]) -> dict[str, Any]:
        """A recorded object with the ids of this account."""
        text = json.dumps(item)
        for name, arn in self.targets.items():
            if was := _recorded_arn(text, name):
                text = text.replace(was, arn)
        made = json.loads(text)
        for entry in made.get("status", {}).get("loadBalancer", {}).get("ingress", []):
            (entry["hostname"],) = [host for name, host in self.hosts.items() if f"{name}-" in entry["hostname"]]
        if made["kind"] == "TargetGroupBinding":
            self._bind(made)
        return made

    def _bind(self, binding: dict[str, Any]) -> None:
        for entry in binding["spec"].get("networking", {}).get("ingress", []):
            for source in entry["from"]:
                if "securityGroup" in source:
                    (backend,) = [arn for name, arn in self.groups.items() if name.startswith("k8s-traffic-")]
                    source["securityGroup"]["groupID"] = backend
        annotations = binding["metadata"]["annotations"]
        key = "elbv2.k8s.aws/checkpoint"
        annotations[key] = f"{annotations[key].partition('/')[0]}/{spec_hash(binding['spec'])}"


def put(lab: Lab, cluster: Cluster, item: dict[str, Any]) -> None:
    """Puts an object there with everything that the peer wrote into it."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in ("resourceVersion", "generation")}
    if item["kind"] == "Service":
        etcd.put(lab, {**item, "metadata": metadata})
        return
    for given in ("uid", "creationTimestamp"):
        metadata.pop(given, None)
    cluster.apply({key: value for key, value in item.items() if key != "status"} | {"metadata": metadata})
    if item.get("status"):
        cluster.apply_status(item)


def spec_hash(spec: dict[str, Any]) -> str:
    """The second half of a checkpoint."""
    ordered = {key: spec[key] for key in HASHED if key in spec}
    ordered["serviceRef"] = {key: spec["serviceRef"][key] for key in ("name", "port")}
    if "networking" in spec:
        entries = spec["networking"]["ingress"]
        ports = lambda entry: [{key: port[key] for key in ("protocol", "port") if key in port} for port in entry["ports"]]  # noqa: E731
        ordered["networking"] = {"ingress": [{"from": entry["from"], "ports": ports(entry)} for entry in entries]}
    text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def rule_tags(listener: dict[str, str], port: str, priority: str) -> dict[str, str]:
    """Tags of a rule: the listener's, under its own resource id."""
    return {key: f"{port}:{priority}" if key.endswith(".k8s.aws/resource") else value for key, value in listener.items()}


def _recorded_arn(text: str, name: str) -> str | None:
    """The recorded ARN of a target group, if an object's text holds it."""
    found = re.search(rf"arn:aws:elasticloadbalancing:[^\"]*:targetgroup/{name}/[0-9a-f]+", text)
    return found and found[0]


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _differing(wanted: dict[str, str], there: list[dict[str, str]]) -> list[dict[str, str]]:
    have = {pair["Key"]: pair["Value"] for pair in there}
    return _pairs({key: value for key, value in wanted.items() if have.get(key) != value})
