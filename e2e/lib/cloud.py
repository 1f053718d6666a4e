"""The AWS account under test, seen by a client that shares nothing with Fairway, and the emulator's control routes."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from .aws_state import Reader, client, dump
from .waiting import need

T = TypeVar("T")

# Things go one after the other; more than a few in as many reads would be worth a look.
DUMPS = 5
# What only looks begins with one of these.
READS = ("Describe", "Get", "List", "Search")


class Cloud:
    """An emulated account. `elb`, `ec2`, `dns` and `acm` are boto3 clients."""

    def __init__(self, endpoint: str, vpc: str, region: str = "us-east-1") -> None:
        self.endpoint, self.vpc, self.region = endpoint, vpc, region
        self.elb, self.ec2, self.dns, self.acm = (client(name, endpoint, region) for name in ("elbv2", "ec2", "route53", "acm"))

    def control(self, method: str, route: str, body: Any = None) -> Any:
        """Calls `/_fairway/<route>` of the emulator."""
        request = urllib.request.Request(
            f"{self.endpoint}/_fairway/{route}", method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {route}: {error.code} {error.read().decode()}") from error

    def reset(self, seed: dict[str, Any] | None = None) -> None:
        """An account with nothing but the seed's content: that of the start, or the one given. Settings and faults go, too."""
        self.control("POST", "reset", {} if seed is None else {"seed": seed})

    def settings(self, **values: Any) -> None:
        """Changes settings of the emulator."""
        self.control("PUT", "settings", values)

    def faults(self, *rules: dict[str, Any], seed: int = 1) -> None:
        """Replaces the script of faults; without rules there are none."""
        self.control("PUT", "faults", {"seed": seed, "rules": [{"id": f"rule-{number}", **rule} for number, rule in enumerate(rules)]})

    def counters(self) -> dict[str, Any]:
        """Calls since the last reset or `forget`."""
        return self.control("GET", "counters")

    def forget(self) -> None:
        """Sets counters and journal to nought."""
        self.control("DELETE", "counters")

    def writes(self, after: int = 0) -> list[dict[str, Any]]:
        """Calls that were meant to change something, oldest first."""
        return [call for call in self.journal(after) if not call["operation"].startswith(READS)]

    def journal(self, after: int = 0) -> list[dict[str, Any]]:
        """All calls, oldest first."""
        return self.control("GET", f"journal?after={after}")

    def mark(self) -> int:
        """A place in the journal: everything after it is yet to come."""
        return max((call["number"] for call in self.journal()), default=0)

    # State

    def dump(self) -> dict[str, Any]:
        """Everything, with names for ids."""
        return self._whole(lambda: dump(self.endpoint, self.region))

    def look(self, read: Callable[[Reader], T]) -> T:
        """Some parts of what `dump` gives."""
        return self._whole(lambda: read(Reader(self.endpoint, self.region)))

    def _whole(self, read: Callable[[], T]) -> T:
        """Read again when something went while it was being read."""
        for _ in range(DUMPS):
            try:
                return read()
            except ClientError as error:
                if "NotFound" not in error.response["Error"]["Code"]:
                    raise
        return read()

    def balancer(self, address: str) -> dict[str, Any]:
        """The load balancer that has this DNS name."""
        name = _plain(address)
        for page in self.elb.get_paginator("describe_load_balancers").paginate():
            for found in page["LoadBalancers"]:
                if found["DNSName"].lower() == name:
                    return found
        raise AssertionError(f"no load balancer has the name {address}")

    def seen(self, address: str) -> dict[str, Any]:
        """The load balancer that has this DNS name, as `dump` shows it."""
        return self.look(lambda reader: _one(reader, address))

    def routed(self, address: str) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
        """The load balancer that has this DNS name, as `dump` shows it, and tags of all target groups by their names."""
        return self.look(lambda reader: (_one(reader, address), reader.group_tags()))

    def target_groups(self) -> dict[str, Any]:
        """Target groups by name, as `dump` shows them."""
        return self.look(lambda reader: reader.target_groups())

    def tags(self, arn: str) -> dict[str, str]:
        """Tags of something in Elastic Load Balancing."""
        answer = self.elb.describe_tags(ResourceArns=[arn])
        return {tag["Key"]: tag["Value"] for tag in answer["TagDescriptions"][0]["Tags"]}

    def zone(self, name: str) -> str:
        """Id of a hosted zone."""
        for zone in self.dns.list_hosted_zones()["HostedZones"]:
            if zone["Name"] == f"{name}.":
                return zone["Id"].rpartition("/")[2]
        raise AssertionError(f"there is no zone {name}")

    def records(self, zone: str = "example.com") -> dict[tuple[str, str], dict[str, Any]]:
        """Record sets of a zone by name (without a trailing dot) and type, as `dump` shows them."""
        found = self.look(lambda reader: reader.records(only=f"{zone}."))[f"{zone}."]
        return {(record["Name"].rstrip("."), record["Type"]): record for record in found}

    def put_record(self, zone: str, name: str, kind: str, *values: str) -> None:
        """Plants a record set, as somebody else would."""
        record = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value} for value in values]}
        self.dns.change_resource_record_sets(
            HostedZoneId=self.zone(zone), ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]})

    def subnets(self, name: str = "") -> dict[str, str]:
        """Ids of subnets by their Name tag, of those whose name begins with `name`."""
        named = {}
        own = [{"Name": "vpc-id", "Values": [self.vpc]}]
        for subnet in self.ec2.describe_subnets(Filters=own)["Subnets"]:
            tags = {tag["Key"]: tag["Value"] for tag in subnet.get("Tags", [])}
            if tags.get("Name", "").startswith(name):
                named[tags.get("Name", "")] = subnet["SubnetId"]
        return named

    def plant_group(self, name: str, tags: dict[str, str] | None = None) -> str:
        """A security group of somebody else."""
        made = self.ec2.create_security_group(GroupName=name, Description="made by hand", VpcId=self.vpc)
        if tags:
            self.ec2.create_tags(Resources=[made["GroupId"]], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
        return made["GroupId"]


def _one(reader: Reader, address: str) -> dict[str, Any]:
    found = list(reader.load_balancers(only=_plain(address)).values())
    need(found, f"no load balancer has the name {address}")
    return found[0]


def _plain(address: str) -> str:
    """A DNS name as load balancers have it."""
    return address.removeprefix("dualstack.").lower()
